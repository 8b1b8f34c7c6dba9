//! The people of every tenant of a plan.

use super::People;
use crate::api::Shown;
use crate::plan::Plan;
use crate::service::{Parts, Service};
use crate::signer::SignerHost;
use std::sync::Arc;
use strongroom_chain_bitcoin_dev::DevChain;
use strongroom_types::Digest;

/// Between blocks, milliseconds: confirmations come while payments are under way, some before their
/// signature is known to all.
const BLOCK_MS: u64 = 3_000;

/// Amount of a deposit: far above what a last intent pays.
const DEPOSIT: u64 = 1_000_000;

/// The people of all tenants, and the miner, whom nothing else needs.
pub(crate) struct Tenants {
    all: Vec<People>,
    chain: Arc<DevChain>,
    mine_at: u64,
}

impl Tenants {
    pub(crate) fn new(parts: &Parts, plan: &Plan) -> Self {
        let other = plan.other.clone().map(|other| Plan {
            intents: other.intents,
            acts: other.acts,
            ..plan.clone()
        });
        let plans = std::iter::once(plan.clone()).chain(other);
        let people = |(n, plan)| People::new(parts, plan, n);
        Self {
            all: (0..).zip(plans).map(people).collect(),
            chain: Arc::clone(&parts.chain),
            mine_at: 0,
        }
    }

    /// When all vaults were ready, if they are: the plan's times count from here.
    pub(crate) fn ready_at(&self) -> Option<u64> {
        let ready: Option<Vec<u64>> = self.all.iter().map(|people| people.ready_at).collect();
        ready?.into_iter().max()
    }

    /// People look and act.
    pub(crate) fn step(&mut self, api: &mut Service, signers: &mut [SignerHost], now: u64) {
        if now >= self.mine_at {
            self.mine_at = now + BLOCK_MS;
            self.chain.mine().unwrap();
        }
        let begins_at = self.ready_at();
        for people in &mut self.all {
            if begins_at.is_some() && people.begins_at.is_none() {
                people.rig.trace.begin();
            }
            people.begins_at = begins_at;
            people.step(api, signers);
        }
    }

    /// Intents of the plan that were not made yet are not made any more.
    pub(crate) fn calm_down(&mut self) {
        self.all.iter_mut().for_each(People::calm_down);
    }

    /// Whether nothing is under way any more.
    pub(crate) fn is_over(&self, api: &Service) -> bool {
        self.all.iter().all(|people| people.is_over(api))
    }

    /// Accepted intents that the API does not show.
    pub(crate) fn missing(&self, rows: &[Shown]) -> Vec<Digest> {
        let each = self.all.iter();
        each.flat_map(|people| people.missing(rows)).collect()
    }

    /// One more intent of each tenant; `false` when enough were tried.
    pub(crate) fn try_last_intents(&mut self, api: &Service) -> bool {
        // With the second one comes a deposit: the payments before may have used up every coin. Some
        // keep theirs because they can still be paid, and no two intents have one coin as anchor.
        if let Some(replica) = api.replica() {
            for people in self.all.iter().filter(|people| !people.last.is_empty()) {
                replica.read(|f| people.deposit(f.state(), 0, (DEPOSIT, 1)));
            }
        }

        // All of them, whatever the first one says.
        let tried: Vec<bool> = self.all.iter_mut().map(People::try_last_intent).collect();
        tried.contains(&true)
    }

    /// Whether one of the last intents of each tenant was signed, or may rightly end unsigned.
    pub(crate) fn are_last_settled(&self, rows: &[Shown]) -> bool {
        let is_settled = |p: &People| p.is_last_signed(rows) || p.excuse().is_some();
        self.all.iter().all(is_settled)
    }

    /// Lines for the debugger and for reports.
    pub(crate) fn describe(&self) -> Vec<String> {
        self.all.iter().map(People::describe).collect()
    }
}
