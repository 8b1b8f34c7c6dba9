//! Further attempts: the anchor, the numbers, the cap, and what a cancelled or expired intent may
//! still do.

use crate::{SMALL, code, ready};
use strongroom_journal::entry::FACTS_MAX;
use strongroom_journal::{Body, FurtherAttempt};
use strongroom_types::{
    ActBody, Attempt, AttemptKind, Code, ConflictKey, Digest, Document as _, Intent, MinorUnits,
    Signed, Tighten,
};
use strongroom_world::{AuthorizationExt as _, FEE_MAX, FRIEND, INTENT_LIFE_MS, Ledger, Who};

/// An authorized intent and its attempt 1.
fn authorized(ledger: &mut Ledger) -> (Intent, Attempt) {
    let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
    ledger.authorize(&intent, &[]).unwrap();
    let attempt = ledger.world.attempt(&intent);
    (intent, attempt)
}

fn offered(
    ledger: &Ledger,
    last: &Attempt,
    kind: AttemptKind,
    change: impl FnOnce(&mut Attempt),
) -> Option<Code> {
    let mut attempt = ledger.world.next_attempt(last, kind, FEE_MAX);
    change(&mut attempt);
    ledger.refused(Body::from(attempt))
}

fn push(ledger: &mut Ledger, last: &Attempt, kind: AttemptKind) -> Attempt {
    let attempt = ledger.world.next_attempt(last, kind, FEE_MAX);
    ledger
        .push(Body::from(attempt.clone()), ledger.now)
        .unwrap();
    attempt
}

use AttemptKind::{Bump, Cancel, Pay};

#[test]
fn attempts_are_numbered_one_by_one() {
    let mut ledger = ready();
    let (_, first) = authorized(&mut ledger);
    for number in [0, 1, 3, u32::MAX] {
        assert_eq!(
            offered(&ledger, &first, Bump, |a| a.number = number),
            Some(Code::AttemptNumberWrong),
            "{number}"
        );
    }
    assert_eq!(offered(&ledger, &first, Bump, |_| {}), None);
    assert_eq!(offered(&ledger, &first, Pay, |_| {}), None);
}

#[test]
fn an_attempt_of_an_unknown_intent_is_refused() {
    let mut ledger = ready();
    let (_, first) = authorized(&mut ledger);
    assert_eq!(
        offered(&ledger, &first, Bump, |a| a.intent = Digest([9; 32])),
        Some(Code::UnknownIntent)
    );
}

#[test]
fn every_attempt_spends_the_anchor_of_attempt_1() {
    let mut ledger = ready();
    let (_, first) = authorized(&mut ledger);
    let other = || ConflictKey::Coin("ff:0".to_owned());
    let with_other_anchor = |a: &mut Attempt| {
        a.anchor = other();
        a.conflict_keys.push(other());
    };
    assert_eq!(
        offered(&ledger, &first, Bump, with_other_anchor),
        Some(Code::AnchorMissing),
        "sharing is not enough"
    );
    assert_eq!(
        offered(&ledger, &first, Bump, |a| a.conflict_keys = vec![other()]),
        Some(Code::AnchorMissing)
    );
    assert_eq!(
        offered(&ledger, &first, Bump, |a| a.conflict_keys.clear()),
        Some(Code::AnchorMissing)
    );
    assert_eq!(
        offered(&ledger, &first, Bump, |a| a.conflict_keys.push(other())),
        None,
        "further inputs are"
    );
}

#[test]
fn three_attempts_sharing_only_pairwise_are_refused() {
    let mut ledger = ready();
    let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
    let (a, b) = (
        ConflictKey::Coin("a".to_owned()),
        ConflictKey::Coin("b".to_owned()),
    );
    let mut first = ledger.world.attempt(&intent);
    (first.anchor, first.conflict_keys) = (a.clone(), vec![a, b.clone()]);
    let authorization = ledger.authorization_with(&intent, &[], first.clone());
    ledger
        .push(Body::Authorized(Box::new(authorization)), ledger.now)
        .unwrap();
    let by_the_other_input =
        |attempt: &mut Attempt| (attempt.anchor, attempt.conflict_keys) = (b.clone(), vec![b]);
    assert_eq!(
        offered(&ledger, &first, Bump, by_the_other_input),
        Some(Code::AnchorMissing)
    );
}

