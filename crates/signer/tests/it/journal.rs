//! A share needs a fresh witnessed head that still allows it.

use crate::cluster::Cluster;
use crate::coordinator::{Answer, answer};
use strongroom_journal::Body;
use strongroom_journal::genesis::Registered;
use strongroom_types::{ActBody, AttemptKind, Code, Document as _, Tighten, UnixMs};
use strongroom_wire::frame::{AdminReply, AdminRequest, FromSigner, ToSigner};
use strongroom_wire::{CoordinatorMessage, Role, SignerMessage, WitnessCosignature};
use strongroom_world::Who;

#[test]
fn a_share_is_held_until_k_cosignatures_cover_the_attempt() {
    let mut cluster = Cluster::ready();
    let payment = cluster.payment(300_000);
    let request = cluster.request(&payment, &[1, 2]);
    // The attempt is not even in this signer's log.
    assert!(cluster.ask(1, &request).is_nothing());
    cluster.withhold = true;
    let body = cluster.body(&payment, &[]);
    cluster.submit(body).unwrap();
    // The attempt is in this signer's log, cosigned by this signer alone; the quorum is three of
    // four.
    let own = cluster.signer_id(1);
    cluster.withheld.retain(|(from, _)| *from != own);
    assert_eq!(cluster.withheld.len(), 3);
    let shares = |cluster: &Cluster| {
        cluster
            .said
            .iter()
            .filter(|(_, said, _)| matches!(said, SignerMessage::Shares { .. }))
            .count()
    };
    assert_eq!(shares(&cluster), 0);
    cluster.let_through(1);
    assert_eq!(shares(&cluster), 0, "two of three");
    assert_eq!(cluster.status(1)["held"], "1");
    cluster.let_through(1);
    assert_eq!(shares(&cluster), 1, "three of three");
    assert_eq!(cluster.status(1)["held"], "0");
}

#[test]
fn an_attempt_that_never_comes_is_refused_at_the_deadline() {
    let mut cluster = Cluster::ready();
    let payment = cluster.payment(300_000);
    let request = cluster.request(&payment, &[1, 2]);
    assert!(cluster.ask(1, &request).is_nothing());
    cluster.wait(29_999);
    assert!(
        !cluster
            .said
            .iter()
            .any(|(_, said, _)| matches!(said, SignerMessage::Refused(_)))
    );
    cluster.wait(1);
    let (_, SignerMessage::Refused(refusal), _) = cluster.said.last().unwrap() else {
        panic!("refused")
    };
    assert_eq!(refusal.code, Code::AttemptUnknown);
    assert_eq!(
        refusal.request,
        strongroom_signer_core::request_digest(&request)
    );
    assert_eq!(
        (refusal.session, refusal.head),
        (request.session, cluster.size())
    );
    cluster.authorize(&payment, &[]);
    cluster.assert_signs(1, &payment);
}

#[test]
fn without_fresh_cosignatures_the_journal_is_stale() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    let id = cluster.signer_id(1);
    cluster.cut_off.insert(id);
    cluster.wait(61_000);
    let request = cluster.request(&payment, &[1, 2]);
    assert!(cluster.ask(1, &request).is_nothing());
    cluster.wait(30_000);
    let (_, SignerMessage::Refused(refusal), _) = cluster.said.last().unwrap() else {
        panic!("refused")
    };
    assert_eq!(refusal.code, Code::JournalStale);
    cluster.cut_off.clear();
    cluster.wait(15_000);
    cluster.assert_signs(1, &payment);
}

