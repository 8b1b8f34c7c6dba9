//! A journal of one process: `apply` and commit, nothing else.

use crate::ceremony::Ceremony;
use crate::log::scope_of;
use crate::parties::Who;
use crate::world::{START, World};
use std::sync::Arc;
use strongroom_journal::apply::evaluate;
use strongroom_journal::entry::VERSION;
use strongroom_journal::state::Lookup as _;
use strongroom_journal::{Authorization, Body, Delta, Entry, State, Witnessed, apply};
use strongroom_tlog::{Checkpoint, Hash, leaf_hash};
use strongroom_types::{
    Act, ActBody, Attempt, Code, DecisionCore, Digest, Document as _, Intent, Refusal,
    RegistryRecord, Scope, Signed, Tighten, UnixMs,
};

/// A journal with everything that was appended to it.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// Installation whose journal it is.
    pub world: World,
    /// The state after the last entry.
    pub state: State,
    /// Every entry, from genesis.
    pub entries: Vec<Entry>,
    /// Change of the state by each entry, in the order of the entries.
    pub deltas: Vec<Delta>,
    /// The harness's clock; the short forms append at this time.
    pub now: UnixMs,
}

impl Ledger {
    /// A journal without any entry, not even genesis.
    #[must_use]
    pub fn empty(world: World) -> Self {
        let state = State::new(Arc::clone(&world.genesis));
        Self {
            world,
            state,
            entries: Vec::new(),
            deltas: Vec::new(),
            now: START,
        }
    }

    /// A journal with genesis only.
    #[must_use]
    pub fn new(world: World) -> Self {
        let mut ledger = Self::empty(world);
        let genesis = Body::Genesis(ledger.world.genesis.hash());
        ledger.push(genesis, START).expect("genesis");
        ledger
    }

    /// Genesis and the tenant.
    #[must_use]
    pub fn with_tenant(world: World) -> Self {
        let mut ledger = Self::new(world);
        ledger.create_tenant();
        ledger
    }

    /// Genesis, tenant, a ceremony proposed, released and finished, and the first vault.
    #[must_use]
    pub fn ready(world: World) -> Self {
        Self::ready_with_shares(world).0
    }

    /// As [`Ledger::ready`], with the key's shares.
    #[must_use]
    pub fn ready_with_shares(world: World) -> (Self, Ceremony) {
        let mut ledger = Self::with_tenant(world);
        let ceremony = ledger.make_key();
        let vault = ledger.world.tenant.first_vault();
        // Both boards sign, because a policy that tells vaults apart asks for both.
        let boards = [ledger.admins(), ledger.committee()].concat();
        ledger
            .act_in_force(ActBody::Put(RegistryRecord::Vault(vault)), &boards)
            .expect("vault");
        (ledger, ceremony)
    }

    /// Appends the act that creates the world's tenant.
    pub fn create_tenant(&mut self) {
        let act = self.world.create_tenant(self.now);
        self.push(Body::Act(act), self.now).expect("tenant");
    }

    /// Proposes and releases the tenant's first key, runs the ceremony and appends its end.
    pub fn make_key(&mut self) -> Ceremony {
        self.put_and_release(self.world.ceremony_record());
        let key = self
            .state
            .threshold_key(self.world.tenant.id, self.world.tenant.key)
            .expect("released");
        let ceremony = self.world.run_ceremony(&key);
        self.push(ceremony.body(), self.now).expect("finished");
        ceremony
    }

    /// Proposes a record, waits for the delay and releases it; witnesses vouch for both.
    pub fn put_and_release(&mut self, record: RegistryRecord) {
        let proposal = self.signed_act(ActBody::Put(record), &self.committee());
        self.push(Body::Act(proposal.clone()), self.now)
            .expect("proposal");
        self.witness();
        self.wait(self.world.options.delay_ms);
        let release = ActBody::Release(Act::digest_of(&proposal.text));
        self.act_in_force(release, &self.committee())
            .expect("release");
    }

