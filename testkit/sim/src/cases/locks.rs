//! Payments under a time lock, and heads that are too old for any.

use super::time::{hidden_from_a_quorum, writer};
use super::{Case, NOTHING, Shows, base};
use crate::kinds::{Fault, Hostile, NodeName, Situation};
use crate::plan::{Chaos, Move, Plan};

/// Cases of this file.
pub(super) const CASES: &[Case] = &[
    Case {
        name: "lock_is_back_dated",
        meaning: "A locked payment's authorization is stamped with the time of a last \
                  entry that is old. Its lock begins when witnesses have seen it.",
        shows: Shows {
            situations: &[Situation::OldStamp, Situation::LockEnded],
            hostile: &[Hostile::GoQuiet, Hostile::BackDate],
            ..NOTHING
        },
        plan: lock_is_back_dated,
    },
    Case {
        name: "lock_is_hidden_from_a_quorum",
        meaning: "A locked payment is shown to one honest witness and the hostile one. \
                  Its lock begins when no quorum can be shown without it.",
        shows: Shows {
            situations: &[Situation::LockEnded],
            hostile: &[Hostile::LyingWitness],
            faults: &[
                Fault::JournalHidden,
                Fault::JournalHidden,
                Fault::JournalHidden,
            ],
            ..NOTHING
        },
        plan: lock_is_hidden_from_a_quorum,
    },
    Case {
        name: "newest_entry_is_old",
        meaning: "The writer appends nothing, and witnesses cosign the last head again. \
                  From tick_max on no share leaves.",
        shows: Shows {
            hostile: &[Hostile::GoQuiet],
            refuses: &["journal_stale"],
            ..NOTHING
        },
        plan: newest_entry_is_old,
    },
    Case {
        name: "too_many_wait",
        meaning: "More locked payments are made than may wait. Those beyond the bound \
                  are refused, wait until others are witnessed, and are signed as well.",
        shows: Shows {
            situations: &[Situation::SeveralWitnessed, Situation::LockEnded],
            hostile: &[Hostile::HoldWitnessed],
            refuses: &["quota_exceeded"],
            // All of them, and the last one.
            signs: 37,
            ..NOTHING
        },
        plan: too_many_wait,
    },
    Case {
        name: "nothing_happens_for_long",
        meaning: "An honest writer has nothing to append for minutes. Its ticks keep \
                  every head fresh.",
        shows: Shows {
            situations: &[Situation::LockEnded],
            ..NOTHING
        },
        plan: nothing_happens_for_long,
    },
];

/// A payment under a lock, and nothing else.
fn locked(seed: u64, at_ms: u64, lock_seconds: u64) -> Plan {
    let mut plan = base(seed);
    plan.lock_seconds = lock_seconds;
    plan.intents = vec![super::large(at_ms)];
    plan.calm_ms = at_ms + lock_seconds * 1_000 + 30_000;
    plan
}

/// A locked payment whose authorization is stamped with the last entry's time.
fn lock_is_back_dated() -> Plan {
    let mut plan = locked(210, 3_000, 20);
    plan.chaos = vec![
        writer(2_500, Move::Quiet(23_500)),
        writer(2_500, Move::BackDate(25_500)),
    ];
    plan
}

/// A locked payment that is hidden from a quorum.
fn lock_is_hidden_from_a_quorum() -> Plan {
    let mut plan = locked(211, 3_000, 30);
    plan.chaos = hidden_from_a_quorum();
    plan.calm_ms = 75_000;
    plan
}

/// A journal that is cosigned again and again and whose newest entry grows old.
fn newest_entry_is_old() -> Plan {
    let mut plan = locked(212, 1_000, 60);
    plan.intents[0].life_ms = 300_000;
    plan.chaos = vec![
        writer(6_000, Move::Quiet(105_000)),
        (5_000, Chaos::Partition(NodeName::Coordinator, 90_000)),
    ];
    plan.calm_ms = 115_000;
    plan
}

/// More locked payments than may wait at once.
fn too_many_wait() -> Plan {
    let mut plan = locked(215, 2_000, 10);
    plan.limit = 100_000_000_000;
    plan.intents = (0..36).map(|n| super::large(2_000 + 20 * n)).collect();
    plan.chaos = vec![writer(1_500, Move::HoldWitnessed(12_000))];
    plan.calm_ms = 40_000;
    plan
}

/// A journal in which nothing happens while a payment is locked for longer than a head may be old.
fn nothing_happens_for_long() -> Plan {
    let mut plan = locked(216, 1_000, 130);
    plan.intents[0].life_ms = 400_000;
    plan
}
