//! Intents arrive, again, and come back.

use strongroom_types::{Code, Document as _, Revocable, Tighten};
use strongroom_wire::{Decided, TransactionState};
use strongroom_world::{AUTO_MAX, Who};

use crate::desk::{Desk, LARGE, MEDIUM, Office};

fn code(decided: &Decided) -> Option<Code> {
    match decided {
        Decided::Refused(code, _) => Some(*code),
        Decided::Pending | Decided::Approved => None,
    }
}

#[test]
fn small_intent_is_approved_at_once_and_kept_until_it_is_signed() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.office.intent(AUTO_MAX);
    let decided = desk.decide(desk.office.submitted(&intent)).unwrap();
    assert_eq!(decided.decided, Decided::Approved);
    assert_eq!(decided.core, desk.office.core(&intent).to_text());
    assert_eq!(desk.rows(), (1, 0));
    let signed = desk.office.changed(&intent, TransactionState::Signed);
    assert!(desk.decide(signed).is_none());
    assert_eq!(desk.rows(), (0, 0));
}

#[test]
fn larger_intent_waits_with_its_decision() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.office.intent(MEDIUM);
    let decided = desk.decide(desk.office.submitted(&intent)).unwrap();
    assert_eq!(decided.decided, Decided::Pending);
    assert_eq!(decided.core, desk.office.core(&intent).to_text());
    assert_eq!(decided.intent, desk.office.world.signed_intent(&intent));
    assert_eq!(desk.rows(), (1, 0));
}

#[test]
fn intent_of_a_stopped_tenant_is_refused_without_a_decision() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.office.intent(MEDIUM);
    let admins = desk.office.ledger.borrow().admins();
    let stop = desk
        .office
        .ledger
        .borrow_mut()
        .tighten(Tighten::Stop, &admins);
    stop.unwrap();
    desk.office.catch_up();

    let decided = desk.decide(desk.office.submitted(&intent)).unwrap();
    assert_eq!(code(&decided.decided), Some(Code::TenantStopped));
    assert_eq!(decided.core, "");
    assert_eq!(desk.rows(), (0, 0));
}

/// Someone else than the transactions service had it authorized. A client that is told "blocked"
/// signs another, and both are paid.
#[test]
fn hole_intent_that_the_journal_holds_as_authorized_is_not_told_blocked() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.office.intent(AUTO_MAX);
    desk.office
        .ledger
        .borrow_mut()
        .authorize(&intent, &[])
        .unwrap();
    desk.office.catch_up();
    assert!(desk.decide(desk.office.submitted(&intent)).is_none());
    assert_eq!(desk.rows(), (0, 0));

    // It is not ended either for a reason that says nothing of the attempt.
    desk.office.tighten(Tighten::Stop, &[Who::Admin(0)]);
    desk.office.witness();
    assert!(desk.decide(desk.office.submitted(&intent)).is_none());
}

/// Auditors see by which rule it was refused.
#[test]
fn intent_that_policy_blocks_is_refused_with_its_decision() {
    let mut desk = Desk::new(Office::with_ceiling(MEDIUM - 1));
    let intent = desk.office.intent(MEDIUM);
    let decided = desk.decide(desk.office.submitted(&intent)).unwrap();
    assert_eq!(code(&decided.decided), Some(Code::LimitExceeded));
    assert_ne!(decided.core, "");
    assert_eq!(desk.rows(), (0, 0));
}

#[test]
fn intent_signed_by_a_stranger_is_refused() {
    let mut desk = Desk::new(Office::new());
    let mut intent = desk.office.intent(MEDIUM);
    intent.initiator = desk.office.world.person(Who::Stranger).credential.id;
    let decided = desk.decide(desk.office.submitted(&intent)).unwrap();
    assert_eq!(code(&decided.decided), Some(Code::UnknownCredential));
}

#[test]
fn repeated_submission_keeps_the_answers() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(LARGE);
    assert!(desk.yes(Who::Approver(0), &intent).is_none());

    let again = desk.decide(desk.office.submitted(&intent)).unwrap();
    assert_eq!(again.decided, Decided::Pending);
    assert_eq!(desk.rows(), (1, 1));
    let decided = desk.yes(Who::Approver(1), &intent).unwrap();
    assert_eq!(decided.decided, Decided::Approved);
}

/// The API repeats itself, not its client: what people are answering must not change under them.
#[test]
fn repeated_submission_keeps_the_decision_that_is_being_answered() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.office.intent(LARGE);
    let first = desk.decide(desk.office.submitted(&intent)).unwrap();
    let yes = desk.office.answer(Who::Approver(0), &intent);
    assert!(desk.decide(desk.office.answered(&yes)).is_none());
    desk.office.change_policy();

    let again = desk.decide(desk.office.submitted(&intent)).unwrap();
    assert_eq!((again.decided, again.core), (first.decided, first.core));
    assert_eq!(desk.rows(), (1, 1));
}

