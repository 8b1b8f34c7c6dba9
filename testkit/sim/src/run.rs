//! One seed, from an empty installation to its end.

use crate::chaos::Undo;
use crate::client::shown;
use crate::hub::{Counts, Hub, Level};
use crate::kinds::NodeName;
use crate::plan::{Plan, Sabotage};
use crate::properties::Violation;
use crate::service::{Parts, Service};
use crate::signer::SignerHost;
use crate::workload::Workload;
use std::sync::{Arc, Mutex};
use strongroom_chain_bitcoin::encode::Unsigned;
use strongroom_chain_bitcoin::{BitcoinCodec, Network};
use strongroom_chain_bitcoin_dev::{Confirm, DevChain, check_spend};
use strongroom_ports::chain::ChainCodec;
use strongroom_ports::db::Db as _;
use strongroom_types::Digest;
use strongroom_types::attempt::unsigned_digest;
use strongroom_world::World;

/// The installation must be founded within this virtual time.
const FOUND_MS: u64 = 120_000;
/// After faults stop everything must have ended within this virtual time (a clock wrong by ten
/// minutes may have put journal time as far ahead).
const END_MS: u64 = 900_000;
/// Between looks of the people.
const PEOPLE_MS: u64 = 100;

/// How a seed is run.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Intents of the workload.
    pub intents: usize,
    /// Prints every event.
    pub trace: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            intents: 8,
            trace: false,
        }
    }
}

/// What became of a seed.
#[derive(Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// What does not hold, with the last events.
    pub violation: Option<(Violation, Vec<String>)>,
    /// Digest over all events: the same seed gives the same.
    pub hash: Digest,
    /// Events.
    pub lines: u64,
    /// Steps of nodes.
    pub steps: u64,
    /// Intents accepted.
    pub accepted: u64,
    /// Intents signed.
    pub signed: u64,
    /// Shares released.
    pub shares: u64,
    /// Entries of the journal.
    pub entries: u64,
    /// Virtual time, milliseconds.
    pub virtual_ms: u64,
    /// What happened how often.
    pub counts: Counts,
}

pub(crate) struct Sim {
    pub(crate) hub: Hub,
    pub(crate) world: World,
    pub(crate) plan: Plan,
    services: Vec<Service>,
    pub(crate) signers: Vec<SignerHost>,
    pub(crate) undo: Vec<(u64, Undo)>,
    workload: Workload,
    people_at: u64,
    chaos: usize,
    chain: Arc<DevChain>,
    steps: u64,
}

/// Runs a seed.
#[must_use]
pub fn run_seed(seed: u64, settings: &Settings) -> Outcome {
    run_plan(Plan::new(seed, settings.intents), settings)
}

/// Runs a plan.
#[must_use]
pub fn run_plan(plan: Plan, settings: &Settings) -> Outcome {
    let mut sim = Sim::new(plan, settings);
    let result = sim.live();
    sim.outcome(result.err())
}

type Verdict = Result<(), Violation>;

impl Sim {
    fn new(plan: Plan, settings: &Settings) -> Self {
        let world = World::new(plan.seed, plan.world_options());
        let hub = Hub::new(&plan, &world, settings.trace);
        let chain = Arc::new(DevChain::in_memory(Confirm::OnMine).unwrap());
        let codec: Arc<dyn ChainCodec> = Arc::new(BitcoinCodec::new(Network::Regtest).unwrap());
        let asks = Arc::new(Mutex::new(Vec::new()));
        let parts = Parts {
            hub: hub.clone(),
            world: world.clone(),
            chain: Arc::clone(&chain),
            codec: Arc::clone(&codec),
            asks: Arc::clone(&asks),
        };
        let clock = |node: NodeName| plan.clocks[node.at()];
        let services =
            NodeName::SERVICES.map(|node| Service::new(node, parts.clone(), clock(node)));
        let signers = NodeName::SEATS.map(|node| {
            SignerHost::new(node, hub.clone(), &world, Arc::clone(&codec), clock(node))
        });
        let workload = Workload::new(
            hub.clone(),
            world.clone(),
            plan.clone(),
            asks,
            Arc::clone(&chain),
            codec,
        );
        Self {
            hub,
            world,
            services: services.into(),
            signers: signers.into(),
            undo: Vec::new(),
            workload,
            people_at: 0,
            chaos: 0,
            chain,
            steps: 0,
            plan,
        }
    }

    pub(crate) fn service(&mut self, node: NodeName) -> &mut Service {
        &mut self.services[node.at()]
    }

    fn api(&self) -> &Service {
        &self.services[NodeName::Api.at()]
    }

    fn broken(&self, property: &'static str, detail: String) -> Violation {
        Violation {
            property,
            at_ms: self.hub.now(),
            detail,
        }
    }

