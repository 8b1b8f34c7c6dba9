//! What time, the journal and a payment's end do to intents.

use strongroom_types::{Code, Digest, Document as _, Revocable, Tighten};
use strongroom_wire::{Decided, TransactionState};
use strongroom_world::{INTENT_LIFE_MS, Who};

use crate::desk::{Desk, LARGE, MEDIUM, Office};

/// Time after which an intent is over by the witnessed time, milliseconds: its life, and twice the
/// skew.
const OVER_MS: u64 = INTENT_LIFE_MS + 10_000;

#[test]
fn waiting_intent_expires_with_its_answers() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(LARGE);
    assert!(desk.yes(Who::Approver(0), &intent).is_none());
    assert!(desk.tick().is_empty(), "not before its deadline");

    desk.office.live(OVER_MS);
    let ended = desk.tick();
    assert_eq!(ended.len(), 1);
    assert!(matches!(
        ended[0].decided,
        Decided::Refused(Code::IntentExpired, _)
    ));
    assert_eq!(desk.rows(), (0, 0));
    assert!(desk.tick().is_empty(), "said once");
}

/// "Expired" makes a client sign again, and an entry with an older stamp could still authorize the
/// first intent.
#[test]
fn hole_intent_is_not_given_up_by_the_services_own_clock() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(LARGE);
    desk.office.ledger.borrow_mut().wait(OVER_MS);
    assert!(desk.tick().is_empty(), "by this clock alone");
    desk.office.tick(0);
    assert!(
        desk.tick().is_empty(),
        "by an entry that no witness has seen"
    );

    // A submission that comes late is evaluated as if it had come in time.
    desk.waiting(MEDIUM);

    desk.office
        .world
        .witness_tip(&desk.office.journal, desk.office.now());
    let ended = desk.tick();
    let digests: Vec<_> = ended.iter().map(|ended| &ended.intent).collect();
    let world = &desk.office.world;
    assert!(digests.contains(&&world.signed_intent(&intent)));
    assert_eq!(ended.len(), 2);
    let late = desk.decide(desk.office.submitted(&intent)).unwrap();
    assert!(matches!(
        late.decided,
        Decided::Refused(Code::IntentExpired, _)
    ));
}

/// A tick must not hold the tables for as long as a backlog takes.
#[test]
fn expired_intents_end_a_page_per_tick() {
    let mut desk = Desk::new(Office::new());
    (0..70).for_each(|n| drop(desk.waiting(MEDIUM + n)));
    desk.office.live(OVER_MS);
    let ended = [desk.tick().len(), desk.tick().len(), desk.tick().len()];
    assert_eq!(ended, [64, 6, 0]);
}

#[test]
fn approved_intent_expires_without_a_word() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(MEDIUM);
    desk.yes(Who::Approver(0), &intent).unwrap();
    desk.office.live(OVER_MS);
    assert!(desk.tick().is_empty());
    assert_eq!(desk.rows(), (0, 0));
}

#[test]
fn intent_cancelled_in_the_journal_is_dropped() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(LARGE);
    let other = desk.waiting(MEDIUM);
    desk.office
        .tighten(Tighten::Cancel(intent.digest()), &[Who::Initiator]);
    desk.office.witness();

    let ended = desk.tick();
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0].intent, desk.office.world.signed_intent(&intent));
    assert!(matches!(
        ended[0].decided,
        Decided::Refused(Code::IntentCancelled, _)
    ));
    assert_eq!(desk.rows(), (1, 0), "the other one still waits");
    assert!(desk.yes(Who::Approver(0), &other).is_some());
}

/// A no goes straight to the journal.
#[test]
fn intent_rejected_in_the_journal_is_dropped() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(LARGE);
    let no = Tighten::Reject(intent.digest());
    desk.office.tighten(no, &[Who::Approver(1)]);
    desk.office.witness();

    let ended = desk.tick();
    assert_eq!(ended.len(), 1);
    assert!(matches!(
        ended[0].decided,
        Decided::Refused(Code::IntentRejected, _)
    ));
    assert_eq!(desk.rows(), (0, 0));
    assert!(desk.tick().is_empty(), "said once");
}

/// A writer shows this replica alone a line with a no that no witness sees, and authorizes the
/// intent on the line that signers follow: its client would have signed another by then.
#[test]
fn hole_end_that_no_witness_has_seen_is_not_told() {
    let cases = [
        (Tighten::Cancel as fn(Digest) -> Tighten, Who::Initiator),
        (Tighten::Reject, Who::Approver(1)),
    ];
    for (what, who) in cases {
        let mut desk = Desk::new(Office::new());
        desk.office.live(1_000);
        let intent = desk.waiting(LARGE);
        let late = desk.office.intent(LARGE + 1);
        for ended in [&intent, &late] {
            desk.office.tighten(what(ended.digest()), &[who]);
        }
        assert!(desk.tick().is_empty());
        desk.waiting(LARGE + 1);

        desk.office.witness();
        // The walk ended behind them, and begins again.
        assert_eq!(desk.tick().len() + desk.tick().len(), 2);
        let told = desk.decide(desk.office.submitted(&late)).unwrap();
        assert!(matches!(told.decided, Decided::Refused(..)));
    }
}

