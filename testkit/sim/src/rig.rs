//! The rig: handles to the parts that all nodes of a seed share. Each part owns its state.

use crate::clock::Time;
use crate::dice::Dice;
use crate::event::Event;
use crate::hostile::HostileParts;
use crate::kinds::NodeName;
use crate::observe::Observer;
use crate::plan::Plan;
use crate::reading::Opener;
use crate::trace::Trace;
use crate::wakes::Wakes;
use crate::wire::Wire;
use strongroom_ports::bus::Record;
use strongroom_types::digest;
use strongroom_wire::frame::FromSigner;
use strongroom_world::World;

/// What nodes share.
#[derive(Clone)]
pub(crate) struct Rig {
    pub(crate) world: World,
    pub(crate) time: Time,
    pub(crate) dice: Dice,
    pub(crate) trace: Trace,
    pub(crate) wakes: Wakes,
    pub(crate) wire: Wire,
    pub(crate) opener: Opener,
    pub(crate) observer: Observer,
    pub(crate) hostile: HostileParts,
}

impl Rig {
    /// The rig of a plan. `print`: every event is printed as it happens.
    pub(crate) fn new(plan: &Plan, print: bool) -> Self {
        let world = World::new(plan.seed, plan.world_options());
        let time = Time::new(plan.start_ms);
        let trace = Trace::new(time.clone(), print);
        let wakes = Wakes::new(plan.start_ms);
        let dice = Dice::new(world.seed.rng("dice", 0), plan, trace.clone());
        let wire = Wire::new(
            world.seed.id("bus incarnation", 0),
            time.clone(),
            dice.clone(),
            wakes.clone(),
        );
        let opener = Opener::new(&world.genesis);
        let seen = (opener.clone(), time.clone(), trace.clone());
        let hostile = HostileParts::new(&world, plan, seen.clone());
        let observer = Observer::new(&world, plan, (seen, hostile.clone()));
        Self {
            world,
            time,
            dice,
            trace,
            wakes,
            wire,
            opener,
            observer,
            hostile,
        }
    }

    pub(crate) fn now(&self) -> u64 {
        self.time.now()
    }

    /// Records leave a node: its operator may be hostile, the observer sees what really leaves.
    pub(crate) fn publish(&self, node: NodeName, records: &[Record]) {
        self.inject(node, self.hostile.outgoing(node, records));
    }

    /// Records of a hostile part leave, as if its node had sent them.
    pub(crate) fn inject(&self, node: NodeName, records: Vec<Record>) {
        // The log before those who watch: an event of the observer stands behind its cause.
        for record in records {
            self.trace.log(published(node, &record));
            self.observer.on_record(&record);
            self.hostile.on_record(&record);
            self.wire.send(record);
        }
    }

    /// A frame leaves a signer or witness.
    pub(crate) fn on_frame(&self, node: NodeName, frame: &FromSigner) {
        self.observer.on_frame(node, frame);
        self.hostile.on_frame(node, frame);
    }

    /// A signer or witness starts; see [`Observer::on_start`].
    pub(crate) fn on_start(&self, node: NodeName, cosigned: (u64, u64)) {
        self.observer.on_start(node, cosigned);
        self.hostile.on_start(node);
    }
}

fn published(node: NodeName, record: &Record) -> Event {
    let topic = record.topic.as_str();
    let topic = topic.trim_start_matches("strongroom.");
    let [a, b, c, d, ..] = digest("strongroom/sim-record/v1", &[&record.payload]).0;
    Event::Published {
        node,
        topic: topic.trim_end_matches(".v1").to_owned(),
        digest: [a, b, c, d],
    }
}
