//! The entry `witnessed`: which words of which witnesses count, and for what.

use crate::{HOUR_MS, LARGE, SKEW_MS, TWO, code, ready, ready_under, ready_with};
use strongroom_journal::model::{NEVER, WAITING_MAX};
use strongroom_journal::state::Lookup as _;
use strongroom_journal::{Body, Witnessed};
use strongroom_types::{
    ActBody, Code, Document as _, NodeId, RegistryRecord, Scope, Tighten, UnixMs, User, UserId,
};
use strongroom_world::{FRIEND, Ledger, PolicyOptions, START, Who};

const TENANT_LOCKS_MAX: usize = WAITING_MAX / 8;

fn user(n: u8) -> RegistryRecord {
    RegistryRecord::User(User {
        id: UserId([n; 16]),
        name: "Mallory".parse().unwrap(),
    })
}

/// A journal in which one proposal waits, an hour after genesis.
fn waiting() -> Ledger {
    let mut ledger = ready();
    ledger.wait(HOUR_MS);
    ledger
        .act(ActBody::Put(user(9)), &ledger.committee())
        .unwrap();
    ledger
}

/// Seats of the quorum with times of their own.
fn by(ledger: &Ledger, times: &[(u16, UnixMs)]) -> Witnessed {
    let body = ledger.checkpoint();
    let one = |(n, at): &(u16, UnixMs)| ledger.world.witnessed(&body, &[*n], *at).cosignatures[0];
    let mut cosignatures: Vec<_> = times.iter().map(one).collect();
    cosignatures.sort_by_key(|cosignature| cosignature.witness);
    Witnessed {
        checkpoint: body,
        cosignatures,
    }
}

fn refused(ledger: &Ledger, witnessed: Witnessed) -> Option<Code> {
    ledger.refused(Body::Witnessed(witnessed))
}

/// Witnessed time of the one proposal that is open.
fn proposed_at(ledger: &Ledger) -> Option<UnixMs> {
    let prefix = [11];
    let mut proposals = ledger.state.under(&prefix);
    let (_, bytes) = proposals.next().unwrap();
    let proposal: strongroom_journal::model::ProposalRecord =
        strongroom_journal::state::read(bytes).unwrap();
    proposal.witnessed_at
}

#[test]
fn hole_fewer_than_a_quorum_of_cosignatures_vouch_for_nothing() {
    let ledger = waiting();
    let two = by(&ledger, &[(1, ledger.now), (2, ledger.now)]);
    assert_eq!(refused(&ledger, two), Some(Code::QuorumMissing), "f + 1");
    let four = [1, 2, 3, 4].map(|n| (n, ledger.now));
    assert_eq!(
        refused(&ledger, by(&ledger, &four)),
        Some(Code::QuorumMissing),
        "one form"
    );
    for seats in [[1, 2, 3], [1, 2, 4], [2, 3, 4]] {
        let three = by(&ledger, &seats.map(|n| (n, ledger.now)));
        assert_eq!(refused(&ledger, three), None, "any k");
    }
}

#[test]
fn hole_the_largest_of_the_times_counts_to_the_end_of_its_second() {
    for seats in [[1, 2, 3], [3, 1, 2], [2, 3, 1]] {
        let mut ledger = waiting();
        let at = ledger.now;
        let times = [UnixMs(1_000), UnixMs(at.0 - 3_000), at.plus(2_000)];
        let times: Vec<_> = seats.into_iter().zip(times).collect();
        ledger
            .push(Body::Witnessed(by(&ledger, &times)), at)
            .unwrap();
        let largest = Some(at.plus(3_000));
        assert_eq!(
            proposed_at(&ledger),
            largest,
            "whichever witness says it: {times:?}"
        );
    }
}

#[test]
fn hole_a_time_ahead_of_the_entry_is_refused() {
    let ledger = waiting();
    let times = |ahead| [1, 2, 3].map(|n| (n, ledger.now.plus(if n == 2 { ahead } else { 0 })));
    let witnessed = by(&ledger, &times(SKEW_MS));
    assert_eq!(refused(&ledger, witnessed), None, "within the skew");
    for ahead in [SKEW_MS + 1_000, 1 << 62] {
        assert_eq!(
            refused(&ledger, by(&ledger, &times(ahead))),
            Some(Code::TimeOutOfBounds)
        );
    }
    // The entry is back-dated itself: its time is before that of its own cosignatures.
    let entry = ledger.entry(
        Scope::Platform,
        Body::Witnessed(by(&ledger, &times(0))),
        UnixMs(ledger.now.0 - HOUR_MS),
    );
    let mut old = ledger.clone();
    assert_eq!(code(old.push_entry(entry)), Code::TimeWentBack);
}

