//! 40: what a payment was authorized on no longer holds when it is signed.

use super::held_back::HeldBack;
use super::steps::{Goal, edit_policy, named, way_home};
use super::{try_to_sign, usual};
use crate::ground::{Ground, now};
use crate::row::{Attack, Outcome, Row};
use anyhow::Context as _;
use std::time::Duration;
use strongroom_guard::G;
use strongroom_journal::Body;
use strongroom_policy::{DestinationType, Destinations};
use strongroom_types::{ActBody, Code, Document as _, Tighten};
use strongroom_world::{ONE_OF_N_MAX, Who, WorldOptions};

const AMOUNT: u64 = 300_000;
/// Time for which an approval holds that ends soon, milliseconds.
const SOON_MS: u64 = 2_500;

pub const ROW: Row = Row {
    id: "40",
    story: "A payment is authorized. Then the committee forbids such payments, the approval \
            ends, its address is taken off the list, or an admin stops the tenant. The \
            coordinator, who kept the request, asks the signers for it now.",
    attacks: &[
        Attack {
            guard: G::AskedAtHead,
            code: Code::PolicyBlocked,
            red_when: "a payment is signed that the policy in force forbids",
            world: usual,
            run: forbidden_since,
        },
        Attack {
            guard: G::ApprovalExpiry,
            code: Code::ApprovalNoLongerInForce,
            red_when: "a payment is signed after the end of its approval",
            world: usual,
            run: approval_over,
        },
        Attack {
            guard: G::StillListed,
            code: Code::AllowListNoLongerInForce,
            red_when: "a payment is signed to an address that was taken off the list",
            world: listed_apart,
            run: off_the_list,
        },
        Attack {
            guard: G::NotHeld,
            code: Code::TenantStopped,
            red_when: "a payment of a stopped tenant is signed",
            world: usual,
            run: stopped_since,
        },
        Attack {
            guard: G::CancelHeld,
            code: Code::TenantStopped,
            red_when: "a transaction of a stopped tenant is signed that returns a payment's coins",
            world: usual,
            run: cancel_of_the_stopped,
        },
    ],
};

/// Addresses on the list have a rule of their own, which asks as much as the one for all others.
fn listed_apart() -> WorldOptions {
    WorldOptions {
        charter: |charter, _| {
            edit_policy(charter, |policy| {
                let mut rules = policy.rules.to_vec();
                let Some(mut known) = rules.get(1).cloned() else {
                    return;
                };
                if let Ok(id) = "known".parse() {
                    known.id = id;
                }
                known.matches.destinations = Some(Box::new(Destinations {
                    types: vec![DestinationType::AllowListed],
                    min_age_seconds: None,
                    labels: None,
                }));
                rules.insert(1, known);
                policy.rules = rules.into();
            });
        },
        ..usual()
    }
}

fn forbidden_since(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let held = HeldBack::new(ground)?;
    held.goal.ask(ground)
}

fn approval_over(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let payment = ground.payment(ONE_OF_N_MAX)?;
    let (approver, intent) = (Who::Approver(0), &payment.intent);
    let core = ground.ledger().core(intent);
    let mut approval = ground.world.approval(approver, intent, &core, &[]);
    approval.expires = now().plus(SOON_MS);
    let over = approval.expires;
    let approval = ground.world.sign(&approval, &[approver]);
    let attempt = payment.attempt.clone();
    let authorization = ground
        .world
        .authorization(intent, &core, vec![approval], attempt);
    ground.submit(Body::Authorized(Box::new(authorization)))?;
    ground.wait_nodes()?;

    let goal = Goal::new(ground, &payment)?;
    ground.wait(Duration::from_millis(over.since(now()) + 50))?;
    let outcome = goal.ask(ground)?;
    Ok(named(outcome, || {
        format!(
            "signed {} ms after the end of its approval",
            now().since(over)
        )
    }))
}

fn off_the_list(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let payment = ground.authorized(ONE_OF_N_MAX, &[Who::Approver(0)])?;
    let friend = ground.world.tenant.friend;
    ground.tighten(Tighten::revoke(friend))?;
    ground.wait_nodes()?;
    try_to_sign(ground, &payment)
}

fn stopped_since(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let payment = ground.authorized(AMOUNT, &[])?;
    ground.tighten(Tighten::Stop)?;
    ground.wait_nodes()?;
    try_to_sign(ground, &payment)
}

/// A signature moves coins here too: after an incident no one knows yet whose address the vault's
/// own addresses are.
fn cancel_of_the_stopped(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let payment = ground.authorized(AMOUNT, &[])?;
    let cancel = ActBody::Tighten(Tighten::Cancel(payment.intent.digest()));
    ground.act(cancel, &[Who::InitiatorKey])?;
    let fee = payment.built.fee.to_u64().context("the fee")?;
    let home = way_home(&payment, fee + 200)?;
    ground.submit(Body::from(home.attempt.clone()))?;
    ground.tighten(Tighten::Stop)?;
    ground.wait_nodes()?;
    try_to_sign(ground, &home)
}
