//! How an intent ends: a no, a cancel, before and after its authorization.

use crate::{HOUR_MS, MEDIUM, TWO, code, forged, ready, ready_under};
use strongroom_journal::Body;
use strongroom_journal::model::IntentStanding;
use strongroom_journal::state::Lookup as _;
use strongroom_types::{
    ActBody, AttemptKind, Code, Digest, Document as _, Intent, Refusal, Tighten, UnixMs,
};
use strongroom_world::{AuthorizationExt as _, FEE_MAX, FRIEND, Ledger, PolicyOptions, Who};

fn medium(ledger: &Ledger) -> Intent {
    ledger.world.intent(ledger.now, MEDIUM, FRIEND)
}

fn reject(ledger: &mut Ledger, intent: &Intent, who: Who) -> Result<u64, Refusal> {
    ledger.tighten(Tighten::Reject(intent.digest()), &[who])
}

fn standing(ledger: &Ledger, intent: &Intent) -> IntentStanding {
    let record = ledger
        .state
        .intent(ledger.world.tenant.id, &intent.digest());
    record.unwrap().unwrap().standing
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
fn one_no_of_a_member_of_a_named_group_ends_an_intent_not_known_yet() {
    let mut ledger = ready();
    let intent = medium(&ledger);
    let body = ledger.authorization(&intent, &TWO[..1]).into_body();
    assert_eq!(ledger.refused(body.clone()), None);
    reject(&mut ledger, &intent, Who::Approver(2)).unwrap();
    assert_eq!(ledger.refused(body), Some(Code::IntentRejected));
    reject(&mut ledger, &intent, Who::Approver(1)).unwrap();
}

#[test]
fn a_no_counts_only_from_a_member_of_a_group_that_the_policy_names() {
    let mut ledger = ready();
    let intents = [medium(&ledger), medium(&ledger)];
    ledger.authorize(&intents[1], &TWO[..1]).unwrap();
    for intent in &intents {
        for (who, expected) in [
            (Who::Clerk, Code::ApprovalNotEligible),
            (Who::Initiator, Code::ApprovalNotEligible),
            (Who::Risk(0), Code::ApprovalNotEligible),
            (Who::Admin(0), Code::ApprovalNotEligible),
            (Who::Stranger, Code::UnknownCredential),
        ] {
            assert_eq!(code(reject(&mut ledger, intent, who)), expected, "{who:?}");
        }
    }
    assert_eq!(authorized(&ledger, &intents[0]), None);
    assert_eq!(standing(&ledger, &intents[1]), IntentStanding::Authorized);

    let group = ledger.world.tenant.approvers;
    let user = ledger.world.person(Who::Approver(0)).user.id;
    ledger
        .tighten(Tighten::LeaveGroup { group, user }, &[Who::Admin(0)])
        .unwrap();
    let left = reject(&mut ledger, &intents[1], Who::Approver(0));
    assert_eq!(code(left), Code::ApprovalNotEligible);
    reject(&mut ledger, &intents[1], Who::ApproverProgram(1)).unwrap();
}

/// Its text is in the journal, and cancels nothing of another initiator's.
#[test]
fn a_cancel_by_another_than_the_initiator_is_used_when_the_intent_is_authorized() {
    let mut ledger = ready();
    let intent = medium(&ledger);
    let cancel = ActBody::Tighten(Tighten::Cancel(intent.digest()));
    let body = Body::Act(ledger.signed_act(cancel, &[Who::Clerk]));
    ledger.push(body.clone(), ledger.now).unwrap();
    ledger.authorize(&intent, &TWO[..1]).unwrap();
    assert_eq!(ledger.refused(body), Some(Code::UsedAuthority));
}

/// Whatever the policy says by then: a group is named by the policy in force.
#[test]
fn the_risk_group_says_no_once_the_policy_names_it() {
    let mut ledger = ready_under(PolicyOptions {
        ordered: true,
        ..PolicyOptions::default()
    });
    let intent = medium(&ledger);
    reject(&mut ledger, &intent, Who::Risk(0)).unwrap();
    assert_eq!(authorized(&ledger, &intent), Some(Code::IntentRejected));
}

#[test]
fn a_no_with_a_false_signature_or_of_another_tenant_is_refused() {
    let mut ledger = ready();
    let intent = medium(&ledger);
    let no = ActBody::Tighten(Tighten::Reject(intent.digest()));
    let signed = ledger.signed_act(no, &[Who::Approver(0)]);
    let body = Body::Act(forged(signed.clone()));
    assert_eq!(ledger.refused(body), Some(Code::BadSignature));

    ledger.authorize(&intent, &TWO[..1]).unwrap();
    let home = ledger.world.clone();
    ledger.world = home.for_tenant(1);
    ledger.create_tenant();
    reject(&mut ledger, &intent, Who::Approver(0)).unwrap();
    ledger.world = home;
    assert_eq!(standing(&ledger, &intent), IntentStanding::Authorized);
}

#[test]
fn a_no_is_taken_while_stopped_or_paused() {
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
    for mut ledger in [tenant, platform, paused] {
        reject(&mut ledger, &intent, Who::Approver(0)).unwrap();
        assert!(authorized(&ledger, &intent).is_some());
    }
}

#[test]
fn a_no_is_taken_until_the_intent_ends() {
    let mut ledger = ready();
    let intent = medium(&ledger);
    ledger.authorize(&intent, &TWO[..1]).unwrap();
    let mut late = ledger.clone();
    late.now = intent.expires;
    let refused = reject(&mut late, &intent, Who::Approver(2));
    assert_eq!(code(refused), Code::IntentExpired);

    ledger.now = UnixMs(intent.expires.0 - 1);
    reject(&mut ledger, &intent, Who::Approver(2)).unwrap();
    assert_eq!(standing(&ledger, &intent), IntentStanding::Rejected);
    cancel(&mut ledger, &intent, Who::Initiator).unwrap();
    assert_eq!(
        standing(&ledger, &intent),
        IntentStanding::Rejected,
        "the first end stays"
    );
}

/// One approver could make every release void by them.
#[test]
fn a_no_raises_no_version() {
    let mut ledger = ready();
    let intent = medium(&ledger);
    let version = ledger.version();
    reject(&mut ledger, &intent, Who::Approver(2)).unwrap();
    assert_eq!(ledger.version(), version);
}

#[test]
fn a_rejected_intent_only_returns_its_anchor() {
    let mut ledger = ready();
    let intent = medium(&ledger);
    ledger.authorize(&intent, &TWO[..1]).unwrap();
    reject(&mut ledger, &intent, Who::Approver(2)).unwrap();
    let first = ledger.world.attempt(&intent);
    let refused = |kind| {
        let next = ledger.world.next_attempt(&first, kind, FEE_MAX);
        ledger.refused(Body::from(next))
    };
    let ended = Some(Code::IntentRejected);
    assert_eq!(refused(AttemptKind::Pay), ended);
    assert_eq!(refused(AttemptKind::Bump), ended);
    assert_eq!(refused(AttemptKind::Cancel), None);
}

#[test]
fn an_authorized_intent_is_cancelled_only_by_its_human_or_the_admins() {
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
fn a_cancel_of_an_unknown_intent_counts_only_from_its_initiator() {
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
        "the approver's no still counts"
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
fn a_no_outlives_an_earlier_cancel_of_another_user() {
    let mut ledger = crate::ready_with(|o| o.tune = |b| b.retention_ms = HOUR_MS);
    let start = ledger.now;
    let intent = ledger.world.intent(start.plus(HOUR_MS / 2), MEDIUM, FRIEND);
    cancel(&mut ledger, &intent, Who::Clerk).unwrap();
    ledger.now = start.plus(HOUR_MS / 2);
    reject(&mut ledger, &intent, Who::Approver(2)).unwrap();
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
