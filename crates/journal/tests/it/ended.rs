//! How an intent ends: a no, a cancel, before and after its authorization.

use crate::{HOUR_MS, MEDIUM, SMALL, TWO, code, forged, ready};
use strongroom_journal::Body;
use strongroom_journal::model::IntentStanding;
use strongroom_journal::state::Lookup as _;
use strongroom_types::{ActBody, Answer, Approval, Code, Digest, Document as _, Intent, Tighten};
use strongroom_world::{AuthorizationExt as _, FRIEND, Ledger, Who};

fn medium(ledger: &Ledger) -> Intent {
    ledger.world.intent(ledger.now, MEDIUM, FRIEND)
}

/// A rejection by `who`, his answer changed before it is signed.
fn no(ledger: &Ledger, intent: &Intent, who: Who, change: impl FnOnce(&mut Approval)) -> Body {
    let core = ledger.core(intent);
    let mut approval = ledger.world.approval(who, intent, &core, Answer::No, &[]);
    change(&mut approval);
    Body::Rejected {
        intent: ledger.world.signed_intent(intent),
        core: core.to_text(),
        approval: ledger.world.sign(&approval, &[who]),
    }
}

fn authorized(ledger: &Ledger, intent: &Intent) -> Option<Code> {
    ledger.refused(ledger.authorization(intent, &TWO[..1]).into_body())
}

fn cancel(
    ledger: &mut Ledger,
    intent: &Intent,
    who: Who,
) -> Result<u64, strongroom_types::Refusal> {
    ledger.tighten(Tighten::Cancel(intent.digest()), &[who])
}

#[test]
fn one_no_of_anyone_eligible_ends_an_intent() {
    let mut ledger = ready();
    let intent = medium(&ledger);
    let body = ledger.authorization(&intent, &TWO[..1]).into_body();
    assert_eq!(ledger.refused(body.clone()), None);
    ledger
        .push(no(&ledger, &intent, Who::Approver(2), |_| {}), ledger.now)
        .unwrap();
    assert_eq!(ledger.refused(body), Some(Code::IntentRejected));
    assert_eq!(
        ledger.refused(no(&ledger, &intent, Who::Approver(1), |_| {})),
        Some(Code::IntentRejected)
    );
}

#[test]
fn a_no_counts_only_from_who_could_say_yes() {
    let ledger = ready();
    let intent = medium(&ledger);
    for (who, expected) in [
        (Who::Clerk, Code::ApprovalNotEligible),
        (Who::Initiator, Code::ApprovalByInitiator),
        (Who::Stranger, Code::UnknownCredential),
    ] {
        assert_eq!(
            ledger.refused(no(&ledger, &intent, who, |_| {})),
            Some(expected)
        );
    }
    let small = ledger.world.intent(ledger.now, SMALL, FRIEND);
    assert_eq!(
        ledger.refused(no(&ledger, &small, Who::Approver(0), |_| {})),
        Some(Code::ApprovalNotEligible)
    );
}

#[test]
fn a_no_is_for_this_intent_and_this_decision_and_is_a_no() {
    let ledger = ready();
    let intent = medium(&ledger);
    let changes: [fn(&mut Approval); 3] = [
        |a| a.answer = Answer::Yes,
        |a| a.intent = Digest([9; 32]),
        |a| a.core = Digest([9; 32]),
    ];
    for change in changes {
        let body = no(&ledger, &intent, Who::Approver(0), change);
        assert_eq!(ledger.refused(body), Some(Code::ApprovalWrongDigest));
    }
    let Body::Rejected {
        intent: signed,
        core,
        approval,
    } = no(&ledger, &intent, Who::Approver(0), |_| {})
    else {
        panic!()
    };
    let body = Body::Rejected {
        intent: signed.clone(),
        core: core.clone(),
        approval: forged(approval.clone()),
    };
    assert_eq!(ledger.refused(body), Some(Code::BadSignature));
    let body = Body::Rejected {
        intent: forged(signed.clone()),
        core,
        approval: approval.clone(),
    };
    assert_eq!(
        ledger.refused(body),
        Some(Code::BadSignature),
        "an intent nobody asked for cannot be rejected"
    );
    let body = Body::Rejected {
        intent: signed,
        core: String::new(),
        approval,
    };
    assert_eq!(ledger.refused(body), Some(Code::DecisionChanged));
}

#[test]
fn a_no_in_an_entry_of_another_tenants_scope_is_refused() {
    let mut ledger = ready();
    let intent = medium(&ledger);
    let said = no(&ledger, &intent, Who::Approver(0), |_| {});
    ledger.world = ledger.world.for_tenant(1);
    ledger.create_tenant();
    assert_eq!(ledger.refused(said), Some(Code::WrongScope));
}

#[test]
fn a_no_is_heard_while_stopped_or_paused() {
    let ledger = ready();
    let intent = medium(&ledger);
    let (mut tenant, mut platform, mut paused) = (ledger.clone(), ledger.clone(), ledger.clone());
    tenant.tighten(Tighten::Stop, &[Who::Admin(0)]).unwrap();
    platform
        .platform_act(ActBody::Tighten(Tighten::Stop))
        .unwrap();
    let until = ledger.now.plus(HOUR_MS);
    paused
        .tighten(Tighten::Pause { vault: None, until }, &[Who::Admin(0)])
        .unwrap();
    let said = no(&ledger, &intent, Who::Approver(0), |_| {});
    for ledger in [tenant, platform, paused] {
        assert_eq!(ledger.refused(said.clone()), None);
        assert!(authorized(&ledger, &intent).is_some());
    }
}

