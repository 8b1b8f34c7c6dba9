use crate::fixture::*;
use std::collections::BTreeSet;
use strongroom_ports::chain::{Broadcast, Standing};
use strongroom_types::{ActBody, Code, Digest, Document as _, SessionId, Tighten, UnixMs};
use strongroom_wire::{
    JournalSubmitted, Outcome, SignerRefusal, SigningRequested, TransactionState, topics,
};

#[test]
fn offer_without_an_answer_is_sent_again_unchanged() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    assert!(service.wait(RESEND_MS - 1).is_empty());
    for _ in 0..3 {
        let sent = service.wait(RESEND_MS);
        let submitted: JournalSubmitted = sent.only(topics::JOURNAL_SUBMITTED);
        let request: SigningRequested = sent.only(topics::SIGNING_REQUESTED);
        assert_eq!(submitted, payment.submitted);
        assert_eq!(request, payment.request);
        assert_eq!(sent.records.len(), 2, "clients hear nothing new");
    }
}

#[test]
fn reminder_is_not_taken_for_a_duplicate() {
    let mut service = Service::funded(1);
    let intent = service.intent();
    let mut ids = BTreeSet::new();
    let mut records = service.approve(&intent).records;
    records.extend(service.wait(RESEND_MS).records);
    records.extend(service.wait(RESEND_MS).records);
    for record in &records {
        assert!(ids.insert((record.topic.clone(), record.headers.msg_id)));
    }
    assert_eq!(ids.len(), 7);
}

#[test]
fn payment_on_time_is_not_reminded() {
    let mut service = Service::funded(1);
    let payment = service.signed();
    service.wait(25);
    let sent = service.wait(RESEND_MS * 3);
    assert!(sent.is_empty());
    assert_eq!(service.state(&payment.intent), Some(2));
}

#[test]
fn offer_ends_with_the_intents_time() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    let changed = service.live(OVER_MS).changed();
    assert_eq!(changed[0].state, TransactionState::Expired);
    assert_eq!(changed[0].reason.clone().unwrap().0, Code::IntentExpired);
    assert_eq!(service.state(&payment.intent), Some(3));

    // The journal may hold the attempt, so its anchor stays out of use.
    let spent = "SELECT COUNT(*) FROM reservation WHERE used = TRUE";
    assert_eq!(service.count(spent), 1);
    assert!(service.wait(RESEND_MS).is_empty());
}

/// Signer 1's refusal.
fn refusal(request: &SigningRequested, code: Code) -> SignerRefusal {
    SignerRefusal {
        session: SessionId([0; 16]),
        request: request.attempt.unsigned_digest,
        code,
        detail: code.meaning().to_owned(),
        evidence: Digest::default(),
        head: 0,
        at: UnixMs(0),
    }
}

/// A client that is told "expired" signs another intent. A writer can still authorize the first one
/// by an entry with an older stamp, until a witnessed head is past its end: both would be paid.
#[test]
fn hole_offer_is_not_given_up_by_the_services_own_clock() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    let sent = service.wait(OVER_MS);
    assert!(sent.changed().is_empty());
    let asked_again: SigningRequested = sent.only(topics::SIGNING_REQUESTED);
    assert_eq!(asked_again, payment.request);

    // The writer's word, and signers' words by their own clocks, end it no sooner.
    let record = service.mail().answer(&payment, Err(Code::IntentExpired));
    assert!(service.send(&[record]).is_empty());
    for code in [Code::IntentExpired, Code::AttemptTooOld] {
        let refusals = vec![refusal(&payment.request, code)];
        let record = service
            .mail()
            .again(code as u64)
            .finished(&payment.request, Outcome::Failed(refusals));
        assert!(service.send(&[record]).is_empty(), "{code}");
    }

    // Nor does a tip that no witness has seen.
    service.append(vec![strongroom_journal::Body::Tick]);
    assert!(service.wait(RESEND_MS).changed().is_empty());
    assert_eq!(service.state(&payment.intent), Some(0));
    let held = "SELECT COUNT(*) FROM reservation WHERE intent IS NOT NULL";
    assert_eq!(service.count(held), 1, "its coin is not promised again");

    let sent = service.live(RESEND_MS);
    assert_eq!(sent.states(), [TransactionState::Expired]);
}

#[test]
fn hole_payment_that_is_not_built_is_not_given_up_by_the_services_own_clock() {
    let mut service = Service::new();
    service.gateway.set_down(true);
    let intent = service.intent();
    service.approve(&intent);
    assert!(service.wait(OVER_MS).is_empty());

    // Funds that arrive now are not offered for it.
    service.gateway.set_down(false);
    service.fund(COIN);
    assert!(service.wait(60_000).is_empty());
    assert_eq!(service.live(60_000).states(), [TransactionState::Expired]);
}

