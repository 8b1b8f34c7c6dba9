//! A refusal names what it was decided from, and the first reason in the order of the checks.

use crate::cluster::Cluster;
use crate::coordinator::{Answer, Payment};
use strongroom_journal::model::AttemptRecord;
use strongroom_journal::state::Lookup as _;
use strongroom_types::{ActBody, Code, Digest, Document as _, Tighten, digest};
use strongroom_wire::encode;
use strongroom_wire::frame::ToSigner;
use strongroom_world::STRANGER;

/// The digest of evidence that ends before the transaction was decoded.
fn evidence(attempt: Option<&AttemptRecord>) -> Digest {
    let nothing = encode(&None::<u8>);
    digest(
        "strongroom/signer-evidence/v2",
        &[&encode(&attempt), &nothing, &nothing],
    )
}

fn on_record(cluster: &Cluster, payment: &Payment) -> AttemptRecord {
    let (tenant, intent) = (cluster.world.tenant.id, payment.intent.digest());
    let record = cluster.writer().state().intent(tenant, &intent).unwrap();
    record.unwrap().attempts[0].clone()
}

fn refused(answer: Answer) -> (Code, Digest) {
    let Answer::Refused(refusal) = answer else {
        panic!("a refusal wanted: {answer:?}")
    };
    (refusal.code, refusal.evidence)
}

#[test]
fn a_refusal_names_the_attempt_that_this_signer_has_on_record() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    let record = on_record(&cluster, &payment);
    let mut request = cluster.request(&payment, &[1, 2]);
    request.unsigned = cluster.build(STRANGER, 300_000, 77).unsigned;
    assert_eq!(
        refused(cluster.ask(1, &request)),
        (Code::AttemptDigestMismatch, evidence(Some(&record)))
    );
}

#[test]
fn of_a_stopped_replica_nothing_is_looked_at() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    let request = cluster.request(&payment, &[1, 2]);
    // Another cluster of the same world is the same writer on another line.
    let mut other = Cluster::ready();
    other.now = other.now.plus(1);
    other.authorized(310_000, &[]);
    let forked = other.batches.last().unwrap().1.clone();
    let id = cluster.signer_id(1);
    cluster.give(id, ToSigner::Batch(forked));
    assert!(cluster.signer(1).node().halted().is_some());
    let (_, seen) = refused(cluster.ask(1, &request));
    assert_eq!(seen, evidence(None));
}

#[test]
fn what_the_tip_forbids_is_said_before_what_was_forbidden_on_the_way() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    cluster.withhold = true;
    cluster.tighten(Tighten::Stop);
    let who = cluster.ledger().admins();
    cluster.act(ActBody::Resume, &who);
    cluster.tighten(Tighten::Cancel(payment.intent.digest()));
    let request = cluster.request(&payment, &[1, 2]);
    assert_eq!(cluster.ask(1, &request).code(), Code::IntentCancelled);
}
