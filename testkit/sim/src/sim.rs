//! The installation of one seed in its surroundings, turn by turn.

use crate::api::shown;
use crate::chaos::Misfortune;
use crate::dice::Level;
use crate::event::Event;
use crate::kinds::NodeName;
use crate::nodes::Nodes;
use crate::people::Tenants;
use crate::plan::Plan;
use crate::properties::Violation;
use crate::rig::Rig;
use crate::service::Parts;
use std::sync::Arc;
use strongroom_chain_bitcoin::{BitcoinCodec, Network};
use strongroom_chain_bitcoin_dev::{Confirm, DevChain};

/// Between two looks of the people, milliseconds: as often as nodes look that nothing wakes.
const PEOPLE_MS: u64 = 100;

/// Who gets the next turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Turn {
    /// Lasting faults that are due are repaired.
    Repair,
    /// The next fault of the plan.
    Chaos,
    /// People look and act.
    People,
    /// One round of a node.
    Node(NodeName),
    /// Records in flight arrive, which wakes their readers.
    Arrival,
}

/// Everything of one seed.
pub(crate) struct Sim {
    pub(crate) rig: Rig,
    pub(crate) plan: Plan,
    pub(crate) nodes: Nodes,
    pub(crate) people: Tenants,
    pub(crate) chain: Arc<DevChain>,
    misfortune: Misfortune,
    people_at: u64,
    turns: u64,
}

impl Sim {
    /// An empty installation. `print`: every event is printed as it happens.
    pub(crate) fn new(plan: Plan, print: bool) -> Self {
        let rig = Rig::new(&plan, print);
        let chain = Arc::new(DevChain::in_memory(Confirm::OnMine).unwrap());
        let parts = Parts {
            rig: rig.clone(),
            chain: Arc::clone(&chain),
            codec: Arc::new(BitcoinCodec::new(Network::Regtest).unwrap()),
        };
        Self {
            nodes: Nodes::new(&parts, &plan),
            people: Tenants::new(&parts, &plan),
            misfortune: Misfortune::new(&rig, &plan),
            chain,
            people_at: 0,
            turns: 0,
            rig,
            plan,
        }
    }

    /// Turns taken so far.
    pub(crate) fn turns(&self) -> u64 {
        self.turns
    }

    /// Goes to the next moment at which something is due and does it.
    pub(crate) fn turn(&mut self, idle_ms: u64) -> Result<(), Violation> {
        let (turn, at) = self.next();
        self.rig.time.advance_to(at);

        // Before whatever the turn is for: what has arrived by now is there for it to read.
        self.rig.wire.land();
        self.turns += 1;

        let now = self.rig.now();
        match turn {
            Turn::Repair => self.misfortune.repair(&mut self.nodes, now),
            Turn::Chaos => self.misfortune.strike(&mut self.nodes),
            Turn::People => {
                self.people_at = now + PEOPLE_MS;
                let (api, signers) = self.nodes.for_people();
                self.people.step(api, signers, now);
            }
            Turn::Node(node) => {
                // Cleared before the step: records that the step itself publishes wake the node
                // again.
                self.rig.wakes.clear(node);
                let next = self.nodes.step(node, idle_ms);
                self.rig.wakes.wake_by(node, next.max(now + 1));
            }
            Turn::Arrival => {}
        }
        self.rig.observer.violation().map_or(Ok(()), Err)
    }

    /// The turn that is due first; of turns due at one moment the first of this list.
    fn next(&self) -> (Turn, u64) {
        // A plan's times count from the moment at which the vaults are ready, and a run that was
        // calmed down starts no fault any more.
        let ready_at = self.people.ready_at();
        let is_full = self.rig.dice.level() == Level::Full;
        let chaos = ready_at.filter(|_| is_full);
        let (node, due) = self.rig.wakes.first();
        let candidates = [
            (Turn::Repair, self.misfortune.repair_at()),
            (
                Turn::Chaos,
                chaos.and_then(|from| self.misfortune.next_at(from)),
            ),
            (Turn::People, Some(self.people_at)),
            (Turn::Node(node), Some(due)),
            (Turn::Arrival, self.rig.wire.next_arrival()),
        ];

        let due = candidates
            .into_iter()
            .filter_map(|(turn, at)| Some((turn, at?)));
        // What is overdue counts as due now, so that the order of the list decides between it.
        let now = self.rig.now();
        let due = due.map(|(turn, at)| (turn, at.max(now)));
        due.min_by_key(|(_, at)| *at).unwrap()
    }

    /// Faults and attacks stop; what lasts is repaired.
    pub(crate) fn calm_down(&mut self) {
        self.rig.dice.set_level(Level::Calm);
        self.rig.hostile.stop();
        self.rig.wire.mend();
        self.rig.trace.log(Event::Calm);
        self.rig.observer.on_calm();

        // Every lasting fault ends now, whenever its plan would have: the promises of the end are
        // made for a whole installation.
        self.nodes.calm_down(self.rig.now());
        self.misfortune.repair(&mut self.nodes, u64::MAX);
        self.people.calm_down();
    }

    /// Why the installation is not at rest in one state, if it is not.
    pub(crate) fn difference(&self) -> Option<String> {
        if self.rig.wire.is_quiet() {
            self.nodes.difference()
        } else {
            Some("records are on their way".into())
        }
    }

    /// The state of every part, for people.
    pub(crate) fn describe(&self) -> String {
        let seconds = (self.rig.now() - self.plan.start_ms) as f64 / 1000.0;
        let (seed, turns, events) = (self.plan.seed, self.turns, self.rig.trace.number());
        let level = self.rig.dice.level();
        let head =
            format!("seed {seed}: {seconds:.3} s, turn {turns}, event {events}, faults {level:?}");
        let parts = [
            ("nodes", self.nodes.describe()),
            ("people", self.people.describe()),
            ("api", self.rows()),
            ("wire", self.rig.wire.describe()),
            ("hostile parts", self.rig.hostile.describe()),
            ("observer", self.rig.observer.describe()),
        ];

        let mut text = head;
        for (name, lines) in parts {
            text.push_str(&format!("\n{name}"));
            for line in lines {
                text.push_str(&format!("\n  {line}"));
            }
        }
        text
    }

    /// The transactions as the API shows them.
    fn rows(&self) -> Vec<String> {
        let rows = shown(self.nodes.api().disk.content());
        rows.iter()
            .map(|row| format!("{} {:?} {}", row.digest, row.state, row.code))
            .collect()
    }
}
