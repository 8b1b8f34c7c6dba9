//! A payment that the policy in force forbids: it was authorized, and then the committee tightened
//! the policy. Only a looser policy lets it out, and rows try to have that before its time.

use super::steps::Goal;
use super::{ask_for, usual};
use crate::ground::{Forced, Ground, now};
use crate::row::Outcome;
use anyhow::ensure;
use strongroom_journal::Body;
use strongroom_types::{
    Act, ActBody, Document as _, Refusal, RegistryRecord, Signed, Tighten, UnixMs,
};
use strongroom_world::{PolicyOptions, Who, WorldOptions};

/// What is paid.
const AMOUNT: u64 = 600_000;
/// The most that the tighter policy lets one payment move; the honest payment is below it.
const MOST: u64 = 450_000;

/// Delay of loosenings in [`slow`], milliseconds: no row lasts so long.
pub const SLOW_MS: u64 = 60_000;

/// The usual world, in which a loosening waits for a minute.
pub fn slow() -> WorldOptions {
    WorldOptions {
        loosen_delay_ms: Some(SLOW_MS),
        ..usual()
    }
}

/// The payment, and the looser policy that would let it out.
pub struct HeldBack {
    pub goal: Goal,
}

impl HeldBack {
    /// Authorizes the payment and tightens the policy.
    pub fn new(ground: &mut Ground) -> anyhow::Result<Self> {
        let payment = ground.authorized(AMOUNT, &[])?;
        let committee = ground.ledger().committee();
        let tighter = policy(ground, Some(MOST));
        ground.act(tighter, &committee)?;
        ground.wait_nodes()?;
        let goal = Goal::new(ground, &payment)?;
        Ok(Self { goal })
    }

    /// The committee's proposal of the looser policy, which the journal does not have yet.
    pub fn proposal(ground: &Ground) -> Signed {
        let ledger = ground.ledger();
        ledger.signed_act(policy(ground, None), &ledger.committee())
    }

    /// The committee's release of a proposal.
    pub fn release(ground: &Ground, proposal: &Signed) -> Signed {
        let ledger = ground.ledger();
        let release = ActBody::Release(Act::digest_of(&proposal.text));
        ledger.signed_act(release, &ledger.committee())
    }

    /// The veto of one member of the committee.
    pub fn veto(ground: &Ground, proposal: &Signed) -> Signed {
        let veto = Tighten::Veto(Act::digest_of(&proposal.text));
        let ledger = ground.ledger();
        ledger.signed_act(ActBody::Tighten(veto), &[Who::Committee(2)])
    }

    /// Asks for the payment after the writer appended what it may not; a signature counts as stolen
    /// only before this time.
    pub fn ask_after(
        &self,
        ground: &mut Ground,
        forced: Forced,
        before: UnixMs,
    ) -> anyhow::Result<Outcome> {
        if let Forced::Stopped(_, batch) = forced {
            return ask_for(ground, &self.goal.payment, &self.goal.request, Some(batch));
        }
        ground.wait_witnessed()?;
        ground.settle()?;
        let outcome = self.goal.ask(ground)?;
        let late = now().since(before);
        ensure!(
            outcome.harm.is_none() || late == 0,
            "{late} ms too late to show anything"
        );
        Ok(outcome)
    }
}

/// The world's policy with a bound on each payment.
fn policy(ground: &Ground, amount_max: Option<u64>) -> ActBody {
    let options = PolicyOptions {
        amount_max,
        ..ground.world.options.policy.clone()
    };
    let policy = ground.world.tenant.policy(&options);
    ActBody::Put(RegistryRecord::Policy(policy.to_text()))
}

/// Appends a body that the rules take, under a stamp of the writer's choice.
pub fn append(ground: &mut Ground, body: &Body, stamp: UnixMs) -> anyhow::Result<u64> {
    let taken = ground.order(body, stamp);
    taken.map_err(|refusal: Refusal| anyhow::anyhow!("the journal refuses: {refusal}"))
}