#[test]
fn a_clock_off_by_ten_minutes_refuses() {
    for late in [true, false] {
        let mut cluster = Cluster::ready();
        let payment = cluster.authorized(300_000, &[]);
        let request = cluster.request(&payment, &[1, 2]);
        let id = cluster.signer_id(1);
        let sealed = cluster.seal(
            Role::Coordinator,
            Some(id),
            &CoordinatorMessage::Sign(request),
            3_600_000,
        );
        let real = cluster.now;
        // A signer whose clock is wrong hears the next round of cosignatures by that clock.
        cluster.cut_off.insert(id);
        cluster.withhold = true;
        cluster.wait(15_000);
        cluster.withhold = false;
        cluster.cut_off.clear();
        let wrong = if late {
            real.plus(600_000)
        } else {
            UnixMs(real.0 - 600_000)
        };
        let others: Vec<_> = cluster
            .withheld
            .drain(..)
            .filter(|(from, _)| *from != id)
            .collect();
        for (_, sealed) in others {
            cluster
                .signer(1)
                .node()
                .handle(ToSigner::Cosignature(sealed), wrong)
                .unwrap();
        }
        cluster
            .signer(1)
            .node()
            .handle(ToSigner::Inbox(sealed.clone()), wrong)
            .unwrap();
        assert_eq!(cluster.status(1)["refused_clock_skew"], "1", "late: {late}");
        cluster.wait(15_000);
        assert_eq!(
            answer(cluster.give(id, ToSigner::Inbox(sealed)))
                .shares()
                .len(),
            1
        );
    }
}

#[test]
fn after_a_start_nothing_is_shared_until_a_fresh_head_covers_what_was_cosigned() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    let now = cluster.now;
    cluster.signer(1).start(now).unwrap();
    let request = cluster.request(&payment, &[1, 2]);
    assert!(cluster.ask(1, &request).is_nothing());
    assert!(cluster.status(1)["fresh"].starts_with("no: journal_stale"));
    assert_eq!(cluster.status(1)["floor"], cluster.size().to_string());
    // The others cosign the same head again: now it is covered.
    cluster.wait(15_000);
    let (index, SignerMessage::Shares { head, .. }, _) = cluster.said.last().unwrap() else {
        panic!("shares")
    };
    assert_eq!((*index, *head), (1, cluster.size()));
}

#[test]
fn an_older_fresh_head_does_not_lift_the_floor() {
    let mut cluster = Cluster::ready();
    let old = cluster.authorized(300_000, &[]);
    // One more batch that only signer 1 has: it cosigned it, the others know nothing of it.
    let others: Vec<_> = cluster
        .machines
        .keys()
        .copied()
        .filter(|id| *id != cluster.signer_id(1))
        .collect();
    cluster.cut_off.extend(others);
    cluster.authorized(300_000, &[]);
    let now = cluster.now;
    cluster.signer(1).start(now).unwrap();
    cluster.wait(15_000);
    let request = cluster.request(&old, &[1]);
    assert!(cluster.ask(1, &request).is_nothing());
    cluster.wait(30_000);
    let (_, SignerMessage::Refused(refusal), _) = cluster.said.last().unwrap() else {
        panic!("refused")
    };
    // The replica keeps no head from before its start, so the older one is not a head here.
    assert_eq!(refusal.code, Code::JournalStale);
    cluster.cut_off.clear();
    cluster.pump();
    cluster.wait(15_000);
    cluster.assert_signs(1, &old);
}

#[test]
fn a_revoked_approver_stops_the_payment_they_approved() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(5_000_000, &[Who::Approver(0)]);
    cluster.assert_signs(1, &payment);
    let approver = cluster.world.person(Who::Approver(0)).credential.id;
    cluster.tighten(Tighten::revoke(approver));
    for index in [1, 2, 3] {
        let request = cluster.request(&payment, &[1, 2, 3]);
        assert_eq!(
            cluster.ask(index, &request).code(),
            Code::ApprovalNoLongerInForce
        );
        cluster.assert_serves(index);
    }
}

