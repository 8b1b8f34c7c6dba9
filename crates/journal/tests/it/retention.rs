//! What the journal forgets, and when; what it counts stays right.

use crate::{HOUR_MS, MEDIUM, SMALL, ready, ready_with};
use std::sync::Arc;
use strongroom_journal::Body;
use strongroom_journal::keyspace as ks;
use strongroom_journal::state::{Lookup as _, State, View as _};
use strongroom_types::{
    Act, ActBody, Code, Digest, Document as _, Intent, RegistryRecord, Tighten, UnixMs, User,
    UserId,
};
use strongroom_world::{AuthorizationExt as _, FRIEND, INTENT_LIFE_MS, Ledger, Who};

const RETENTION_MS: u64 = 400 * 24 * HOUR_MS;

/// Entries that change nothing that matters here: each forgets a little of what is due.
fn settle(ledger: &mut Ledger) {
    let (user, group) = (
        ledger.world.person(Who::Clerk).user.id,
        ledger.world.tenant.risk,
    );
    for _ in 0..6 {
        ledger
            .tighten(Tighten::LeaveGroup { group, user }, &[Who::Admin(0)])
            .unwrap();
    }
}

fn at(ledger: &mut Ledger, now: UnixMs) {
    ledger.now = now;
    settle(ledger);
}

#[test]
fn an_external_id_and_an_anchor_are_kept_400_days_after_expiry_and_not_longer() {
    let mut ledger = ready();
    let first = ledger.world.intent(ledger.now, SMALL, FRIEND);
    let anchor = ledger.world.attempt(&first).anchor;
    ledger.authorize(&first, &[]).unwrap();
    let again = |ledger: &Ledger, same_id: bool| {
        let same = |i: &mut Intent| {
            if same_id {
                i.external_id = first.external_id.clone();
            }
        };
        let intent = ledger.world.intent_with(ledger.now, SMALL, FRIEND, same);
        let mut attempt = ledger.world.attempt(&intent);
        (attempt.anchor, attempt.conflict_keys) = (anchor.clone(), vec![anchor.clone()]);
        ledger.refused(ledger.authorization_with(&intent, &[], attempt).into_body())
    };
    let end = first.expires.plus(RETENTION_MS);
    at(&mut ledger, UnixMs(end.0 - 1));
    assert_eq!(again(&ledger, true), Some(Code::DuplicateExternalId));
    assert_eq!(again(&ledger, false), Some(Code::AnchorTaken));
    assert!(
        ledger
            .state
            .intent(ledger.world.tenant.id, &first.digest())
            .unwrap()
            .is_some()
    );
    at(&mut ledger, end);
    assert_eq!(again(&ledger, true), None);
    assert!(
        ledger
            .state
            .intent(ledger.world.tenant.id, &first.digest())
            .unwrap()
            .is_none()
    );
}

#[test]
fn a_used_act_is_kept_until_it_expires_and_not_longer() {
    let mut ledger = ready();
    let (user, group) = (
        ledger.world.person(Who::Clerk).user.id,
        ledger.world.tenant.risk,
    );
    let world = ledger.world.clone();
    let body = ActBody::Tighten(Tighten::LeaveGroup { group, user });
    let mut act = world.act(ledger.now, world.scope(), body, 0);
    act.expires = ledger.now.plus(1000);
    let body = Body::Act(world.sign(&act, &[Who::Admin(0)]));
    ledger.push(body.clone(), ledger.now).unwrap();
    let expires = act.expires;
    at(&mut ledger, UnixMs(expires.0 - 1));
    assert_eq!(ledger.refused(body.clone()), Some(Code::UsedAuthority));
    at(&mut ledger, expires);
    assert_eq!(
        ledger.refused(body),
        Some(Code::AuthorityExpired),
        "forgotten, and never valid again"
    );
}

/// An approver may date an approval's end in any year; after its intent's end it is worth nothing.
#[test]
fn a_used_approval_is_kept_until_its_intent_expires_and_not_longer() {
    let mut ledger = ready();
    let world = ledger.world.clone();
    let intent = world.intent(ledger.now, MEDIUM, FRIEND);
    let core = ledger.core(&intent);
    let mut approval = world.approval(Who::Approver(0), &intent, &core, &[]);
    approval.expires = UnixMs(u64::MAX);
    let signed = world.sign(&approval, &[Who::Approver(0)]);
    let attempt = world.attempt(&intent);
    let body = world.authorization(&intent, &core, vec![signed], attempt);
    ledger.push(body.into_body(), ledger.now).unwrap();

    let used = ks::approval(world.tenant.id, approval.approver, approval.nonce);
    at(&mut ledger, UnixMs(intent.expires.0 - 1));
    assert!(ledger.state.map().contains_key(&used));
    at(&mut ledger, intent.expires);
    assert!(!ledger.state.map().contains_key(&used));
}

