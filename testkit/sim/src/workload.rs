//! The people of a seed: they found the installation, pay, approve, refuse, revoke, cancel and
//! stop.

use crate::client::{Ask, Asks, Shown, answer, shown};
use crate::hub::{Hub, between};
use crate::kinds::{Hostile, NodeName};
use crate::plan::{Answers, Plan, PlannedAct};
use crate::service::Service;
use crate::signer::SignerHost;
use rand_chacha::ChaCha20Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use strongroom_chain_bitcoin_dev::DevChain;
use strongroom_journal::state::{Lookup as _, State};
use strongroom_ports::chain::{ChainCodec, OwnPath, Registry as _};
use strongroom_replica::TenantVaults;
use strongroom_types::{
    Act, ActBody, Answer, DecisionCore, Digest, Document as _, Intent, Record, Signed, Tighten,
    UnixMs,
};
use strongroom_world::{FRIEND, PolicyOptions, STRANGER, Who, World};

/// Life of the last intent, milliseconds.
const LAST_LIFE_MS: u64 = 60_000;
/// How often the last intent is tried.
const LAST_TRIES: u32 = 3;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Stage {
    Tenant,
    Proposed,
    Released,
    Key,
    Vault,
    Funds,
    Ready,
}

/// What somebody wants the journal to take, until it has.
struct Wish {
    act: PlannedAct,
    not_before: u64,
}

pub(crate) struct Workload {
    hub: Hub,
    world: World,
    plan: Plan,
    asks: Asks,
    chain: Arc<DevChain>,
    codec: Arc<dyn ChainCodec>,
    rng: ChaCha20Rng,
    stage: Stage,
    /// The proposal of the ceremony.
    proposal: Option<Signed>,
    current: Option<(Signed, Option<PlannedAct>)>,
    wait_until: u64,
    pub(crate) ready_at: Option<u64>,
    made: BTreeMap<usize, Intent>,
    wishes: Vec<Wish>,
    planned: usize,
    answered: BTreeSet<(Digest, Digest)>,
    mine_at: u64,
    last: Vec<Digest>,
    /// Acts refused, with codes.
    pub(crate) acts_refused: BTreeMap<String, u64>,
    pub(crate) acts_done: u64,
    stopped: bool,
    initiator_revoked: bool,
}

impl Workload {
    pub(crate) fn new(
        hub: Hub,
        world: World,
        plan: Plan,
        asks: Asks,
        chain: Arc<DevChain>,
        codec: Arc<dyn ChainCodec>,
    ) -> Self {
        let rng = world.seed.rng("workload", 0);
        Self {
            hub,
            world,
            plan,
            asks,
            chain,
            codec,
            rng,
            stage: Stage::Tenant,
            proposal: None,
            current: None,
            wait_until: 0,
            ready_at: None,
            made: BTreeMap::new(),
            wishes: Vec::new(),
            planned: 0,
            answered: BTreeSet::new(),
            mine_at: 0,
            last: Vec::new(),
            acts_refused: BTreeMap::new(),
            acts_done: 0,
            stopped: false,
            initiator_revoked: false,
        }
    }

    /// People look and act.
    pub(crate) fn step(&mut self, api: &Service, signers: &mut [SignerHost]) {
        let now = self.hub.now();
        if now >= self.mine_at {
            self.mine_at = now + 3_000;
            self.chain.mine().unwrap();
        }
        let Some(replica) = api.replica() else { return };
        let replica = Arc::clone(replica);
        self.settle(now, api);
        if self.stage < Stage::Ready {
            if now >= self.wait_until && self.current.is_none() {
                replica.read(|f| self.found(now, f.state()));
            }
            return;
        }
        let since = now - self.ready_at.unwrap_or(now);
        self.pay(now, since);
        let rows = shown(&api.disk.db);
        self.approve(now, &rows);
        self.plan_acts(now, since);
        if self.current.is_none() {
            replica.read(|f| self.next_act(now, f.state(), signers));
        }
    }