/// The journal holds an attempt of an intent that was returned: its shares may be out.
#[test]
fn hole_returned_intent_that_is_authorized_does_not_expire_here() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(MEDIUM);
    desk.yes(Who::Approver(0), &intent).unwrap();
    desk.office.change_policy();
    let returned = desk.decide(desk.office.returned(&intent)).unwrap();
    assert_eq!(returned.decided, Decided::Pending);

    let approver = [Who::Approver(0)];
    let authorized = desk
        .office
        .ledger
        .borrow_mut()
        .authorize(&intent, &approver);
    authorized.unwrap();
    desk.office.live(OVER_MS);
    assert!(desk.tick().is_empty());
    assert_eq!(desk.rows(), (0, 0));
}

/// Something of it was offered, so that what the policy blocks now may still be authorized.
#[test]
fn hole_returned_intent_is_not_ended_by_a_refusal_of_the_moment() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(MEDIUM);
    desk.yes(Who::Approver(0), &intent).unwrap();
    desk.office.tighten(Tighten::Stop, &[Who::Admin(0)]);
    assert!(desk.decide(desk.office.returned(&intent)).is_none());
    assert_eq!(desk.rows(), (1, 1), "approved as before");
}

/// Of a revoked credential no signature counts again, and no one needs to answer.
#[test]
fn intent_of_a_revoked_initiator_ends_when_witnessed() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(LARGE);
    let revoke = Tighten::Revoke(Revocable::Credential(intent.initiator));
    let admins = desk.office.ledger.borrow().admins();
    desk.office.tighten(revoke, &admins);
    assert!(desk.tick().is_empty());
    desk.office.witness();
    let ended = [desk.tick(), desk.tick()].concat();
    assert!(matches!(
        ended[0].decided,
        Decided::Refused(Code::CredentialRevoked, _)
    ));
}

/// Its approvals are with the transactions service, which tells the end.
#[test]
fn cancellation_of_an_approved_intent_is_left_to_the_transactions_service() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(MEDIUM);
    desk.yes(Who::Approver(0), &intent).unwrap();
    let cancel = Tighten::Cancel(intent.digest());
    desk.office.tighten(cancel, &[Who::Initiator]);
    assert!(desk.tick().is_empty());
    assert_eq!(desk.rows(), (1, 1));
}

#[test]
fn walk_through_waiting_intents_begins_again_after_its_end() {
    let mut desk = Desk::new(Office::new());
    let intents = [desk.waiting(MEDIUM), desk.waiting(MEDIUM + 1)];
    for _ in 0..3 {
        assert!(desk.tick().is_empty());
    }
    let first = intents.iter().min_by_key(|i| i.digest()).unwrap();
    let cancel = Tighten::Cancel(first.digest());
    desk.office.tighten(cancel, &[Who::Initiator]);
    desk.office.witness();
    assert_eq!(desk.tick().len() + desk.tick().len(), 1);
}

#[test]
fn cancellation_is_found_beyond_the_first_page() {
    let mut desk = Desk::new(Office::new());
    let intents: Vec<_> = (0..70).map(|n| desk.waiting(MEDIUM + n)).collect();
    let last = intents.iter().max_by_key(|i| i.digest()).unwrap();
    desk.office
        .tighten(Tighten::Cancel(last.digest()), &[Who::Initiator]);
    desk.office.witness();
    assert!(desk.tick().is_empty(), "a page per tick");
    assert_eq!(desk.tick().len(), 1);
}

#[test]
fn paused_tenant_keeps_its_intents() {
    let mut desk = Desk::new(Office::new());
    desk.waiting(MEDIUM);
    let until = desk.office.now().plus(60_000);
    let pause = Tighten::Pause { vault: None, until };
    desk.office.tighten(pause, &[Who::Admin(0)]);
    assert!(desk.tick().is_empty());
    assert_eq!(desk.rows(), (1, 0));
}

#[test]
fn settled_payment_releases_its_approvals() {
    for state in TransactionState::ALL {
        let settles = state.is_signed() || state.is_terminal();
        let mut desk = Desk::new(Office::new());
        let intent = desk.waiting(MEDIUM);
        desk.yes(Who::Approver(0), &intent).unwrap();
        let records = desk.deliver(desk.office.changed(&intent, *state)).unwrap();
        assert!(records.is_empty());
        let left = if settles { (0, 0) } else { (1, 1) };
        assert_eq!(desk.rows(), left, "{}", state.name());
    }
}

#[test]
fn news_of_an_earlier_payment_does_not_end_a_waiting_intent() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(MEDIUM);
    let failed = desk.office.changed(&intent, TransactionState::Failed);
    assert!(desk.deliver(failed).unwrap().is_empty());
    assert_eq!(desk.rows(), (1, 0));
}
