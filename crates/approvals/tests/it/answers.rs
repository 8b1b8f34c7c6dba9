//! People's answers: which count, and when they are enough.

use strongroom_journal::entry::Body;
use strongroom_types::{Code, Digest, Intent, RegistryRecord, Signed};
use strongroom_wire::Decided;
use strongroom_world::Who;

use crate::desk::{Desk, LARGE, MEDIUM, Office, digest_of};

/// What an answer of this person is refused with.
fn refusal(desk: &mut Desk, answer: &strongroom_types::Signed) -> String {
    let record = desk.office.answered(answer);
    desk.refusal(record)
}

/// The journal authorizes the intent with these approvals.
fn is_taken(desk: &Desk, intent: &Intent, approvals: Vec<Signed>) {
    let (office, core) = (&desk.office, desk.office.core(intent));
    let attempt = office.world.attempt(intent);
    let authorization = office
        .world
        .authorization(intent, &core, approvals, attempt);
    let mut ledger = office.ledger.borrow_mut();
    let now = ledger.now;
    let body = Body::Authorized(Box::new(authorization));
    ledger.push(body, now).unwrap();
}

#[test]
fn two_yeses_approve_a_large_intent() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(LARGE);
    assert!(desk.yes(Who::Approver(0), &intent).is_none());
    let decided = desk.yes(Who::Approver(1), &intent).unwrap();
    assert_eq!(decided.decided, Decided::Approved);

    // What was collected is what the journal takes.
    let answers = [Who::Approver(0), Who::Approver(1)].map(|who| desk.office.answer(who, &intent));
    assert_eq!(decided.approvals.len(), 2);
    assert!(answers.iter().all(|yes| decided.approvals.contains(yes)));
}

#[test]
fn approvals_that_are_published_are_taken_by_the_journal() {
    let mut desk = Desk::new(Office::ordered());
    let intent = desk.waiting(LARGE);
    assert!(desk.yes(Who::Risk(0), &intent).is_none());
    let risk = digest_of(&desk.office.answer(Who::Risk(0), &intent));
    let yes = |a: &mut strongroom_types::Approval| a.after = vec![risk];
    let yes = desk.office.answer_with(Who::Approver(0), &intent, yes);
    let decided = desk.decide(desk.office.answered(&yes)).unwrap();

    is_taken(&desk, &intent, decided.approvals);
}

#[test]
fn one_human_with_two_credentials_counts_once() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(LARGE);
    assert!(desk.yes(Who::Approver(0), &intent).is_none());
    assert!(desk.yes(Who::ApproverProgram(0), &intent).is_none());
    let decided = desk.yes(Who::Approver(1), &intent).unwrap();
    assert_eq!(decided.approvals.len(), 2);
}

#[test]
fn same_answer_counts_once_even_when_it_comes_late() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(LARGE);
    assert!(desk.yes(Who::Approver(0), &intent).is_none());
    assert!(desk.yes(Who::Approver(0), &intent).is_none());
    assert_eq!(desk.rows(), (1, 1));
    desk.yes(Who::Approver(1), &intent).unwrap();
    assert!(desk.yes(Who::Approver(1), &intent).is_none());
}

#[test]
fn another_answer_to_an_approved_intent_is_refused() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(MEDIUM);
    desk.yes(Who::Approver(0), &intent).unwrap();
    let late = desk.office.answer(Who::Approver(1), &intent);
    let why = refusal(&mut desk, &late);
    assert!(why.contains("a pending intent that is approved"), "{why}");
}

#[test]
fn initiator_does_not_approve_their_own_intent() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(MEDIUM);
    for who in [Who::Initiator, Who::InitiatorKey] {
        let own = desk.office.answer(who, &intent);
        let why = refusal(&mut desk, &own);
        assert!(why.contains(Code::ApprovalByInitiator.as_str()), "{why}");
    }
}

#[test]
fn people_outside_the_group_are_not_eligible() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(MEDIUM);
    let cases = [
        (Who::Clerk, Code::ApprovalNotEligible),
        (Who::Risk(0), Code::ApprovalNotEligible),
        (Who::Stranger, Code::UnknownCredential),
    ];
    for (who, code) in cases {
        let answer = desk.office.answer(who, &intent);
        let why = refusal(&mut desk, &answer);
        assert!(why.contains(code.as_str()), "{who:?}: {why}");
    }
    assert_eq!(desk.rows(), (1, 0));
}