    /// Whether the act under way got its answer.
    fn settle(&mut self, now: u64, api: &Service) {
        let Some((signed, planned)) = &self.current else {
            return;
        };
        let Some(said) = answer(&api.disk.db, signed) else {
            return;
        };
        let planned = *planned;
        match said {
            Ok(()) => {
                self.acts_done += 1;
                match planned {
                    Some(PlannedAct::Stop) => self.stopped = true,
                    Some(PlannedAct::Resume) => self.stopped = false,
                    Some(PlannedAct::RevokeInitiator) => self.initiator_revoked = true,
                    _ => {}
                }
            }
            Err(code) => {
                self.hub.log(&format!("an act is refused: {code}"));
                *self.acts_refused.entry(code.clone()).or_default() += 1;
                self.wait_until = now + 200;
                // The scope moved on, or a copy of the answer came first: written anew.
                if let Some(act) = planned.filter(|_| code == "wrong_scope_version") {
                    self.wishes.push(Wish {
                        act,
                        not_before: now,
                    });
                }
            }
        }
        self.current = None;
    }

    fn submit(&mut self, signed: Signed, planned: Option<PlannedAct>) {
        self.asks.lock().unwrap().push(Ask::Act(signed.clone()));
        self.current = Some((signed, planned));
    }

    fn act(&self, now: u64, state: &State, body: ActBody, who: &[Who]) -> Signed {
        let version = state
            .tenant(self.world.tenant.id)
            .map_or(0, |tenant| tenant.version);
        let act = self
            .world
            .act(UnixMs(now), self.world.scope(), body, version);
        self.world.sign(&act, who)
    }

    /// From genesis to the first coins, by what the journal shows.
    fn found(&mut self, now: u64, state: &State) {
        let (tenant, committee) = (self.world.tenant.id, self.world.tenant.committee_quorum());
        let key = state.threshold_key(tenant, self.world.tenant.key);
        let next = match self.stage {
            Stage::Tenant if state.tenant(tenant).is_ok() => Stage::Proposed,
            Stage::Tenant => {
                if state.position().is_ok_and(|position| position.next_seq > 0) {
                    let signed = self.world.create_tenant(UnixMs(now));
                    self.submit(signed, None);
                }
                return;
            }
            Stage::Proposed => match &self.proposal {
                Some(proposal)
                    if state
                        .proposal(tenant, &Act::digest_of(&proposal.text))
                        .is_ok_and(|p| p.is_some()) =>
                {
                    self.wait_until = now + 400;
                    Stage::Released
                }
                _ => {
                    let put = ActBody::Put(self.world.ceremony_record());
                    let signed = self.act(now, state, put, &committee);
                    self.proposal = Some(signed.clone());
                    self.submit(signed, None);
                    return;
                }
            },
            Stage::Released if key.is_ok() => Stage::Key,
            Stage::Released => {
                let Some(proposal) = &self.proposal else {
                    return;
                };
                let release = ActBody::Release(Act::digest_of(&proposal.text));
                let signed = self.act(now, state, release, &committee);
                self.submit(signed, None);
                return;
            }
            Stage::Key if key.is_ok_and(|key| key.public.is_some()) => Stage::Vault,
            Stage::Key => return,
            Stage::Vault if state.vault(tenant, self.world.tenant.vault).is_ok() => Stage::Funds,
            Stage::Vault => {
                let put = ActBody::Put(Record::Vault(self.world.tenant.first_vault()));
                let signed = self.act(now, state, put, &self.world.tenant.admin_quorum());
                self.submit(signed, None);
                return;
            }
            Stage::Funds => {
                self.fund(state);
                self.ready_at = Some(now);
                Stage::Ready
            }
            Stage::Ready => return,
        };
        self.hub.log(&format!("people: {next:?}"));
        self.stage = next;
    }

    fn fund(&self, state: &State) {
        let key = TenantVaults::new(state, self.world.tenant.id)
            .vault_key(self.world.tenant.vault)
            .unwrap();
        for (index, amount, count) in [(0, 3_000_000, 10), (1, 1_500_000, 6), (2, 6_000_000, 4)] {
            let address = self
                .codec
                .derive_address(&key, OwnPath { change: 0, index })
                .unwrap();
            self.chain.fund(&address, amount, count).unwrap();
        }
    }

