//! One seed, from an empty installation to its end.

use crate::api::{Shown, shown};
use crate::dice::Level;
use crate::event::{Counts, Event};
use crate::plan::{Plan, Sabotage};
use crate::properties::{Property, Violation};
use crate::sim::Sim;
use crate::trace::Logged;
use crate::walk::{Flow, NoWatcher, Turned, Watch};
use std::collections::BTreeMap;
use strongroom_ports::db::Db as _;
use strongroom_signing::runs::RUN_MS;
use strongroom_types::Digest;

/// Between two looks of a node that nothing wakes, milliseconds: turns are what a seed costs, and
/// what matters comes as a record, which wakes its readers.
const IDLE_MS: u64 = 100;
/// Virtual time after which no more goes wrong until the installation is founded, milliseconds.
const FOUND_CALM_MS: u64 = 120_000;
/// Virtual time within which it must be founded, milliseconds. The pauses between the runs of a
/// ceremony double. When each run before it is refused at once, the eighth still begins while
/// things go wrong, the ninth not. A run in which a process dies is followed by the longer pause, so
/// the ninth begins half an hour after the eighth.
const FOUND_MS: u64 = FOUND_CALM_MS + (RUN_MS << 7) + 60_000;
/// Virtual time after the faults within which everything must have ended, milliseconds: a clock
/// wrong by ten minutes may have put journal time as far ahead.
const END_MS: u64 = 900_000;
/// Virtual time at rest within which all replicas must agree, milliseconds.
const CONVERGE_MS: u64 = 120_000;

/// How a seed is run.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Intents of the workload.
    pub intents: usize,
    /// Whether every event is printed.
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
    /// The first property that does not hold, with the newest events.
    pub violation: Option<(Violation, Vec<Logged>)>,
    /// Whether the watcher stopped it before its end.
    pub stopped: bool,
    /// Digest over all events: the same seed gives the same.
    pub hash: Digest,
    /// Events.
    pub events: u64,
    /// Turns.
    pub turns: u64,
    /// Intents accepted.
    pub accepted: u64,
    /// Intents signed.
    pub signed: u64,
    /// Answers with shares.
    pub shares: u64,
    /// Entries of the journal.
    pub entries: u64,
    /// Virtual time, milliseconds.
    pub virtual_ms: u64,
    /// How often each kind of event happened.
    pub counts: Counts,
    /// How intents ended without a signature, by code.
    pub unsigned: BTreeMap<String, u64>,
}

/// Runs a seed.
#[must_use]
pub fn run_seed(seed: u64, settings: &Settings) -> Outcome {
    run_plan(Plan::new(seed, settings.intents), settings)
}

/// Runs a plan.
#[must_use]
pub fn run_plan(plan: Plan, settings: &Settings) -> Outcome {
    run_watched(plan, settings, &mut NoWatcher)
}

/// Runs a plan beside a watcher, who may stop it.
#[must_use]
pub fn run_watched(plan: Plan, settings: &Settings, watch: &mut dyn Watch) -> Outcome {
    let mut run = Run {
        sim: Sim::new(plan, settings.trace),
        watch,
        shown: 0,
    };
    let mut end = run.run_to_end().err();

    // The violation is an event too, so that `--until violated` stops with the state as it is.
    if let Some(End::Violated(violation)) = &end {
        let violated = Event::Violated(violation.clone());
        run.sim.rig.trace.log(violated);
    }
    if run.show() == Flow::Stop && end.is_none() {
        end = Some(End::Stopped);
    }
    run.outcome(end)
}

/// Why a run ends before its time.
enum End {
    Violated(Violation),
    Stopped,
}

impl From<Violation> for End {
    fn from(violation: Violation) -> Self {
        Self::Violated(violation)
    }
}

struct Run<'a> {
    sim: Sim,
    watch: &'a mut dyn Watch,
    /// Number of the last event that the watcher saw.
    shown: u64,
}

