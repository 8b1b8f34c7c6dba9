//! What a share needs, judged at the head the signer acts under.

use crate::{LARGE, SMALL, TWO, code, ready, ready_under};
use strongroom_journal::Body;
use strongroom_journal::share::{ShareRequest, check};
use strongroom_types::{
    ActBody, AttemptKind, Code, Digest, Document as _, Intent, TenantId, Tighten, UnixMs,
};
use strongroom_world::{FEE_MAX, FRIEND, INTENT_LIFE_MS, Ledger, PolicyOptions, Who};

/// An authorized intent that two people approved.
fn approved() -> (Ledger, Intent) {
    let mut ledger = ready();
    let intent = ledger.world.intent(ledger.now, LARGE, FRIEND);
    ledger.authorize(&intent, &TWO).unwrap();
    (ledger, intent)
}

fn asked(ledger: &Ledger, intent: &Intent) -> ShareRequest {
    ShareRequest {
        tenant: ledger.world.tenant.id,
        intent: intent.digest(),
        attempt: 1,
        signer: 1,
        now: ledger.now,
    }
}

fn with(ledger: &Ledger, intent: &Intent, change: impl FnOnce(&mut ShareRequest)) -> Option<Code> {
    let mut asked = asked(ledger, intent);
    change(&mut asked);
    check(&ledger.state, &ledger.world.genesis, &asked)
        .err()
        .map(|refusal| refusal.code)
}

fn refused(ledger: &Ledger, intent: &Intent) -> Option<Code> {
    with(ledger, intent, |_| {})
}

/// What a share is refused with after one tightening.
fn after(what: Tighten, who: &[Who]) -> Option<Code> {
    let (mut ledger, intent) = approved();
    assert_eq!(refused(&ledger, &intent), None);
    ledger.tighten(what, who).unwrap();
    refused(&ledger, &intent)
}

const ADMIN: [Who; 1] = [Who::Admin(0)];

#[test]
fn an_authorized_attempt_gets_a_share_with_what_is_needed_to_check_it() {
    let (ledger, intent) = approved();
    let grant = check(
        &ledger.state,
        &ledger.world.genesis,
        &asked(&ledger, &intent),
    )
    .unwrap();
    assert_eq!(
        grant.attempt.unsigned_digest,
        ledger.world.attempt(&intent).unsigned_digest
    );
    assert_eq!(grant.vault.vault, ledger.world.tenant.first_vault());
    assert!(grant.key.public.is_some());
    assert_eq!(grant.record.initiator, intent.initiator);
}

#[test]
fn an_attempt_that_is_not_in_the_journal_gets_no_share() {
    let (ledger, intent) = approved();
    let changes: [fn(&mut ShareRequest); 4] = [
        |a| a.intent = Digest([9; 32]),
        |a| a.attempt = 2,
        |a| a.attempt = 0,
        |a| a.tenant = TenantId([9; 16]),
    ];
    for change in changes {
        assert_eq!(with(&ledger, &intent, change), Some(Code::AttemptUnknown));
    }
}

#[test]
fn a_revoked_approver_ends_what_they_approved() {
    let (ledger, _) = approved();
    let approver = ledger.world.person(Who::Approver(1));
    let revoked = Tighten::revoke(approver.credential.id);
    assert_eq!(after(revoked, &ADMIN), Some(Code::ApprovalNoLongerInForce));
    assert_eq!(
        after(Tighten::revoke(approver.user.id), &ADMIN),
        Some(Code::ApprovalNoLongerInForce)
    );
    let other = ledger.world.person(Who::ApproverProgram(1)).credential.id;
    assert_eq!(
        after(Tighten::revoke(other), &ADMIN),
        None,
        "their other credential did not approve"
    );
}

#[test]
fn an_approver_who_left_the_group_ends_what_they_approved() {
    let (ledger, _) = approved();
    let (group, risk) = (ledger.world.tenant.approvers, ledger.world.tenant.risk);
    let user = ledger.world.person(Who::Approver(0)).user.id;
    assert_eq!(
        after(Tighten::LeaveGroup { group, user }, &ADMIN),
        Some(Code::ApprovalNoLongerInForce)
    );
    assert_eq!(
        after(Tighten::LeaveGroup { group: risk, user }, &ADMIN),
        None
    );
    let user = ledger.world.person(Who::Approver(2)).user.id;
    assert_eq!(
        after(Tighten::LeaveGroup { group, user }, &ADMIN),
        None,
        "this user did not approve"
    );
}