#[test]
fn a_tightening_in_this_signers_log_counts_before_it_is_witnessed() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    cluster.assert_signs(1, &payment);
    cluster.withhold = true;
    cluster.tighten(Tighten::Cancel(payment.intent.digest()));
    let request = cluster.request(&payment, &[1, 2]);
    let Answer::Refused(refusal) = cluster.ask(1, &request) else {
        panic!("refused")
    };
    assert_eq!(
        (refusal.code, refusal.head),
        (Code::IntentCancelled, cluster.size() - 1)
    );
    cluster.withhold = false;
    let n = cluster.withheld.len();
    cluster.let_through(n);
    cluster.assert_serves(1);
}

#[test]
fn a_stop_in_this_signers_log_counts_until_its_resume_is_witnessed() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    cluster.withhold = true;
    cluster.tighten(Tighten::Stop);
    let who = cluster.ledger().admins();
    cluster.act(ActBody::Resume, &who);
    let request = cluster.request(&payment, &[1, 2]);
    assert_eq!(
        cluster.ask(1, &request).code(),
        Code::TenantStopped,
        "the resume is a loosening"
    );
    cluster.withhold = false;
    let n = cluster.withheld.len();
    cluster.let_through(n);
    cluster.assert_signs(1, &payment);
}

#[test]
fn a_tightening_known_before_its_payment_is_witnessed_refuses_at_once() {
    let mut cluster = Cluster::ready();
    cluster.withhold = true;
    let payment = cluster.authorized(300_000, &[]);
    cluster.tighten(Tighten::Cancel(payment.intent.digest()));
    let request = cluster.request(&payment, &[1, 2]);
    assert_eq!(cluster.ask(1, &request).code(), Code::IntentCancelled);
}

#[test]
fn a_handed_tightening_forbids_at_once_and_silences_the_witness_until_it_is_included() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    cluster.assert_signs(1, &payment);
    let cancel = cluster.ledger().signed_act(
        strongroom_types::ActBody::Tighten(Tighten::Cancel(payment.intent.digest())),
        &[Who::InitiatorKey],
    );
    let now = cluster.now;
    let hand = AdminRequest::Hand(cancel.to_json().to_text());
    assert_eq!(
        cluster.signer(1).node().admin(hand.clone(), now),
        AdminReply::Done
    );
    assert_eq!(
        cluster.signer(1).node().admin(hand, now),
        AdminReply::Done,
        "twice is once"
    );
    let request = cluster.request(&payment, &[1, 2]);
    assert_eq!(cluster.ask(1, &request).code(), Code::TighteningPending);
    // The handed act survives a restart, and is a duty.
    cluster.signer(1).start(now).unwrap();
    cluster.wait(15_000);
    assert!(cluster.status(1)["silent"].starts_with("tightening_pending"));
    assert_eq!(cluster.ask(1, &request).code(), Code::TighteningPending);
    cluster.submit(Body::Act(cancel)).unwrap();
    assert_eq!(cluster.status(1)["silent"], "no");
    assert_eq!(cluster.status(1)["tightenings_owed"], "0");
    let request = cluster.request(&payment, &[1, 2]);
    assert_eq!(cluster.ask(1, &request).code(), Code::IntentCancelled);
    cluster.assert_serves(1);
}

#[test]
fn an_act_that_is_not_a_valid_tightening_is_not_taken() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    let what = || strongroom_types::ActBody::Tighten(Tighten::Cancel(payment.intent.digest()));
    let loosening = cluster
        .ledger()
        .signed_act(strongroom_types::ActBody::Resume, &[Who::Admin(0)]);
    let strangers = cluster.ledger().signed_act(what(), &[Who::Clerk]);
    let mut forged = cluster.ledger().signed_act(what(), &[Who::InitiatorKey]);
    strongroom_world::forge(&mut forged.endorsements[0]);
    let text = |signed: strongroom_types::Signed| signed.to_json().to_text();
    let now = cluster.now;
    for (text, expected) in [
        (text(loosening), Code::Unsupported),
        (text(strangers), Code::QuorumMissing),
        (text(forged), Code::BadSignature),
        ("{".to_owned(), Code::Malformed),
        (String::new(), Code::Malformed),
    ] {
        let reply = cluster
            .signer(1)
            .node()
            .admin(AdminRequest::Hand(text), now);
        let AdminReply::Refused(refusal) = &reply else {
            panic!("{reply:?}")
        };
        let code = refusal.split(':').next();
        assert_eq!(code, Some(expected.as_str()), "{refusal}");
    }
    cluster.assert_signs(1, &payment);
}