    /// A checkpoint body over everything so far, with a root of its own kind: a ledger has no tree.
    #[must_use]
    pub fn checkpoint(&self) -> String {
        let size = self.entries.len() as u64;
        let root = leaf_hash(&size.to_be_bytes());
        let state_root = Hash(self.state.root().0);
        let origin = &self.world.genesis.origin;
        let checkpoint = Checkpoint::with_state(origin, size, root, state_root);
        checkpoint.expect("a checkpoint").to_body()
    }

    /// A quorum's cosignatures over [`Ledger::checkpoint`] in the second that ends now, so that
    /// what waits is witnessed at this very time.
    #[must_use]
    pub fn witnessed(&self) -> Witnessed {
        let seats = self.world.quorum_seats();
        let second_before = UnixMs(self.now.0 - 1000);
        self.world
            .witnessed(&self.checkpoint(), &seats, second_before)
    }

    /// A quorum vouches for everything so far; gives the position of the entry that says so.
    pub fn witness(&mut self) -> u64 {
        let witnessed = Body::Witnessed(self.witnessed());
        self.push(witnessed, self.now).expect("something waits")
    }

    /// Appends an act of the tenant's scope that takes effect when it is witnessed, and that too.
    ///
    /// # Errors
    /// As [`Ledger::push`].
    pub fn act_in_force(&mut self, body: ActBody, who: &[Who]) -> Result<u64, Refusal> {
        let seq = self.act(body, who)?;
        self.witness();
        Ok(seq)
    }

    /// Moves the harness's clock forward by milliseconds.
    pub fn wait(&mut self, ms: u64) {
        self.now = self.now.plus(ms);
    }

    /// The entry that would come next.
    #[must_use]
    pub fn entry(&self, scope: Scope, body: Body, at: UnixMs) -> Entry {
        Entry {
            version: VERSION,
            seq: self.entries.len() as u64,
            at,
            scope,
            body,
        }
    }

    /// The scope an honest writer gives a body: an act's own, the platform's for genesis and ticks,
    /// else the tenant's.
    #[must_use]
    pub fn scope_of(&self, body: &Body) -> Scope {
        scope_of(body, self.world.scope())
    }

    /// Appends a body at a time if `apply` lets it; gives its position.
    ///
    /// # Errors
    /// Whatever `apply` says; the state is then as it was.
    pub fn push(&mut self, body: Body, at: UnixMs) -> Result<u64, Refusal> {
        let entry = self.entry(self.scope_of(&body), body, at);
        self.push_entry(entry)
    }

    /// Appends an entry as it is, without filling in position or time.
    ///
    /// # Errors
    /// As [`Ledger::push`].
    pub fn push_entry(&mut self, entry: Entry) -> Result<u64, Refusal> {
        let delta = apply(&self.state, &entry)?;
        self.state.commit(&delta);
        let seq = entry.seq;
        self.entries.push(entry);
        self.deltas.push(delta);
        Ok(seq)
    }

    /// The tenant's scope version (0 before it exists).
    #[must_use]
    pub fn version(&self) -> u64 {
        self.state
            .tenant(self.world.tenant.id)
            .map_or(0, |tenant| tenant.version)
    }

    /// As many admins as their quorum.
    #[must_use]
    pub fn admins(&self) -> Vec<Who> {
        self.world.tenant.admin_quorum()
    }

    /// As many members of the committee as its quorum.
    #[must_use]
    pub fn committee(&self) -> Vec<Who> {
        self.world.tenant.committee_quorum()
    }

    /// An act of the tenant's scope at its version, signed.
    #[must_use]
    pub fn signed_act(&self, body: ActBody, who: &[Who]) -> Signed {
        self.world.sign(
            &self
                .world
                .act(self.now, self.world.scope(), body, self.version()),
            who,
        )
    }