#[test]
fn a_no_after_the_authorization_comes_too_late() {
    let mut ledger = ready();
    let intent = medium(&ledger);
    let said = no(&ledger, &intent, Who::Approver(2), |_| {});
    ledger.authorize(&intent, &TWO[..1]).unwrap();
    assert_eq!(ledger.refused(said), Some(Code::IntentAlreadyAuthorized));
}

#[test]
fn a_no_uses_its_nonce() {
    let mut ledger = ready();
    let (first, second) = (medium(&ledger), medium(&ledger));
    let mut nonce = None;
    let said = no(&ledger, &first, Who::Approver(0), |a| nonce = Some(a.nonce));
    ledger.push(said, ledger.now).unwrap();
    let again = no(&ledger, &second, Who::Approver(0), |a| {
        a.nonce = nonce.unwrap()
    });
    assert_eq!(ledger.refused(again), Some(Code::UsedAuthority));
}

#[test]
fn an_authorized_intent_is_cancelled_by_its_human_or_the_admins_and_nobody_else() {
    let mut ledger = ready();
    let intent = medium(&ledger);
    ledger.authorize(&intent, &TWO[..1]).unwrap();
    for who in [Who::Clerk, Who::Approver(0), Who::Committee(0)] {
        assert_eq!(
            code(cancel(&mut ledger, &intent, who)),
            Code::QuorumMissing,
            "{who:?}"
        );
    }
    for who in [Who::Initiator, Who::InitiatorKey, Who::Admin(1)] {
        let mut ledger = ledger.clone();
        cancel(&mut ledger, &intent, who).unwrap();
        let record = ledger
            .state
            .intent(ledger.world.tenant.id, &intent.digest())
            .unwrap()
            .unwrap();
        assert_eq!(record.standing, IntentStanding::Cancelled);
    }
}

#[test]
fn an_intent_cancelled_before_it_was_known_is_never_authorized() {
    let ledger = ready();
    let intent = medium(&ledger);
    for who in [Who::Initiator, Who::InitiatorKey, Who::Admin(0)] {
        let mut ledger = ledger.clone();
        cancel(&mut ledger, &intent, who).unwrap();
        assert_eq!(
            authorized(&ledger, &intent),
            Some(Code::IntentCancelled),
            "{who:?}"
        );
    }
}

#[test]
fn nobody_cancels_anothers_unknown_intent() {
    let mut ledger = ready();
    let intent = medium(&ledger);
    for who in [Who::Clerk, Who::Approver(0), Who::Committee(0)] {
        cancel(&mut ledger, &intent, who).unwrap();
    }
    assert_eq!(authorized(&ledger, &intent), None);
    cancel(&mut ledger, &intent, Who::Initiator).unwrap();
    assert_eq!(
        authorized(&ledger, &intent),
        Some(Code::IntentCancelled),
        "his own word still counts"
    );
}

#[test]
fn a_cancel_outlives_an_intent_dated_in_the_future() {
    let mut ledger = ready();
    let intent = ledger
        .world
        .intent(ledger.now.plus(23 * HOUR_MS), MEDIUM, FRIEND);
    cancel(&mut ledger, &intent, Who::Initiator).unwrap();
    ledger.wait(23 * HOUR_MS + HOUR_MS / 2);
    ledger
        .act(
            ActBody::Tighten(Tighten::Veto(Digest([1; 32]))),
            &[Who::Committee(0)],
        )
        .unwrap_err();
    assert_eq!(authorized(&ledger, &intent), Some(Code::IntentCancelled));
    let intent = ledger
        .world
        .intent(ledger.now.plus(30 * HOUR_MS), MEDIUM, FRIEND);
    cancel(&mut ledger, &intent, Who::Initiator).unwrap();
    ledger.wait(30 * HOUR_MS + 1);
    for _ in 0..4 {
        leave(&mut ledger);
    }
    assert_eq!(authorized(&ledger, &intent), Some(Code::IntentCancelled));
}

/// An entry that changes nothing that matters here, so that what is due is forgotten.
fn leave(ledger: &mut Ledger) {
    let user = ledger.world.person(Who::Clerk).user.id;
    let group = ledger.world.tenant.risk;
    ledger
        .tighten(Tighten::LeaveGroup { group, user }, &[Who::Admin(0)])
        .unwrap();
}

#[test]
fn a_no_outlives_an_earlier_cancel_of_somebody_else() {
    let mut ledger = crate::ready_with(|o| o.tune = |b| b.retention_ms = HOUR_MS);
    let start = ledger.now;
    let intent = ledger.world.intent(start.plus(HOUR_MS / 2), MEDIUM, FRIEND);
    cancel(&mut ledger, &intent, Who::Clerk).unwrap();
    ledger.now = start.plus(HOUR_MS / 2);
    ledger
        .push(no(&ledger, &intent, Who::Approver(2), |_| {}), ledger.now)
        .unwrap();
    ledger.now = start.plus(HOUR_MS);
    for _ in 0..4 {
        leave(&mut ledger);
    }
    assert_eq!(authorized(&ledger, &intent), Some(Code::IntentRejected));
}

#[test]
fn a_cancel_reaches_no_other_tenants_intent() {
    let mut ledger = ready();
    let intent = medium(&ledger);
    ledger.authorize(&intent, &TWO[..1]).unwrap();
    let home = ledger.world.clone();
    ledger.world = home.for_tenant(1);
    ledger.create_tenant();
    cancel(&mut ledger, &intent, Who::Admin(0)).unwrap();
    let record = ledger
        .state
        .intent(home.tenant.id, &intent.digest())
        .unwrap()
        .unwrap();
    assert_eq!(record.standing, IntentStanding::Authorized);
}