    /// Goes to the next moment at which something is due and does it.
    fn step(&mut self, idle_ms: u64) -> Verdict {
        let mut inner = self.hub.lock();
        let node = (0..NodeName::ALL.len())
            .min_by_key(|at| inner.wake[*at])
            .unwrap();
        let due = inner.wake[node];
        let chaos = match self.workload.ready_at {
            Some(ready) if inner.level == Level::Full => {
                self.plan.chaos.get(self.chaos).map(|(at, _)| ready + at)
            }
            _ => None,
        };
        let undo = self.undo.iter().map(|(at, _)| *at).min();
        let others = [Some(self.people_at), chaos, undo, inner.bus.next_arrival()];
        let first = others.into_iter().flatten().min().unwrap_or(due).min(due);
        inner.now = inner.now.max(first);
        let now = inner.now;
        inner.land();
        drop(inner);
        self.steps += 1;
        if undo.is_some_and(|at| at <= now) {
            self.undo_due(now);
        } else if chaos.is_some_and(|at| at <= now) {
            let (_, event) = self.plan.chaos[self.chaos];
            self.chaos += 1;
            self.wreak(event);
        } else if self.people_at <= now {
            self.people_at = now + PEOPLE_MS;
            let Self {
                workload,
                services,
                signers,
                ..
            } = self;
            workload.step(&services[NodeName::Api.at()], signers);
        } else if due <= now {
            self.hub.lock().wake[node] = u64::MAX;
            let next = match self.services.get_mut(node) {
                Some(service) => service.step(idle_ms),
                None => self.signers[node - NodeName::SERVICES.len()].step(idle_ms),
            };
            self.hub
                .lock()
                .wake_by(NodeName::ALL[node], next.max(now + 1));
        }
        let violation = self.hub.lock().observer.violation.take();
        violation.map_or(Ok(()), Err)
    }

    /// Lets virtual time pass.
    fn pass(&mut self, ms: u64, idle_ms: u64) -> Verdict {
        let until = self.hub.now() + ms;
        while self.hub.now() < until {
            self.step(idle_ms)?;
        }
        Ok(())
    }

    fn undo_due(&mut self, now: u64) {
        let due: Vec<Undo> = self
            .undo
            .iter()
            .filter(|(at, _)| *at <= now)
            .map(|(_, what)| *what)
            .collect();
        self.undo.retain(|(at, _)| *at > now);
        for what in due {
            self.undo(what);
        }
    }

    fn live(&mut self) -> Verdict {
        let start = self.hub.now();
        self.hub.lock().level = Level::Light;
        while !self.workload.is_ready() {
            self.step(40)?;
            if self.hub.now() > start + FOUND_MS {
                let detail = format!(
                    "not founded within {FOUND_MS} ms: {}",
                    self.workload.describe()
                );
                // With faults all the time nothing is promised; without them it is.
                if self.hub.lock().level == Level::Calm && self.hub.now() > start + 2 * FOUND_MS {
                    return Err(self.broken("lost", detail));
                }
                self.hub.lock().level = Level::Calm;
            }
        }
        self.hub.lock().level = Level::Full;
        self.pass(self.plan.calm_ms, 50)?;
        self.calm_down();
        if self.plan.sabotage == Some(Sabotage::ForgetfulApi) {
            self.forget();
        }
        self.finish()?;
        self.last_intent()?;
        self.converge()?;
        self.check_chain()
    }

    /// A guard is missing: what the API accepted is gone for it.
    fn forget(&mut self) {
        let mut tx = self.api().disk.db.begin().unwrap();
        tx.execute("DELETE FROM intent", &[]).unwrap();
        tx.commit().unwrap();
    }

    /// Faults and attacks stop; clocks are repaired.
    fn calm_down(&mut self) {
        let mut inner = self.hub.lock();
        inner.level = Level::Calm;
        inner.tamper.over = true;
        inner.cut = [0; NodeName::ALL.len()];
        inner.log("calm");
        drop(inner);
        for signer in &mut self.signers {
            signer.blind(0);
        }
        let now = self.hub.now();
        self.undo_due(u64::MAX);
        for service in &mut self.services {
            service.disk.fill(now);
        }
        for signer in &mut self.signers {
            signer.disk.fill(now);
        }
        self.workload.calm_down();
    }

    /// Every accepted intent ends.
    fn finish(&mut self) -> Verdict {
        let until = self.hub.now() + END_MS;
        while !self.workload.is_over(self.api()) {
            self.pass(250, 100)?;
            if self.hub.now() > until {
                let open = shown(&self.api().disk.db)
                    .into_iter()
                    .find(|row| !row.has_ended());
                let open = open.map(|row| format!("{} {:?}", row.digest, row.state));
                let detail = format!("not over: {open:?}; {}", self.workload.describe());
                return Err(self.broken("lost", detail));
            }
        }
        Ok(())
    }

    /// After all that, one more payment goes through, or there is a reason.
    fn last_intent(&mut self) -> Verdict {
        // Journal time may be ahead after a wrong clock of the writer.
        let until = self.hub.now() + END_MS;
        while self.journal_ahead() && self.hub.now() < until {
            self.pass(1_000, 200)?;
        }
        while self.workload.last_intent() {
            self.finish()?;
            let rows = shown(&self.api().disk.db);
            if self.workload.last_signed(&rows) || self.workload.excuse().is_some() {
                return Ok(());
            }
            // A pause ends by itself.
            self.pass(10_000, 200)?;
        }
        let codes: Vec<String> = shown(&self.api().disk.db)
            .into_iter()
            .map(|row| row.code)
            .collect();
        Err(self.broken("dead", format!("nothing is signed any more: {codes:?}")))
    }

