//! Records in, rows out.

use crate::desk::{Desk, code};
use crate::fixture::TENANT;
use strongroom_types::{Code, Document as _, Intent};
use strongroom_wire::{Decided, Layer, Marks, Role, TransactionState, topics};
use strongroom_world::Who;

fn refused(code: Code) -> Decided {
    Decided::Refused(code, code.meaning().to_owned())
}

/// An approver's yes to the decision as it is now.
fn answer(desk: &Desk, intent: &Intent) {
    let yes = desk.yes(Who::Approver(0), intent, &[]);
    desk.approve(intent, &yes).unwrap();
}

#[test]
fn a_fee_cap_is_blocked_when_policy_says_so_and_failed_when_another_does() {
    let (mut desk, intent) = Desk::with_intent(500_000);
    desk.decided(&intent, refused(Code::FeeCapExceeded));
    assert_eq!(desk.row(&intent).state, TransactionState::Blocked);

    let (mut desk, intent) = Desk::with_intent(500_000);
    desk.decided(&intent, Decided::Approved);
    let world = &desk.journal.world;
    let mut failed = world.transaction_changed(&intent, TransactionState::Failed);
    failed.reason = Some((Code::FeeCapExceeded, "12 of 10".to_owned()));
    desk.says(Role::Transactions, topics::TRANSACTION_CHANGED, &failed);
    let row = desk.row(&intent);
    assert_eq!(
        (row.state, row.code.as_str()),
        (TransactionState::Failed, "fee_cap_exceeded")
    );
}

#[test]
fn a_late_report_does_not_take_a_row_back() {
    let (mut desk, intent) = Desk::with_intent(500_000);
    desk.decided(&intent, Decided::Approved);
    desk.changed(&intent, TransactionState::Signed);
    let signed = desk.row(&intent);
    desk.changed(&intent, TransactionState::Signing);
    desk.changed(&intent, TransactionState::PendingApproval);
    desk.decided(&intent, refused(Code::PolicyBlocked));
    let mut other = desk.journal.ledger.core(&intent);
    other.rule = "stricter".to_owned();
    desk.decided_with(&intent, other.to_text(), Decided::Pending);
    assert_eq!(desk.row(&intent), signed);
}

#[test]
fn a_late_decision_brings_its_core_and_nothing_else() {
    let (mut desk, intent) = Desk::with_intent(500_000);
    desk.changed(&intent, TransactionState::Signing);
    assert_eq!(desk.row(&intent).core, "");
    desk.decided(&intent, Decided::Approved);
    let row = desk.row(&intent);
    assert_eq!(row.state, TransactionState::Signing);
    assert_eq!(row.core, desk.journal.ledger.core(&intent).to_text());
}

#[test]
fn the_same_decision_again_is_not_a_change() {
    let (mut desk, intent) = Desk::with_pending();
    let pending = desk.row(&intent);
    // It is another record: the approvals service lost its tables and decided again.
    desk.wait(1);
    desk.decided(&intent, Decided::Pending);
    assert_eq!(desk.row(&intent), pending);
}

/// The approvals service repeats itself after a restart; nothing was sent back.
#[test]
fn the_same_decision_again_keeps_answers_and_does_not_take_a_row_back() {
    let (mut desk, intent) = Desk::with_pending();
    answer(&desk, &intent);
    desk.decided(&intent, Decided::Pending);
    assert_eq!(desk.count("SELECT count(*) FROM answer"), 1);

    desk.decided(&intent, Decided::Approved);
    desk.changed(&intent, TransactionState::Signing);
    desk.decided(&intent, Decided::Approved);
    assert_eq!(desk.row(&intent).state, TransactionState::Signing);
    assert_eq!(desk.count("SELECT count(*) FROM answer"), 1);
}

