//! Single faults and hostile acts of a plan, and their end.

use crate::hub::Hub;
use crate::kinds::{Fault, Hostile, NodeName};
use crate::plan::{Chaos, Sabotage};
use crate::run::Sim;
use crate::workload::seat_of;
use std::sync::Arc;
use strongroom_journal::Body;
use strongroom_journal::follower::Follower;
use strongroom_journal::writer::Orderer;
use strongroom_ports::bus::Topic;
use strongroom_types::{Digest, UnixMs};
use strongroom_wire::envelope::{Heading, seal};
use strongroom_wire::frame::ToSigner;
use strongroom_wire::{JournalBatch, Role, topics};
use strongroom_world::World;

/// What ends a fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Undo {
    Clock(NodeName),
    LocalStop(NodeName),
}

impl Sim {
    pub(crate) fn wreak(&mut self, event: Chaos) {
        let now = self.hub.now();
        self.hub.log(&format!("chaos: {event:?}"));
        match event {
            Chaos::Partition(node, ms) => {
                self.counted(Fault::Partition);
                let mut inner = self.hub.lock();
                inner.cut[node.at()] = now + ms;
                drop(inner);
                if let Some(signer) = seat_of(&mut self.signers, node) {
                    signer.lose(now + ms);
                }
            }
            Chaos::HideJournal(node, ms) => {
                self.counted(Fault::JournalHidden);
                if let Some(signer) = seat_of(&mut self.signers, node) {
                    signer.blind(now + ms);
                }
            }
            Chaos::Kill(node, ms) => {
                self.counted(Fault::Kill);
                self.kill(node, "killed", ms);
            }
            Chaos::DiskFull(node, ms) => {
                self.counted(Fault::DiskFull);
                match seat_of(&mut self.signers, node) {
                    Some(signer) => signer.disk.fill(now + ms),
                    None => self.service(node).disk.fill(now + ms),
                }
            }
            Chaos::Snapshot(node) => match seat_of(&mut self.signers, node) {
                Some(signer) => signer.take_snapshot(),
                None => self.service(node).disk.take_snapshot(),
            },
            Chaos::Restore(node) => self.restore(node),
            Chaos::ClockJump(node, offset) => {
                self.counted(Fault::ClockJump);
                self.clock(node, |clock| clock.jump(now, offset));
            }
            Chaos::ClockOff(node, wrong, ms) => {
                self.counted(Fault::ClockOff);
                self.clock(node, |clock| clock.wrong(wrong));
                self.undo.push((now + ms, Undo::Clock(node)));
            }
            Chaos::LocalStop(node, ms) => {
                if seat_of(&mut self.signers, node).is_some_and(|signer| signer.stop_local()) {
                    self.counted(Fault::LocalStop);
                    self.undo.push((now + ms, Undo::LocalStop(node)));
                }
            }
            Chaos::Act(Hostile::ForkedLog) => self.fork(),
            Chaos::Act(what) => self.hub.lock().act_hostile(what),
        }
    }

    pub(crate) fn undo(&mut self, what: Undo) {
        self.hub.log(&format!("chaos ends: {what:?}"));
        match what {
            Undo::Clock(node) => self.clock(node, |clock| clock.wrong(0)),
            Undo::LocalStop(node) => {
                if let Some(signer) = seat_of(&mut self.signers, node) {
                    signer.resume_local();
                }
            }
        }
    }

    fn counted(&self, fault: Fault) {
        self.hub.lock().count(fault);
    }

    fn kill(&mut self, node: NodeName, why: &str, ms: u64) {
        match seat_of(&mut self.signers, node) {
            Some(signer) => signer.die(why, ms),
            None => self.service(node).die(why, ms),
        }
    }

    fn clock(&mut self, node: NodeName, change: impl FnOnce(&mut crate::clock::NodeClock)) {
        match seat_of(&mut self.signers, node) {
            Some(signer) => change(&mut signer.clock),
            None => change(&mut self.service(node).clock),
        }
    }

    fn restore(&mut self, node: NodeName) {
        let marker_too = self.plan.sabotage == Some(Sabotage::MarkerWithDisk);
        let orders_on = self.plan.sabotage == Some(Sabotage::WriterOrdersOn);
        let (back, fault) = match seat_of(&mut self.signers, node) {
            Some(signer) => (signer.restore(marker_too), Fault::WitnessRestored),
            None => {
                let writer = node == NodeName::Writer;
                let fault = if writer {
                    Fault::WriterRestored
                } else {
                    Fault::ServiceRestored
                };
                (self.service(node).restore(orders_on), fault)
            }
        };
        if back {
            self.counted(fault);
        }
    }

    /// The writer signs a second line after what one signer has, and shows it to that signer alone.
    fn fork(&mut self) {
        if self.hub.lock().tamper.over {
            return;
        }
        let victim = self.hub.lock().below(self.signers.len() as u64) as usize;
        let Some(signer) = self.signers.get_mut(victim) else {
            return;
        };
        let Some(size) = signer.next_seq().filter(|_| !signer.is_retired()) else {
            return;
        };
        let own = signer.clock.at(self.hub.now());
        let Some(record) = forked(&self.hub, &self.world, size, own) else {
            return;
        };
        signer.inject(ToSigner::Batch(record));
        signer.misled = true;
        self.hub.lock().count_hostile(Hostile::ForkedLog);
    }
}

/// A batch with one tick on top of the first `size` entries, under the writer's own keys.
fn forked(hub: &Hub, world: &World, size: u64, now: UnixMs) -> Option<Vec<u8>> {
    let mut follower = Follower::new(Arc::clone(&world.genesis)).ok()?;
    let inner = hub.lock();
    let topic = Topic::new(topics::JOURNAL_ENTRIES).ok()?;
    for offset in 0..inner.bus.len(&topic) {
        let record = inner.bus.record(&topic, offset)?;
        let Some((_, batch)) = inner.observer.read::<JournalBatch>(&record.payload) else {
            continue;
        };
        if batch.first_seq + batch.entries.len() as u64 <= size {
            follower.append(&batch).ok()?;
        }
    }
    drop(inner);
    if follower.size() != size || size == 0 {
        return None;
    }
    let orderer = Orderer::new(&world.genesis, &world.log_key.to_bytes()).ok()?;
    let rng = &mut world.seed.rng("forked salts", size);
    let ordered = orderer.order(&mut follower, now, &[Body::Tick], rng).ok()?;
    let batch = &ordered.batches.first()?.batch;
    let writer = world.service(Role::Writer);
    let genesis: Digest = world.genesis.hash();
    let deadline = UnixMs(i64::MAX as u64);
    let heading = Heading {
        genesis,
        from: writer.node,
        to: None,
        session: [0; 16],
        sequence: 1,
        created: now,
        deadline,
    };
    Some(seal(heading, batch, &writer.signing))
}
