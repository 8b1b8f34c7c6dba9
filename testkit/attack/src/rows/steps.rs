//! Steps that several rows share.

use super::{QUORUM, ask_for, sign, usual};
use crate::ground::{Building, Forced, Ground, Payment, edited, now};
use crate::row::Outcome;
use anyhow::Context as _;
use bitcoin::Amount;
use strongroom_journal::writer::Offer;
use strongroom_journal::{Authorization, Body};
use strongroom_policy::{Match, Policy, Rule, Then, VelocityScope, Window};
use strongroom_types::{
    Act, ActBody, AttemptKind, Charter, Document as _, GroupNeed, RegistryRecord, Scope, Signed,
    Tier, UnixMs,
};
use strongroom_wire::SigningRequest;
use strongroom_world::{PolicyOptions, WorldOptions};

/// A payment of an order is signed; gives the order's name, as its client wrote it.
pub fn order_signed(ground: &mut Ground, amount: u64) -> anyhow::Result<String> {
    let order = format!("invoice {}", ground.world.next());
    let payment = ground.payment_of(ground.world.order(now(), amount, &order))?;
    let body = ground.authorization(&payment, &[]);
    ground.submit(body)?;
    sign(ground, &payment)?;
    Ok(order)
}

/// Most that the tenant pays within an hour in the world [`limited`], fees and all.
pub const LIMIT: u64 = 1_000_000;

/// The usual world with a limit for an hour, of which the honest payment takes 420 000.
pub fn limited() -> WorldOptions {
    let window = Window {
        scope: VelocityScope::Tenant,
        window_seconds: 3_600,
        amount_lte: Some(LIMIT.into()),
        count_lte: None,
    };
    WorldOptions {
        policy: PolicyOptions {
            ceilings: vec![window],
            ..PolicyOptions::default()
        },
        ..usual()
    }
}

/// A payment that the thief wants signed. The quorum's commitments are taken first: a node that
/// stopped gives none.
pub struct Goal {
    pub payment: Payment,
    pub request: SigningRequest,
}

impl Goal {
    pub fn new(ground: &mut Ground, payment: &Payment) -> anyhow::Result<Self> {
        let request = ground.request(payment, &QUORUM)?;
        Ok(Self {
            payment: payment.clone(),
            request,
        })
    }

    /// The writer appends a body whatever the rules say. What came of it when it stopped the nodes;
    /// nothing when the rules take it, and it is in force.
    pub fn force(&self, ground: &mut Ground, body: &Body) -> anyhow::Result<Option<Outcome>> {
        let offer = strongroom_world::offer(body, ground.world.scope());
        self.force_offer(ground, &offer, now())
    }

    /// The same of an act.
    pub fn force_act(&self, ground: &mut Ground, act: &Signed) -> anyhow::Result<Option<Outcome>> {
        self.force(ground, &Body::Act(act.clone()))
    }

    /// The same under a scope and a stamp of the writer's choice.
    pub fn force_offer(
        &self,
        ground: &mut Ground,
        offer: &Offer,
        stamp: UnixMs,
    ) -> anyhow::Result<Option<Outcome>> {
        if let Some(outcome) = self.flood(ground, std::slice::from_ref(offer), stamp)? {
            return Ok(Some(outcome));
        }
        ground.wait_witnessed()?;
        ground.settle()?;
        Ok(None)
    }

    /// The writer appends many bodies under one stamp, and waits for no witness.
    pub fn flood(
        &self,
        ground: &mut Ground,
        offers: &[Offer],
        stamp: UnixMs,
    ) -> anyhow::Result<Option<Outcome>> {
        for offer in offers {
            if let Forced::Stopped(_, batch) = ground.force_offer(offer, stamp)? {
                return ask_for(ground, &self.payment, &self.request, Some(batch)).map(Some);
            }
        }
        Ok(None)
    }

