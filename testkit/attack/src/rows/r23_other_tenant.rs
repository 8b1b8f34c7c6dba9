//! 23: what one tenant signed is used in another.

use super::steps::{Goal, LIMIT, limited, named, under};
use crate::ground::{Ground, now};
use crate::row::{Attack, Outcome, Row};
use strongroom_guard::G;
use strongroom_journal::Body;
use strongroom_policy::{Guard, GuardKind};
use strongroom_types::{ActBody, Code, Document as _, RegistryRecord, TenantId, Tighten};
use strongroom_world::{Ledger, NATIVE, World};

const AMOUNT: u64 = 350_000;

pub const ROW: Row = Row {
    id: "23",
    story: "Two companies of one group are clients of the platform, with the same people. The \
            thief, who writes the journal, books payments of the first company in the second \
            one's account, so that they use up nothing of the first one's limit; and ends the \
            first one's stop by the act that the people signed for the second.",
    attacks: &[
        Attack {
            guard: G::IntentScope,
            code: Code::WrongScope,
            red_when: "the first company's payments of an hour add up to more than its limit",
            world: limited,
            run: booked_elsewhere,
        },
        Attack {
            guard: G::ActScope,
            code: Code::WrongScope,
            red_when: "a payment is signed during a stop that its company never ended",
            world: limited,
            run: resumed_by_the_other,
        },
    ],
};

/// The group's second company: other ids, the same people.
fn second_company(ground: &mut Ground) -> anyhow::Result<World> {
    let mut second = ground.world.clone();
    second.tenant.id = TenantId([0x22; 16]);
    let create = second.create_tenant(now());
    ground.submit(Body::Act(create))?;
    Ok(second)
}

/// The writer's state as the second company sees it.
fn ledger_of(ground: &Ground, company: &World) -> Ledger {
    let mut ledger = ground.ledger();
    ledger.world = company.clone();
    ledger
}

fn booked_elsewhere(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let second = second_company(ground)?;
    let mut left = 400_000;
    let mut last = Outcome::default();
    // Each fits by itself beside the honest payment, the two do not.
    for _ in 0..2 {
        let payment = ground.payment(AMOUNT)?;
        let goal = Goal::new(ground, &payment)?;
        let body = ground.authorization(&payment, &[]);
        let offer = under(second.scope(), body);
        if let Some(outcome) = goal.force_offer(ground, &offer, now())? {
            return Ok(outcome);
        }
        last = goal.ask(ground)?;
        left += AMOUNT;
    }
    anyhow::ensure!(left > LIMIT, "both fit");
    Ok(named(last, || {
        format!("{left} left within an hour, the limit is {LIMIT}")
    }))
}

fn resumed_by_the_other(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let second = second_company(ground)?;
    let payment = ground.authorized(AMOUNT, &[])?;
    ground.tighten(Tighten::Stop)?;
    let goal = Goal::new(ground, &payment)?;

    // An act is for one version of its scope; the second company comes to the same number by
    // changes of its own.
    let version = ground.ledger().version();
    let mut guards = Vec::new();
    while ledger_of(ground, &second).version() + 1 < version {
        guards.push(Guard {
            id: format!("most {}", guards.len()).parse()?,
            kind: GuardKind::AmountMax {
                asset: NATIVE.parse()?,
                lte: 1_000_000_000.into(),
            },
        });
        let ledger = ledger_of(ground, &second);
        let mut stricter = second.tenant.policy(&second.options.policy);
        stricter.guards.extend(guards.iter().cloned());
        let put = ActBody::Put(RegistryRecord::Policy(stricter.to_text()));
        let act = ledger.signed_act(put, &ledger.committee());
        ground.submit(Body::Act(act))?;
    }
    let ledger = ledger_of(ground, &second);
    let stop = ledger.signed_act(ActBody::Tighten(Tighten::Stop), &ledger.admins());
    ground.submit(Body::Act(stop))?;
    let ledger = ledger_of(ground, &second);
    let resume = ledger.signed_act(ActBody::Resume, &ledger.admins());

    let offer = under(ground.world.scope(), Body::Act(resume));
    if let Some(outcome) = goal.force_offer(ground, &offer, now())? {
        return Ok(outcome);
    }
    goal.ask(ground)
}
