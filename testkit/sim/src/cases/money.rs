//! Amounts per time against attempts that need no authority.

use super::{Case, NOTHING, Shows, base, large, payment};
use crate::kinds::{Fault, Hostile, NodeName, Situation};
use crate::plan::{ATTEMPT_LIFE_MS, Chaos, Plan};

/// Cases of this file.
pub(super) const CASES: &[Case] = &[
    Case {
        name: "spends_are_dated_anew",
        meaning: "Payments of different windows are left unsigned, then further attempts \
                  are opened for all of them at once. Each counts again where its \
                  attempt is opened.",
        shows: Shows {
            situations: &[Situation::FurtherAttempt],
            hostile: &[
                Hostile::OpenAttempts,
                Hostile::OpenAttempts,
                Hostile::OpenAttempts,
                Hostile::OpenAttempts,
                Hostile::OpenAttempts,
                Hostile::OpenAttempts,
                Hostile::OpenAttempts,
                Hostile::OpenAttempts,
                Hostile::OpenAttempts,
            ],
            refuses: &["limit_exceeded"],
            ..NOTHING
        },
        plan: spends_are_dated_anew,
    },
    Case {
        name: "coins_of_another_payment_are_taken",
        meaning: "Further attempts of each payment spend the coins of another one as well: \
                  as replacements, and as cancels, which no person has to sign. The \
                  journal takes none, and every payment is made.",
        shows: Shows {
            hostile: &[
                Hostile::TakeCoins,
                Hostile::TakeCoins,
                Hostile::TakeCoins,
                Hostile::TakeCoins,
                Hostile::TakeCoins,
                Hostile::TakeCoins,
            ],
            refuses: &["attempt_unknown"],
            signs: 5,
            ..NOTHING
        },
        plan: coins_of_another_payment_are_taken,
    },
    Case {
        name: "freed_coin_is_spent_by_a_cancel",
        meaning: "A locked payment is cancelled, and the vault's one large coin is free in the \
                  end. Just before, a cancel of it is opened, whose shares are asked for once \
                  another payment has that coin.",
        shows: Shows {
            hostile: &[Hostile::OpenAttempts, Hostile::OpenAttempts],
            refuses: &["intent_cancelled"],
            signs: 2,
            ..NOTHING
        },
        plan: freed_coin_is_spent_by_a_cancel,
    },
    Case {
        name: "coins_stay_with_what_can_still_be_paid",
        meaning: "A payment of nearly all that the vault has ends too late: its attempt is in the \
                  journal, and it keeps its coins. The next payment finds none and expires; the \
                  one after it is paid from a deposit.",
        shows: Shows {
            faults: &[Fault::Partition],
            refuses: &["too_late", "intent_expired"],
            signs: 1,
            ..NOTHING
        },
        plan: coins_stay_with_what_can_still_be_paid,
    },
];

/// Payments authorized in windows of their own, left unsigned, and then all asked for at once by
/// further attempts.
fn spends_are_dated_anew() -> Plan {
    let mut plan = base(401);
    plan.window_seconds = 90;
    plan.limit = 1_500_000;
    let times = [1_000, 131_000, 261_000];
    plan.intents = times.map(payment).into();
    for intent in &mut plan.intents {
        (intent.amount, intent.life_ms) = (1_000_000, 600_000);
    }
    plan.chaos = vec![(500, Chaos::Partition(NodeName::Coordinator, 268_000))];
    for n in 0..9 {
        plan.chaos
            .push((271_000 + 1_000 * n, Chaos::Act(Hostile::OpenAttempts)));
    }
    plan.calm_ms = 285_000;
    plan
}

/// Payments that are signed while attempts of each are opened over the coins of the others.
fn coins_of_another_payment_are_taken() -> Plan {
    let mut plan = base(402);
    plan.intents = [1_000, 3_000, 5_000, 7_000].map(payment).into();
    // Two of them are over when their cancels come.
    for intent in &mut plan.intents[..2] {
        intent.life_ms = 15_000;
    }
    // Each asks for what the one before it opened, with commitments that are not made up for.
    let times = [7_000, 19_000, 20_000, 21_000, 22_000, 23_000];
    plan.chaos = times.map(|at| (at, Chaos::Act(Hostile::TakeCoins))).into();
    plan.calm_ms = 45_000;
    plan
}

/// A locked payment, cancelled early, and another one that needs its coin when the journal keeps that
/// no longer: an attempt's life after the first one's end.
fn freed_coin_is_spent_by_a_cancel() -> Plan {
    const END_MS: u64 = 121_000;
    const FREE_MS: u64 = END_MS + ATTEMPT_LIFE_MS;
    let mut plan = base(403);
    plan.lock_seconds = 100;
    let mut locked = large(1_000);
    locked.cancel_after_ms = Some(15_000);
    let mut other = payment(FREE_MS + 2_000);
    (other.amount, other.life_ms) = (90_000_000, 120_000);
    plan.intents = vec![locked, other];
    let times = [FREE_MS - 6_000, FREE_MS + 14_000];
    plan.chaos = times
        .map(|at| (at, Chaos::Act(Hostile::OpenAttempts)))
        .into();
    plan.calm_ms = FREE_MS + 90_000;
    plan
}

/// One payment of all coins, and no coordinator for as long as it lives.
fn coins_stay_with_what_can_still_be_paid() -> Plan {
    let mut plan = base(404);
    let mut of_all = payment(1_000);
    of_all.amount = 62_000_000;
    of_all.life_ms = 30_000;
    plan.intents = vec![of_all];
    plan.chaos = vec![(500, Chaos::Partition(NodeName::Coordinator, 45_000))];
    plan.calm_ms = 50_000;
    plan
}
