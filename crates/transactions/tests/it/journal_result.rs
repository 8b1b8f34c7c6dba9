use crate::fixture::*;
use strongroom_types::{Code, Document as _};
use strongroom_wire::{Decided, JournalResult, Role, TransactionState, ended_as, topics};

#[test]
fn acceptance_changes_nothing() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    let record = service.mail().answer(&payment, Ok(7));
    assert!(service.send(&[record]).is_empty());
    assert_eq!(service.state(&payment.intent), Some(0));
}

#[test]
fn taken_anchor_is_replaced_and_the_approvals_stay() {
    let mut service = Service::funded(2);
    let first = service.offered();
    let record = service.mail().answer(&first, Err(Code::AnchorTaken));
    let sent = service.send(&[record]);
    let second = Payment::new(&sent, &first.intent);

    assert_ne!(second.anchor(), first.anchor());
    assert_ne!(second.submitted.submission, first.submitted.submission);
    let (before, after) = (first.authorization(), second.authorization());
    assert_eq!(after.intent, before.intent);
    assert_eq!(after.core, before.core);
    assert_eq!(after.approvals, before.approvals);
    assert_eq!(
        after.attempt.number, 1,
        "nothing of the first is in the journal"
    );
}

#[test]
fn anchor_of_another_intent_is_never_chosen_again() {
    let mut service = Service::funded(2);
    let first = service.offered();
    let record = service.mail().answer(&first, Err(Code::AnchorTaken));
    let sent = service.send(&[record]);
    let second = Payment::new(&sent, &first.intent);
    let record = service.mail().answer(&second, Err(Code::TenantStopped));
    service.send(&[record]);

    // The second coin is free again, the first one is not.
    let third = service.offered();
    assert_eq!(third.anchor(), second.anchor());
    let intent = service.intent();
    service.approve(&intent);
    let changed = service.wait(1_000).changed();
    let reason = changed[0].reason.clone().unwrap();
    assert_eq!(reason.0, Code::InsufficientBalance);
}

#[test]
fn writer_that_claims_every_anchor_taken_ends_the_payment_after_five() {
    let mut service = Service::funded(7);
    let mut payment = service.offered();
    for _ in 1..5 {
        let record = service.mail().answer(&payment, Err(Code::AnchorTaken));
        let sent = service.send(&[record]);
        payment = Payment::new(&sent, &payment.intent);
    }
    let record = service.mail().answer(&payment, Err(Code::AnchorTaken));
    let changed = service.send(&[record]).changed();
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0].state, TransactionState::Failed);
    assert_eq!(changed[0].reason.clone().unwrap().0, Code::AnchorTaken);

    // Four coins are out of use, three are left for others.
    assert_eq!(service.count("SELECT COUNT(*) FROM reservation"), 4);
}

#[test]
fn changed_decision_returns_the_intent_and_forgets_the_payment() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    let record = service.mail().answer(&payment, Err(Code::DecisionChanged));
    let sent = service.send(&[record]);

    let returned = sent.returned();
    assert_eq!(returned.len(), 1);
    assert_eq!(returned[0].code, Code::DecisionChanged);
    assert_eq!(returned[0].intent, payment.authorization().intent);
    assert_eq!(sent.states(), [TransactionState::PendingApproval]);
    assert_eq!(service.state(&payment.intent), None);
    assert_eq!(service.count("SELECT COUNT(*) FROM reservation"), 0);
}

#[test]
fn returned_intent_starts_again_with_its_next_decision() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    let record = service.mail().answer(&payment, Err(Code::DecisionChanged));
    service.send(&[record]);

    let record = service
        .mail()
        .again(1)
        .decided(&payment.intent, Decided::Approved);
    let sent = service.send(&[record]);
    assert_eq!(sent.states(), [TransactionState::Signing]);
    assert_eq!(
        Payment::new(&sent, &payment.intent).anchor(),
        payment.anchor()
    );
}

#[test]
fn submission_that_arrived_twice_is_no_end() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    let answer = Err(Code::IntentAlreadyAuthorized);
    let record = service.mail().answer(&payment, answer);
    assert!(service.send(&[record]).is_empty());
    assert_eq!(service.state(&payment.intent), Some(0));
}