/// What is due is forgotten before the rules are asked, and more of it after them: the same key may
/// have been written in between.
#[test]
fn a_nonce_that_an_entry_forgets_and_uses_again_stays_used() {
    let mut ledger = ready();
    let world = ledger.world.clone();
    let mut nonce = None;
    let mut authorize = |ledger: &mut Ledger| {
        let intent = world.intent(ledger.now, MEDIUM, FRIEND);
        let core = ledger.core(&intent);
        let mut approval = world.approval(Who::Approver(0), &intent, &core, &[]);
        approval.nonce = *nonce.get_or_insert(approval.nonce);
        let signed = world.sign(&approval, &[Who::Approver(0)]);
        let body = world.authorization(&intent, &core, vec![signed], world.attempt(&intent));
        ledger.push(body.into_body(), ledger.now).unwrap();
        ks::approval(world.tenant.id, approval.approver, approval.nonce)
    };

    let used = authorize(&mut ledger);
    ledger.wait(48 * HOUR_MS);
    assert!(
        ledger.state.map().contains_key(&used),
        "due, and still there"
    );
    authorize(&mut ledger);
    assert!(ledger.state.map().contains_key(&used));
}

#[test]
fn counters_of_what_is_open_come_back_to_zero() {
    let mut ledger = ready();
    for n in 0..20 {
        let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
        ledger.authorize(&intent, &[]).unwrap();
        let record = RegistryRecord::User(User {
            id: UserId([n; 16]),
            name: "someone".parse().unwrap(),
        });
        ledger
            .act(ActBody::Put(record), &ledger.committee())
            .unwrap();
        ledger.witness();
        ledger.wait(1000);
    }
    let open = |ledger: &Ledger| {
        let tenant = ledger.state.tenant(ledger.world.tenant.id).unwrap();
        (tenant.intents_open, tenant.proposals_open)
    };
    assert_eq!(open(&ledger), (20, 20));
    ledger.wait(INTENT_LIFE_MS);
    settle(&mut ledger);
    assert_eq!(open(&ledger), (0, 20));
    ledger.wait(31 * 24 * HOUR_MS);
    settle(&mut ledger);
    settle(&mut ledger);
    assert_eq!(open(&ledger), (0, 0));
}

#[test]
fn a_released_proposal_is_not_counted_down_twice() {
    let mut ledger = ready();
    let mut digests = Vec::new();
    for n in 0..3 {
        let record = RegistryRecord::User(User {
            id: UserId([n; 16]),
            name: "someone".parse().unwrap(),
        });
        let proposal = ledger.signed_act(ActBody::Put(record), &ledger.committee());
        digests.push(Act::digest_of(&proposal.text));
        ledger.push(Body::Act(proposal), ledger.now).unwrap();
        ledger.witness();
        ledger.wait(HOUR_MS);
    }
    ledger
        .act_in_force(ActBody::Release(digests[0]), &ledger.committee())
        .unwrap();
    let start = ledger.now;
    let open = |ledger: &Ledger| {
        let tenant = ledger.state.tenant(ledger.world.tenant.id);
        tenant.unwrap().proposals_open
    };

    // A veto finds the proposal for as long as a release that was stamped before its end can take
    // effect.
    let end = start.plus(30 * 24 * HOUR_MS - 2 * HOUR_MS);
    at(&mut ledger, end.plus(5_999));
    assert_eq!(open(&ledger), 2, "one released");
    at(&mut ledger, end.plus(6_000));
    assert_eq!(open(&ledger), 1, "one released, one expired, one open");
}

#[test]
fn memory_is_flat_once_everything_is_old() {
    let mut ledger = ready_with(|o| o.tune = |b| b.retention_ms = HOUR_MS);
    let size = |state: &State| state.map().len();
    let mut high = 0;
    for round in 0..60 {
        let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
        ledger.authorize(&intent, &[]).unwrap();
        ledger.wait(HOUR_MS / 4);
        if round == 30 {
            high = size(&ledger.state);
        }
    }
    // Buckets of a day last a day longer than the rest.
    assert!(
        size(&ledger.state) <= high + 20,
        "{} after {high}",
        size(&ledger.state)
    );
}

/// Any tenant can put one policy after another in force, up to a megabyte each.
#[test]
fn a_bounded_number_of_parsed_policies_is_kept() {
    let ledger = ready();
    let text = ledger.world.tenant.charter().policy;
    let parsed = |n: u16| {
        let mut digest = Digest::default();
        digest.0[..2].copy_from_slice(&n.to_be_bytes());
        let parsed = ledger.state.parsed_policy(&digest, text.as_bytes());
        parsed.unwrap()
    };
    let first = parsed(0);
    assert!(Arc::ptr_eq(&first, &parsed(0)), "parsed once");
    for n in 1..=256 {
        parsed(n);
    }
    assert_eq!(Arc::strong_count(&first), 1, "held by this test alone");
}