    /// Makes the intents that are due.
    fn pay(&mut self, now: u64, since: u64) {
        for (number, planned) in self.plan.intents.clone().into_iter().enumerate() {
            if since < planned.at_ms || self.made.contains_key(&number) {
                continue;
            }
            let address = if planned.known { FRIEND } else { STRANGER };
            let intent = self.intent(now, planned.amount, address, planned.life_ms);
            if let Some(after) = planned.cancel_after_ms {
                self.wishes.push(Wish {
                    act: PlannedAct::Cancel(number),
                    not_before: now + after,
                });
            }
            self.made.insert(number, intent);
        }
    }

    fn intent(&mut self, now: u64, amount: u64, address: &str, life_ms: u64) -> Intent {
        let at = UnixMs(now);
        let intent = self.world.intent_with(at, amount, address, |intent| {
            intent.expires = at.plus(life_ms)
        });
        let signed = self.world.signed_intent(&intent);
        let mut inner = self.hub.lock();
        inner.log(&format!("people: intent {} over {amount}", intent.digest()));
        inner.saw_intent(&intent);
        drop(inner);
        self.asks.lock().unwrap().push(Ask::Intent(signed));
        intent
    }

    /// Approvers answer what they are shown.
    fn approve(&mut self, now: u64, rows: &[Shown]) {
        for row in rows
            .iter()
            .filter(|row| row.state == strongroom_wire::TransactionState::PendingApproval)
        {
            let Ok(core) = DecisionCore::parse(&row.core) else {
                continue;
            };
            let planned = self
                .made
                .iter()
                .find(|(_, intent)| intent.digest() == row.digest);
            let Some((number, _)) = planned else { continue };
            let number = *number;
            let Some(planned) = self.plan.intents.get(number).copied() else {
                continue;
            };
            if !self.answered.insert((row.digest, core.digest())) {
                continue;
            }
            let (who, says) = match planned.answers {
                Answers::Silence => continue,
                Answers::Yes => (Who::Approver(2), Answer::Yes),
                Answers::No => (Who::Approver(number % 3), Answer::No),
                Answers::Own => (Who::InitiatorKey, Answer::Yes),
                Answers::YesAndRevoked => (Who::Approver(number % 2), Answer::Yes),
            };
            if planned.answers == Answers::YesAndRevoked {
                let not_before = now + between(&mut self.rng, 0, 1_500);
                self.wishes.push(Wish {
                    act: PlannedAct::RevokeApprover(number % 2),
                    not_before,
                });
            }
            let signed = self.world.approve(who, &row.intent, &core, says, &[]);
            self.asks.lock().unwrap().push(Ask::Approval(signed));
        }
    }

    fn plan_acts(&mut self, now: u64, since: u64) {
        while let Some((at, act)) = self
            .plan
            .acts
            .get(self.planned)
            .copied()
            .filter(|(at, _)| *at <= since)
        {
            let _ = at;
            self.wishes.push(Wish {
                act,
                not_before: now,
            });
            self.planned += 1;
        }
    }

    fn next_act(&mut self, now: u64, state: &State, signers: &mut [SignerHost]) {
        let Some(at) = self.wishes.iter().position(|wish| wish.not_before <= now) else {
            return;
        };
        let wish = self.wishes.remove(at);
        let admins = self.world.tenant.admin_quorum();
        let tenant = &self.world.tenant;
        let credential = |who| self.world.person(who).credential;
        let tighten = |what| ActBody::Tighten(what);
        let (body, who) = match wish.act {
            PlannedAct::RevokeApprover(n) => (
                tighten(Tighten::RevokeCredential(credential(Who::Approver(n)).id)),
                admins,
            ),
            PlannedAct::LeaveGroup(n) => {
                let (group, user) = (tenant.approvers, credential(Who::Approver(n)).user);
                (tighten(Tighten::LeaveGroup { group, user }), admins)
            }
            PlannedAct::RevokeInitiator => (
                tighten(Tighten::RevokeCredential(credential(Who::Initiator).id)),
                admins,
            ),
            PlannedAct::Stop => (tighten(Tighten::Stop), admins),
            PlannedAct::Resume => (ActBody::Resume, admins),
            PlannedAct::Pause(ms) => {
                let (vault, until) = (Some(tenant.vault), UnixMs(now).plus(ms));
                (
                    tighten(Tighten::Pause { vault, until }),
                    vec![Who::Admin(1)],
                )
            }
            PlannedAct::LooserPolicy => {
                let looser = tenant.policy(&PolicyOptions::default()).to_text();
                (
                    ActBody::Put(Record::Policy(looser)),
                    tenant.committee_quorum(),
                )
            }
            PlannedAct::Cancel(number) => {
                let Some(intent) = self.made.get(&number) else {
                    return;
                };
                let by_client = self
                    .plan
                    .intents
                    .get(number)
                    .is_some_and(|p| p.cancel_after_ms.is_some());
                let who = if by_client {
                    vec![Who::InitiatorKey]
                } else {
                    admins
                };
                (tighten(Tighten::Cancel(intent.digest())), who)
            }
        };
        let tightening = matches!(body, ActBody::Tighten(_));
        let signed = self.act(now, state, body, &who);
        self.hub.log(&format!("people: {:?}", wish.act));
        if tightening {
            self.hand(now, &signed, signers);
        }
        self.submit(signed, Some(wish.act));
    }