#[test]
fn a_back_dated_witnessed_entry_is_refused() {
    let mut ledger = ready();
    let intent = ledger.world.intent(ledger.now, crate::SMALL, FRIEND);
    ledger.authorize(&intent, &[]).unwrap();
    ledger
        .act(ActBody::Put(user(9)), &ledger.committee())
        .unwrap();
    let later = ledger.now.plus(HOUR_MS);
    let witnessed = by(&ledger, &[1, 2, 3].map(|n| (n, later)));
    assert_eq!(
        code(ledger.push(Body::Witnessed(witnessed.clone()), ledger.now)),
        Code::TimeOutOfBounds
    );
    ledger.push(Body::Witnessed(witnessed), later).unwrap();
    assert_eq!(proposed_at(&ledger), Some(later.plus(1_000)));
}

#[test]
fn foreign_repeated_undated_and_forged_cosignatures_are_refused() {
    let ledger = waiting();
    let good = by(&ledger, &[1, 2, 3].map(|n| (n, ledger.now)));
    let with = |change: &dyn Fn(&mut Witnessed)| {
        let mut witnessed = good.clone();
        change(&mut witnessed);
        refused(&ledger, witnessed)
    };
    assert_eq!(with(&|_| {}), None);
    let sort = |w: &mut Witnessed| w.cosignatures.sort_by_key(|c| c.witness);
    assert_eq!(
        with(&|w| {
            w.cosignatures[0].witness = NodeId([255; 16]);
            sort(w);
        }),
        Some(Code::UnknownSender)
    );
    assert_eq!(
        with(&|w| w.cosignatures[1] = w.cosignatures[0]),
        Some(Code::Malformed),
        "repeated"
    );
    assert_eq!(
        with(&|w| w.cosignatures.reverse()),
        Some(Code::Malformed),
        "one order"
    );
    let another = ledger.world.seat(4).node;
    assert_eq!(
        with(&|w| {
            w.cosignatures[0].witness = another;
            sort(w);
        }),
        Some(Code::BadSignature),
        "of another seat"
    );
    assert_eq!(
        with(&|w| w.cosignatures[2].signature[0] ^= 1),
        Some(Code::BadSignature)
    );
    assert_eq!(
        with(&|w| w.cosignatures[2].time_s -= 1),
        Some(Code::BadSignature),
        "the time is signed"
    );
    let undated = by(&ledger, &[(1, UnixMs(0)), (2, ledger.now), (3, ledger.now)]);
    assert_eq!(refused(&ledger, undated), Some(Code::Malformed));
}

#[test]
fn cosignatures_over_two_texts_or_another_log_are_refused() {
    let ledger = waiting();
    let checkpoint = ledger.checkpoint();
    let (tree, root) = checkpoint.split_once("\nstate ").unwrap();
    let first = if root.starts_with('A') { 'B' } else { 'A' };
    let other_state = format!("{tree}\nstate {first}{}", &root[1..]);
    let size = ledger.entries.len();
    let smaller = ledger
        .checkpoint()
        .replace(&format!("\n{size}\n"), &format!("\n{}\n", size - 1));
    for other in [other_state, smaller] {
        let mut mixed = by(&ledger, &[1, 2, 3].map(|n| (n, ledger.now)));
        assert_ne!(other, mixed.checkpoint);
        let node = mixed.cosignatures[0].witness;
        let seat = (1..=4)
            .find(|n| ledger.world.seat(*n).node == node)
            .unwrap();
        mixed.cosignatures[0] = ledger
            .world
            .witnessed(&other, &[seat], ledger.now)
            .cosignatures[0];
        assert_eq!(refused(&ledger, mixed), Some(Code::BadSignature), "{other}");
    }

    let foreign = ledger
        .checkpoint()
        .replace(&ledger.world.genesis.origin, "another.example/log");
    let foreign = ledger.world.witnessed(&foreign, &[1, 2, 3], ledger.now);
    assert_eq!(refused(&ledger, foreign), Some(Code::Malformed));

    let mut text = by(&ledger, &[1, 2, 3].map(|n| (n, ledger.now)));
    text.checkpoint = "no checkpoint".to_owned();
    assert_eq!(refused(&ledger, text), Some(Code::Malformed));
}

#[test]
fn a_witnessed_entry_covers_more_than_any_before_and_no_more_than_there_is() {
    let mut ledger = waiting();
    let covered = ledger.witnessed();
    let mut ahead = ledger.clone();
    ahead.push(Body::Tick, ahead.now).unwrap();
    assert_eq!(
        refused(&ledger, ahead.witnessed()),
        Some(Code::Malformed),
        "entries that do not exist"
    );
    ledger
        .push(Body::Witnessed(covered.clone()), ledger.now)
        .unwrap();
    assert_eq!(refused(&ledger, covered), Some(Code::HeadWentBack));
    assert_eq!(
        refused(&ledger, ledger.witnessed()),
        Some(Code::NotReady),
        "nothing waits"
    );
}