#[test]
fn each_refusal_ends_in_the_state_that_everyone_shows() {
    let mut service = Service::funded(1);
    let codes = [
        Code::IntentCancelled,
        Code::IntentRejected,
        Code::PolicyBlocked,
        Code::LimitExceeded,
        Code::FeeCapExceeded,
        Code::TenantStopped,
        Code::ApprovalMissing,
    ];
    for code in codes {
        let payment = service.offered();
        let record = service.mail().answer(&payment, Err(code));
        let changed = service.send(&[record]).changed();
        let wanted = ended_as(code, strongroom_wire::Who::Journal);
        assert_eq!(changed[0].state, wanted, "{code}");
        assert_eq!(changed[0].reason.clone().unwrap().0, code);

        // The one coin is free for the next round.
        assert_eq!(service.state(&payment.intent), Some(3));
        assert_eq!(service.count("SELECT COUNT(*) FROM reservation"), 0);
    }
}

#[test]
fn answer_to_an_earlier_build_does_not_end_the_one_that_replaced_it() {
    let mut service = Service::funded(2);
    let first = service.offered();
    let record = service.mail().answer(&first, Err(Code::AnchorTaken));
    service.send(&[record]);

    let late = service.mail().answer(&first, Err(Code::TenantStopped));
    assert!(service.send(&[late]).is_empty());
    assert_eq!(service.state(&first.intent), Some(0));
}

#[test]
fn answer_for_another_submitter_is_not_read() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    let result = JournalResult {
        submission: payment.submitted.submission,
        result: Err((Code::TenantStopped, String::new())),
    };
    let world = service.world().clone();
    let other = world.service(Role::Approvals).node;
    let keys = world.service(Role::Writer);
    let mut post = strongroom_stage::post::Post::new(
        world.genesis.hash(),
        keys.node,
        &keys.signing.to_bytes(),
    );
    let cause = strongroom_stage::post::Cause {
        session: strongroom_stage::post::session_of(payment.digest()),
        ..strongroom_stage::post::Cause::own(&[b"other"], service.now.plus(60_000))
    };
    let place = (topics::JOURNAL_RESULTS, b"key".as_slice());
    let record = post.record(service.now, place, Some(other), &result, &cause);
    assert!(service.send(&[record.unwrap()]).is_empty());
    assert_eq!(service.state(&payment.intent), Some(0));
}

#[test]
fn refusal_after_the_signatures_takes_nothing_back() {
    let mut service = Service::funded(1);
    let payment = service.signed();
    for code in [
        Code::TenantStopped,
        Code::DecisionChanged,
        Code::AnchorTaken,
    ] {
        let record = service.mail().answer(&payment, Err(code));
        let sent = service.send(&[record]);
        assert!(sent.is_empty(), "{code}");
    }
    assert_eq!(service.state(&payment.intent), Some(1));
}

#[test]
fn answer_about_an_unknown_intent_is_left_alone() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    let mut other = payment.clone();
    other.intent.purpose = Some("another".parse().unwrap());
    assert_ne!(other.intent.digest(), payment.intent.digest());
    let record = service.mail().answer(&other, Err(Code::TenantStopped));
    assert!(service.send(&[record]).is_empty());
}

/// That an approval has expired is said by the stamp that the writer chose: an entry with an older
/// one is valid.
#[test]
fn hole_expired_approval_does_not_end_a_payment_on_the_writers_word() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    let record = service.mail().answer(&payment, Err(Code::AuthorityExpired));
    let changed = service.send(&[record]).changed();
    assert_eq!(changed[0].state, TransactionState::Signing);
    assert_eq!(changed[0].reason.clone().unwrap().0, Code::AuthorityExpired);
    assert_eq!(service.state(&payment.intent), Some(0));
    let held = "SELECT COUNT(*) FROM reservation WHERE intent IS NOT NULL";
    assert_eq!(service.count(held), 1);
    assert_eq!(service.live(OVER_MS).states(), [TransactionState::Expired]);
}
