//! Random tables, worlds and intents, drawn from so few values that they often concern each other.

use crate::world::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use strongroom_policy::*;
use strongroom_types::*;

const TIERS: [Tier; 5] = [
    Tier::Auto,
    Tier::OneOfN,
    Tier::MOfN,
    Tier::Committee,
    Tier::Block,
];
const SCOPES: [VelocityScope; 3] = [
    VelocityScope::Vault,
    VelocityScope::Tenant,
    VelocityScope::Initiator,
];
const TYPES: [DestinationType; 4] = [
    DestinationType::AllowListed,
    DestinationType::AllowListedNew,
    DestinationType::Internal,
    DestinationType::Unknown,
];
const DAYS: [Day; 4] = [Day::Wednesday, Day::Thursday, Day::Friday, Day::Saturday];

fn amount() -> impl Strategy<Value = MinorUnits> {
    (1..300u64).prop_map(units)
}

fn window() -> impl Strategy<Value = Window> {
    let limits = prop_oneof![
        amount().prop_map(|a| (Some(a), None)),
        (1..4u64).prop_map(|n| (None, Some(n))),
        (amount(), 1..4u64).prop_map(|(a, n)| (Some(a), Some(n))),
    ];
    (select(&SCOPES[..]), 1..120u64, limits).prop_map(
        |(scope, window_seconds, (amount_lte, count_lte))| Window {
            scope,
            window_seconds,
            amount_lte,
            count_lte,
        },
    )
}

fn hours() -> impl Strategy<Value = Hours> {
    let time = || {
        (0..24u8, 0..60u8).prop_map(|(h, m)| format!("{h:02}:{m:02}").parse::<TimeOfDay>().unwrap())
    };
    let some_days = subsequence(DAYS.to_vec(), 1..=4);
    (-720..=840i16, some_days, time(), time()).prop_filter_map(
        "not empty",
        |(offset, days, from, to)| {
            (from != to).then_some(Hours {
                utc_offset_minutes: offset,
                days,
                from,
                to,
            })
        },
    )
}

fn destinations() -> impl Strategy<Value = Destinations> {
    use DestinationType::{AllowListed, AllowListedNew};
    (
        subsequence(TYPES.to_vec(), 1..=4),
        option::of(1..7200u64),
        any::<bool>(),
    )
        .prop_map(|(types, age, label)| {
            let listed = |t: &DestinationType| matches!(t, AllowListed | AllowListedNew);
            let age = if types.contains(&AllowListedNew) {
                age.or(Some(3600))
            } else {
                age
            };
            Destinations {
                min_age_seconds: age.filter(|_| types.iter().any(listed)),
                labels: (label && types.iter().all(listed)).then(|| vec![name("exchange")]),
                types,
            }
        })
}

fn conditions() -> impl Strategy<Value = Match> {
    let initiators = prop_oneof![
        (1..3u8).prop_map(|n| Initiators {
            users: Some(vec![user(n)]),
            groups: None
        }),
        (1..3u8).prop_map(|n| Initiators {
            users: None,
            groups: Some(vec![group(n)])
        }),
    ];
    let sources = prop_oneof![
        (1..3u8).prop_map(|n| Sources {
            vaults: Some(vec![vault(n)]),
            tags: None
        }),
        select(vec!["hot", "cold"]).prop_map(|tag| Sources {
            vaults: None,
            tags: Some(vec![name(tag)])
        }),
    ];
    let range = prop_oneof![
        amount().prop_map(|lte| AmountRange {
            gt: None,
            lte: Some(lte)
        }),
        amount().prop_map(|gt| AmountRange {
            gt: Some(gt),
            lte: None
        }),
    ];
    let rare = |p| proptest::option::weighted(p, Just(()));
    (
        rare(0.2).prop_map(|some| some.map(|()| vec![Kind::Transfer])),
        option::weighted(0.2, initiators),
        option::weighted(0.2, sources),
        option::weighted(0.4, destinations()),
        rare(0.2).prop_map(|some| some.map(|()| vec![asset()])),
        option::weighted(0.5, range),
        prop_oneof![3 => Just(vec![]), 1 => vec(window(), 1..3)],
        option::weighted(0.2, hours()),
    )
        .prop_map(
            |(kinds, initiators, sources, destinations, assets, amount, velocity, time)| Match {
                kinds,
                initiators: initiators.map(Box::new),
                sources: sources.map(Box::new),
                destinations: destinations.map(Box::new),
                assets,
                amount: amount.map(Box::new),
                velocity,
                time: time.map(Box::new),
            },
        )
}

