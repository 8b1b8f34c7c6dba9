//! The tenant's policy in its variants.

use crate::options::PolicyOptions;
use crate::world::native;
use strongroom_policy::{
    AmountRange, DestinationType, Destinations, Guard, GuardKind, Match, Policy, Rule, Then,
};
use strongroom_types::{GroupId, GroupNeed, MinorUnits, Tier};

/// Largest amount for which no approver is asked, satoshi (0.01 BTC).
pub const AUTO_MAX: u64 = 1_000_000;
/// Largest amount for which one approver is asked, satoshi (1 BTC); above it two are.
pub const ONE_OF_N_MAX: u64 = 100_000_000;
/// Largest fee cap of the automatic rule.
const AUTO_FEE_MAX: u64 = 1_000_000;

pub(crate) fn policy(options: &PolicyOptions, approvers: GroupId, risk: GroupId) -> Policy {
    let ceiling = |(at, window): (usize, &strongroom_policy::Window)| Guard {
        id: format!("ceiling {at}").parse().unwrap(),
        kind: GuardKind::Ceiling {
            asset: native(),
            window: window.clone(),
        },
    };
    let mut small = rule("small", Some(AUTO_MAX), Tier::Auto, vec![]);
    small.then.fee_max = Some(AUTO_FEE_MAX.into());
    if options.auto_allow_listed {
        let types = vec![DestinationType::AllowListed, DestinationType::Internal];
        let destinations = Destinations {
            types,
            min_age_seconds: None,
            labels: None,
        };
        small.matches.destinations = Some(Box::new(destinations));
    }
    let one = vec![GroupNeed {
        group: approvers,
        approvals: 1,
    }];
    let many = if options.ordered {
        vec![
            GroupNeed {
                group: risk,
                approvals: 1,
            },
            GroupNeed {
                group: approvers,
                approvals: 1,
            },
        ]
    } else {
        vec![GroupNeed {
            group: approvers,
            approvals: 2,
        }]
    };
    let mut large = rule("large", None, Tier::MOfN, many);
    large.then.ordered = options.ordered;
    large.then.time_lock_seconds = options.time_lock_seconds;
    let most = options.amount_max.map(|most| Guard {
        id: "most".parse().unwrap(),
        kind: GuardKind::AmountMax {
            asset: native(),
            lte: most.into(),
        },
    });
    let ceilings = options.ceilings.iter().enumerate().map(ceiling);
    Policy {
        guards: ceilings.chain(most).collect(),
        rules: vec![
            small,
            rule("medium", Some(ONE_OF_N_MAX), Tier::OneOfN, one),
            large,
        ]
        .into(),
    }
}

fn rule(id: &str, lte: Option<u64>, tier: Tier, groups: Vec<GroupNeed>) -> Rule {
    let amount = lte.map(|lte| {
        Box::new(AmountRange {
            gt: None,
            lte: Some(MinorUnits::from(lte)),
        })
    });
    Rule {
        id: id.parse().unwrap(),
        matches: Match {
            amount,
            ..Match::default()
        },
        then: Then {
            tier,
            time_lock_seconds: 0,
            ordered: false,
            groups,
            fee_max: None,
        },
    }
}
