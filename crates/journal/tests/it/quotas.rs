//! Quotas in journal time; tightenings have their own.

mod tightenings;

use crate::{SMALL, code, ready, ready_with};
use std::collections::BTreeSet;
use strongroom_journal::entry::ENTRY_BYTES_MAX;
use strongroom_journal::keyspace as ks;
use strongroom_journal::state::Lookup as _;
use strongroom_journal::{Body, Delta};
use strongroom_types::charter::{Board, BoardName, NamedBoard};
use strongroom_types::proof::Assertion;
use strongroom_types::{
    ActBody, AttemptKind, Code, CredentialId, Digest, Document as _, Endorsement, Intent, Proof,
    Refusal, RegistryRecord, Revocable, Signed, Tighten, UnixMs, User, UserId,
};
use strongroom_world::{AuthorizationExt as _, FRIEND, INTENT_LIFE_MS, Ledger, Who};

const MINUTE_MS: u64 = 60_000;

fn pay(ledger: &mut Ledger) -> Result<Intent, Refusal> {
    let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
    ledger.authorize(&intent, &[]).map(|_| intent)
}

fn propose(ledger: &mut Ledger, n: u8) -> Result<Digest, Refusal> {
    let record = RegistryRecord::User(User {
        id: UserId([n; 16]),
        name: "someone".parse().unwrap(),
    });
    let proposal = ledger.signed_act(ActBody::Put(record), &ledger.committee());
    let digest = strongroom_types::Act::digest_of(&proposal.text);
    ledger.push(Body::Act(proposal), ledger.now).map(|_| digest)
}

fn stop(ledger: &mut Ledger) {
    ledger.tighten(Tighten::Stop, &[Who::Admin(0)]).unwrap();
}

#[test]
fn a_tenant_adds_so_many_entries_in_a_minute_of_journal_time() {
    let mut ledger = ready_with(|o| o.tune = |b| b.entries_per_minute = 5);
    ledger.wait(MINUTE_MS);
    let mut last = None;
    for _ in 0..3 {
        last = Some(pay(&mut ledger).unwrap());
    }
    let bump =
        ledger
            .world
            .next_attempt(&ledger.world.attempt(&last.unwrap()), AttemptKind::Bump, 1);
    ledger.push(Body::from(bump.clone()), ledger.now).unwrap();
    propose(&mut ledger, 1).unwrap();
    assert_eq!(code(pay(&mut ledger)), Code::QuotaExceeded);
    assert_eq!(code(propose(&mut ledger, 2)), Code::QuotaExceeded);
    let next = ledger.world.next_attempt(&bump, AttemptKind::Bump, 1);
    assert_eq!(ledger.refused(Body::from(next)), Some(Code::QuotaExceeded));
    ledger.wait(MINUTE_MS - 1);
    assert_eq!(
        code(pay(&mut ledger)),
        Code::QuotaExceeded,
        "the same minute"
    );
    ledger.wait(1);
    pay(&mut ledger).unwrap();
}

#[test]
fn a_tenant_adds_so_many_bytes_in_a_minute_of_journal_time() {
    let mut ledger = ready_with(|o| o.tune = |b| b.entry_bytes_per_minute = ENTRY_BYTES_MAX as u64);
    ledger.now.0 = (ledger.now.0 / MINUTE_MS + 1) * MINUTE_MS;
    let (first, mut bytes) = (ledger.entries.len(), 0);
    let refused = (0..1_000).find_map(|_| {
        let refused = pay(&mut ledger).err();
        bytes = ledger.entries[first..]
            .iter()
            .map(|entry| strongroom_wire::encode(entry).len())
            .sum();
        refused
    });
    let refused = refused.unwrap();
    assert_eq!(refused.code, Code::QuotaExceeded);
    assert!(refused.detail.contains("bytes"), "{refused}");
    let one = bytes / (ledger.entries.len() - first);
    assert!(bytes <= ENTRY_BYTES_MAX && bytes + 2 * one > ENTRY_BYTES_MAX);

    let until = ledger.now.plus(1000);
    let pause = Tighten::Pause { vault: None, until };
    ledger.tighten(pause, &[Who::Admin(0)]).unwrap();
    ledger.wait(MINUTE_MS);
    pay(&mut ledger).unwrap();
}

