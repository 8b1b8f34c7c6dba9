//! 49: an address is taken off the list, so that a block rule holds no more.

use super::steps::{Goal, edit_policy, put_first, rule};
use super::usual;
use crate::ground::{Ground, now};
use crate::row::{Attack, Outcome, Row};
use strongroom_guard::G;
use strongroom_policy::{AmountRange, DestinationType, Destinations, Match};
use strongroom_types::{Code, Tier, Tighten};
use strongroom_world::{FRIEND, WorldOptions};

/// Payments above this to the listed address are blocked.
const BLOCKED_ABOVE: u64 = 500_000;

pub const ROW: Row = Row {
    id: "49",
    story: "The committee blocks large payments to a listed address. An admin takes the address \
            off the list, which counts as a tightening and acts at once: now the address is just \
            any address, and the rule for any address lets the payment through.",
    attacks: &[Attack {
        guard: G::RemovalNoLoosening,
        code: Code::RemovalNotConfirmed,
        red_when: "a payment is signed that the committee's rule blocks",
        world: large_ones_blocked,
        run: off_the_list,
    }],
};

fn large_ones_blocked() -> WorldOptions {
    WorldOptions {
        charter: |charter, _| {
            edit_policy(charter, |policy| {
                let destinations = Destinations {
                    types: vec![DestinationType::AllowListed],
                    min_age_seconds: None,
                    labels: None,
                };
                let matches = Match {
                    destinations: Some(Box::new(destinations)),
                    amount: Some(Box::new(AmountRange {
                        gt: Some(BLOCKED_ABOVE.into()),
                        lte: None,
                    })),
                    ..Match::default()
                };
                if let Some(rule) = rule("blocked", matches, Tier::Block, Vec::new()) {
                    put_first(policy, rule);
                }
            });
        },
        ..usual()
    }
}

fn off_the_list(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let intent = ground.world.intent(now(), BLOCKED_ABOVE + 1, FRIEND);
    let payment = ground.payment_of(intent)?;
    let goal = Goal::new(ground, &payment)?;
    ground.tighten(Tighten::revoke(ground.world.tenant.friend))?;

    let body = ground.authorization(&payment, &[]);
    if let Some(outcome) = goal.force(ground, &body)? {
        return Ok(outcome);
    }
    goal.ask(ground)
}