/// The last moment at which a signer whose clock is late may still share, by a head whose stamp is
/// early.
#[test]
fn hole_offer_is_not_given_up_within_twice_the_skew() {
    let mut service = Service::funded(1);
    service.offered();
    assert!(service.live(OVER_MS - 1).changed().is_empty());
    assert_eq!(
        service.live(RESEND_MS).states(),
        [TransactionState::Expired]
    );
}

#[test]
fn signed_payment_does_not_end_with_the_intents_time() {
    let mut service = Service::funded(1);
    service.gateway.set_down(true);
    let payment = service.signed();
    assert!(service.live(OVER_MS).is_empty());
    service.gateway.set_down(false);
    let sent = service.wait(60_000);
    assert_eq!(sent.states(), [TransactionState::Broadcasting]);
    assert_eq!(service.state(&payment.intent), Some(2));
}

#[test]
fn payment_that_is_not_built_ends_with_the_intents_time() {
    let mut service = Service::new();
    service.gateway.set_down(true);
    let intent = service.intent();
    service.approve(&intent);
    let sent = service.live(OVER_MS);
    assert_eq!(sent.states(), [TransactionState::Expired]);
    assert!(service.wait(60_000).is_empty());
}

#[test]
fn intent_that_was_cancelled_in_the_journal_ends() {
    let mut service = Service::funded(1);
    let intent = service.intent();
    let sent = service.approve(&intent);
    let payment = Payment::new(&sent, &intent);
    service.append(vec![strongroom_journal::Body::Authorized(Box::new(
        payment.authorization(),
    ))]);
    let cancel = ActBody::Tighten(Tighten::Cancel(intent.digest()));
    let act = service.ledger.signed_act(cancel, &service.ledger.admins());
    service.append(vec![strongroom_journal::Body::Act(act)]);

    let changed = service.wait(RESEND_MS).changed();
    assert_eq!(changed[0].state, TransactionState::Cancelled);
    assert_eq!(changed[0].reason.clone().unwrap().0, Code::IntentCancelled);
}

#[test]
fn clock_that_was_ahead_does_not_stop_reminders() {
    let mut service = Service::funded(1);
    service.now = service.now.plus(10 * 60_000);
    let payment = service.offered();
    service.now.0 -= 10 * 60_000;
    service.settle();
    let sent = service.wait(RESEND_MS);
    let submitted: JournalSubmitted = sent.only(topics::JOURNAL_SUBMITTED);
    assert_eq!(submitted, payment.submitted);
}

#[test]
fn clock_that_was_ahead_does_not_stop_broadcasts() {
    let mut service = Service::funded(1);
    service.now = service.now.plus(10 * 60_000);
    let payment = service.signed();
    service.gateway.set_down(true);
    service.wait(25);
    service.now.0 -= 10 * 60_000;
    service.gateway.set_down(false);
    service.wait(60);
    assert_eq!(service.state(&payment.intent), Some(2));
}

#[test]
fn node_that_gives_no_facts_stops_neither_reminders_nor_confirmations() {
    let mut service = Service::funded(2);
    let done = service.offered();
    let record = service.mail().signed(&done.request);
    let id = service.send(&[record]).changed()[0].network_id.clone();
    service.gateway.push_broadcast(Broadcast::Accepted);
    service.wait(25);
    let waiting = service.offered();

    service.gateway.set_facts_down(true);
    service
        .gateway
        .set_standing(&id.unwrap(), Standing::Confirmed(1));
    let sent = service.wait(RESEND_MS);
    assert_eq!(sent.states(), [TransactionState::Completed]);
    let submitted: JournalSubmitted = sent.only(topics::JOURNAL_SUBMITTED);
    assert_eq!(submitted, waiting.submitted);
}

#[test]
fn restart_between_offer_and_answer_loses_nothing() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    service.restart();
    let sent = service.wait(RESEND_MS);
    let submitted: JournalSubmitted = sent.only(topics::JOURNAL_SUBMITTED);
    assert_eq!(submitted, payment.submitted);

    service.restart();
    let record = service.mail().signed(&payment.request);
    let sent = service.send(&[record]);
    assert!(sent.states().contains(&TransactionState::Signed));
}

#[test]
fn another_instance_that_changed_the_row_is_noticed() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    // What a second instance leaves behind: the same state, one version on.
    service.execute("UPDATE payment SET version = version + 1", &[]);
    let record = service.mail().signed(&payment.request);
    assert_eq!(service.send(&[record]).states(), [TransactionState::Signed]);
}
