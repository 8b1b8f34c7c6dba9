//! What arrives from outside: only a coordinator's own, whole, timely record for this signer
//! counts.

use crate::cluster::Cluster;
use crate::coordinator::answer;
use strongroom_types::{Code, NodeId};
use strongroom_wire::frame::ToSigner;
use strongroom_wire::{CoordinatorMessage, Role, SignerMessage};

#[test]
fn with_any_byte_of_a_signing_request_flipped_or_cut_there_is_no_share() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    let request = cluster.request(&payment, &[1, 2]);
    let id = cluster.signer_id(1);
    let sealed = cluster.seal(
        Role::Coordinator,
        Some(id),
        &CoordinatorMessage::Sign(request),
        30_000,
    );
    for at in 0..sealed.len() {
        let mut flipped = sealed.clone();
        flipped[at] ^= 1;
        assert!(
            answer(cluster.give(id, ToSigner::Inbox(flipped))).is_nothing(),
            "byte {at}"
        );
        assert!(
            answer(cluster.give(id, ToSigner::Inbox(sealed[..at].to_vec()))).is_nothing(),
            "cut at {at}"
        );
    }
    assert_eq!(
        answer(cluster.give(id, ToSigner::Inbox(sealed)))
            .shares()
            .len(),
        1
    );
}

#[test]
fn a_record_for_another_signer_or_without_a_recipient_is_ignored() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    let request = CoordinatorMessage::Sign(cluster.request(&payment, &[1, 2]));
    let (one, two) = (cluster.signer_id(1), cluster.signer_id(2));
    for to in [Some(two), None, Some(NodeId([9; 16]))] {
        let sealed = cluster.seal(Role::Coordinator, to, &request, 30_000);
        assert!(answer(cluster.give(one, ToSigner::Inbox(sealed))).is_nothing());
    }
    let sealed = cluster.seal(Role::Coordinator, Some(one), &request, 30_000);
    assert_eq!(
        answer(cluster.give(one, ToSigner::Inbox(sealed)))
            .shares()
            .len(),
        1
    );
}

#[test]
fn a_request_of_any_other_role_is_ignored() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    let request = CoordinatorMessage::Sign(cluster.request(&payment, &[1, 2]));
    let one = cluster.signer_id(1);
    for role in [Role::Api, Role::Approvals, Role::Transactions, Role::Writer] {
        let sealed = cluster.seal(role, Some(one), &request, 30_000);
        assert!(
            answer(cluster.give(one, ToSigner::Inbox(sealed))).is_nothing(),
            "{role:?}"
        );
    }
    let sealed = cluster.seal(Role::Coordinator, Some(one), &request, 30_000);
    assert_eq!(
        answer(cluster.give(one, ToSigner::Inbox(sealed)))
            .shares()
            .len(),
        1
    );
}

#[test]
fn a_request_at_its_deadline_is_refused() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    let request = CoordinatorMessage::Sign(cluster.request(&payment, &[1, 2]));
    let one = cluster.signer_id(1);
    let late = cluster.seal(Role::Coordinator, Some(one), &request, 0);
    assert_eq!(
        answer(cluster.give(one, ToSigner::Inbox(late))).code(),
        Code::DeadlineExpired
    );
    let timely = cluster.seal(Role::Coordinator, Some(one), &request, 1);
    assert_eq!(
        answer(cluster.give(one, ToSigner::Inbox(timely)))
            .shares()
            .len(),
        1
    );
}

/// A coordinator whose deadlines are far ahead would keep this signer's memory as long, and get a
/// share long after everyone has given up.
#[test]
fn a_request_waits_two_minutes_at_most_whatever_its_deadline() {
    let mut cluster = Cluster::ready();
    let payment = cluster.payment(300_000);
    let message = CoordinatorMessage::Sign(cluster.request(&payment, &[1, 2]));
    let id = cluster.signer_id(1);
    let sealed = cluster.seal(Role::Coordinator, Some(id), &message, 3_600_000);
    let asked_at = cluster.now;
    assert!(cluster.give(id, ToSigner::Inbox(sealed)).is_empty());

    (0..7).for_each(|_| cluster.wait(15_000));
    cluster.wait(asked_at.0 + 119_999 - cluster.now.0);
    assert_eq!(cluster.status(1)["held"], "1");
    cluster.wait(1);
    assert_eq!(cluster.status(1)["held"], "0");
    let (_, SignerMessage::Refused(refusal), _) = cluster.said.last().unwrap() else {
        panic!("refused")
    };
    assert_eq!(refusal.code, Code::AttemptUnknown);
}