#[test]
fn approval_that_was_lost_is_told_again_as_it_was() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(MEDIUM);
    let first = desk.yes(Who::Approver(0), &intent).unwrap();
    let again = desk.decide(desk.office.submitted(&intent)).unwrap();
    assert_eq!((again, desk.rows()), (first, (1, 1)));

    let small = desk.office.intent(AUTO_MAX);
    let first = desk.decide(desk.office.submitted(&small)).unwrap();
    assert_eq!(desk.decide(desk.office.submitted(&small)), Some(first));
}

/// The transactions service may have offered it. A client that is told "blocked" signs another.
#[test]
fn hole_intent_that_was_approved_is_not_told_blocked_by_a_repeat() {
    let mut desk = Desk::new(Office::new());
    let small = desk.office.intent(AUTO_MAX);
    desk.decide(desk.office.submitted(&small)).unwrap();
    let medium = desk.waiting(MEDIUM);
    desk.yes(Who::Approver(0), &medium).unwrap();

    desk.office.tighten(Tighten::Stop, &[Who::Admin(0)]);
    desk.office.witness();
    for intent in [&small, &medium] {
        let again = desk.decide(desk.office.submitted(intent));
        assert_ne!(
            again.and_then(|told| code(&told.decided)),
            Some(Code::TenantStopped)
        );
    }
}

/// The client was told "blocked" and has signed another: both would be paid.
#[test]
fn hole_intent_that_was_told_blocked_is_not_approved_by_a_repeat() {
    let mut desk = Desk::new(Office::with_ceiling(MEDIUM - 1));
    let intent = desk.office.intent(MEDIUM);
    let first = desk.decide(desk.office.submitted(&intent)).unwrap();
    assert_eq!(code(&first.decided), Some(Code::LimitExceeded));

    // The API did not see it: it is told as often as it asks.
    let again = desk.decide(desk.office.submitted(&intent)).unwrap();
    assert_eq!(code(&again.decided), Some(Code::LimitExceeded));

    desk.office.relax_policy();
    assert!(desk.decide(desk.office.submitted(&intent)).is_none());
    assert_eq!(desk.rows(), (0, 0));
}

/// A hostile API could fill the table for good, else.
#[test]
fn hole_refusals_are_forgotten_when_their_time_is_past() {
    let mut desk = Desk::new(Office::new());
    let mut intent = desk.office.intent(MEDIUM);
    intent.initiator = desk.office.world.person(Who::Stranger).credential.id;
    desk.decide(desk.office.submitted(&intent)).unwrap();
    intent.expires = intent.created.plus(u64::from(u32::MAX));
    desk.decide(desk.office.submitted(&intent)).unwrap();
    assert_eq!(desk.refused(), 2);

    let bounds = desk.office.world.genesis.bounds.clone();
    desk.office.live(bounds.intent_life_ms + 3 * bounds.skew_ms);
    intent.external_id = "another".parse().unwrap();
    desk.decide(desk.office.submitted(&intent)).unwrap();
    assert_eq!(desk.refused(), 1, "the last one");
}

/// The API took it by entries that this replica does not have yet. Its client would have to sign
/// another one, under another external id.
#[test]
fn hole_intent_is_not_refused_by_a_replica_that_is_behind_the_api() {
    let mut desk = Desk::new(Office::with_ceiling(MEDIUM - 1));
    let intent = desk.office.intent(MEDIUM);
    desk.office.order_relaxed_policy();
    let submitted = desk.office.submitted_by(&intent, desk.office.size() + 1);
    assert!(desk.decide(submitted.clone()).is_none());
    assert_eq!((desk.rows(), desk.refused()), ((0, 0), 0));

    desk.office.catch_up();
    let told = desk.decide(submitted).unwrap();
    assert_eq!(told.decided, Decided::Approved);
}

#[test]
fn hole_api_that_names_a_size_that_never_comes_holds_up_its_own_intent_alone() {
    let mut desk = Desk::new(Office::with_ceiling(MEDIUM - 1));
    let intent = desk.office.intent(MEDIUM);
    let submitted = desk.office.submitted_by(&intent, u64::MAX);
    assert!(desk.decide(submitted).is_none());

    let small = desk.office.intent(AUTO_MAX);
    let submitted = desk.office.submitted_by(&small, u64::MAX);
    assert_eq!(desk.decide(submitted).unwrap().decided, Decided::Approved);
}

#[test]
fn replica_as_old_as_the_api_refuses() {
    let mut desk = Desk::new(Office::with_ceiling(MEDIUM - 1));
    let intent = desk.office.intent(MEDIUM);
    let submitted = desk.office.submitted_by(&intent, desk.office.size());
    let told = desk.decide(submitted).unwrap();
    assert_eq!(code(&told.decided), Some(Code::LimitExceeded));
}

#[test]
fn repeat_is_decided_where_nothing_could_be_told_at_first() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.office.intent(MEDIUM);
    let cancel = Tighten::Cancel(intent.digest());
    desk.office.tighten(cancel, &[Who::Initiator]);
    assert!(desk.decide(desk.office.submitted(&intent)).is_none());

    desk.office.witness();
    let told = desk.decide(desk.office.submitted(&intent)).unwrap();
    assert_eq!(code(&told.decided), Some(Code::IntentCancelled));
}