#[test]
fn a_revoked_initiator_ends_what_they_asked_for() {
    let (ledger, _) = approved();
    let initiator = ledger.world.person(Who::Initiator).credential;
    for what in [
        Tighten::revoke(initiator.id),
        Tighten::revoke(initiator.user.unwrap()),
    ] {
        assert_eq!(after(what, &ADMIN), Some(Code::InitiatorNoLongerInForce));
    }
}

#[test]
fn a_removed_allow_list_entry_ends_what_relied_on_it() {
    let mut ledger = ready_under(PolicyOptions {
        auto_allow_listed: true,
        ..PolicyOptions::default()
    });
    let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
    ledger.authorize(&intent, &[]).unwrap();
    assert_eq!(refused(&ledger, &intent), None);
    let friend = ledger.world.tenant.friend;
    ledger.tighten(Tighten::revoke(friend), &ADMIN).unwrap();
    assert_eq!(
        refused(&ledger, &intent),
        Some(Code::AllowListNoLongerInForce)
    );
    assert_eq!(
        after(Tighten::revoke(friend), &ADMIN),
        None,
        "what did not rely on it goes on"
    );
}

#[test]
fn a_cancelled_intent_gets_no_share() {
    let (mut ledger, intent) = approved();
    ledger
        .tighten(Tighten::Cancel(intent.digest()), &[Who::Initiator])
        .unwrap();
    assert_eq!(refused(&ledger, &intent), Some(Code::IntentCancelled));
}

#[test]
fn an_intent_that_expired_by_the_signers_own_clock_gets_no_share() {
    let mut ledger = ready();
    let soon = |i: &mut Intent| i.expires = i.created.plus(1000);
    let intent = ledger.world.intent_with(ledger.now, SMALL, FRIEND, soon);
    ledger.authorize(&intent, &[]).unwrap();
    assert_eq!(with(&ledger, &intent, |a| a.now = a.now.plus(999)), None);
    assert_eq!(
        with(&ledger, &intent, |a| a.now = a.now.plus(1000)),
        Some(Code::IntentExpired)
    );
}

#[test]
fn a_stop_holds_shares() {
    assert_eq!(after(Tighten::Stop, &ADMIN), Some(Code::TenantStopped));
    let (mut ledger, intent) = approved();
    ledger
        .platform_act(ActBody::Tighten(Tighten::Stop))
        .unwrap();
    assert_eq!(refused(&ledger, &intent), Some(Code::PlatformStopped));
}

#[test]
fn a_pause_holds_shares_by_the_signers_own_clock() {
    let (ledger, intent) = approved();
    for vault in [None, Some(ledger.world.tenant.vault)] {
        let mut ledger = ledger.clone();
        let until = ledger.now.plus(1000);
        ledger
            .tighten(Tighten::Pause { vault, until }, &ADMIN)
            .unwrap();
        assert_eq!(
            with(&ledger, &intent, |a| a.now = UnixMs(until.0 - 1)),
            Some(Code::Paused)
        );
        assert_eq!(with(&ledger, &intent, |a| a.now = until), None);
    }
}

#[test]
fn a_revoked_key_signs_nothing() {
    let (ledger, _) = approved();
    let key = ledger.world.tenant.key;
    assert_eq!(
        after(Tighten::revoke(key), &ledger.committee()),
        Some(Code::KeyRevoked)
    );
}

#[test]
fn a_quarantined_signer_shares_nothing() {
    let (mut ledger, intent) = approved();
    ledger
        .platform_act(ActBody::Tighten(Tighten::Quarantine(2)))
        .unwrap();
    assert_eq!(
        with(&ledger, &intent, |a| a.signer = 2),
        Some(Code::NotInRoster)
    );
    assert_eq!(with(&ledger, &intent, |a| a.signer = 1), None);
}

#[test]
fn a_signer_outside_the_roster_shares_nothing() {
    let (ledger, intent) = approved();
    assert_eq!(
        with(&ledger, &intent, |a| a.signer = 4),
        Some(Code::NotInRoster)
    );
}

#[test]
fn only_the_last_attempt_gets_a_share() {
    let (mut ledger, intent) = approved();
    let bump =
        ledger
            .world
            .next_attempt(&ledger.world.attempt(&intent), AttemptKind::Bump, FEE_MAX);
    ledger.push(Body::from(bump), ledger.now).unwrap();
    assert_eq!(refused(&ledger, &intent), Some(Code::AttemptSuperseded));
    assert_eq!(with(&ledger, &intent, |a| a.attempt = 2), None);
}

