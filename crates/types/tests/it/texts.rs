//! Values of each document, with every optional member present in one and absent in another.

use strongroom_policy::{
    AmountRange, Day, DestinationType, Destinations, Guard, GuardKind, Hours, Initiators, Kind,
    Match, Policy, Rule, Sources, Then, VelocityScope, Window,
};
use strongroom_types::*;

pub const CHAIN: &str = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328";
pub const ASSET: &str = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328/slip44:1";
pub const ADDRESS: &str = "bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqc8gma6";
pub const NOW: UnixMs = UnixMs(1_767_225_600_000);

pub fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn transfer(destination: Destination, amount: u64, memo: Option<&str>) -> Transfer {
    Transfer {
        asset: ASSET.parse().unwrap(),
        destination,
        amount: amount.into(),
        memo: memo.map(name),
    }
}

pub fn intent() -> Intent {
    Intent {
        platform: PlatformId([1; 16]),
        tenant: TenantId([2; 16]),
        vault: VaultId([3; 16]),
        initiator: CredentialId([4; 16]),
        external_id: name("order 1"),
        created: NOW,
        expires: NOW.plus(3_600_000),
        chain: CHAIN.parse().unwrap(),
        kind: IntentKind::Transfer(vec![transfer(
            Destination::Address(ADDRESS.to_owned()),
            1_000_000,
            None,
        )]),
        fee_max: 20_000.into(),
        attempts_max: 3,
        purpose: None,
    }
}

/// An intent with every optional member, both destinations, letters beyond ASCII and the largest
/// amount that fits.
pub fn full_intent() -> Intent {
    let most = MinorUnits::from_be_bytes([0x7f; 32]);
    let mut second = transfer(
        Destination::Vault(VaultId([5; 16])),
        1,
        Some("Überweisung \"№ 7\" \u{1f600}"),
    );
    second.amount = most;
    let first = transfer(Destination::Address(ADDRESS.to_owned()), 546, Some("rent"));
    Intent {
        kind: IntentKind::Transfer(vec![first, second]),
        purpose: Some(name("salaries, October / Gehälter")),
        attempts_max: 8,
        fee_max: MinorUnits::ZERO,
        ..intent()
    }
}

fn groups() -> Vec<GroupNeed> {
    [(7, 1), (6, 2)]
        .map(|(n, approvals)| GroupNeed {
            group: GroupId([n; 16]),
            approvals,
        })
        .to_vec()
}

pub fn core() -> DecisionCore {
    DecisionCore {
        intent: intent().digest(),
        policy: policy().digest(),
        rule: "large".to_owned(),
        tier: Tier::MOfN,
        time_lock_seconds: 60,
        ordered: true,
        groups: groups(),
        obligations: Vec::new(),
        decoder: "bitcoin/1".to_owned(),
    }
}

pub fn auto_core() -> DecisionCore {
    DecisionCore {
        rule: "small".to_owned(),
        tier: Tier::Auto,
        time_lock_seconds: 0,
        ordered: false,
        groups: vec![],
        ..core()
    }
}

pub fn approval() -> Approval {
    Approval {
        platform: PlatformId([1; 16]),
        tenant: TenantId([2; 16]),
        intent: intent().digest(),
        core: core().digest(),
        after: vec![Digest([8; 32]), Digest([9; 32])],
        approver: CredentialId([10; 16]),
        rationale: digest("test", &[b"as ordered"]),
        nonce: ApprovalNonce([11; 16]),
        expires: NOW.plus(3_600_000),
    }
}

/// An approval without earlier groups and without a reason.
pub fn bare_approval() -> Approval {
    Approval {
        after: vec![],
        rationale: Digest::default(),
        ..approval()
    }
}

/// A policy with every guard kind and every condition.
pub fn policy() -> Policy {
    let asset: AssetId = ASSET.parse().unwrap();
    let chain: ChainId = CHAIN.parse().unwrap();
    let window = |scope| Window {
        scope,
        window_seconds: 86_400,
        amount_lte: Some(5_000_000.into()),
        count_lte: Some(9),
    };
    let hours = Hours {
        utc_offset_minutes: -330,
        days: vec![Day::Saturday, Day::Sunday],
        from: "22:00".parse().unwrap(),
        to: "06:30".parse().unwrap(),
    };
    let guards = [
        GuardKind::BlockedDestinations(vec!["bcrt1pbad".to_owned()]),
        GuardKind::Ceiling {
            asset: asset.clone(),
            window: window(VelocityScope::Tenant),
        },
        GuardKind::AmountMax {
            asset: asset.clone(),
            lte: 1_000_000_000.into(),
        },
        GuardKind::Chains(vec![chain.clone()]),
        GuardKind::Assets(vec![asset.clone()]),
        GuardKind::FeeMax {
            chain,
            lte: 100_000.into(),
        },
        GuardKind::ClosedHours(hours.clone()),
    ];
    let guard = |(at, kind): (usize, GuardKind)| Guard {
        id: name(&format!("guard {at}")),
        kind,
    };
    let everything = Match {
        kinds: Some(vec![Kind::Transfer]),
        initiators: Some(Box::new(Initiators {
            users: Some(vec![UserId([12; 16])]),
            groups: Some(vec![GroupId([6; 16])]),
        })),
        sources: Some(Box::new(Sources {
            vaults: Some(vec![VaultId([3; 16])]),
            tags: Some(vec![name("hot")]),
        })),
        destinations: Some(Box::new(Destinations {
            types: vec![
                DestinationType::AllowListed,
                DestinationType::AllowListedNew,
            ],
            min_age_seconds: Some(86_400),
            labels: Some(vec![name("exchange")]),
        })),
        assets: Some(vec![asset]),
        amount: Some(Box::new(AmountRange {
            gt: Some(1.into()),
            lte: Some(1_000_000.into()),
        })),
        velocity: vec![
            window(VelocityScope::Initiator),
            window(VelocityScope::Vault),
        ],
        time: Some(Box::new(hours)),
    };
    let then = |tier, groups| Then {
        tier,
        time_lock_seconds: 0,
        ordered: false,
        groups,
        fee_max: None,
    };
    let auto = Then {
        fee_max: Some(20_000.into()),
        ..then(Tier::Auto, vec![])
    };
    let rules = vec![
        Rule {
            id: name("small"),
            matches: everything,
            then: auto,
        },
        Rule {
            id: name("never"),
            matches: Match::default(),
            then: then(Tier::Block, vec![]),
        },
        Rule {
            id: name("large"),
            matches: Match::default(),
            then: Then {
                ordered: true,
                time_lock_seconds: 60,
                ..then(Tier::Committee, groups())
            },
        },
    ];
    Policy {
        guards: guards.into_iter().enumerate().map(guard).collect(),
        rules: rules.into(),
    }
}
