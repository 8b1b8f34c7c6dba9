//! From nothing to a signature.

use crate::cluster::Cluster;
use crate::coordinator::{Answer, coin};
use crate::machine::codec;
use strongroom_ports::chain::ChainCodec as _;
use strongroom_world::{FRIEND, Who};

#[test]
fn a_key_is_made_a_vault_opened_and_a_payment_signed_by_any_two_of_three() {
    let mut cluster = Cluster::ready();
    for quorum in [[1, 2], [1, 3], [2, 3]] {
        let payment = cluster.authorized(300_000, &[]);
        let signed = cluster.sign(&payment, &quorum);
        assert!(!codec().transaction_id(&signed).unwrap().is_empty());
    }
}

#[test]
fn every_input_of_a_transaction_gets_its_share_in_one_request() {
    let mut cluster = Cluster::ready();
    let mut payment = cluster.payment(900_000);
    let coins = [coin(71, 400_000), coin(72, 400_000), coin(73, 400_000)];
    payment.built = cluster.build_with(FRIEND, 900_000, &coins);
    payment.attempt = cluster.attempt_of(&payment.intent, &payment.built);
    assert_eq!(payment.attempt.conflict_keys.len(), 3);
    cluster.authorize(&payment, &[]);
    cluster.sign(&payment, &[1, 3]);
}

#[test]
fn an_approved_payment_is_signed_with_its_approval() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(5_000_000, &[Who::Approver(0)]);
    cluster.sign(&payment, &[1, 2]);
}

#[test]
fn the_answer_names_the_head_acted_under_and_when_it_covered_the_attempt() {
    let mut cluster = Cluster::ready();
    cluster.wait(7);
    let payment = cluster.authorized(300_000, &[]);
    let covered = cluster.now;
    cluster.wait(500);
    let request = cluster.request(&payment, &[1, 2]);
    let Answer::Shares {
        head, covered_us, ..
    } = cluster.ask(1, &request)
    else {
        panic!("shares")
    };
    assert_eq!((head, covered_us), (cluster.size(), covered.0 * 1000));
}

#[test]
fn a_signer_that_was_killed_and_restarted_signs_again() {
    let mut cluster = Cluster::ready();
    let now = cluster.now;
    cluster.signer(2).start(now).unwrap();
    cluster.wait(15_000);
    let payment = cluster.authorized(300_000, &[]);
    cluster.sign(&payment, &[1, 2]);
}