#[test]
fn no_attempt_costs_more_than_the_cap() {
    let mut ledger = ready();
    let (_, first) = authorized(&mut ledger);
    let fee = |fee: u64| move |a: &mut Attempt| a.fee_max = MinorUnits::from(fee);
    assert_eq!(offered(&ledger, &first, Bump, fee(FEE_MAX)), None);
    assert_eq!(
        offered(&ledger, &first, Bump, fee(FEE_MAX + 1)),
        Some(Code::FeeCapExceeded)
    );
}

#[test]
fn attempts_are_exhausted() {
    let mut ledger = ready();
    let (_, first) = authorized(&mut ledger);
    let second = push(&mut ledger, &first, Bump);
    let third = push(&mut ledger, &second, Bump);
    assert_eq!(
        offered(&ledger, &third, Bump, |_| {}),
        Some(Code::AttemptsExhausted),
        "the intent allows three"
    );
}

#[test]
fn an_intent_without_attempts_left_still_brings_its_anchor_home_a_few_times() {
    let mut ledger = ready();
    let (intent, first) = authorized(&mut ledger);
    let second = push(&mut ledger, &first, Bump);
    let mut last = push(&mut ledger, &second, Bump);
    ledger
        .tighten(Tighten::Cancel(intent.digest()), &[Who::Initiator])
        .unwrap();
    for _ in 0..3 {
        last = push(&mut ledger, &last, Cancel);
    }
    assert_eq!(
        offered(&ledger, &last, Cancel, |_| {}),
        Some(Code::AttemptsExhausted)
    );
}

#[test]
fn a_cancelled_intent_pays_and_bumps_no_more() {
    let mut ledger = ready();
    let (intent, first) = authorized(&mut ledger);
    ledger
        .tighten(Tighten::Cancel(intent.digest()), &[Who::Initiator])
        .unwrap();
    for kind in [Pay, Bump] {
        assert_eq!(
            offered(&ledger, &first, kind, |_| {}),
            Some(Code::IntentCancelled)
        );
    }
    assert_eq!(offered(&ledger, &first, Cancel, |_| {}), None);
}

#[test]
fn an_expired_intent_pays_and_bumps_no_more() {
    let mut ledger = ready();
    let (_, first) = authorized(&mut ledger);
    ledger.wait(INTENT_LIFE_MS - 1);
    assert_eq!(offered(&ledger, &first, Bump, |_| {}), None);
    ledger.wait(1);
    for kind in [Pay, Bump] {
        assert_eq!(
            offered(&ledger, &first, kind, |_| {}),
            Some(Code::IntentExpired)
        );
    }
    assert_eq!(offered(&ledger, &first, Cancel, |_| {}), None);
}

#[test]
fn only_a_cancelled_or_expired_intent_brings_its_anchor_home() {
    let mut ledger = ready();
    let (_, first) = authorized(&mut ledger);
    assert_eq!(
        offered(&ledger, &first, Cancel, |_| {}),
        Some(Code::AttemptNumberWrong)
    );
}

