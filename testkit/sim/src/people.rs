//! The people of a seed: they take_setup_step the installation, pay, approve, refuse, revoke,
//! cancel and stop.

mod acts;
mod clients;
mod founding;
mod keys;
mod paying;
mod platform;
mod tenants;
mod trust;

use crate::api::{Ask, Look, Shown, shown};
use crate::history::Tightening;
use crate::plan::{Plan, PlannedAct};
use crate::rig::Rig;
use crate::service::{Parts, Service};
use crate::signer::SignerHost;
use acts::Wish;
use clients::Clients;
use founding::Founding;
use rand_chacha::ChaCha20Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use strongroom_chain_bitcoin_dev::DevChain;
use strongroom_journal::state::{Lookup as _, State};
use strongroom_ports::chain::ChainCodec;
use strongroom_types::{
    ActBody, Destination, Digest, Document as _, Intent, KeyId, Scope, Signed, UnixMs, VaultId,
};
use strongroom_world::{FRIEND, Who};
pub(crate) use tenants::Tenants;

/// Life of the last intent, milliseconds.
const LAST_LIFE_MS: u64 = 60_000;
/// How often the last intent is tried.
const LAST_TRIES: usize = 3;

/// An act that is not answered yet.
struct UnderWay {
    signed: Signed,
    planned: Option<PlannedAct>,
}

/// The people of one tenant: what they want done, and what they know of its progress.
pub(crate) struct People {
    rig: Rig,
    plan: Plan,
    clients: Clients,
    chain: Arc<DevChain>,
    codec: Arc<dyn ChainCodec>,
    rng: ChaCha20Rng,
    look: Look,
    founding: Founding,
    /// When the vault was ready.
    ready_at: Option<u64>,
    /// When the vaults of all tenants were: the plan's times count from here.
    begins_at: Option<u64>,
    /// Acts under way, and what each was planned as.
    under_way: Vec<UnderWay>,
    /// Policies and ceremonies that were proposed, by the acts that did.
    proposals: Vec<Digest>,
    /// The same of the platform.
    platform_proposals: Vec<Digest>,
    /// How often a looser policy was proposed.
    loosened: u64,
    /// Further keys whose ceremonies were proposed.
    keys: Vec<KeyId>,
    /// Further vaults that are in force.
    vaults: Vec<VaultId>,
    /// The vault that was asked for last, whatever became of it.
    asked: Option<VaultId>,
    /// No act before this true time.
    wait_until: u64,
    /// Intents that were signed, by their place in the plan.
    made: BTreeMap<usize, Intent>,
    wishes: Vec<Wish>,
    /// Acts of the plan that became wishes.
    planned: usize,
    /// Decision cores that an approver answered, by intent and core.
    answered: BTreeSet<(Digest, Digest)>,
    /// The last intents, after all faults.
    last: Vec<Digest>,
}

impl People {
    /// People of the n-th tenant.
    fn new(parts: &Parts, plan: Plan, n: u64) -> Self {
        let mut rig = parts.rig.clone();
        rig.world = rig.world.for_tenant(n);
        let rng = rig.world.seed.rng("people", n);
        Self {
            rig,
            plan,
            clients: Clients::default(),
            chain: Arc::clone(&parts.chain),
            codec: Arc::clone(&parts.codec),
            rng,
            look: Look::default(),
            founding: Founding::default(),
            ready_at: None,
            begins_at: None,
            under_way: Vec::new(),
            proposals: Vec::new(),
            platform_proposals: Vec::new(),
            loosened: 0,
            keys: Vec::new(),
            vaults: Vec::new(),
            asked: None,
            wait_until: 0,
            made: BTreeMap::new(),
            wishes: Vec::new(),
            planned: 0,
            answered: BTreeSet::new(),
            last: Vec::new(),
        }
    }

    /// People look and act.
    fn step(&mut self, api: &mut Service, signers: &mut [SignerHost]) {
        let now = self.rig.now();

        // They see the journal through the API's replica; while it is down they wait.
        let Some(replica) = api.replica() else { return };
        let replica = Arc::clone(replica);
        self.send(api);
        replica.read(|follower| self.settle(api, follower.state()));

        // One act of the founding at a time: each needs the scope's version that the last one left.
        if self.ready_at.is_none() {
            if now >= self.wait_until && self.under_way.is_empty() {
                replica.read(|follower| self.take_setup_step(now, follower.state()));
            }
            return;
        }

        // A tenant that is founded waits for the others, so that plans of both mean one time.
        let Some(begins_at) = self.begins_at else {
            return;
        };
        let since = now - begins_at;
        self.pay(now, since);
        let rows = self.look.at(api);
        self.approve(now, &rows);
        self.plan_acts(now, since);
        replica.read(|follower| {
            self.on_waiting(now, follower.state());
            self.act(now, follower.state(), signers);
        });
    }