/// What still counts is not to be given again: the service that counts would drop it as a
/// repetition, and its human could not answer any more.
#[test]
fn hole_a_returned_intent_keeps_the_answers_that_count() {
    let (mut desk, intent) = Desk::with_pending();
    let soon = desk.now().plus(60_000);
    let core = desk.journal.ledger.core(&intent);
    let world = &desk.journal.world;
    let mut brief = world.approval(Who::Approver(0), &intent, &core, &[]);
    brief.expires = soon;
    let brief = world.sign(&brief, &[Who::Approver(0)]);
    let lasting = desk.yes(Who::Approver(1), &intent, &[]);
    for yes in [&brief, &lasting] {
        desk.approve(&intent, yes).unwrap();
    }
    desk.decided(&intent, Decided::Approved);
    desk.changed(&intent, TransactionState::Signing);
    desk.wait(60_000);
    desk.changed(&intent, TransactionState::PendingApproval);
    desk.decided(&intent, Decided::Pending);

    // The service that counts may have lost them: they are sent again.
    desk.wait(2_500);
    assert_eq!(desk.records(topics::APPROVAL_SUBMITTED).len(), 2);

    assert_eq!(code(desk.approve(&intent, &lasting)), None);
    let other = desk.yes(Who::ApproverProgram(1), &intent, &[]);
    let refused = code(desk.approve(&intent, &other));
    assert_eq!(refused, Some(Code::ApprovalDuplicateHuman));

    let refused = code(desk.approve(&intent, &brief));
    assert_eq!(refused, Some(Code::AuthorityExpired));
    let mut again = desk
        .journal
        .world
        .approval(Who::Approver(0), &intent, &core, &[]);
    again.expires = soon.plus(60_000);
    let again = desk.journal.world.sign(&again, &[Who::Approver(0)]);
    assert_eq!(code(desk.approve(&intent, &again)), None);
}

/// All of them are read again with each further answer, and by everyone who lists what waits.
#[test]
fn hole_answers_that_lapse_at_once_do_not_pile_up() {
    let (mut desk, intent) = Desk::with_pending();
    let core = desk.journal.ledger.core(&intent);
    for _ in 0..5 {
        let world = &desk.journal.world;
        let mut brief = world.approval(Who::Approver(0), &intent, &core, &[]);
        brief.expires = desk.now().plus(500);
        let brief = world.sign(&brief, &[Who::Approver(0)]);
        assert_eq!(code(desk.approve(&intent, &brief)), None);
        desk.wait(500);
    }
    assert_eq!(desk.count("SELECT count(*) FROM answer"), 1);

    let other = desk.yes(Who::Approver(1), &intent, &[]);
    assert_eq!(code(desk.approve(&intent, &other)), None);
    assert_eq!(desk.count("SELECT count(*) FROM answer"), 2);
}

/// The journal sends an intent back because its decision changed. Report and new decision travel on
/// two topics; whichever arrives first, approvers are asked about the new decision, without the
/// answers to the old one.
#[test]
fn a_returned_intent_shows_its_new_decision_whatever_arrives_first() {
    for report_first in [true, false] {
        let (mut desk, intent) = Desk::with_pending();
        answer(&desk, &intent);
        desk.decided(&intent, Decided::Approved);
        desk.changed(&intent, TransactionState::Signing);

        let old = desk.journal.ledger.core(&intent);
        let mut other = old.clone();
        other.rule = "stricter".to_owned();
        if report_first {
            desk.changed(&intent, TransactionState::PendingApproval);
        }
        desk.decided_with(&intent, other.to_text(), Decided::Pending);
        if !report_first {
            desk.changed(&intent, TransactionState::PendingApproval);
        }
        let row = desk.row(&intent);
        assert_eq!(
            row.state,
            TransactionState::PendingApproval,
            "{report_first}"
        );
        assert_eq!(row.core, other.to_text(), "{report_first}");
        desk.wait(2_500);
        assert!(desk.records(topics::APPROVAL_SUBMITTED).is_empty());
        let yes = desk.yes(Who::Approver(0), &intent, &[]);
        let refused = code(desk.approve(&intent, &yes));
        assert_eq!(refused, Some(Code::ApprovalWrongDigest), "to the old one");

        // The policy comes back to the old decision, and what was answered to it counts.
        desk.decided_with(&intent, old.to_text(), Decided::Pending);
        desk.wait(2_500);
        assert_eq!(desk.records(topics::APPROVAL_SUBMITTED).len(), 1);
    }
}