#[test]
fn bringing_the_anchor_home_keeps_the_anchor_the_numbers_and_the_cap() {
    let mut ledger = ready();
    let (intent, first) = authorized(&mut ledger);
    ledger
        .tighten(Tighten::Cancel(intent.digest()), &[Who::Initiator])
        .unwrap();
    let other = |a: &mut Attempt| {
        a.anchor = ConflictKey::Coin("ff:0".to_owned());
        a.conflict_keys = vec![a.anchor.clone()];
    };
    assert_eq!(
        offered(&ledger, &first, Cancel, other),
        Some(Code::AnchorMissing)
    );
    assert_eq!(
        offered(&ledger, &first, Cancel, |a| a.number = 3),
        Some(Code::AttemptNumberWrong)
    );
    assert_eq!(
        offered(&ledger, &first, Cancel, |a| a.fee_max =
            (FEE_MAX + 1).into()),
        Some(Code::FeeCapExceeded)
    );
    let second = push(&mut ledger, &first, Cancel);
    assert_eq!(
        offered(&ledger, &second, Pay, |_| {}),
        Some(Code::IntentCancelled),
        "and never pays again"
    );
}

#[test]
fn a_stop_holds_pays_and_bumps_but_not_the_way_home() {
    let mut ledger = ready();
    let (_, live) = authorized(&mut ledger);
    let (dead, cancelled) = authorized(&mut ledger);
    ledger
        .tighten(Tighten::Cancel(dead.digest()), &[Who::Initiator])
        .unwrap();
    let mut platform = ledger.clone();
    platform
        .platform_act(ActBody::Tighten(Tighten::Stop))
        .unwrap();
    ledger.tighten(Tighten::Stop, &[Who::Admin(0)]).unwrap();
    for (ledger, expected) in [
        (&ledger, Code::TenantStopped),
        (&platform, Code::PlatformStopped),
    ] {
        assert_eq!(offered(ledger, &live, Bump, |_| {}), Some(expected));
        assert_eq!(offered(ledger, &cancelled, Cancel, |_| {}), None);
    }
}

#[test]
fn another_tenants_attempt_is_unknown_here() {
    let mut ledger = ready();
    let (_, first) = authorized(&mut ledger);
    let bump = ledger.world.next_attempt(&first, Bump, FEE_MAX);
    ledger.world = ledger.world.for_tenant(1);
    ledger.create_tenant();
    assert_eq!(
        code(ledger.push(Body::from(bump), ledger.now)),
        Code::UnknownIntent
    );
}

#[test]
fn child_attempt_is_refused_until_a_chain_brings_it() {
    let mut ledger = ready();
    let (_, first) = authorized(&mut ledger);
    let refused = offered(&ledger, &first, AttemptKind::Child, |a| a.parent = Some(1));
    assert_eq!(refused, Some(Code::Unsupported));
    let orphan = offered(&ledger, &first, Bump, |a| a.parent = Some(1));
    assert_eq!(orphan, Some(Code::AnchorMissing));
}

#[test]
fn attempt_with_facts_or_a_record_to_reopen_is_refused() {
    let mut ledger = ready();
    let (intent, first) = authorized(&mut ledger);
    let fact = ledger.world.signed_intent(&intent);
    let offered = |facts: Vec<Signed>, reopen| {
        ledger.refused(Body::Attempt(Box::new(FurtherAttempt {
            attempt: ledger.world.next_attempt(&first, Bump, FEE_MAX),
            facts,
            reopen,
        })))
    };
    assert_eq!(offered(vec![], None), None);
    assert_eq!(offered(vec![fact.clone()], None), Some(Code::Unsupported));
    let many = vec![fact; FACTS_MAX + 1];
    assert_eq!(offered(many, None), Some(Code::Malformed));
    assert_eq!(offered(vec![], Some(vec![])), Some(Code::Unsupported));
}

#[test]
fn authorization_with_facts_is_refused() {
    let ledger = ready();
    let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
    let fact = ledger.world.signed_intent(&intent);
    let offered = |facts| {
        let attempt = ledger.world.attempt(&intent);
        let mut authorization = ledger.authorization_with(&intent, &[], attempt);
        authorization.facts = facts;
        ledger.refused(authorization.into_body())
    };
    assert_eq!(offered(vec![]), None);
    assert_eq!(offered(vec![fact.clone()]), Some(Code::Unsupported));
    let many = vec![fact; FACTS_MAX + 1];
    assert_eq!(offered(many), Some(Code::Malformed));
}
