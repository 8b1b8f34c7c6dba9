//! Cancels, which any credential can make of any digest.

use crate::{MEDIUM, TWO, code, ready};
use strongroom_journal::Body;
use strongroom_types::{
    Act, ActBody, Code, Digest, Document as _, RegistryRecord, Tighten, User, UserId, digest,
};
use strongroom_world::{AuthorizationExt as _, FRIEND, Who};

fn unknown(n: u32) -> Digest {
    digest("unknown", &[&n.to_be_bytes()])
}

/// A clerk in no group cancels what no one has asked for, thousands of times in one minute: every
/// signer kept four keys for each, and every act that was signed before was void.
#[test]
fn hole_a_clerks_cancels_fill_no_memory_and_hold_nobody_up() {
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