    /// Asks the quorum.
    pub fn ask(&self, ground: &mut Ground) -> anyhow::Result<Outcome> {
        ground.wait_nodes()?;
        ask_for(ground, &self.payment, &self.request, None)
    }
}

/// Bodies as an honest service offers them.
pub fn offers(ground: &Ground, bodies: &[Body]) -> Vec<Offer> {
    let scope = ground.world.scope();
    let offer = |body| strongroom_world::offer(body, scope);
    bodies.iter().map(offer).collect()
}

/// A body under another tenant's name.
pub fn under(scope: Scope, body: Body) -> Offer {
    Offer { scope, body }
}

/// The committee proposes a record; gives the act that its release names.
pub fn propose(ground: &mut Ground, record: RegistryRecord) -> anyhow::Result<ActBody> {
    let committee = ground.ledger().committee();
    let act = ground.ledger().signed_act(ActBody::Put(record), &committee);
    ground.submit(Body::Act(act.clone()))?;
    Ok(ActBody::Release(Act::digest_of(&act.text)))
}

/// An authorization of a payment with these approvals.
pub fn approved(ground: &Ground, payment: &Payment, approvals: Vec<Signed>) -> Body {
    let core = ground.ledger().core(&payment.intent);
    let authorization: Authorization =
        ground
            .world
            .authorization(&payment.intent, &core, approvals, payment.attempt.clone());
    Body::Authorized(Box::new(authorization))
}

/// The attempt after this one: the same payment from the same coin, at another fee rate.
pub fn bumped(
    ground: &Ground,
    payment: &Payment,
    building: &Building<'_>,
) -> anyhow::Result<Payment> {
    let built = ground.build(building)?;
    Ok(payment.further(AttemptKind::Bump, built))
}

/// The attempt after this one, which returns everything to the vault at a fee.
pub fn way_home(payment: &Payment, fee: u64) -> anyhow::Result<Payment> {
    let mut home = payment.further(AttemptKind::Cancel, payment.built.clone());
    home.attempt.fee_max = fee.into();
    let unsigned = edited(&payment.built.unsigned, |unsigned| {
        let brought: u64 = unsigned.inputs.iter().map(|input| input.amount).sum();
        let own = unsigned.outputs.iter().position(Option::is_some);
        let own = own.context("a payment with change")?;
        let mut output = unsigned.transaction.output.swap_remove(own);
        output.value = Amount::from_sat(brought - fee);
        let path = unsigned.outputs.swap_remove(own);
        unsigned.transaction.output = vec![output];
        unsigned.outputs = vec![path];
        Ok(())
    })?;
    Ok(home.with_transaction(unsigned))
}

/// Changes the policy of a charter.
pub fn edit_policy(charter: &mut Charter, change: impl FnOnce(&mut Policy)) {
    // A charter of the world always has a policy that reads.
    if let Ok(mut policy) = Policy::parse(&charter.policy) {
        change(&mut policy);
        charter.policy = policy.to_text();
    }
}

/// Puts a rule before all others.
pub fn put_first(policy: &mut Policy, rule: Rule) {
    let mut rules = vec![rule];
    rules.extend(policy.rules.iter().cloned());
    policy.rules = rules.into();
}

/// A rule of this tier; people of `groups` approve.
pub fn rule(id: &str, matches: Match, tier: Tier, groups: Vec<GroupNeed>) -> Option<Rule> {
    let fee_max = (tier == Tier::Auto).then(|| 1_000_000.into());
    Some(Rule {
        id: id.parse().ok()?,
        matches,
        then: Then {
            tier,
            time_lock_seconds: 0,
            ordered: false,
            groups,
            fee_max,
        },
    })
}

/// The same outcome with the harm in the row's own words.
pub fn named(outcome: Outcome, harm: impl FnOnce() -> String) -> Outcome {
    Outcome {
        harm: outcome.harm.as_ref().map(|_| harm()),
        ..outcome
    }
}