#[test]
fn changed_decision_needs_new_answers() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(MEDIUM);
    let first = desk.yes(Who::Approver(0), &intent).unwrap();
    desk.office.change_policy();

    let returned = desk.decide(desk.office.returned(&intent)).unwrap();
    assert_eq!(returned.decided, Decided::Pending);
    assert_ne!(returned.core, first.core);

    // The old answer is to another decision.
    let second = desk.yes(Who::Approver(0), &intent).unwrap();
    assert_eq!(second.decided, Decided::Approved);
    assert_eq!(second.core, returned.core);
    assert_eq!(second.approvals.len(), 1);
}

/// The journal may take the decision but not an answer: its credential was revoked since.
#[test]
fn intent_that_returns_with_the_same_decision_needs_an_answer_for_the_one_that_lapsed() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(MEDIUM);
    desk.yes(Who::Approver(0), &intent).unwrap();
    let approver = desk.office.world.person(Who::Approver(0)).credential.id;
    let revoke = Tighten::Revoke(Revocable::Credential(approver));
    let admins = desk.office.ledger.borrow().admins();
    desk.office.tighten(revoke, &admins);

    let returned = desk.decide(desk.office.returned(&intent)).unwrap();
    assert_eq!(returned.decided, Decided::Pending);
    let decided = desk.yes(Who::Approver(1), &intent).unwrap();
    assert_eq!(decided.decided, Decided::Approved);
}

/// Given again it would be dropped as a repetition, and the one who gave it could not answer until
/// the intent's end.
#[test]
fn hole_yes_that_still_counts_is_kept_at_a_return() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(LARGE);
    let soon = desk.office.now().plus(1_000);
    let brief = |a: &mut strongroom_types::Approval| a.expires = soon;
    let brief = desk.office.answer_with(Who::Approver(0), &intent, brief);
    assert!(desk.decide(desk.office.answered(&brief)).is_none());
    let first = desk.yes(Who::Approver(1), &intent).unwrap();
    assert_eq!(first.decided, Decided::Approved);

    desk.office.live(1_000);
    let returned = desk.decide(desk.office.returned(&intent)).unwrap();
    assert_eq!(returned.decided, Decided::Pending);
    assert!(desk.yes(Who::Approver(1), &intent).is_none(), "again");
    assert!(desk.decide(desk.office.answered(&brief)).is_none(), "again");

    // A new yes takes the place of the one that lapsed, and no one else has to answer.
    let decided = desk.yes(Who::Approver(0), &intent).unwrap();
    assert_eq!(decided.decided, Decided::Approved);
    assert!(!decided.approvals.contains(&brief));
}

/// A surplus yes is enough instead of the one that lapsed, or the transactions service has an older
/// journal than this one.
#[test]
fn returned_intent_whose_answers_are_enough_is_approved_at_once() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(MEDIUM);
    let first = desk.yes(Who::Approver(0), &intent).unwrap();
    let again = desk.decide(desk.office.returned(&intent)).unwrap();
    assert_eq!(again, first);
    assert_eq!(desk.rows(), (1, 1));
}

/// The same answer cannot be given again.
#[test]
fn hole_answers_to_a_decision_that_comes_back_count() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(LARGE);
    assert!(desk.yes(Who::Approver(0), &intent).is_none());
    let yes = desk.office.answer(Who::Approver(1), &intent);
    desk.office.change_policy();
    let other = desk.decide(desk.office.returned(&intent)).unwrap();
    desk.office.restore_policy();
    let back = desk.decide(desk.office.returned(&intent)).unwrap();
    assert_ne!(back.core, other.core);
    assert_eq!(back.decided, Decided::Pending);
    let decided = desk.decide(desk.office.answered(&yes)).unwrap();
    assert_eq!(decided.decided, Decided::Approved);
}

#[test]
fn answers_to_the_new_decision_survive_a_late_return() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(LARGE);
    desk.office.change_policy();
    desk.decide(desk.office.returned(&intent)).unwrap();
    assert!(desk.yes(Who::Approver(0), &intent).is_none());

    let again = desk.decide(desk.office.returned(&intent)).unwrap();
    assert_eq!(again.decided, Decided::Pending);
    assert_eq!(desk.rows(), (1, 1));
}

#[test]
fn intent_comes_back_although_its_row_is_lost() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.office.intent(MEDIUM);
    let decided = desk.decide(desk.office.returned(&intent)).unwrap();
    assert_eq!(decided.decided, Decided::Pending);
    assert_eq!(desk.rows(), (1, 0));
}

#[test]
fn returned_intent_that_is_refused_now_is_left_to_the_transactions_service() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(MEDIUM);
    desk.yes(Who::Approver(0), &intent).unwrap();
    desk.office
        .ledger
        .borrow_mut()
        .tighten(Tighten::Cancel(intent.digest()), &[Who::Initiator])
        .unwrap();
    desk.office.catch_up();
    desk.office.witness();

    assert!(desk.decide(desk.office.returned(&intent)).is_none());
    assert_eq!(desk.rows(), (1, 1));
}
