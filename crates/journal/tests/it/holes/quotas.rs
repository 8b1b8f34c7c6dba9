//! What one clerk uses up: cancels, which any credential can make of any digest, and open intents.

use super::share_at;
use crate::{MEDIUM, SMALL, TWO, code, ready};
use strongroom_journal::model::UserRecord;
use strongroom_journal::state::Lookup as _;
use strongroom_journal::{Body, keyspace as ks};
use strongroom_types::{
    Act, ActBody, Code, Digest, Document as _, Intent, Refusal, RegistryRecord, Tighten, User,
    UserId, digest,
};
use strongroom_world::{AuthorizationExt as _, FRIEND, INTENT_LIFE_MS, Ledger, Who};

fn unknown(n: u32) -> Digest {
    digest("unknown", &[&n.to_be_bytes()])
}

/// A clerk in no group cancels what no one has asked for, thousands of times in one minute: every
/// signer kept four keys for each, and every act that was signed before was void.
#[test]
fn hole_a_clerks_cancels_fill_no_memory_and_void_no_signed_act() {
    let mut ledger = ready();
    ledger.now.0 = ledger.now.0.next_multiple_of(60_000);
    let record = RegistryRecord::User(User {
        id: UserId([1; 16]),
        name: "newcomer".parse().unwrap(),
    });
    let proposal = ledger.signed_act(ActBody::Put(record), &ledger.committee());
    let proposed = Act::digest_of(&proposal.text);
    ledger.push(Body::Act(proposal), ledger.now).unwrap();
    ledger.witness();
    let release = ledger.signed_act(ActBody::Release(proposed), &ledger.committee());

    let (keys, version) = (ledger.state.map().len(), ledger.version());
    let mut taken = 0;
    for n in 0..2_000 {
        match ledger.tighten(Tighten::Cancel(unknown(n)), &[Who::Clerk]) {
            Ok(_) => taken += 1,
            Err(refusal) => assert_eq!(refusal.code, Code::QuotaExceeded, "{refusal}"),
        }
    }
    assert_eq!(taken, ledger.world.genesis.bounds.tightenings_per_minute);
    assert_eq!(ledger.state.map().len(), keys + 4 * taken as usize);
    assert_eq!(ledger.version(), version, "nothing signed before is void");

    let intent = ledger.world.intent(ledger.now, MEDIUM, FRIEND);
    let cancel = Tighten::Cancel(intent.digest());
    ledger.tighten(cancel, &[Who::Initiator]).unwrap();
    let body = ledger.authorization(&intent, &TWO[..1]).into_body();
    assert_eq!(ledger.refused(body), Some(Code::IntentCancelled));
    ledger.push(Body::Act(release), ledger.now).unwrap();
    let until = ledger.now.plus(60_000);
    let pause = Tighten::Pause { vault: None, until };
    ledger.tighten(pause, &[Who::Admin(1)]).unwrap();
}

/// Minute for minute the clerk fills a room that is theirs alone.
#[test]
fn hole_a_clerk_fills_no_room_but_their_own() {
    let mut ledger = crate::ready_with(|o| o.tune = |b| b.ended_open_max = 200);
    let mut n = 0;
    for _ in 0..10 {
        ledger.wait(60_000);
        for _ in 0..60 {
            n += 1;
            let _ = ledger.tighten(Tighten::Cancel(unknown(n)), &[Who::Clerk]);
        }
    }
    let refused = ledger.tighten(Tighten::Cancel(unknown(0)), &[Who::Clerk]);
    assert_eq!(code(refused), Code::QuotaExceeded);
    ledger
        .tighten(Tighten::Cancel(unknown(0)), &[Who::Initiator])
        .unwrap();
}

fn pay(ledger: &mut Ledger, who: Who) -> Result<Intent, Refusal> {
    let mut intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
    intent.initiator = ledger.world.person(who).credential.id;
    ledger.authorize(&intent, &[]).map(|_| intent)
}