/// Any obligations, including those that loading refuses, because evaluation is total.
pub fn obligations() -> impl Strategy<Value = Then> {
    let needs = subsequence(vec![1u8, 2, 3], 0..=3)
        .prop_shuffle()
        .prop_flat_map(|groups| {
            let n = groups.len();
            (Just(groups), vec(1..4u32, n))
        });
    let fee = option::weighted(0.3, (0..20u64).prop_map(units));
    (select(&TIERS[..]), 0..3u64, any::<bool>(), needs, fee).prop_map(
        |(tier, time_lock_seconds, ordered, (groups, approvals), fee_max)| {
            let needs = groups.into_iter().zip(approvals);
            let groups = needs
                .map(|(n, approvals)| GroupNeed {
                    group: group(n),
                    approvals,
                })
                .collect();
            Then {
                tier,
                time_lock_seconds,
                ordered,
                groups,
                fee_max,
            }
        },
    )
}

pub fn rule_with(id: String) -> impl Strategy<Value = Rule> {
    (conditions(), obligations()).prop_map(move |(matches, then)| rule(&id, matches, then))
}

pub fn guard_with(id: String) -> impl Strategy<Value = Guard> {
    let kind = prop_oneof![
        select(vec![FRIEND, STRANGER])
            .prop_map(|a| GuardKind::BlockedDestinations(vec![a.to_owned()])),
        window().prop_map(|window| GuardKind::Ceiling {
            asset: asset(),
            window
        }),
        amount().prop_map(|lte| GuardKind::AmountMax {
            asset: asset(),
            lte
        }),
        select(vec![CHAIN, "eip155:1"])
            .prop_map(|chain| GuardKind::Chains(vec![chain.parse().unwrap()])),
        select(vec![ASSET, "eip155:1/slip44:60"])
            .prop_map(|a| GuardKind::Assets(vec![a.parse().unwrap()])),
        (0..20u64).prop_map(|lte| GuardKind::FeeMax {
            chain: chain(),
            lte: units(lte)
        }),
        hours().prop_map(GuardKind::ClosedHours),
    ];
    kind.prop_map(move |kind| guard(&id, kind))
}

pub fn policy() -> impl Strategy<Value = Policy> {
    let guards = option::weighted(0.3, guard_with("g0".to_owned()));
    let rules = (0..5usize).prop_flat_map(|n| {
        (0..n)
            .map(|at| rule_with(format!("r{at}")))
            .collect::<Vec<_>>()
    });
    (guards, rules).prop_map(|(guard, rules)| Policy {
        guards: guard.into_iter().collect(),
        rules: rules.into(),
    })
}

pub fn world() -> impl Strategy<Value = World> {
    let spend = (0..150_000u64, 1..3u8, 1..3u8, amount()).prop_map(|(age, v, u, amount)| Spend {
        at: UnixMs(NOW.0 - age),
        vault: vault(v),
        user: user(u),
        amount,
    });
    (vec(spend, 0..4), any::<bool>()).prop_map(|(ledger, friends)| {
        let mut world = World {
            ledger,
            ..crate::world::world()
        };
        if !friends {
            world.listed.clear();
        }
        world
    })
}

/// An intent and the time at which the policy judges it.
pub fn asked() -> impl Strategy<Value = (Intent, UnixMs)> {
    let place = prop_oneof![
        Just(to(FRIEND)),
        Just(to(STRANGER)),
        Just(Destination::Vault(vault(2)))
    ];
    (
        1..300u64,
        vec(place, 1..3),
        1..3u8,
        1..3u8,
        0..20u64,
        0..200_000_000u64,
    )
        .prop_map(|(amount, places, payer, initiator, fee, later)| {
            let mut intent = intent(amount, &places);
            intent.vault = vault(payer);
            intent.initiator = credential(initiator);
            intent.fee_max = units(fee);
            // Half of the questions are asked at `NOW`, when the ledger's spends are still inside
            // their windows.
            (intent, NOW.plus(if later % 2 == 0 { 0 } else { later }))
        })
}