/// Tightenings are exempt from the bytes: by their form they are few.
#[test]
fn the_largest_tightening_is_small() {
    let ledger = ready();
    let board = |name| NamedBoard {
        name,
        board: Board {
            members: (0..24).map(|n| UserId([n; 16])).collect(),
            quorum: 24,
        },
    };
    let boards = vec![board(BoardName::Admins), board(BoardName::Committee)];
    let id = UserId([1; 16]);
    let revoke = Tighten::Revoke(Revocable::User { id, boards });
    let mut act = ledger.world.act(
        ledger.now,
        ledger.world.scope(),
        ActBody::Tighten(revoke),
        u64::MAX,
    );
    act.expires.0 = u64::MAX;
    let assertion = Assertion::new(vec![0; 256], vec![0; 1024], vec![0; 72]).unwrap();
    let proof = Proof::WebAuthn(assertion);
    let endorsements = (0..32).map(|n| Endorsement {
        credential: CredentialId([n; 16]),
        proof: proof.clone(),
    });
    let signed = Signed {
        text: act.to_text(),
        endorsements: endorsements.collect(),
    };
    let entry = ledger.entry(ledger.world.scope(), Body::Act(signed), ledger.now);
    assert!(strongroom_wire::encode(&entry).len() <= 48 << 10);
}

#[test]
fn tightenings_have_their_own_reserve() {
    let mut ledger = ready_with(|o| o.tune = |b| b.entries_per_minute = 3);
    ledger.wait(MINUTE_MS);
    let refused = (0..9).any(|_| pay(&mut ledger).is_err());
    assert!(refused);
    stop(&mut ledger);
    ledger.push(Body::Tick, ledger.now).unwrap();
}

/// Its sender asks again and again until it has signatures: one that was told of a full quota, a
/// revocation or a stop gave up a payment that the journal held.
#[test]
fn hole_repeated_authorization_is_known_whatever_else_would_refuse_it() {
    let mut ledger = ready_with(|o| o.tune = |b| b.entries_per_minute = 3);
    ledger.wait(MINUTE_MS);
    let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
    let body = ledger.authorization(&intent, &[]).into_body();
    ledger.push(body.clone(), ledger.now).unwrap();
    while pay(&mut ledger).is_ok() {}
    let new = ledger.world.intent(ledger.now.plus(1), SMALL, FRIEND);
    let new = ledger.authorization(&new, &[]).into_body();
    assert_eq!(ledger.refused(new), Some(Code::QuotaExceeded));
    let known = Some(Code::IntentAlreadyAuthorized);
    assert_eq!(ledger.refused(body.clone()), known, "in a full minute");

    let admins = ledger.admins();
    let revoke = Tighten::Revoke(Revocable::Credential(intent.initiator));
    ledger.tighten(revoke, &admins).unwrap();
    assert_eq!(ledger.refused(body.clone()), known, "by one revoked since");
    stop(&mut ledger);
    assert_eq!(ledger.refused(body.clone()), known, "in a stopped tenant");
    ledger.wait(INTENT_LIFE_MS);
    assert_eq!(ledger.refused(body), known, "after its end");
}

#[test]
fn one_tenants_quota_is_not_anothers() {
    let mut ledger = ready_with(|o| o.tune = |b| b.entries_per_minute = 4);
    ledger.wait(MINUTE_MS);
    let refused = (0..9).any(|_| pay(&mut ledger).is_err());
    assert!(refused);
    ledger.world = ledger.world.for_tenant(1);
    ledger.create_tenant();
    propose(&mut ledger, 1).unwrap();
}

#[test]
fn so_many_intents_are_open_at_a_time_and_an_expired_one_makes_room() {
    let mut ledger = ready_with(|o| o.tune = |b| b.intents_open_max = 4);
    pay(&mut ledger).unwrap();
    ledger.wait(1000);
    pay(&mut ledger).unwrap();
    assert_eq!(code(pay(&mut ledger)), Code::QuotaExceeded);
    ledger.wait(INTENT_LIFE_MS - 1001);
    assert_eq!(code(pay(&mut ledger)), Code::QuotaExceeded);
    ledger.wait(1);
    pay(&mut ledger).unwrap();
    assert_eq!(code(pay(&mut ledger)), Code::QuotaExceeded);
}

#[test]
fn so_many_proposals_are_open_at_a_time_and_a_release_or_veto_makes_room() {
    let mut ledger = ready_with(|o| o.tune = |b| b.proposals_open_max = 2);
    let first = propose(&mut ledger, 1).unwrap();
    let second = propose(&mut ledger, 2).unwrap();
    assert_eq!(code(propose(&mut ledger, 3)), Code::QuotaExceeded);
    ledger
        .tighten(Tighten::Veto(first), &[Who::Committee(0)])
        .unwrap();
    propose(&mut ledger, 3).unwrap();
    assert_eq!(code(propose(&mut ledger, 4)), Code::QuotaExceeded);
    ledger.witness();
    ledger
        .act_in_force(ActBody::Release(second), &ledger.committee())
        .unwrap();
    propose(&mut ledger, 4).unwrap();
    let open = ledger
        .state
        .tenant(ledger.world.tenant.id)
        .unwrap()
        .proposals_open;
    assert_eq!(open, 2);
}