#[test]
fn answer_signed_by_another_key_is_refused() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(MEDIUM);
    let core = desk.office.core(&intent);
    let world = &desk.office.world;
    let approval = world.approval(Who::Approver(0), &intent, &core, &[]);
    let forged = world.sign(&approval, &[Who::Approver(1)]);
    let why = refusal(&mut desk, &forged);
    assert!(why.contains(Code::BadSignature.as_str()), "{why}");
}

#[test]
fn answer_to_another_decision_is_refused() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(MEDIUM);
    let wrong = |a: &mut strongroom_types::Approval| a.core = Digest([9; 32]);
    let answer = desk.office.answer_with(Who::Approver(0), &intent, wrong);
    let why = refusal(&mut desk, &answer);
    assert!(why.contains(Code::ApprovalWrongDigest.as_str()), "{why}");
}

#[test]
fn expired_answer_is_refused() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(MEDIUM);
    let now = desk.office.now();
    let answer = desk
        .office
        .answer_with(Who::Approver(0), &intent, |a| a.expires = now);
    let why = refusal(&mut desk, &answer);
    assert!(why.contains(Code::AuthorityExpired.as_str()), "{why}");
}

#[test]
fn answer_without_an_intent_is_refused() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.office.intent(MEDIUM);
    let answer = desk.office.answer(Who::Approver(0), &intent);
    let why = refusal(&mut desk, &answer);
    assert!(why.contains("waits here"), "{why}");
}

#[test]
fn ordered_yes_before_its_turn_is_refused_and_may_come_again() {
    let mut desk = Desk::new(Office::ordered());
    let intent = desk.waiting(LARGE);
    let early = desk.office.answer(Who::Approver(0), &intent);
    let why = refusal(&mut desk, &early);
    assert!(why.contains(Code::ApprovalOutOfOrder.as_str()), "{why}");

    assert!(desk.yes(Who::Risk(0), &intent).is_none());
    let why = refusal(&mut desk, &early);
    assert!(why.contains(Code::ApprovalOutOfOrder.as_str()), "{why}");

    let risk = digest_of(&desk.office.answer(Who::Risk(0), &intent));
    let in_turn = desk.office.answer_with(Who::Approver(0), &intent, |a| {
        a.after = vec![risk];
    });
    let decided = desk.decide(desk.office.answered(&in_turn)).unwrap();
    assert_eq!(decided.decided, Decided::Approved);
    assert_eq!(digest_of(&decided.approvals[0]), risk);
}

#[test]
fn second_yes_of_a_full_group_does_not_break_the_order() {
    let mut desk = Desk::new(Office::ordered());
    let intent = desk.waiting(LARGE);
    assert!(desk.yes(Who::Risk(0), &intent).is_none());
    let surplus = desk.office.answer(Who::Risk(1), &intent);
    let why = refusal(&mut desk, &surplus);
    assert!(why.contains(Code::ApprovalOutOfOrder.as_str()), "{why}");
}

/// The journal asks one approval by a key that a person holds. Published as approved without one,
/// the payment is refused to its end, and no one can add what is missing.
#[test]
fn hole_strong_tier_waits_for_a_yes_by_key() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(LARGE);
    assert!(desk.yes(Who::ApproverProgram(0), &intent).is_none());
    assert!(desk.yes(Who::ApproverProgram(1), &intent).is_none());
    let decided = desk.yes(Who::Approver(2), &intent).unwrap();
    assert_eq!(decided.decided, Decided::Approved);
    is_taken(&desk, &intent, decided.approvals);
}

