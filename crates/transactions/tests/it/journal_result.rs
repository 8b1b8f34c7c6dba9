use crate::entries::approved_by;
use crate::fixture::*;
use strongroom_journal::Body;
use strongroom_types::{ActBody, Code, Document as _, Revocable, Tighten};
use strongroom_wire::{Decided, JournalResult, JournalSubmitted, Role, TransactionState, topics};
use strongroom_world::Who;

#[test]
fn acceptance_changes_nothing() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    let record = service.mail().answer(&payment, Ok(7));
    assert!(service.send(&[record]).is_empty());
    assert_eq!(service.state(&payment.intent), Some(0));
}

/// A payment whose anchor another intent got in the journal, built again.
fn built_again(service: &mut Service, first: &Payment) -> Payment {
    service.take_anchor(first);
    let record = service.mail().answer(first, Err(Code::AnchorTaken));
    let sent = service.send(&[record]);
    Payment::new(&sent, &first.intent)
}

/// A payment that was returned, since the policy is another one.
fn returned(service: &mut Service) -> (Payment, Sent) {
    let payment = service.offered();
    service.change_policy();
    let record = service.mail().answer(&payment, Err(Code::DecisionChanged));
    let sent = service.send(&[record]);
    (payment, sent)
}

#[test]
fn taken_anchor_is_replaced_and_the_approvals_stay() {
    let mut service = Service::funded(2);
    let first = service.offered();
    let second = built_again(&mut service, &first);

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
    built_again(&mut service, &first);

    // The vault's other coin is the anchor of the other intent.
    let intent = service.intent();
    let sent = service.approve(&intent);
    assert!(
        sent.all::<JournalSubmitted>(topics::JOURNAL_SUBMITTED)
            .is_empty()
    );
    assert_eq!(service.state(&intent), Some(4), "building");
}

#[test]
fn payment_is_built_again_for_each_anchor_that_it_loses() {
    let mut service = Service::funded(7);
    let mut payment = service.offered();
    for _ in 1..7 {
        payment = built_again(&mut service, &payment);
    }
    assert_eq!(service.state(&payment.intent), Some(0));
}

/// The anchor's word is a digest in the journal; the writer's is none.
#[test]
fn hole_writer_that_claims_every_anchor_taken_is_not_believed() {
    let mut service = Service::funded(7);
    let payment = service.offered();
    for tag in 0..6 {
        let mail = service.mail().again(tag);
        let record = mail.answer(&payment, Err(Code::AnchorTaken));
        let changed = service.send(&[record]).changed();
        assert_eq!(changed[0].state, TransactionState::Signing);
        assert_eq!(changed[0].reason.clone().unwrap().0, Code::AnchorTaken);
    }
    assert_eq!(service.count("SELECT COUNT(*) FROM reservation"), 1);
}

#[test]
fn changed_decision_returns_the_intent_and_keeps_what_was_offered() {
    let mut service = Service::funded(1);
    let (payment, sent) = returned(&mut service);

    let returned = sent.returned();
    assert_eq!(returned.len(), 1);
    assert_eq!(returned[0].code, Code::DecisionChanged);
    assert_eq!(returned[0].intent, payment.authorization().intent);
    assert_eq!(sent.states(), [TransactionState::PendingApproval]);
    assert_eq!(service.state(&payment.intent), Some(5));
    assert_eq!(service.count("SELECT COUNT(*) FROM reservation"), 1);

    // The approvers are asked again, and the journal and the signers are not.
    let sent = service.wait(RESEND_MS + 1_000);
    assert_eq!(sent.returned().len(), 1);
    assert_eq!(sent.states(), [TransactionState::PendingApproval]);
    assert_eq!(sent.records.len(), 2);
}

#[test]
fn returned_intent_starts_again_with_its_next_decision() {
    let mut service = Service::funded(2);
    let (first, _) = returned(&mut service);
    let mail = service.mail().again(1);
    let record = mail.decided(&first.intent, Decided::Approved);
    let sent = service.send(&[record]);
    assert_eq!(sent.states(), [TransactionState::Signing]);
    let again = Payment::new(&sent, &first.intent);
    assert_eq!(again.request, first.request, "the same transaction");
    assert_ne!(again.authorization().core, first.authorization().core);
}