#[test]
fn entries_of_any_role_but_the_writer_are_ignored() {
    let mut cluster = Cluster::ready();
    let payment = cluster.payment(300_000);
    let body = cluster.body(&payment, &[]);
    cluster.order(body).unwrap();
    let (first, genuine) = cluster.batches.last().unwrap().clone();
    let registered = cluster.writer().state().registered().clone();
    let envelope = strongroom_wire::open(&genuine, registered.as_ref(), &[Role::Writer]).unwrap();
    let batch: strongroom_wire::JournalBatch = envelope.payload().unwrap();
    let one = cluster.signer_id(1);
    for role in [Role::Coordinator, Role::Transactions] {
        let forged = cluster.seal(role, None, &batch, 60_000);
        cluster.give(one, ToSigner::Batch(forged));
        assert_eq!(cluster.status(1)["tip"], first.to_string(), "{role:?}");
    }
    cluster.give(one, ToSigner::Batch(genuine));
    assert_eq!(cluster.status(1)["tip"], (first + 1).to_string());
}

#[test]
fn a_cosignature_counts_only_from_the_witness_itself() {
    let mut cluster = Cluster::ready();
    cluster.withhold = true;
    let payment = cluster.payment(300_000);
    let body = cluster.body(&payment, &[]);
    cluster.submit(body).unwrap();
    let from_two = cluster
        .withheld
        .iter()
        .find(|(from, _)| *from == cluster.signer_id(2))
        .unwrap()
        .1
        .clone();
    let registered = cluster.writer().state().registered().clone();
    let envelope = strongroom_wire::open(&from_two, registered.as_ref(), &[Role::Signer]).unwrap();
    let cosignature: strongroom_wire::WitnessCosignature = envelope.payload().unwrap();
    let one = cluster.signer_id(1);
    let before = cluster.status(1)["ignored"].parse::<u64>().unwrap();
    // The cosignature is in a service's envelope, and in another witness's.
    let forged = cluster.seal(Role::Writer, None, &cosignature, 60_000);
    cluster.give(one, ToSigner::Cosignature(forged));
    let three = cluster.world.signer(3).clone();
    let heading = strongroom_wire::envelope::Heading {
        genesis: cluster.world.genesis.hash(),
        from: three.node,
        to: None,
        session: [0; 16],
        cause: [0; 16],
        sequence: 1,
        created: cluster.now,
        deadline: cluster.now.plus(1),
    };
    let borrowed = strongroom_wire::seal(heading, &cosignature, &three.signing);
    cluster.give(one, ToSigner::Cosignature(borrowed));
    assert_eq!(
        cluster.status(1)["ignored"].parse::<u64>().unwrap(),
        before + 2
    );
    cluster.let_through(cluster.withheld.len());
    cluster.assert_signs(1, &payment);
}

#[test]
fn a_gap_in_the_entries_is_noticed_and_hello_says_from_where() {
    let mut cluster = Cluster::ready();
    let id = cluster.signer_id(1);
    cluster.cut_off.insert(id);
    cluster.authorized(300_000, &[]);
    let payment = cluster.authorized(300_000, &[]);
    let last = cluster.batches.last().unwrap().1.clone();
    cluster.give(id, ToSigner::Batch(last));
    assert!(cluster.signer(1).node().has_gap());
    cluster.cut_off.clear();
    cluster.pump();
    assert!(!cluster.signer(1).node().has_gap());
    cluster.wait(15_000);
    cluster.assert_signs(1, &payment);
}

/// Each costs a signature and a line of the log.
#[test]
fn hole_signed_refusals_are_bounded_and_an_honest_coordinator_gets_its_own() {
    let mut cluster = Cluster::ready();
    let bound = usize::try_from(strongroom_signer_core::ANSWERED_PER_SECOND).unwrap();
    let (tenant, key) = (cluster.world.tenant.id, cluster.world.tenant.key);
    let ask = |cluster: &mut Cluster, n: usize| {
        let run = 1_000 + u32::try_from(n).unwrap();
        let message = CoordinatorMessage::Ceremony { tenant, key, run };
        cluster.to(1, &message).len()
    };
    let answered: usize = (0..bound + 500).map(|n| ask(&mut cluster, n)).sum();
    assert_eq!(answered, bound);
    assert_eq!(cluster.status(1)["unanswered"], "500");
    cluster.now = cluster.now.plus(1_000);
    assert_eq!(ask(&mut cluster, 0), 1, "the next second is another");
}

/// Anyone on the bus can keep a coordinator's records and send them again.
#[test]
fn hole_old_records_sent_again_use_up_no_answer_of_their_coordinator() {
    let mut cluster = Cluster::ready();
    let (tenant, key) = (cluster.world.tenant.id, cluster.world.tenant.key);
    let run = |run| CoordinatorMessage::Ceremony { tenant, key, run };
    let id = cluster.signer_id(1);
    let old = cluster.seal(Role::Coordinator, Some(id), &run(99), 1_000);
    cluster.now = cluster.now.plus(5_000);
    for _ in 0..=strongroom_signer_core::ANSWERED_PER_SECOND {
        cluster.give(id, ToSigner::Inbox(old.clone()));
    }
    assert_eq!(cluster.status(1)["unanswered"], "1");
    assert_eq!(cluster.to(1, &run(98)).len(), 1);
}