    fn submit(&mut self, signed: Signed, planned: Option<PlannedAct>) {
        self.clients.push(Ask::Act(signed.clone()));
        self.under_way.push(UnderWay { signed, planned });
    }

    /// An act of the tenant's scope at the version that the journal shows.
    fn sign(&self, now: u64, state: &State, body: ActBody, who: &[Who]) -> Signed {
        let scope = self.rig.world.scope();
        self.sign_for(now, state, (scope, body, None), who)
    }

    /// The same of any scope, with a life of so many milliseconds, if not the usual one.
    fn sign_for(
        &self,
        now: u64,
        state: &State,
        (scope, body, life_ms): (Scope, ActBody, Option<u64>),
        who: &[Who],
    ) -> Signed {
        let world = &self.rig.world;
        let version = match scope {
            Scope::Platform => state.platform().map(|platform| platform.version),
            Scope::Tenant(id) => state.tenant(id).map(|tenant| tenant.version),
        };
        let mut act = world.act(UnixMs(now), scope, body, version.unwrap_or(0));
        if let Some(life_ms) = life_ms {
            act.expires = UnixMs(now + life_ms);
        }
        world.sign(&act, who)
    }

    /// Intents of the plan that were not made yet are not made any more.
    fn calm_down(&mut self) {
        // Those after the last one that was made go; those before it keep their places, by which
        // acts name them.
        let last = self.made.keys().next_back();
        self.plan.intents.truncate(last.map_or(0, |last| last + 1));
        for (number, planned) in self.plan.intents.iter_mut().enumerate() {
            if !self.made.contains_key(&number) {
                planned.at_ms = u64::MAX;
            }
        }
    }

    /// Whether nothing is under way any more: every accepted intent has ended, every act is
    /// answered.
    fn is_over(&self, api: &Service) -> bool {
        let rows = shown(api.disk.content());
        self.ready_at.is_some()
            && self.under_way.is_empty()
            && self.wishes.is_empty()
            && self.clients.is_idle()
            && self.clients.missing(&rows).is_empty()
            && rows.iter().all(Shown::has_ended)
    }

    /// Accepted intents that the API does not show.
    fn missing(&self, rows: &[Shown]) -> Vec<Digest> {
        self.clients.missing(rows)
    }

    /// One more intent that nothing forbids; `false` when enough were tried.
    fn try_last_intent(&mut self) -> bool {
        if self.last.len() >= LAST_TRIES {
            return false;
        }
        let from = self.rig.world.tenant.vault;
        let friend = Destination::Address(FRIEND.to_owned());
        let intent = self.sign_intent(
            self.rig.now(),
            (100_000, Who::Initiator),
            (from, friend),
            LAST_LIFE_MS,
        );
        self.last.push(intent.digest());
        true
    }

    /// Whether one of the last intents was signed.
    fn is_last_signed(&self, rows: &[Shown]) -> bool {
        let is_last = |row: &&Shown| self.last.contains(&row.digest);
        rows.iter().filter(is_last).any(Shown::is_signed)
    }

    /// Why the last intent may rightly end unsigned, if it may.
    fn excuse(&self) -> Option<&'static str> {
        // The journal counts, not the answers: what was refused may come in from a witness that
        // it was handed to, or be there from another copy.
        let initiator = self.rig.world.person(Who::Initiator).credential.id;
        let revoked = Tightening::Credential(initiator);
        if self.rig.observer.is_stopped(self.rig.world.scope()) {
            Some("tenant_stopped")
        } else if self.rig.observer.is_tightened(&revoked) {
            Some("credential_revoked")
        } else if self.plan.limit < 100_000_000 {
            Some("limit_exceeded")
        } else {
            None
        }
    }

    /// For the debugger and for reports.
    fn describe(&self) -> String {
        let under_way: Vec<_> = self.under_way.iter().map(|act| act.planned).collect();
        let stage = match self.ready_at {
            Some(_) => "ready".to_owned(),
            None => format!("founding, after {:?}", self.founding.reached()),
        };
        let (made, planned) = (self.made.len(), self.plan.intents.len());
        let wishes = self.wishes.len();
        format!(
            "{stage}; {made} of {planned} intents signed; under way {under_way:?}; {wishes} wishes"
        )
    }
}