    /// Where the writer is hostile, people hand tightenings to some signers directly.
    fn hand(&mut self, now: u64, signed: &Signed, signers: &mut [SignerHost]) {
        let Some(ms) = self.plan.withhold_ms else {
            return;
        };
        let mut inner = self.hub.lock();
        if inner.tamper.over {
            return;
        }
        if inner.tamper.withhold_until == 0 {
            inner.tamper.withhold_until = now + ms;
            inner.count_hostile(Hostile::WithholdTightening);
            inner.log("hostile: withhold_tightening");
        } else if now >= inner.tamper.withhold_until {
            return;
        }
        drop(inner);
        for signer in signers {
            if between(&mut self.rng, 0, 2) > 0 {
                signer.hand(signed);
            }
        }
    }

    /// Wishes that were not submitted yet are forgotten; so are intents not made.
    pub(crate) fn calm_down(&mut self) {
        self.plan
            .intents
            .truncate(self.made.keys().next_back().map_or(0, |last| last + 1));
        for number in 0..self.plan.intents.len() {
            if !self.made.contains_key(&number) {
                self.plan.intents[number].at_ms = u64::MAX;
            }
        }
    }

    /// Nothing is under way any more: every accepted intent has ended, every act is answered.
    pub(crate) fn is_over(&self, api: &Service) -> bool {
        let taken = self
            .asks
            .lock()
            .unwrap()
            .iter()
            .filter(|ask| matches!(ask, Ask::Intent(_)))
            .count();
        let rows = shown(&api.disk.db);
        self.stage == Stage::Ready
            && self.current.is_none()
            && self.wishes.is_empty()
            && rows.len() == taken
            && rows.iter().all(Shown::has_ended)
    }

    /// One more intent that nothing stands in the way of; `false` when enough were tried.
    pub(crate) fn last_intent(&mut self) -> bool {
        if self.last.len() as u32 >= LAST_TRIES {
            return false;
        }
        let intent = self.intent(self.hub.now(), 100_000, FRIEND, LAST_LIFE_MS);
        self.last.push(intent.digest());
        true
    }

    /// Whether one of the last intents was signed.
    pub(crate) fn last_signed(&self, rows: &[Shown]) -> bool {
        rows.iter()
            .any(|row| self.last.contains(&row.digest) && row.is_signed())
    }

    /// Why the last intent may rightly end unsigned.
    pub(crate) fn excuse(&self) -> Option<&'static str> {
        if self.stopped {
            Some("tenant_stopped")
        } else if self.initiator_revoked {
            Some("credential_revoked")
        } else if self.plan.limit < 100_000_000 {
            Some("limit_exceeded")
        } else {
            None
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.stage == Stage::Ready
    }

    pub(crate) fn describe(&self) -> String {
        let under_way = self.current.as_ref().map(|(_, act)| format!("{act:?}"));
        format!(
            "{:?}, under way {under_way:?}, {} wishes",
            self.stage,
            self.wishes.len()
        )
    }
}

/// Signers in the order of their seats.
pub(crate) fn seat_of(signers: &mut [SignerHost], node: NodeName) -> Option<&mut SignerHost> {
    signers.iter_mut().find(|signer| signer.node == node)
}