    fn journal_ahead(&self) -> bool {
        let now = self.hub.now();
        self.api()
            .replica()
            .is_none_or(|replica| replica.read(|f| f.tip().at.0 > now + 2_000))
    }

    /// All replicas reach one tree and one state.
    fn converge(&mut self) -> Verdict {
        let until = self.hub.now() + 120_000;
        loop {
            self.pass(3_000, 100)?;
            let difference = self.difference();
            if difference.is_none() {
                return Ok(());
            }
            if self.hub.now() > until {
                return Err(self.broken("converge", difference.unwrap_or_default()));
            }
        }
    }

    fn difference(&self) -> Option<String> {
        if !self.hub.lock().bus.is_quiet() || !self.signers.iter().all(|s| s.misled || s.is_quiet())
        {
            return Some("records are on their way".into());
        }
        let ours = self.services[NodeName::Writer.at()].tip()?;
        for service in &self.services {
            if !service.is_up() || service.tip().as_ref() != Some(&ours) {
                return Some(format!(
                    "{} is at {:?}, the writer at {}",
                    service.node,
                    service.tip(),
                    ours.0
                ));
            }
        }
        for signer in self.signers.iter().filter(|signer| !signer.misled) {
            if !signer.is_up() || signer.halted() || signer.tip() != ours {
                return Some(format!(
                    "{} is at {}, the writer at {}",
                    signer.node,
                    signer.tip().0,
                    ours.0
                ));
            }
            if signer.restored != signer.is_retired() {
                let retired = signer.is_retired();
                return Some(format!(
                    "{}: disk put back {}, retired {retired}",
                    signer.node, signer.restored
                ));
            }
        }
        let fresh = |signer: &&SignerHost| !signer.misled && !signer.restored;
        let counted = self.signers.iter().filter(fresh).count();
        (counted < 3).then(|| format!("{counted} witnesses are left"))
    }

    /// What is called signed is an authorized attempt, and Bitcoin Core's interpreter takes it.
    fn check_chain(&self) -> Verdict {
        let inner = self.hub.lock();
        let observer = &inner.observer;
        for (intent, raw) in &observer.raw {
            let wrong = |what: String| Violation {
                property: "x",
                at_ms: inner.now,
                detail: format!("{intent}: {what}"),
            };
            let spent = self
                .chain
                .spent_outputs(raw)
                .unwrap()
                .ok_or_else(|| wrong("unknown inputs".into()))?;
            check_spend(raw, &spent).map_err(|error| wrong(error.to_string()))?;
            let authorized = observer
                .checker
                .authorized(intent)
                .ok_or_else(|| wrong("not authorized".into()))?;
            let name = observer.codec.transaction_id(raw).unwrap();
            let attempt = observer.wanted.iter().find(|wanted| {
                wanted.attempt.intent == *intent
                    && authorized
                        .attempts
                        .iter()
                        .any(|(_, digest)| *digest == unsigned_digest(&wanted.unsigned))
                    && Unsigned::decode(&wanted.unsigned, Network::Regtest)
                        .is_ok_and(|form| form.transaction.compute_txid().to_string() == name)
            });
            attempt.ok_or_else(|| wrong(format!("{name} is no authorized attempt")))?;
            if !observer.checker.signed().contains(intent) {
                return Err(wrong("a signature without the shares for it".into()));
            }
        }
        Ok(())
    }

    fn outcome(self, violation: Option<Violation>) -> Outcome {
        let rows = shown(&self.api().disk.db);
        let mut inner = self.hub.lock();
        let mut counts = inner.counts.clone();
        for row in rows.iter().filter(|row| !row.is_signed()) {
            let code = if row.code.is_empty() {
                "open"
            } else {
                &row.code
            };
            *counts.unsigned.entry(code.to_owned()).or_default() += 1;
        }
        let nameless = rows
            .iter()
            .find(|row| row.has_ended() && !row.is_signed() && row.code.is_empty());
        let violation = violation.or_else(|| {
            let detail = format!("{} ended without a reason", nameless?.digest);
            Some(Violation {
                property: "lost",
                at_ms: inner.now,
                detail,
            })
        });
        if let Some(violation) = &violation {
            let line = format!("VIOLATION of {}: {}", violation.property, violation.detail);
            inner.log(&line);
        }
        Outcome {
            seed: self.plan.seed,
            hash: inner.trace.hash(),
            lines: inner.trace.lines,
            steps: self.steps,
            accepted: rows.len() as u64,
            signed: rows.iter().filter(|row| row.is_signed()).count() as u64,
            shares: inner.observer.shares,
            entries: inner.observer.entries,
            virtual_ms: inner.now - self.plan.start_ms,
            counts,
            violation: violation.map(|violation| (violation, inner.trace.tail())),
        }
    }
}
