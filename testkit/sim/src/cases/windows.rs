//! Locked payments of several windows whose locks begin in one second.

use super::time::writer;
use super::{Case, NOTHING, Shows, base, large};
use crate::kinds::{Fault, Hostile, NodeName, Situation};
use crate::plan::{Chaos, Move, Plan};

/// Cases of this file.
pub(super) const CASES: &[Case] = &[
    Case {
        name: "windows_are_back_dated",
        meaning: "The writer appends nothing for several windows, then locked payments \
                  under stamps that lie windows apart. A payment whose \
                  window is full when it is witnessed gets no share.",
        shows: Shows {
            situations: &[Situation::OldStamp, Situation::LockEnded],
            hostile: &[Hostile::GoQuiet, Hostile::HoldWitnessed, Hostile::BackDate],
            refuses: &["attempt_too_old"],
            signs: 2,
            ..NOTHING
        },
        plan: windows_are_back_dated,
    },
    Case {
        name: "one_witnessed_entry_spans_windows",
        meaning: "Locked payments are authorized in windows of their own, and one \
                  witnessed entry begins all their locks. Together they keep the limit.",
        shows: Shows {
            situations: &[Situation::SeveralWitnessed, Situation::LockEnded],
            hostile: &[Hostile::HoldWitnessed],
            refuses: &["attempt_too_old"],
            signs: 2,
            ..NOTHING
        },
        plan: one_witnessed_entry_spans_windows,
    },
    Case {
        name: "attempts_are_opened_under_a_lock",
        meaning: "A locked payment had no room when its lock was witnessed. An attempt in a \
                  later window, opened before the lock ends, does not let it leave with the \
                  one that had.",
        shows: Shows {
            situations: &[Situation::SeveralWitnessed, Situation::LockEnded],
            hostile: &[
                Hostile::HoldWitnessed,
                Hostile::OpenAttempts,
                Hostile::OpenAttempts,
            ],
            refuses: &["attempt_too_old"],
            signs: 1,
            ..NOTHING
        },
        plan: attempts_are_opened_under_a_lock,
    },
    Case {
        name: "kept_cosignatures_begin_locks",
        meaning: "Two locked payments are witnessed by cosignatures that the writer kept for \
                  more than a window, and one of them has another attempt since. Its lock \
                  begins with that, and not with the other one's.",
        shows: Shows {
            situations: &[Situation::SeveralWitnessed, Situation::LockEnded],
            hostile: &[
                Hostile::HoldWitnessed,
                Hostile::OpenAttempts,
                Hostile::TakeCoins,
            ],
            faults: &[
                Fault::JournalHidden,
                Fault::JournalHidden,
                Fault::JournalHidden,
            ],
            signs: 2,
            ..NOTHING
        },
        plan: kept_cosignatures_begin_locks,
    },
];

/// From one payment to the next that has room again: a window, and the minute by which it is late.
const APART_MS: u64 = 155_000;

/// Locked payments at these times; the limit has room for one of them in a window.
fn locked<const N: usize>(seed: u64, times: [u64; N]) -> Plan {
    let mut plan = base(seed);
    plan.window_seconds = 90;
    plan.limit = 150_000_000;
    plan.lock_seconds = 20;
    plan.intents = times.map(large).into();
    for intent in &mut plan.intents {
        intent.life_ms = 700_000;
    }
    plan
}

/// Three payments while the journal is quiet, under the stamps of three windows; the last of these
/// windows is over when their locks begin, so that no ceiling is full at any head.
fn windows_are_back_dated() -> Plan {
    const QUIET_MS: u64 = 4 * APART_MS + 10_000;
    let mut plan = locked(220, [1_000, 3_000, 5_000]);
    plan.chaos = vec![
        writer(500, Move::Quiet(QUIET_MS)),
        writer(500, Move::HoldWitnessed(QUIET_MS + 2_000)),
        writer(500, Move::Spread(APART_MS, QUIET_MS + 3_000)),
    ];
    plan.calm_ms = QUIET_MS + 60_000;
    plan
}

/// Three payments in three windows, each under its own time, none witnessed before all windows are
/// over.
fn one_witnessed_entry_spans_windows() -> Plan {
    let times = [0, 1, 2].map(|n| 1_000 + n * APART_MS);
    let mut plan = locked(221, times);
    plan.chaos = vec![writer(500, Move::HoldWitnessed(3 * APART_MS + 10_000))];
    plan.calm_ms = 3 * APART_MS + 60_000;
    plan
}

/// Two payments in two windows, and their locks begin with the second: the first one has no room.
/// The first act opens an attempt of it in a third window, the second asks for its shares while
/// those of the other payment leave.
fn attempts_are_opened_under_a_lock() -> Plan {
    const LOCK_MS: u64 = 400_000;
    const BEGUN_MS: u64 = APART_MS + 5_000;
    const END_MS: u64 = BEGUN_MS + LOCK_MS;
    let mut plan = locked(222, [1_000, 1_000 + APART_MS]);
    plan.lock_seconds = LOCK_MS / 1_000;
    let hostile = |at_ms| (at_ms, Chaos::Act(Hostile::OpenAttempts));
    plan.chaos = vec![
        writer(500, Move::HoldWitnessed(BEGUN_MS - 500)),
        hostile(BEGUN_MS + APART_MS),
        hostile(END_MS + 20_000),
    ];
    plan.calm_ms = END_MS + 60_000;
    plan
}

/// Two payments in two windows. From then on three seats see no entries, so that the kept
/// cosignatures are the last that are a quorum. The first act opens an attempt of the first payment
/// in a third window, the second asks for its shares while those of the other one leave, and opens
/// nothing that the journal takes.
fn kept_cosignatures_begin_locks() -> Plan {
    const LOCK_MS: u64 = 400_000;
    const COSIGNED_MS: u64 = APART_MS + 8_000;
    const OPENED_MS: u64 = 2 * APART_MS + 5_000;
    let mut plan = locked(223, [1_000, 1_000 + APART_MS]);
    plan.lock_seconds = LOCK_MS / 1_000;
    let hide = |node| {
        (
            COSIGNED_MS,
            Chaos::HideJournal(node, OPENED_MS + 7_000 - COSIGNED_MS),
        )
    };
    plan.chaos = vec![
        writer(500, Move::HoldWitnessed(OPENED_MS + 3_000)),
        hide(NodeName::Signer2),
        hide(NodeName::Signer3),
        hide(NodeName::Witness),
        (OPENED_MS, Chaos::Act(Hostile::OpenAttempts)),
        (
            COSIGNED_MS + LOCK_MS + 15_000,
            Chaos::Act(Hostile::TakeCoins),
        ),
    ];
    plan.calm_ms = COSIGNED_MS + LOCK_MS + 60_000;
    plan
}