fn open_of(ledger: &Ledger, who: Who) -> (u32, u32) {
    let tenant = ledger.state.tenant(ledger.world.tenant.id).unwrap();
    let user = ledger.world.person(who).user.id;
    let user: UserRecord = ledger
        .state
        .record(&ks::user(ledger.world.tenant.id, user))
        .unwrap()
        .unwrap();
    (tenant.intents_open, user.intents_open)
}

/// One clerk whose payments need no approval opened as many as the tenant has room for: no other
/// payment was authorized for a day, whether the clerk was revoked or not.
#[test]
fn hole_a_clerk_leaves_half_of_the_room_for_open_intents_to_others() {
    let mut ledger = crate::ready_with(|o| o.tune = |b| b.intents_open_max = 5);
    for _ in 0..3 {
        pay(&mut ledger, Who::Initiator).unwrap();
    }
    // Open intents are counted by human: another credential of theirs has no room of its own.
    for who in [Who::Initiator, Who::InitiatorKey] {
        assert_eq!(code(pay(&mut ledger, who)), Code::QuotaExceeded);
    }
    pay(&mut ledger, Who::Clerk).unwrap();
    let user = ledger.world.person(Who::Initiator).user.id;
    ledger
        .tighten(Tighten::revoke(user), &[Who::Admin(0)])
        .unwrap();
    pay(&mut ledger, Who::Clerk).unwrap();
    assert_eq!(code(pay(&mut ledger, Who::Clerk)), Code::QuotaExceeded);

    assert_eq!(open_of(&ledger, Who::Initiator), (5, 3));
    ledger.wait(INTENT_LIFE_MS);
    pay(&mut ledger, Who::Clerk).unwrap();
    assert_eq!(open_of(&ledger, Who::Initiator), (1, 0));
    assert_eq!(open_of(&ledger, Who::Clerk), (1, 1));
}

/// What is due of others, and before it, makes no room for a human whose own room is full.
#[test]
fn expired_intents_of_a_human_make_room_for_theirs_whatever_is_due_before_them() {
    let mut ledger = crate::ready_with(|o| o.tune = |b| b.intents_open_max = 60);
    for _ in 0..20 {
        pay(&mut ledger, Who::Clerk).unwrap();
    }
    ledger.wait(1);
    for _ in 0..30 {
        pay(&mut ledger, Who::Initiator).unwrap();
    }
    ledger.wait(INTENT_LIFE_MS);
    pay(&mut ledger, Who::Initiator).unwrap();
}

/// Cancelled and rejected intents kept their room until they expired.
#[test]
fn hole_an_intent_that_has_ended_takes_no_room() {
    let mut ledger = crate::ready_with(|o| o.tune = |b| b.intents_open_max = 1);
    let cancelled = pay(&mut ledger, Who::Initiator).unwrap();
    assert_eq!(code(pay(&mut ledger, Who::Clerk)), Code::QuotaExceeded);
    let cancel = Tighten::Cancel(cancelled.digest());
    ledger.tighten(cancel, &[Who::Initiator]).unwrap();
    assert_eq!(open_of(&ledger, Who::Initiator), (0, 0));

    let rejected = pay(&mut ledger, Who::Clerk).unwrap();
    let reject = Tighten::Reject(rejected.digest());
    ledger.tighten(reject, &[Who::Approver(0)]).unwrap();
    let cancel = Tighten::Cancel(rejected.digest());
    ledger.tighten(cancel, &[Who::Admin(0)]).unwrap();
    assert_eq!(open_of(&ledger, Who::Clerk), (0, 0));

    let asked = [&cancelled, &rejected].map(|intent| share_at(&ledger, intent, 1, ledger.now));
    assert_eq!(
        asked,
        [Some(Code::IntentCancelled), Some(Code::IntentRejected)]
    );

    // Neither is forgotten a second time when it expires.
    ledger.wait(1);
    pay(&mut ledger, Who::Initiator).unwrap();
    ledger.wait(INTENT_LIFE_MS - 1);
    let _ = ledger.tighten(Tighten::Cancel(unknown(1)), &[Who::Clerk]);
    assert_eq!(open_of(&ledger, Who::Initiator), (1, 1));
}