/// The approvals service's tables were put back to before the approval, and the intent is blocked
/// by now. A client that is told so signs another, and both are paid.
#[test]
fn hole_what_was_approved_once_is_not_told_blocked_by_the_approvals_service() {
    let signing: &[TransactionState] = &[TransactionState::Signing];
    let returned: &[TransactionState] =
        &[TransactionState::Signing, TransactionState::PendingApproval];
    for (way, is_same_core) in [
        (&[] as &[_], true),
        (&[], false),
        (signing, true),
        (signing, false),
        (returned, true),
        (returned, false),
    ] {
        let (mut desk, intent) = Desk::with_pending();
        desk.decided(&intent, Decided::Approved);
        for state in way {
            let world = &desk.journal.world;
            let mut report = world.transaction_changed(&intent, *state);
            if *state == TransactionState::PendingApproval {
                report.reason = Some((Code::AuthorityExpired, String::new()));
            }
            desk.says(Role::Transactions, topics::TRANSACTION_CHANGED, &report);
        }
        let before = desk.row(&intent);
        let mut core = desk.journal.ledger.core(&intent);
        if !is_same_core {
            core.rule = "stricter".to_owned();
        }
        desk.decided_with(&intent, core.to_text(), refused(Code::PolicyBlocked));
        desk.decided_with(&intent, String::new(), refused(Code::TenantStopped));
        assert_eq!(desk.row(&intent), before, "{way:?} {is_same_core}");

        // The service that has it tells the end.
        desk.changed(&intent, TransactionState::Cancelled);
        assert_eq!(desk.row(&intent).state, TransactionState::Cancelled);
    }
}

/// As above, where the new decision overtook the report of the return.
#[test]
fn hole_what_is_back_at_its_people_is_not_told_blocked_before_the_report() {
    let (mut desk, intent) = Desk::with_pending();
    desk.decided(&intent, Decided::Approved);
    let mut other = desk.journal.ledger.core(&intent);
    other.rule = "stricter".to_owned();
    desk.decided_with(&intent, other.to_text(), Decided::Pending);
    desk.decided_with(&intent, other.to_text(), refused(Code::PolicyBlocked));
    let row = desk.row(&intent);
    assert_eq!(
        (row.state, row.code.as_str()),
        (TransactionState::PendingApproval, "decision_changed")
    );

    // What they approved since has no such reason.
    desk.decided_with(&intent, other.to_text(), Decided::Approved);
    assert_eq!(desk.row(&intent).code, "");
}

/// Of what was never approved nothing was offered.
#[test]
fn what_waits_for_its_first_approval_is_ended_by_the_approvals_service() {
    let (mut desk, intent) = Desk::with_pending();
    desk.decided(&intent, refused(Code::IntentCancelled));
    assert_eq!(desk.row(&intent).state, TransactionState::Cancelled);
}

/// The decision may overtake the report that the intent was sent back, which says why.
#[test]
fn reason_of_a_return_is_shown_whatever_arrives_first() {
    let (mut desk, intent) = Desk::with_pending();
    desk.decided(&intent, Decided::Approved);
    let mut other = desk.journal.ledger.core(&intent);
    other.rule = "stricter".to_owned();
    desk.decided_with(&intent, other.to_text(), Decided::Pending);
    let world = &desk.journal.world;
    let mut returned = world.transaction_changed(&intent, TransactionState::PendingApproval);
    returned.reason = Some((Code::CredentialRevoked, String::new()));
    desk.says(Role::Transactions, topics::TRANSACTION_CHANGED, &returned);
    let row = desk.row(&intent);
    assert_eq!(row.state, TransactionState::PendingApproval);
    assert_eq!(row.code, "credential_revoked");
}

/// An evaluation that was refused before policy has no core: it says nothing about a payment that
/// is on its way.
#[test]
fn a_refusal_without_a_core_does_not_end_what_is_being_signed() {
    let (mut desk, intent) = Desk::with_intent(500_000);
    desk.decided(&intent, Decided::Approved);
    desk.changed(&intent, TransactionState::Signing);
    let again = refused(Code::IntentAlreadyAuthorized);
    desk.decided_with(&intent, String::new(), again);
    assert_eq!(desk.row(&intent).state, TransactionState::Signing);
}

#[test]
fn records_about_an_intent_that_is_not_here_change_nothing() {
    let mut desk = Desk::new();
    let intent = desk.intent(500_000, "elsewhere");
    desk.decided(&intent, Decided::Approved);
    desk.changed(&intent, TransactionState::Signing);
    assert_eq!(desk.count("SELECT count(*) FROM tx"), 0);
}

