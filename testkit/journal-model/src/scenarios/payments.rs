//! Payments, forks and crashes.

use super::Expected::{Breaks, Holds};
use super::Scenario;
use crate::journal::Entry::{
    AttemptXZ, AttemptYV, AttemptZ, Authorize1, Authorize1Z, Authorize2, Cancel1, Revoke,
    SettledForged, Stop,
};
use crate::journal::{ConflictRule, Entry, JournalModel};
use crate::property::Goal::{FullLength, Signs};
use crate::property::Property::{LateShare, Limit, OneHistory, SharedInput};
use crate::seats::SeatSet;

/// Two intents and their attempts, and what withdraws intent 1.
const PAYMENTS: &[Entry] = &[
    Authorize1,
    Authorize1Z,
    AttemptXZ,
    AttemptYV,
    AttemptZ,
    Authorize2,
    Cancel1,
    Revoke,
];
/// The same, with a stop and forged evidence.
const ALL_BODIES: &[Entry] = &[
    Authorize1,
    Authorize1Z,
    AttemptXZ,
    AttemptYV,
    AttemptZ,
    Authorize2,
    Cancel1,
    Revoke,
    Stop,
    SettledForged,
];
/// Two intents that the limit does not bear together.
const TWO_INTENTS: &[Entry] = &[Authorize1, Authorize2];
/// Two intents, and two first attempts of the first.
const FORKED: &[Entry] = &[Authorize1, Authorize1Z, Authorize2];

/// Quorums of witnesses.
pub(super) fn quorums() -> Vec<Scenario> {
    let pay = || JournalModel::new(PAYMENTS, 3);
    let two = || JournalModel::new(TWO_INTENTS, 2);
    let hostile = |seats, model| JournalModel {
        hostile: SeatSet(seats),
        ..model
    };
    let four_entries = JournalModel {
        crashes: false,
        ..JournalModel::new(
            &[
                Authorize1,
                Authorize1Z,
                AttemptXZ,
                AttemptZ,
                Authorize2,
                Cancel1,
            ],
            4,
        )
    };
    // 3 of 5 signers, t − 1 = 2 of them hostile, and one independent witness: k > w / 2 alone is
    // not enough.
    let five_signers = |quorum| hostile(0b1100, two()).with_witnesses(0b11_1111, quorum);

    let scenario = Scenario::journal;
    let signs = Holds(&[Signs]);
    let signs_longest = Holds(&[Signs, FullLength]);
    let forks = Breaks(&[OneHistory, Limit]);
    vec![
        scenario("pay 3-of-4 f=1", pay(), signs_longest),
        scenario(
            "pay 3-of-4 f=1, all bodies",
            JournalModel::new(ALL_BODIES, 3),
            signs_longest,
        ),
        scenario("pay 3-of-4 f=1, four entries", four_entries, signs_longest),
        scenario(
            "pay 3-of-4, the independent witness is hostile",
            hostile(0b1000, two()),
            signs,
        ),
        scenario(
            "pay 4-of-5 f=2",
            hostile(0b1_0100, pay()).with_witnesses(0b1_1111, 4),
            signs_longest,
        ),
        scenario(
            "pay 4-of-6 f=1",
            JournalModel::new(FORKED, 2).with_witnesses(0b11_1111, 4),
            signs,
        ),
        scenario(
            "pay 3-of-5 signers, 4-of-6 witnesses, t-1 hostile",
            five_signers(4),
            forks,
        ),
        scenario(
            "pay 3-of-5 signers, 5-of-6 witnesses, t-1 hostile",
            five_signers(5),
            signs,
        ),
        scenario(
            "pay 3-of-4 f=2, beyond the bound",
            hostile(0b1100, two()),
            forks,
        ),
        scenario("pay 2-of-4 f=1", two().with_witnesses(0b1111, 2), forks),
        scenario("pay 2-of-3 f=1", two().with_witnesses(0b0111, 2), forks),
        scenario(
            "pay 2-of-3 f=0",
            hostile(0b1000, two()).with_witnesses(0b0111, 2),
            signs,
        ),
        scenario("pay 3-of-3 f=1", two().with_witnesses(0b0111, 3), signs),
    ]
}

/// Rules of payments and shares.
pub(super) fn rules() -> Vec<Scenario> {
    let pay = |size_max| JournalModel::new(PAYMENTS, size_max);
    let two = || JournalModel::new(TWO_INTENTS, 2);
    let alphabet = |entries, size_max| JournalModel::new(entries, size_max);
    let early = |model: JournalModel| model.but(|guards| guards.head_first = false);
    let three_of_three = |model| {
        early(JournalModel {
            both_shares_needed: true,
            ..model
        })
    };

    let scenario = Scenario::journal;
    let pays_twice = Breaks(&[SharedInput]);
    let pays_more = Breaks(&[SharedInput, Limit]);
    vec![
        scenario(
            "pay, share before the head",
            early(alphabet(FORKED, 2)),
            pays_more,
        ),
        scenario(
            "pay, share before the head, 3-of-3 signers",
            three_of_three(alphabet(
                &[Authorize1, Authorize1Z, AttemptXZ, Authorize2],
                2,
            )),
            Holds(&[Signs, FullLength]),
        ),
        scenario(
            "tighten, share before the head, 3-of-3 signers",
            JournalModel {
                has_clock: true,
                ..three_of_three(alphabet(&[Authorize1, Revoke], 2))
            },
            Breaks(&[LateShare]),
        ),
        scenario(
            "pay, any common input",
            alphabet(&[Authorize1, AttemptXZ, AttemptYV], 3)
                .but(|guards| guards.conflict = ConflictRule::AnyInput),
            pays_twice,
        ),
        scenario(
            "pay, no common input",
            pay(3).but(|guards| guards.conflict = ConflictRule::None),
            pays_twice,
        ),
        scenario(
            "pay, no windows",
            two().but(|guards| guards.windows_sum = false),
            Breaks(&[Limit]),
        ),
        scenario(
            "pay, settled believed",
            alphabet(&[Authorize1, Authorize2, SettledForged], 3)
                .but(|guards| guards.settled_gives_nothing_back = false),
            Breaks(&[Limit]),
        ),
        scenario(
            "pay, own memory only",
            pay(2).but(|guards| guards.journal_first = false),
            pays_more,
        ),
        scenario(
            "pay, cosign before persist",
            two().but(|guards| guards.persist_first = false),
            Breaks(&[OneHistory, Limit]),
        ),
    ]
}