    /// Appends an act of the tenant's scope.
    ///
    /// # Errors
    /// As [`Ledger::push`].
    pub fn act(&mut self, body: ActBody, who: &[Who]) -> Result<u64, Refusal> {
        let act = self.signed_act(body, who);
        self.push(Body::Act(act), self.now)
    }

    /// Appends a tightening of the tenant's scope.
    ///
    /// # Errors
    /// As [`Ledger::push`].
    pub fn tighten(&mut self, what: Tighten, who: &[Who]) -> Result<u64, Refusal> {
        self.act(ActBody::Tighten(what), who)
    }

    /// Appends an act of the platform's scope by its admin.
    ///
    /// # Errors
    /// As [`Ledger::push`].
    pub fn platform_act(&mut self, body: ActBody) -> Result<u64, Refusal> {
        let version = self.state.platform().expect("genesis").version;
        let act = self.world.act(self.now, Scope::Platform, body, version);
        self.push(
            Body::Act(self.world.sign(&act, &[Who::PlatformAdmin])),
            self.now,
        )
    }

    /// The policy's answer to an intent now.
    ///
    /// # Errors
    /// Why the intent is refused before or by the policy.
    pub fn decide(&self, intent: &Intent) -> Result<DecisionCore, Refusal> {
        let evaluated = evaluate(
            &self.state,
            &self.state,
            &self.world.signed_intent(intent),
            self.now,
        )?;
        match evaluated.decision.block {
            Some(refusal) => Err(refusal),
            None => Ok(evaluated.decision.core),
        }
    }

    /// A core that asks no approver, for intents that are refused before the policy is asked.
    #[must_use]
    pub fn core(&self, intent: &Intent) -> DecisionCore {
        let empty = |refusal: Refusal| DecisionCore {
            intent: intent.digest(),
            policy: Digest::default(),
            rule: refusal.code.to_string(),
            tier: strongroom_types::Tier::Auto,
            time_lock_seconds: 0,
            ordered: false,
            groups: Vec::new(),
            obligations: Vec::new(),
            decoder: "bitcoin/1".to_owned(),
        };
        self.decide(intent).unwrap_or_else(empty)
    }

    /// An authorization by the policy's answer now, approved by these people in the order of the
    /// decision's groups.
    #[must_use]
    pub fn authorization(&self, intent: &Intent, approvers: &[Who]) -> Authorization {
        self.authorization_with(intent, approvers, self.world.attempt(intent))
    }

    /// As [`Ledger::authorization`], with this attempt 1.
    #[must_use]
    pub fn authorization_with(
        &self,
        intent: &Intent,
        approvers: &[Who],
        attempt: Attempt,
    ) -> Authorization {
        let core = self.core(intent);
        let (mut approvals, mut digests) = (Vec::<Signed>::new(), Vec::<Digest>::new());
        let mut people = approvers.iter();
        for need in &core.groups {
            let after = if core.ordered {
                digests.clone()
            } else {
                Vec::new()
            };
            for who in people.by_ref().take(need.approvals as usize) {
                let signed = self.world.approve(*who, intent, &core, &after);
                digests.push(strongroom_types::Approval::digest_of(&signed.text));
                approvals.push(signed);
            }
        }
        let more = people.map(|who| self.world.approve(*who, intent, &core, &[]));
        approvals.extend(more.collect::<Vec<_>>());
        self.world.authorization(intent, &core, approvals, attempt)
    }

    /// Appends [`Ledger::authorization`] now.
    ///
    /// # Errors
    /// As [`Ledger::push`].
    pub fn authorize(&mut self, intent: &Intent, approvers: &[Who]) -> Result<u64, Refusal> {
        let authorization = self.authorization(intent, approvers);
        self.push(Body::Authorized(Box::new(authorization)), self.now)
    }

    /// The code with which a body would be refused now, or `None`; appends nothing.
    #[must_use]
    pub fn refused(&self, body: Body) -> Option<Code> {
        let entry = self.entry(self.scope_of(&body), body, self.now);
        apply(&self.state, &entry).err().map(|refusal| refusal.code)
    }
}