#[test]
fn an_attempt_older_than_its_life_gets_no_share_until_the_next_one() {
    let (mut ledger, intent) = approved();
    let life = ledger.world.genesis.bounds.attempt_life_ms;
    assert_eq!(with(&ledger, &intent, |a| a.now = a.now.plus(life)), None);
    assert_eq!(
        with(&ledger, &intent, |a| a.now = a.now.plus(life + 1)),
        Some(Code::AttemptTooOld)
    );
    ledger.wait(life + 1);
    let bump =
        ledger
            .world
            .next_attempt(&ledger.world.attempt(&intent), AttemptKind::Bump, FEE_MAX);
    ledger.push(Body::from(bump), ledger.now).unwrap();
    assert_eq!(with(&ledger, &intent, |a| a.attempt = 2), None);
}

#[test]
fn an_attempt_ahead_of_the_signers_clock_gets_no_share_beyond_the_skew() {
    let (ledger, intent) = approved();
    let skew = ledger.world.genesis.bounds.skew_ms;
    assert_eq!(
        with(&ledger, &intent, |a| a.now = UnixMs(a.now.0 - skew)),
        None
    );
    assert_eq!(
        with(&ledger, &intent, |a| a.now = UnixMs(a.now.0 - skew - 1)),
        Some(Code::ClockSkew)
    );
}

#[test]
fn a_time_lock_holds_the_share_by_the_signers_own_clock() {
    let mut ledger = ready_under(PolicyOptions {
        time_lock_seconds: 60,
        ..PolicyOptions::default()
    });
    let intent = ledger.world.intent(ledger.now, LARGE, FRIEND);
    ledger.authorize(&intent, &TWO).unwrap();
    assert_eq!(
        with(&ledger, &intent, |a| a.now = a.now.plus(60_000)),
        Some(Code::TimeLocked),
        "no one vouches for its time yet"
    );
    ledger.witness();
    assert_eq!(
        with(&ledger, &intent, |a| a.now = a.now.plus(59_999)),
        Some(Code::TimeLocked)
    );
    assert_eq!(with(&ledger, &intent, |a| a.now = a.now.plus(60_000)), None);
}

#[test]
fn the_way_home_is_open_to_a_cancelled_intent_whatever_else_was_revoked() {
    let (mut ledger, intent) = approved();
    ledger
        .tighten(Tighten::Cancel(intent.digest()), &[Who::Initiator])
        .unwrap();
    let home =
        ledger
            .world
            .next_attempt(&ledger.world.attempt(&intent), AttemptKind::Cancel, FEE_MAX);
    ledger.push(Body::from(home), ledger.now).unwrap();
    let approver = ledger.world.person(Who::Approver(0)).credential.id;
    ledger.tighten(Tighten::revoke(approver), &ADMIN).unwrap();
    assert_eq!(with(&ledger, &intent, |a| a.attempt = 2), None);
    let (key, who) = (ledger.world.tenant.key, ledger.committee());
    ledger.tighten(Tighten::revoke(key), &who).unwrap();
    assert_eq!(
        with(&ledger, &intent, |a| a.attempt = 2),
        Some(Code::KeyRevoked)
    );
}

#[test]
fn an_expired_intents_way_home_waits_for_the_signers_own_clock() {
    let (mut ledger, intent) = approved();
    ledger.wait(INTENT_LIFE_MS);
    let home =
        ledger
            .world
            .next_attempt(&ledger.world.attempt(&intent), AttemptKind::Cancel, FEE_MAX);
    ledger.push(Body::from(home), ledger.now).unwrap();
    assert_eq!(with(&ledger, &intent, |a| a.attempt = 2), None);
    let early = with(&ledger, &intent, |a| {
        (a.attempt, a.now) = (2, UnixMs(a.now.0 - 1))
    });
    assert_eq!(early, Some(Code::EffectsMismatch));
}

#[test]
fn another_tenants_intent_gets_no_share_here() {
    let (mut ledger, intent) = approved();
    ledger.world = ledger.world.for_tenant(1);
    ledger.create_tenant();
    let refusal = check(
        &ledger.state,
        &ledger.world.genesis,
        &asked(&ledger, &intent),
    );
    assert_eq!(code(refusal), Code::AttemptUnknown);
}