impl Run<'_> {
    fn now(&self) -> u64 {
        self.sim.rig.now()
    }

    fn violated(&self, property: Property, detail: String) -> End {
        End::Violated(Violation {
            property,
            at_ms: self.now(),
            detail,
        })
    }

    fn run_to_end(&mut self) -> Result<(), End> {
        self.wait_for_setup()?;
        self.sim.rig.dice.set_level(Level::Full);
        self.advance(self.sim.plan.calm_ms, IDLE_MS)?;

        // From here on everything is promised again: what is under way ends, a further payment goes
        // through, replicas agree (properties lost, dead, converge).
        self.sim.calm_down();
        if self.sim.plan.sabotage == Some(Sabotage::ForgetfulApi) {
            self.delete_rows();
        }
        self.wait_for_ends()?;
        self.last_intent()?;
        self.converge()?;

        // Judged at the end, since a signature may be assembled long after its last share.
        self.sim.rig.observer.check_signed(&self.sim.chain)?;
        self.check_reasons()
    }

    fn step(&mut self, idle_ms: u64) -> Result<(), End> {
        self.sim.turn(idle_ms)?;
        match self.show() {
            Flow::Go => Ok(()),
            Flow::Stop => Err(End::Stopped),
        }
    }

    /// Shows the watcher what happened since its last look, if anything did.
    fn show(&mut self) -> Flow {
        // Events are copied for the watcher, at every turn: a run without one does without.
        if !self.watch.wants_events() || self.sim.rig.trace.number() == self.shown {
            return Flow::Go;
        }

        let events = self.sim.rig.trace.after(self.shown);
        self.shown = self.sim.rig.trace.number();
        self.watch.on_turn(&Turned {
            events: &events,
            sim: &self.sim,
        })
    }

    /// Lets virtual time advance.
    fn advance(&mut self, ms: u64, idle_ms: u64) -> Result<(), End> {
        let until = self.now() + ms;
        while self.now() < until {
            self.step(idle_ms)?;
        }
        Ok(())
    }

    fn wait_for_setup(&mut self) -> Result<(), End> {
        let start = self.now();
        self.sim.rig.dice.set_level(Level::Light);
        while self.sim.people.ready_at().is_none() {
            // Looked at more often than later: a founding is a chain of waits, and every seed has
            // one.
            self.step(40)?;
            if self.now() <= start + FOUND_CALM_MS {
                continue;
            }

            // With faults all the time nothing is promised; without them it is.
            if self.now() > start + FOUND_MS {
                let people = self.sim.people.describe().join("; ");
                let detail = format!("not founded within {FOUND_MS} ms: {people}");
                return Err(self.violated(Property::Ends, detail));
            }
            self.sim.rig.dice.set_level(Level::Calm);
        }
        Ok(())
    }

    /// A guard is missing: what the API accepted is gone for it.
    fn delete_rows(&mut self) {
        let mut tx = self.sim.nodes.api().disk.content().begin().unwrap();
        tx.execute("DELETE FROM tx", &[]).unwrap();
        tx.commit().unwrap();
    }

    /// Every accepted intent ends.
    fn wait_for_ends(&mut self) -> Result<(), End> {
        let until = self.now() + END_MS;
        while !self.sim.people.is_over(self.sim.nodes.api()) {
            self.advance(250, 2 * IDLE_MS)?;

            // Names what hangs, so that a report says where to look.
            if self.now() > until {
                let rows = shown(self.sim.nodes.api().disk.content());
                let people = &self.sim.people;
                let missing = people.missing(&rows);
                let open = rows.iter().find(|row| !row.has_ended());
                let open = open.map(|row| format!("{} {:?}", row.digest, row.state));
                let detail = format!(
                    "not over: open {open:?}, accepted and missing {missing:?}; {}",
                    people.describe().join("; ")
                );
                return Err(self.violated(Property::Ends, detail));
            }
        }
        Ok(())
    }

    /// After all that, one more payment goes through, or there is a reason.
    fn last_intent(&mut self) -> Result<(), End> {
        // Journal time may be ahead after a wrong clock of the writer.
        let until = self.now() + END_MS;
        while self.is_journal_ahead() && self.now() < until {
            self.advance(1_000, 200)?;
        }

        while self.sim.people.try_last_intents(self.sim.nodes.api()) {
            self.wait_for_ends()?;
            let rows = shown(self.sim.nodes.api().disk.content());
            if self.sim.people.are_last_settled(&rows) {
                return Ok(());
            }
            // A pause ends by itself.
            self.advance(10_000, 200)?;
        }

        let rows = shown(self.sim.nodes.api().disk.content());
        let codes: Vec<String> = rows.into_iter().map(|row| row.code).collect();
        let detail = format!("no intent is signed any more: {codes:?}");
        Err(self.violated(Property::Life, detail))
    }

    fn is_journal_ahead(&self) -> bool {
        let now = self.now();
        let replica = self.sim.nodes.api().replica();
        replica.is_none_or(|replica| replica.read(|f| f.tip().at.0 > now + 2_000))
    }

    /// All replicas reach one tree and one state.
    fn converge(&mut self) -> Result<(), End> {
        let until = self.now() + CONVERGE_MS;

        // Three seconds between looks: at rest the writer ticks and witnesses cosign, and right
        // after a tick the replicas differ by it.
        loop {
            self.advance(3_000, 2 * IDLE_MS)?;
            let Some(difference) = self.sim.difference() else {
                return Ok(());
            };
            if self.now() > until {
                return Err(self.violated(Property::Agreement, difference));
            }
        }
    }

    /// Every intent that ended without a signature says why.
    fn check_reasons(&self) -> Result<(), End> {
        let rows = shown(self.sim.nodes.api().disk.content());
        let has_none = |row: &&Shown| row.has_ended() && !row.is_signed() && row.code.is_empty();
        match rows.iter().find(has_none) {
            None => Ok(()),
            Some(row) => {
                let detail = format!("{} ended without a reason", row.digest);
                Err(self.violated(Property::Ends, detail))
            }
        }
    }

    fn outcome(self, end: Option<End>) -> Outcome {
        let Self { sim, .. } = self;

        // From the table and not from what clients were told: it is what a client would see.
        let rows = shown(sim.nodes.api().disk.content());
        let stopped = matches!(end, Some(End::Stopped));
        let violation = match end {
            Some(End::Violated(violation)) => Some(violation),
            Some(End::Stopped) | None => None,
        };

        let mut unsigned = BTreeMap::new();
        for row in rows.iter().filter(|row| !row.is_signed()) {
            let code = if row.code.is_empty() {
                "open"
            } else {
                &row.code
            };
            *unsigned.entry(code.to_owned()).or_default() += 1;
        }
        Outcome {
            seed: sim.plan.seed,
            violation: violation.map(|violation| (violation, sim.rig.trace.newest())),
            stopped,
            hash: sim.rig.trace.hash(),
            events: sim.rig.trace.number(),
            turns: sim.turns(),
            accepted: rows.len() as u64,
            signed: rows.iter().filter(|row| row.is_signed()).count() as u64,
            shares: sim.rig.observer.shares(),
            entries: sim.rig.observer.entries(),
            virtual_ms: sim.rig.now() - sim.plan.start_ms,
            counts: sim.rig.trace.counts(),
            unsigned,
        }
    }
}