#[test]
fn an_attempt_older_than_its_life_and_one_that_was_superseded_are_refused() {
    let mut cluster = Cluster::ready();
    let mut payment = cluster.authorized(300_000, &[]);
    let first = cluster.request(&payment, &[1, 2]);
    let mut attempt = payment.attempt.clone();
    (attempt.number, attempt.kind) = (2, AttemptKind::Bump);
    cluster.submit(Body::from(attempt.clone())).unwrap();
    assert_eq!(cluster.ask(1, &first).code(), Code::AttemptSuperseded);
    payment.attempt = attempt;
    cluster.assert_signs(1, &payment);
    (0..41).for_each(|_| cluster.wait(15_000));
    let late = cluster.request(&payment, &[1, 2]);
    assert_eq!(cluster.ask(1, &late).code(), Code::AttemptTooOld);
    cluster.assert_serves(1);
}

#[test]
fn a_second_attempt_that_is_not_in_the_journal_gets_nothing() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    let mut request = cluster.request(&payment, &[1, 2]);
    request.attempt = 2;
    assert!(cluster.ask(1, &request).is_nothing());
    cluster.wait(30_000);
    assert_eq!(cluster.status(1)["refused_attempt_unknown"], "1");
    cluster.assert_signs(1, &payment);
}

#[test]
fn a_tenant_that_is_stopped_and_a_key_that_is_revoked_get_nothing() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    cluster.tighten(Tighten::Stop);
    let request = cluster.request(&payment, &[1, 2]);
    assert_eq!(cluster.ask(1, &request).code(), Code::TenantStopped);
    cluster.act(strongroom_types::ActBody::Resume, &[Who::Admin(0)]);
    cluster.assert_signs(1, &payment);
    let key = cluster.world.tenant.key;
    let committee = cluster.ledger().committee();
    cluster.act(
        strongroom_types::ActBody::Tighten(Tighten::revoke(key)),
        &committee,
    );
    let request = cluster.request(&payment, &[1, 2]);
    assert_eq!(cluster.ask(1, &request).code(), Code::KeyRevoked);
}

#[test]
fn another_tenants_name_on_a_request_finds_nothing() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    let mut request = cluster.request(&payment, &[1, 2]);
    request.tenant = strongroom_types::TenantId([3; 16]);
    assert!(cluster.ask(1, &request).is_nothing());
    cluster.wait(30_000);
    assert_eq!(cluster.status(1)["refused_attempt_unknown"], "1");
    cluster.assert_signs(1, &payment);
}

#[test]
fn a_writer_that_signs_two_lines_stops_the_replica_and_everything_is_refused() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    cluster.assert_signs(1, &payment);
    let request = cluster.request(&payment, &[1, 2]);
    // Another cluster of the same world is the same writer on another line.
    let mut other = Cluster::ready();
    other.now = other.now.plus(1);
    other.authorized(310_000, &[]);
    let forked = other.batches.last().unwrap().1.clone();
    let id = cluster.signer_id(1);
    cluster.give(id, ToSigner::Batch(forked));
    assert!(cluster.signer(1).node().halted().is_some());
    assert_eq!(cluster.ask(1, &request).code(), Code::Conflict);
    assert_eq!(cluster.refused_commitments(1), Code::Conflict);
    cluster.assert_signs(2, &payment);
}

