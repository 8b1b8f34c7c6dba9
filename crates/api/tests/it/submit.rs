//! Submissions are refused at once for the reason the journal would give.

use crate::desk::{Desk, code};
use strongroom_journal::Body;
use strongroom_journal::state::Lookup as _;
use strongroom_stage::post::message_id;
use strongroom_types::{Approval, Code, Digest, Document as _};
use strongroom_wire::{Decided, TransactionState};
use strongroom_world::Who;

#[test]
fn an_intent_that_was_cancelled_before_it_came_is_refused() {
    let mut desk = Desk::new();
    let intent = desk.intent(500_000, "order");
    desk.append(Body::Act(desk.journal.cancel(&intent)));
    assert_eq!(code(desk.submit(&intent)), Some(Code::IntentCancelled));
    assert_eq!(desk.count("SELECT count(*) FROM tx"), 0);
}

#[test]
fn an_intent_that_asks_for_too_many_attempts_is_refused() {
    let desk = Desk::new();
    let mut intent = desk.intent(500_000, "order");
    intent.attempts_max = 1_000;
    assert_eq!(code(desk.submit(&intent)), Some(Code::AttemptsExhausted));
}

#[test]
fn an_intent_that_was_taken_stays_taken_when_it_would_be_refused_by_now() {
    let (mut desk, intent) = Desk::with_intent(500_000);
    desk.wait(intent.expires.since(intent.created));
    desk.submit(&intent).unwrap();
    let late = desk.intent(500_000, "another");
    assert_eq!(code(desk.submit(&late)), Some(Code::IntentExpired));
}

#[test]
fn an_external_id_is_taken_once() {
    let desk = Desk::new();
    desk.submit(&desk.intent(500_000, "order")).unwrap();
    let other = desk.intent(400_000, "order");
    assert_eq!(code(desk.submit(&other)), Some(Code::DuplicateExternalId));
}

#[test]
fn an_answer_is_checked_by_the_journal_s_rules() {
    let (mut desk, intent) = Desk::with_intent(150_000_000);

    // The intent was not decided yet, so there is nothing to answer.
    let early = desk.yes(Who::Approver(0), &intent, &[]);
    assert_eq!(code(desk.approve(&intent, &early)), Some(Code::Conflict));
    desk.decided(&intent, Decided::Pending);
    assert_eq!(desk.row(&intent).state, TransactionState::PendingApproval);

    let yes = |who| desk.yes(who, &intent, &[]);
    let refused = |signed| code(desk.approve(&intent, &signed));
    for (who, wanted) in [
        (Who::Clerk, Code::ApprovalNotEligible),
        (Who::InitiatorKey, Code::ApprovalByInitiator),
        (Who::Stranger, Code::UnknownCredential),
    ] {
        assert_eq!(refused(yes(who)), Some(wanted), "{who:?}");
    }
    let mut forged = yes(Who::Approver(0));
    strongroom_world::forge(&mut forged.endorsements[0]);
    assert_eq!(refused(forged), Some(Code::BadSignature));
    let after = [Digest([1; 32])];
    let unordered = desk.yes(Who::Approver(0), &intent, &after);
    assert_eq!(refused(unordered), Some(Code::ApprovalOutOfOrder));
    assert_eq!(desk.count("SELECT count(*) FROM answer"), 0);

    let first = yes(Who::Approver(0));
    assert_eq!(refused(first.clone()), None);
    assert_eq!(refused(first), None, "the same answer again");
    let program = yes(Who::ApproverProgram(0));
    assert_eq!(refused(program), Some(Code::ApprovalDuplicateHuman));
    assert_eq!(desk.count("SELECT count(*) FROM answer"), 1);

    // The tier asks for one by a key that a person holds.
    assert_eq!(refused(yes(Who::ApproverProgram(1))), None);
    assert_eq!(refused(yes(Who::Approver(1))), None, "instead");
    assert_eq!(desk.count("SELECT count(*) FROM answer"), 3);
}

/// Taken, it would be a dead letter at the service that counts, and its human could not answer any
/// more: "they have answered".
#[test]
fn hole_early_answer_is_refused_and_its_human_answers_in_turn() {
    let (desk, intent) = Desk::with_ordered();
    let answer = |who, after: &[Digest]| {
        let yes = desk.yes(who, &intent, after);
        (
            Approval::digest_of(&yes.text),
            code(desk.approve(&intent, &yes)),
        )
    };
    let refused = Some(Code::ApprovalOutOfOrder);
    assert_eq!(answer(Who::Approver(0), &[]).1, refused, "before risk");
    let (first, result) = answer(Who::Risk(0), &[]);
    assert_eq!(result, None);
    assert_eq!(answer(Who::Risk(1), &[]).1, refused, "its group is full");
    assert_eq!(answer(Who::Approver(0), &[]).1, refused, "names none");
    assert_eq!(answer(Who::Approver(0), &[first]).1, None);
    assert_eq!(desk.count("SELECT count(*) FROM answer"), 2);
}

/// A known text with another signature must not reach the bus: only the stored one was checked.
#[test]
fn an_answer_sent_again_goes_out_as_it_was_stored() {
    let (desk, intent) = Desk::with_pending();
    let yes = desk.yes(Who::Approver(0), &intent, &[]);
    let first = desk.approve(&intent, &yes).unwrap().record.unwrap();
    let mut forged = yes;
    strongroom_world::forge(&mut forged.endorsements[0]);
    let again = desk.approve(&intent, &forged).unwrap().record.unwrap();
    assert_eq!(message_id(&first), message_id(&again));
    assert!(desk.state(|state| state.tenant(intent.tenant).is_ok()));
}