/// After the last yes of an ordered decision none can come that adds what is missing.
#[test]
fn hole_last_ordered_yes_must_leave_one_by_key() {
    let mut desk = Desk::new(Office::ordered());
    let tenant = desk.office.world.tenant.clone();
    let risk = tenant.group("risk", tenant.risk, &[Who::Approver(0)]);
    desk.office.put(RegistryRecord::Group(risk));
    let intent = desk.waiting(LARGE);

    let first = desk.office.answer(Who::ApproverProgram(0), &intent);
    assert!(desk.decide(desk.office.answered(&first)).is_none());
    let after = |who| {
        let name = |a: &mut strongroom_types::Approval| a.after = vec![digest_of(&first)];
        desk.office.answer_with(who, &intent, name)
    };
    let (program, key) = (after(Who::ApproverProgram(1)), after(Who::Approver(1)));
    let why = refusal(&mut desk, &program);
    assert!(why.contains(Code::ApprovalMissing.as_str()), "{why}");
    let decided = desk.decide(desk.office.answered(&key)).unwrap();
    is_taken(&desk, &intent, decided.approvals);
}

#[test]
fn yes_that_has_expired_since_is_not_counted() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(LARGE);
    let soon = desk.office.now().plus(1_000);
    let brief = desk
        .office
        .answer_with(Who::Approver(0), &intent, |a| a.expires = soon);
    assert!(desk.decide(desk.office.answered(&brief)).is_none());
    desk.office.live(1_000);
    assert!(desk.yes(Who::Approver(1), &intent).is_none());
    let decided = desk.yes(Who::Approver(2), &intent).unwrap();
    is_taken(&desk, &intent, decided.approvals);
}

/// Each yes is read again for every further one, in the one stage that serves all tenants.
#[test]
fn hole_yeses_that_lapse_at_once_do_not_pile_up() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(LARGE);
    for _ in 0..5 {
        let soon = desk.office.now().plus(500);
        let brief = desk
            .office
            .answer_with(Who::Approver(0), &intent, |a| a.expires = soon);
        assert!(desk.decide(desk.office.answered(&brief)).is_none());
        desk.office.live(500);
    }
    assert_eq!(desk.rows(), (1, 1), "the newest");

    // After a crash they may come in another order.
    let until = |ms| desk.office.now().plus(ms);
    let [long, brief] = [until(60_000), until(500)].map(|at| {
        desk.office
            .answer_with(Who::Approver(0), &intent, |a| a.expires = at)
    });
    for yes in [&long, &brief] {
        assert!(desk.decide(desk.office.answered(yes)).is_none());
    }
    assert_eq!(desk.rows(), (1, 1), "the one that counts longest");

    // It counts like any other.
    let decided = desk.yes(Who::Approver(1), &intent).unwrap();
    is_taken(&desk, &intent, decided.approvals);
}

/// A nonce is its approver's own: what another one chose, or copied, keeps no yes out.
#[test]
fn hole_yes_with_the_nonce_of_another_keeps_them_from_counting() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(LARGE);
    assert!(desk.yes(Who::Approver(0), &intent).is_none());
    let first = desk.office.answer(Who::Approver(0), &intent);
    let nonce = first.open::<strongroom_types::Approval>().unwrap().0.nonce;
    let copy = desk
        .office
        .answer_with(Who::Approver(1), &intent, |a| a.nonce = nonce);
    let decided = desk.decide(desk.office.answered(&copy)).unwrap();
    is_taken(&desk, &intent, decided.approvals);
}

/// Within a group they come in any order, and the later group names them in any.
#[test]
fn hole_members_of_one_group_are_named_in_any_order() {
    for turned in [false, true] {
        let mut desk = Desk::new(Office::ordered_by(2));
        let intent = desk.waiting(LARGE);
        let risk = [Who::Risk(0), Who::Risk(1)];
        let mut named = risk.map(|who| digest_of(&desk.office.answer(who, &intent)));
        for who in risk {
            assert!(desk.yes(who, &intent).is_none());
        }
        named.sort_unstable();
        if turned {
            named.reverse();
        }
        let last = desk.office.answer_with(Who::Approver(0), &intent, |a| {
            a.after = named.to_vec();
        });
        let decided = desk.decide(desk.office.answered(&last)).unwrap();
        is_taken(&desk, &intent, decided.approvals);
    }
}

#[test]
fn unordered_yes_that_names_another_is_refused() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(LARGE);
    let answer = desk.office.answer_with(Who::Approver(0), &intent, |a| {
        a.after = vec![Digest([1; 32])];
    });
    let why = refusal(&mut desk, &answer);
    assert!(why.contains(Code::ApprovalOutOfOrder.as_str()), "{why}");
}
