//! One evaluation of a policy with 200 rules, the last of which matches.

use crate::measure::median;
use serde_json::{Value, json};
use std::hint::black_box;
use std::time::Instant;
use strongroom_policy::{
    AmountRange, DestinationType, Destinations, Listed, Match, Moment, Payment, Policy, PolicyView,
    Question, Rule, Sources, Spent, Then, WindowScope, evaluate,
};
use strongroom_types::{
    AllowListId, AssetId, ChainId, CredentialId, Digest, Document as _, GroupId, GroupNeed, Tier,
    UnixMs, UserId, Vault, VaultId,
};
use strongroom_world::{FRIEND, World, WorldOptions};

const RULES: u64 = 200;
const RUNS: u32 = 200;
/// Evaluations timed together: one takes less than the clock's resolution.
const TOGETHER: u32 = 100;

struct View(Vault);

impl PolicyView for View {
    fn vault(&self, _: VaultId) -> Option<Vault> {
        Some(self.0.clone())
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
            label: "friend".parse().ok()?,
            since: UnixMs(0),
        })
    }

    fn spent(&self, _: WindowScope, _: &AssetId, _: u64, _: UnixMs) -> Option<Spent> {
        Some(Spent::default())
    }
}

pub fn run() -> anyhow::Result<Value> {
    let world = World::new(1, WorldOptions::default());
    let intent = world.intent(UnixMs(1), 1_000_000, FRIEND);
    let view = View(world.tenant.first_vault());
    let policy = Policy {
        guards: Vec::new(),
        rules: rules()?.into(),
    };
    let payment = Payment::from(&intent);
    let question = Question {
        payment: &payment,
        intent_digest: intent.digest(),
        moment: Moment::Entry(UnixMs(2)),
        decoder: "bitcoin/1",
    };
    let digest = Digest::default();
    let matched = evaluate(&policy, digest, &view, &question).core.rule;
    let run = |_| {
        let start = Instant::now();
        for _ in 0..TOGETHER {
            black_box(evaluate(
                black_box(&policy),
                digest,
                &view,
                black_box(&question),
            ));
        }
        start.elapsed().as_secs_f64() * 1e9 / f64::from(TOGETHER)
    };
    anyhow::ensure!(
        matched == format!("rule {}", RULES - 1),
        "rule `{matched}` matched"
    );
    Ok(json!({"rules": RULES, "evaluate_ns": median((0..RUNS).map(run).collect())}))
}

/// Rules that fail, each by another condition in turn, and a last one that matches.
fn rules() -> anyhow::Result<Vec<Rule>> {
    let rule = |at| {
        Ok(Rule {
            id: format!("rule {at}").parse()?,
            matches: if at + 1 == RULES {
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
        })
    };
    (0..RULES).map(rule).collect()
}

fn miss(at: u64) -> Match {
    match at % 4 {
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
            let destinations = Destinations {
                types,
                min_age_seconds: None,
                labels: None,
            };
            Match {
                destinations: Some(Box::new(destinations)),
                ..Match::default()
            }
        }
        _ => Match {
            assets: "eip155:1/slip44:60".parse().ok().map(|asset| vec![asset]),
            ..Match::default()
        },
    }
}