/// Acts used by others, which are due before anything else is: more than an entry forgets.
fn due_first(ledger: &mut Ledger, who: Who) {
    let expires = ledger.now.plus(MINUTE_MS);
    for n in 0..40 {
        let cancel = ActBody::Tighten(Tighten::Cancel(Digest([100 + n; 32])));
        let body = crate::act_body(ledger, cancel, &[who], |act| act.expires = expires);
        ledger.push(body, ledger.now).unwrap();
    }
}

/// A refused entry forgets nothing: no other would make room.
#[test]
fn a_full_quota_of_what_has_expired_refuses_nothing_whatever_is_due_before_it() {
    let mut ledger = ready_with(|o| o.tune = |b| b.intents_open_max = 1);
    due_first(&mut ledger, Who::Clerk);
    pay(&mut ledger).unwrap();
    ledger.wait(INTENT_LIFE_MS);
    pay(&mut ledger).unwrap();
    assert_eq!(code(pay(&mut ledger)), Code::QuotaExceeded);

    let mut ledger = ready_with(|o| o.tune = |b| b.proposals_open_max = 1);
    due_first(&mut ledger, Who::Clerk);
    propose(&mut ledger, 1).unwrap();
    ledger.witness();
    ledger.wait(32 * 24 * crate::HOUR_MS);
    propose(&mut ledger, 2).unwrap();
    assert_eq!(code(propose(&mut ledger, 3)), Code::QuotaExceeded);

    let mut ledger = ready_with(|o| o.tune = |b| b.ended_open_max = 80);
    due_first(&mut ledger, Who::Clerk);
    let no_more = |ledger: &mut Ledger| {
        let cancel = Tighten::Cancel(Digest([1; 32]));
        ledger.tighten(cancel, &[Who::Initiator])
    };
    ledger.wait(1);
    due_first(&mut ledger, Who::Initiator);
    assert_eq!(code(no_more(&mut ledger)), Code::QuotaExceeded);
    ledger.wait(MINUTE_MS);
    no_more(&mut ledger).unwrap();
}

/// What is marked to be forgotten in the tenant's scope.
fn markers(ledger: &Ledger) -> BTreeSet<ks::Key> {
    let prefix = ks::expiry_prefix(ledger.world.scope());
    let all = ledger.state.under(&prefix);
    all.map(|(marker, _)| marker.clone()).collect()
}

/// With many approvals, assets and windows an entry brings more than the usual sixteen.
#[test]
fn an_entry_forgets_twice_as_many_as_it_brings() {
    let mut ledger = ready();
    due_first(&mut ledger, Who::Clerk);
    ledger.wait(MINUTE_MS);
    let before = markers(&ledger);
    pay(&mut ledger).unwrap();
    let after = markers(&ledger);
    let added = after.difference(&before).count();
    assert!(2 * added > 16, "{added}");
    // The intent's one coin counts like a marker.
    let forgotten = before.difference(&after).count();
    assert_eq!(forgotten, 2 * (added + 1));
}

/// Every replica does so, for one entry.
#[test]
fn an_entry_that_meets_a_full_quota_forgets_a_bounded_number_of_its_kind() {
    let mut ledger = ready_with(|o| o.tune = |b| b.ended_open_max = 80);
    due_first(&mut ledger, Who::Clerk);
    ledger.wait(1);
    due_first(&mut ledger, Who::Initiator);
    ledger.wait(MINUTE_MS);

    let before = markers(&ledger);
    let cancel = Tighten::Cancel(Digest([1; 32]));
    ledger.tighten(cancel, &[Who::Initiator]).unwrap();
    let forgotten = before.difference(&markers(&ledger)).count();
    assert_eq!(forgotten, 16 + 16, "the oldest, and the signer's oldest");
}

/// A refused entry forgets nothing, and its sender may send it again at once.
#[test]
fn a_full_quota_looks_for_its_own_among_a_bounded_number_of_what_is_due() {
    let mut full = ready_with(|o| o.tune = |b| b.intents_open_max = 1);
    pay(&mut full).unwrap();
    full.wait(INTENT_LIFE_MS);

    let scope = full.world.scope();
    let marker = |n: u32| {
        let mut digest = Digest::default();
        digest.0[..4].copy_from_slice(&n.to_be_bytes());
        let marker = ks::expiry(scope, UnixMs(0), &ks::used_act(scope, &digest));
        (marker, Some(Vec::new()))
    };
    for (due_before, expected) in [(0xffff, None), (0x1_0000, Some(Code::QuotaExceeded))] {
        let mut ledger = full.clone();
        let changes = (0..due_before).map(marker).collect();
        ledger.state.commit(&Delta { changes });
        let refused = pay(&mut ledger).err().map(|refusal| refusal.code);
        assert_eq!(refused, expected, "{due_before}");
    }
}
