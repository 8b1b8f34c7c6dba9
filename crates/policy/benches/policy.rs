//! Cost of one evaluation of 200 rules, of which the last one matches. The goal is at most 1 µs
//! without windows.
#![allow(clippy::unwrap_used, missing_docs, reason = "benchmark")]

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use strongroom_policy::{
    AmountRange, DestinationType, Destinations, Guard, GuardKind, Listed, Match, Moment, Payment,
    Policy, PolicyView, Question, Rule, Sources, Spent, Then, VelocityScope, Window, WindowScope,
    evaluate, explain,
};
use strongroom_types::*;

const ASSET: &str = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328/slip44:1";
const CHAIN: &str = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328";

struct View {
    vault: Vault,
}

impl PolicyView for View {
    fn vault(&self, _: VaultId) -> Option<Vault> {
        Some(self.vault.clone())
    }

    fn can_receive(&self, _: VaultId) -> bool {
        true
    }

    fn user_of(&self, _: CredentialId) -> Option<UserId> {
        Some(UserId([1; 16]))
    }

    fn in_group(&self, _: GroupId, _: UserId) -> bool {
        true
    }

    fn allow_list(&self, _: &ChainId, _: &str) -> Option<Listed> {
        Some(Listed {
            id: AllowListId([1; 16]),
            label: "exchange".parse().unwrap(),
            since: UnixMs(0),
        })
    }

    fn spent(&self, _: WindowScope, _: &AssetId, _: u64, _: UnixMs) -> Option<Spent> {
        Some(Spent::default())
    }
}

/// Rules that fail, each by another condition in turn, and a last one that matches.
fn rules(n: u64) -> Vec<Rule> {
    let miss = |at: u64| match at % 4 {
        0 => Match {
            amount: Some(Box::new(AmountRange {
                gt: None,
                lte: Some(at.into()),
            })),
            ..Match::default()
        },
        1 => {
            let vaults = Some(vec![VaultId([u8::try_from(at).unwrap_or(0xff); 16])]);
            Match {
                sources: Some(Box::new(Sources { vaults, tags: None })),
                ..Match::default()
            }
        }
        2 => {
            let types = vec![DestinationType::Internal, DestinationType::Unknown];
            let destinations = Some(Box::new(Destinations {
                types,
                min_age_seconds: None,
                labels: None,
            }));
            Match {
                destinations,
                ..Match::default()
            }
        }
        _ => Match {
            assets: Some(vec!["eip155:1/slip44:60".parse().unwrap()]),
            ..Match::default()
        },
    };
    // Only the last rule matches, so the figure is the cost of passing over all the others.
    let rule = |at: u64| Rule {
        id: format!("rule {at}").parse().unwrap(),
        matches: if at + 1 == n {
            Match::default()
        } else {
            miss(at)
        },
        then: Then {
            tier: Tier::OneOfN,
            time_lock_seconds: 0,
            ordered: false,
            groups: vec![GroupNeed {
                group: GroupId([1; 16]),
                approvals: 1,
            }],
            fee_max: Some(100_000.into()),
        },
    };
    (0..n).map(rule).collect()
}

fn intent() -> Intent {
    let transfer = Transfer {
        asset: ASSET.parse().unwrap(),
        destination: Destination::Address(
            "bcrt1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqvg32hk".into(),
        ),
        amount: 1_000_000.into(),
        memo: None,
    };
    Intent {
        platform: PlatformId([1; 16]),
        tenant: TenantId([1; 16]),
        vault: VaultId([0; 16]),
        initiator: CredentialId([1; 16]),
        external_id: "x".parse().unwrap(),
        created: UnixMs(0),
        expires: UnixMs(1),
        chain: CHAIN.parse().unwrap(),
        kind: IntentKind::Transfer(vec![transfer]),
        fee_max: 1000.into(),
        attempts_max: 1,
        purpose: None,
    }
}

fn bench(c: &mut Criterion) {
    let vault = Vault {
        id: VaultId([0; 16]),
        name: "hot".parse().unwrap(),
        key: KeyId([1; 16]),
        account: 0,
        tags: vec!["hot".parse().unwrap()],
    };
    let (view, intent) = (View { vault }, intent());
    let payment = Payment::from(&intent);
    let question = Question {
        payment: &payment,
        intent_digest: intent.digest(),
        moment: Moment::Entry(UnixMs(1_767_225_600_000)),
        decoder: "bitcoin/1",
    };
    let chains = Guard {
        id: "chains".parse().unwrap(),
        kind: GuardKind::Chains(vec![CHAIN.parse().unwrap()]),
    };
    let policy = Policy {
        guards: vec![chains],
        rules: rules(200).into(),
    };
    // Half of the rules ask for a window, which costs a lookup in the view each.
    let window = Window {
        scope: VelocityScope::Tenant,
        window_seconds: 60,
        amount_lte: Some(1.into()),
        count_lte: None,
    };
    let mut half = rules(200);
    half.iter_mut().take(100).for_each(|rule| {
        rule.matches = Match {
            velocity: vec![window.clone()],
            ..Match::default()
        };
    });
    let windows = Policy {
        guards: vec![],
        rules: half.into(),
    };
    let digest = Digest([0; 32]);
    // The decision is checked, because an evaluation that stops early would look like a fast one.
    assert_eq!(
        evaluate(&policy, digest, &view, &question).core.rule,
        "rule 199"
    );
    c.bench_function("policy/200_rules", |b| {
        b.iter(|| evaluate(black_box(&policy), digest, &view, black_box(&question)));
    });
    c.bench_function("policy/200_rules_100_windows", |b| {
        b.iter(|| evaluate(black_box(&windows), digest, &view, black_box(&question)));
    });
    c.bench_function("policy/200_rules_with_evidence", |b| {
        b.iter(|| explain(black_box(&policy), digest, &view, black_box(&question)));
    });
    let text = policy.to_text();
    c.bench_function("policy/load_200_rules", |b| {
        b.iter(|| Policy::load(black_box(&text)).is_ok())
    });
}

criterion_group!(benches, bench);
criterion_main!(benches);