#[test]
fn an_item_is_covered_only_by_a_checkpoint_beyond_its_position() {
    let mut ledger = ready();
    ledger.push(Body::Tick, ledger.now).unwrap();
    let before = ledger.witnessed();
    ledger
        .act(ActBody::Put(user(9)), &ledger.committee())
        .unwrap();
    let beyond = ledger.witnessed();
    assert_eq!(refused(&ledger, before), Some(Code::NotReady));
    ledger.push(Body::Witnessed(beyond), ledger.now).unwrap();
    assert_eq!(proposed_at(&ledger), Some(ledger.now));
}

#[test]
fn anyone_submits_a_witnessed_entry_but_in_the_platforms_scope_only() {
    let mut ledger = waiting();
    let body = Body::Witnessed(ledger.witnessed());
    let entry = ledger.entry(ledger.world.scope(), body, ledger.now);
    assert_eq!(code(ledger.push_entry(entry)), Code::WrongScope);
}

#[test]
fn one_entry_settles_what_waits_in_several_scopes() {
    let mut ledger = ready();
    let home = ledger.world.clone();
    ledger.world = home.for_tenant(1);
    ledger.create_tenant();
    let other = ledger.world.tenant.id;
    ledger.world = home;
    ledger
        .act(ActBody::Put(user(9)), &ledger.committee())
        .unwrap();
    ledger
        .platform_act(ActBody::Tighten(Tighten::Stop))
        .unwrap();
    ledger.platform_act(ActBody::Resume).unwrap();
    assert_eq!(ledger.state.waiting().unwrap().items.len(), 3);
    ledger.wait(7_000);
    ledger.witness();
    assert_eq!(ledger.state.waiting().unwrap().items.len(), 0);
    assert_eq!(
        ledger.state.tenant(other).unwrap().witnessed_at,
        Some(START.plus(7_000))
    );
    assert_eq!(proposed_at(&ledger), Some(START.plus(7_000)));
    assert!(!ledger.state.platform().unwrap().stopped);
}

#[test]
fn so_many_items_wait_and_a_tightening_is_never_among_the_refused() {
    let mut ledger = ready_with(|o| {
        o.policy.time_lock_seconds = 60;
        o.tune = |bounds| bounds.proposals_open_max = 1_000;
    });
    let mut last = None;
    for _ in 0..TENANT_LOCKS_MAX {
        let intent = ledger.world.intent(ledger.now, LARGE, FRIEND);
        ledger.authorize(&intent, &TWO).unwrap();
        last = Some(intent);
    }
    let one_more = ledger.world.intent(ledger.now, LARGE, FRIEND);
    assert_eq!(
        code(ledger.clone().authorize(&one_more, &TWO)),
        Code::QuotaExceeded,
        "one tenant's locked payments leave room for the acts of all others"
    );
    for _ in TENANT_LOCKS_MAX..WAITING_MAX {
        ledger
            .act(ActBody::Put(user(9)), &ledger.committee())
            .unwrap();
    }
    let put = ledger.signed_act(ActBody::Put(user(9)), &ledger.committee());
    assert_eq!(
        ledger.refused(Body::Act(put.clone())),
        Some(Code::QuotaExceeded)
    );
    let pause = Tighten::Pause {
        vault: None,
        until: ledger.now.plus(HOUR_MS),
    };
    ledger.tighten(pause, &[Who::Admin(0)]).unwrap();
    ledger.wait(10_000);
    ledger.witness();
    assert_eq!(ledger.refused(Body::Act(put)), None);
    let locked = |ledger: &Ledger, intent: &strongroom_types::Intent| {
        let found = ledger
            .state
            .intent(ledger.world.tenant.id, &intent.digest());
        found.unwrap().unwrap().locked_until
    };
    assert_eq!(locked(&ledger, &last.unwrap()), START.plus(70_000));
}

#[test]
fn a_lock_whose_intent_was_cancelled_does_no_harm() {
    let mut ledger = ready_under(PolicyOptions {
        time_lock_seconds: 60,
        ..PolicyOptions::default()
    });
    let intent = ledger.world.intent(ledger.now, LARGE, FRIEND);
    ledger.authorize(&intent, &TWO).unwrap();
    let record = |ledger: &Ledger| {
        let found = ledger
            .state
            .intent(ledger.world.tenant.id, &intent.digest());
        found.unwrap().unwrap()
    };
    assert_eq!(record(&ledger).locked_until, NEVER);
    ledger
        .tighten(Tighten::Cancel(intent.digest()), &[Who::Initiator])
        .unwrap();
    ledger.witness();
    assert_eq!(record(&ledger).locked_until, START.plus(60_000));
}