#[test]
fn a_request_delivered_twice_while_it_waits_is_answered_once() {
    let mut cluster = Cluster::ready();
    let payment = cluster.payment(300_000);
    let request = cluster.request(&payment, &[1, 2]);
    assert!(cluster.ask(1, &request).is_nothing() && cluster.ask(1, &request).is_nothing());
    assert_eq!(cluster.status(1)["held"], "1");
    let before = cluster.said.len();
    cluster.authorize(&payment, &[]);
    assert_eq!(cluster.said.len(), before + 1);
}

/// Cosignatures with which signer 1 answers its newest batch once more.
fn answers(cluster: &mut Cluster) -> Vec<WitnessCosignature> {
    let (record, now) = (cluster.batches.last().unwrap().1.clone(), cluster.now);
    let node = cluster.signer(1).node();
    let frames = node.handle(ToSigner::Batch(record), now).unwrap();
    let cosignatures = frames.into_iter().filter_map(|frame| match frame {
        FromSigner::Cosignature(record) => Some(record),
        FromSigner::Hello { .. } | FromSigner::Outbox(_) | FromSigner::Submission(_) => None,
    });
    let open = |record: Vec<u8>| {
        let registered = Registered::of(&cluster.world.genesis);
        let envelope = strongroom_wire::open(&record, &registered, &[Role::Signer]).unwrap();
        assert_eq!(envelope.created, cluster.now, "a record of now");
        envelope.payload().unwrap()
    };
    cosignatures.map(open).collect()
}

#[test]
fn a_known_batch_is_answered_at_once_and_at_most_once_in_a_second() {
    let mut cluster = Cluster::ready();
    cluster.now = cluster.now.plus(2_000);
    let answer = answers(&mut cluster);
    assert_eq!(answer.len(), 1, "a writer that starts need not wait");
    assert_eq!(answer[0].body, cluster.writer().tip().body);
    assert_eq!(answer[0].time_s, cluster.now.0 / 1_000);
    assert!(answers(&mut cluster).is_empty());
    cluster.now = cluster.now.plus(999);
    assert!(answers(&mut cluster).is_empty());
    cluster.now = cluster.now.plus(1);
    assert_eq!(answers(&mut cluster).len(), 1);
}

/// A writer that starts would otherwise wait until the old time is reached again.
#[test]
fn a_known_batch_is_answered_after_the_clock_was_set_back() {
    let mut cluster = Cluster::ready();
    cluster.now = cluster.now.plus(2_000);
    assert_eq!(answers(&mut cluster).len(), 1);
    cluster.now = UnixMs(cluster.now.0 - 60_000);
    assert_eq!(answers(&mut cluster).len(), 1);
}

#[test]
fn a_tip_that_is_too_old_to_cosign_is_answered_with_the_cosignature_before_it() {
    let mut cluster = Cluster::ready();
    let before = cluster.writer().tip().body.clone();
    // The tick is ordered now and reaches the signer an hour later, which must not cosign so old an
    // entry.
    cluster.order(Body::Tick).unwrap();
    cluster.now = cluster.now.plus(3_600_000);
    assert!(answers(&mut cluster).is_empty(), "new and too old");
    let answer = answers(&mut cluster);
    assert_eq!(answer.len(), 1, "else the writer could never go on");
    assert_eq!(answer[0].body, before);
    assert!(
        answer[0].time_s < cluster.now.0 / 1_000 - 3_000,
        "nothing new is vouched for"
    );
}

#[test]
fn a_retired_key_answers_nothing() {
    let mut cluster = Cluster::ready();
    let now = cluster.now.plus(2_000);
    let disk = cluster.signer(1).disk.sqlite.snapshot().unwrap();
    cluster.signer(1).start(now).unwrap();
    cluster.signer(1).node = None;
    cluster.signer(1).disk.sqlite.restore_from(&disk).unwrap();
    cluster.signer(1).start(now).unwrap();
    assert!(cluster.signer(1).node().is_retired());
    cluster.now = now;
    assert!(answers(&mut cluster).is_empty());
}