/// The committee comes back to the old policy, and the writer appends what it had refused: a second
/// transaction of the payment, or its end by the approvers, would have been for nothing.
#[test]
fn hole_returned_payment_that_the_journal_takes_after_all_goes_on() {
    let mut service = Service::funded(2);
    let (payment, _) = returned(&mut service);
    let tenant = &service.world().tenant;
    let policy = tenant.policy(&strongroom_world::PolicyOptions::default());
    let record = strongroom_types::RegistryRecord::Policy(policy.to_text());
    service.ledger.now = service.now;
    service.ledger.put_and_release(record);
    service.append(vec![strongroom_journal::Body::Authorized(Box::new(
        payment.authorization(),
    ))]);

    let sent = service.wait(RESEND_MS + 1_000);
    assert_eq!(sent.states(), [TransactionState::Signing]);
    assert!(sent.returned().is_empty());
    let record = service.mail().signed(&payment.request);
    let sent = service.send(&[record]);
    assert_eq!(sent.states(), [TransactionState::Signed]);
}

#[test]
fn returned_payment_ends_by_the_fresh_head() {
    let mut service = Service::funded(1);
    returned(&mut service);
    let waiting = service.wait(OVER_MS).states();
    assert_eq!(waiting, [TransactionState::PendingApproval]);
    assert_eq!(service.live(60_000).states(), [TransactionState::Expired]);
}

#[test]
fn submission_that_arrived_twice_is_not_an_end() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    let answer = Err(Code::IntentAlreadyAuthorized);
    let record = service.mail().answer(&payment, answer);
    assert!(service.send(&[record]).is_empty());
    assert_eq!(service.state(&payment.intent), Some(0));
}

#[test]
fn answer_to_an_earlier_build_does_not_end_the_one_that_replaced_it() {
    let mut service = Service::funded(2);
    let first = service.offered();
    built_again(&mut service, &first);

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

/// A payment that one approver said yes to, who is revoked since.
fn approved_by_a_revoked_person(service: &mut Service) -> Payment {
    let intent = service
        .world()
        .order(service.now, 2 * AMOUNT, "one approves");
    let yes = approved_by(service, &intent, Who::Approver(0));
    let sent = service.send(&[yes]);
    let payment = Payment::new(&sent, &intent);

    let approver = service.world().person(Who::Approver(0)).credential.id;
    let revoke = Tighten::Revoke(Revocable::Credential(approver));
    let admins = service.ledger.admins();
    let act = service.ledger.signed_act(ActBody::Tighten(revoke), &admins);
    service.append(vec![Body::Act(act)]);
    payment
}

/// Another person's yes cures it. Shown as refused alone, it would wait to its end.
#[test]
fn approval_that_counts_no_more_returns_the_payment_to_its_people() {
    let mut service = Service::funded(1);
    let payment = approved_by_a_revoked_person(&mut service);
    let refused = |service: &mut Service, tag| {
        let record = service
            .mail()
            .again(tag)
            .answer(&payment, Err(Code::CredentialRevoked));
        service.send(&[record])
    };

    // No witness has seen the revocation: it may come to nothing.
    let shown = refused(&mut service, 0);
    assert_eq!(shown.states(), [TransactionState::Signing]);
    service.witness();
    let sent = refused(&mut service, 1);
    assert_eq!(sent.states(), [TransactionState::PendingApproval]);
    let again = service.live(2 * RESEND_MS);
    for returned in [sent.returned(), again.returned()] {
        assert_eq!(returned[0].code, Code::CredentialRevoked);
    }
    // The record of the state may be lost: without it clients would not be shown who is asked.
    let (changed, told) = (&again.changed()[0], &sent.changed()[0]);
    assert_eq!((changed.state, &changed.reason), (told.state, &told.reason));

    // An approval of before the revocation, told late or by a service whose journal is older, would
    // go to the writer in vain.
    let late = approved_by(&service, &payment.intent, Who::Approver(0));
    assert!(service.send(&[late]).is_empty());

    let yes = approved_by(&service, &payment.intent, Who::Approver(1));
    let sent = service.send(&[yes]);
    assert_eq!(sent.states(), [TransactionState::Signing]);
    let second = Payment::new(&sent, &payment.intent);
    assert_eq!(second.request, payment.request, "the same transaction");
    assert_ne!(
        second.authorization().approvals,
        payment.authorization().approvals
    );
}

#[test]
fn refusal_of_a_payment_whose_approvals_count_is_shown_alone() {
    let mut service = Service::funded(1);
    let intent = service.world().order(service.now, 2 * AMOUNT, "approved");
    let yes = approved_by(&service, &intent, Who::Approver(0));
    let payment = Payment::new(&service.send(&[yes]), &intent);
    service.witness();
    let record = service.mail().answer(&payment, Err(Code::ApprovalMissing));
    let sent = service.send(&[record]);
    assert_eq!(sent.states(), [TransactionState::Signing]);
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