/// The timeline ends with the signature; what the chain does is not part of it.
#[test]
fn a_report_after_the_signature_leaves_the_timeline() {
    let served = crate::bodies::served();
    let intent = served.taken(500_000, "order");
    served.decided(&intent, Decided::Approved);
    let report = |state, us| {
        let change = served.journal.world.transaction_changed(&intent, state);
        served.reports(&change, Marks::default().with(Layer::Received, us));
    };
    report(TransactionState::Signed, 1_000);
    let timeline = || {
        let path = format!("{}/timeline", crate::bodies::payments::path(&intent));
        served.get(TENANT, &path).body
    };
    let signed = timeline();
    // The state is reported again, with the network's refusal.
    let world = &served.journal.world;
    let mut rejected = world.transaction_changed(&intent, TransactionState::Signed);
    rejected.reason = Some((Code::NetworkRejected, "mempool full".to_owned()));
    served.reports(&rejected, Marks::default().with(Layer::Received, 2_000));
    report(TransactionState::Broadcasting, 3_000);
    assert_eq!(timeline(), signed);
}

/// What stands against a payment is shown while it can still be signed, and no longer.
#[test]
fn objection_is_shown_while_the_payment_is_signed() {
    let (mut desk, intent) = Desk::with_intent(500_000);
    desk.decided(&intent, Decided::Approved);
    desk.changed(&intent, TransactionState::Signing);
    for code in [Code::EffectsMismatch, Code::TooLate] {
        let world = &desk.journal.world;
        let mut objection = world.transaction_changed(&intent, TransactionState::Signing);
        objection.reason = Some((code, code.meaning().to_owned()));
        desk.says(Role::Transactions, topics::TRANSACTION_CHANGED, &objection);
        let row = desk.row(&intent);
        assert_eq!(
            (row.state, row.code.as_str()),
            (TransactionState::Signing, code.as_str())
        );
    }
    desk.changed(&intent, TransactionState::Signed);
    let row = desk.row(&intent);
    assert_eq!(
        (row.state, row.code.as_str()),
        (TransactionState::Signed, "")
    );
}

/// What the network said is shown while the payment is signed.
#[test]
fn hole_rejection_of_the_network_is_shown_and_ends_no_signed_payment() {
    let (mut desk, intent) = Desk::with_intent(500_000);
    desk.decided(&intent, Decided::Approved);
    desk.changed(&intent, TransactionState::Signed);
    let world = &desk.journal.world;
    let mut rejected = world.transaction_changed(&intent, TransactionState::Signed);
    rejected.reason = Some((Code::NetworkRejected, "mempool full".to_owned()));
    desk.says(Role::Transactions, topics::TRANSACTION_CHANGED, &rejected);
    let row = desk.row(&intent);
    assert_eq!(
        (row.state, row.code.as_str()),
        (TransactionState::Signed, "network_rejected")
    );

    for end in [
        TransactionState::Rejected,
        TransactionState::Blocked,
        TransactionState::Expired,
        TransactionState::Cancelled,
        TransactionState::Failed,
    ] {
        desk.changed(&intent, end);
        assert_eq!(desk.row(&intent).state, TransactionState::Signed);
    }
    desk.changed(&intent, TransactionState::Broadcasting);
    assert_eq!(desk.row(&intent).code, "");
}

/// Its readers would all fail on the row.
#[test]
fn decision_whose_core_does_not_parse_changes_nothing() {
    let (mut desk, intent) = Desk::with_intent(500_000);
    let before = desk.row(&intent);
    desk.decided_with(&intent, "{}".to_owned(), Decided::Approved);
    assert_eq!(desk.row(&intent), before);
    desk.decided(&intent, Decided::Approved);
    assert_eq!(desk.row(&intent).state, TransactionState::Approved);
}

/// Without its decision or purpose a transaction would look like one that has none.
#[test]
fn row_whose_texts_do_not_parse_is_an_error_and_not_shown_without_them() {
    for damage in [
        "UPDATE tx SET core = '{}'",
        "UPDATE tx SET signed = (SELECT signed FROM answer)",
        "UPDATE answer SET signed = (SELECT signed FROM tx)",
    ] {
        let served = crate::bodies::served();
        let intent = served.taken(150_000_000, "order");
        served.decided(&intent, Decided::Pending);
        let core = served.journal.ledger.core(&intent);
        let world = &served.journal.world;
        let yes = world.approve(Who::Approver(0), &intent, &core, &[]);
        let decide = format!("/v1/approvals/{}/decisions", intent.digest());
        assert_eq!(served.post(TENANT, &decide, &yes).status, 202);
        let paths = [
            crate::bodies::payments::path(&intent),
            "/v1/approvals".to_owned(),
        ];
        let statuses = || paths.each_ref().map(|path| served.get(TENANT, path).status);
        assert_eq!(statuses(), [200, 200]);

        served.damage(damage);
        assert_eq!(statuses(), [500, 500], "{damage}");
    }
}
