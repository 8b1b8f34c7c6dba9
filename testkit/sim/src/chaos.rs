//! Single faults and hostile acts of a plan, and their repair.

use crate::event::Event;
use crate::kinds::{Fault, Hostile, NodeName};
use crate::nodes::{NodeMut, Nodes};
use crate::plan::{Chaos, Plan, Repair, Sabotage, Stream};
use crate::rig::Rig;
use crate::signer::SignerHost;
use std::sync::Arc;
use strongroom_journal::follower::Follower;
use strongroom_journal::writer::{Offer, Orderer};
use strongroom_ports::bus::Topic;
use strongroom_replica::journal_topics;
use strongroom_types::UnixMs;
use strongroom_wire::frame::ToSigner;
use strongroom_wire::{JournalBatch, Role, topics};
use strongroom_world::{Letter, Sender};

/// The faults of a plan that are still to come, and those that last.
pub(crate) struct Misfortune {
    rig: Rig,
    planned: Vec<(u64, Chaos)>,
    next: usize,
    repairs: Vec<(u64, Repair)>,
    sabotage: Option<Sabotage>,
}

impl Misfortune {
    pub(crate) fn new(rig: &Rig, plan: &Plan) -> Self {
        Self {
            rig: rig.clone(),
            planned: plan.chaos.clone(),
            next: 0,
            repairs: Vec::new(),
            sabotage: plan.sabotage,
        }
    }

    /// When the next fault is due, in a plan whose times count from `from`.
    pub(crate) fn next_at(&self, from: u64) -> Option<u64> {
        self.planned.get(self.next).map(|(at, _)| from + at)
    }

    /// When the next repair is due.
    pub(crate) fn repair_at(&self) -> Option<u64> {
        self.repairs.iter().map(|(at, _)| *at).min()
    }

    /// Repairs what is due.
    pub(crate) fn repair(&mut self, nodes: &mut Nodes, now: u64) {
        let due = self.repairs.extract_if(.., |(at, _)| *at <= now);
        for (_, repair) in due.collect::<Vec<_>>() {
            self.rig.trace.log(Event::Repaired(repair));
            match repair {
                Repair::Clock(node) => nodes.clock(node).set_wrong(0),
                Repair::LocalStop(node) => {
                    if let Some(signer) = nodes.signer(node) {
                        signer.resume_local();
                    }
                }
            }
        }
    }

    /// Does the next fault of the plan.
    pub(crate) fn strike(&mut self, nodes: &mut Nodes) {
        let Some((_, chaos)) = self.planned.get(self.next).copied() else {
            return;
        };
        self.next += 1;
        self.rig.trace.log(Event::Chaos(chaos));

        // Counted only when it had an effect: a disk without a copy cannot be put back.
        if let Some(fault) = self.take_effect(nodes, chaos) {
            self.rig.trace.log(Event::Fault(fault));
        }
    }

    /// The fault that came about, if one did. Acts of hostile parts are counted where they act.
    fn take_effect(&mut self, nodes: &mut Nodes, chaos: Chaos) -> Option<Fault> {
        let now = self.rig.now();
        match chaos {
            Chaos::Partition(node, ms) => Some(self.cut_off(nodes, node, now + ms)),
            Chaos::HideJournal(node, _) | Chaos::Lose(node) | Chaos::Unfreeze(node) => {
                let signer = nodes.signer(node);
                signer.and_then(|signer| strike_signer(signer, chaos, now))
            }
            Chaos::Hide(node, stream, ms) => Some(self.hide(node, stream, now + ms)),
            Chaos::HoldEntries(ms) => {
                self.rig.wire.hold(&entries_topic(), now + ms);
                Some(Fault::BusDelay)
            }
            Chaos::Kill(node, ms) => {
                nodes.kill(node, "killed", ms);
                Some(Fault::Kill)
            }
            Chaos::DiskFull(node, ms) => {
                nodes.disk(node).fill(now + ms);
                Some(Fault::DiskFull)
            }
            Chaos::Snapshot(node) => {
                snapshot(nodes, node);
                None
            }
            Chaos::Restore(node) => self.restore(nodes, node),
            Chaos::ClockJump(node, offset) => {
                nodes.clock(node).jump(now, offset);
                Some(Fault::ClockJump)
            }
            Chaos::ClockOff(node, wrong, ms) => {
                nodes.clock(node).set_wrong(wrong);
                self.repairs.push((now + ms, Repair::Clock(node)));
                Some(Fault::ClockOff)
            }
            Chaos::LocalStop(node, ms) => self.stop_local(nodes, node, now + ms),
            Chaos::Act(Hostile::ForkedLog) => {
                // Any seat: a plan that means a certain one names it (`Chaos::Fork`).
                let number = self.rig.dice.below(NodeName::SEATS.len() as u64) as usize;
                self.fork(nodes, NodeName::SEATS[number], 0);
                None
            }
            Chaos::Fork(node, without) => {
                self.fork(nodes, node, without);
                None
            }
            Chaos::Writer(what) => {
                self.rig.hostile.order(what);
                None
            }
            Chaos::Act(what) => {
                let records = self.rig.hostile.act(what);
                self.rig.inject(NodeName::Coordinator, records);
                None
            }
        }
    }

    /// A node reaches no other until then: neither the bus nor, for a signer, its link.
    fn cut_off(&self, nodes: &mut Nodes, node: NodeName, until: u64) -> Fault {
        self.rig.wire.cut(node, until);
        if let Some(signer) = nodes.signer(node) {
            signer.disconnect(until);
        }
        Fault::Partition
    }

    /// The bus gives a node nothing of these topics until then.
    fn hide(&self, node: NodeName, stream: Stream, until: u64) -> Fault {
        for topic in self.topics_of(stream) {
            self.rig.wire.hide(node, &topic, until);
        }
        Fault::BusDrop
    }

    fn topics_of(&self, stream: Stream) -> Vec<Topic> {
        let mut found = journal_topics(&self.rig.world.genesis).unwrap();
        found.retain(|topic| {
            let is_entries = topic.as_str() == topics::JOURNAL_ENTRIES;
            is_entries == (stream == Stream::Entries)
        });
        found
    }

    fn stop_local(&mut self, nodes: &mut Nodes, node: NodeName, until: u64) -> Option<Fault> {
        let is_told = nodes.signer(node)?.stop_local()?;
        self.repairs.push((until, Repair::LocalStop(node)));
        is_told.then_some(Fault::LocalStop)
    }

    fn restore(&self, nodes: &mut Nodes, node: NodeName) -> Option<Fault> {
        let marker_too = self.sabotage == Some(Sabotage::MarkerWithDisk);
        let orders_on = self.sabotage == Some(Sabotage::WriterOrdersOn);
        let (restored, fault) = match nodes.get(node) {
            NodeMut::Signer(signer) => (signer.restore(marker_too), Fault::WitnessRestored),
            NodeMut::Service(service) if node == NodeName::Writer => {
                (service.restore(orders_on), Fault::WriterRestored)
            }
            NodeMut::Service(service) => (service.restore(false), Fault::ServiceRestored),
        };
        restored.then_some(fault)
    }

    /// The writer signs a second line after what one signer has, or in place of its last so many
    /// entries, and shows it to that signer alone.
    fn fork(&self, nodes: &mut Nodes, victim: NodeName, without: u64) {
        if self.rig.hostile.is_over() {
            return;
        }
        let Some(signer) = nodes.signer(victim) else {
            return;
        };
        let Some(size) = signer.next_seq().filter(|_| !signer.is_retired()) else {
            return;
        };

        // In place of entries that it has, the second line is two trees of one size: evidence.
        let size = size.saturating_sub(without);
        let own = signer.clock.at(self.rig.now());
        let Some(record) = forked(&self.rig, size, own) else {
            return;
        };

        // At its link and not on the bus: no other part may see the line that it is shown.
        signer.inject(ToSigner::Batch(record));
        signer.misled = true;
        self.rig.hostile.log_fork();
    }
}

fn entries_topic() -> Topic {
    Topic::new(topics::JOURNAL_ENTRIES).unwrap()
}

/// What only signers and the witness meet.
fn strike_signer(signer: &mut SignerHost, chaos: Chaos, now: u64) -> Option<Fault> {
    match chaos {
        Chaos::HideJournal(_, ms) => {
            signer.hide_journal(now + ms);
            Some(Fault::JournalHidden)
        }
        Chaos::Lose(_) => {
            signer.lose_disk();
            Some(Fault::WitnessLost)
        }
        Chaos::Unfreeze(_) => {
            signer.unfreeze();
            None
        }
        _ => None,
    }
}

fn snapshot(nodes: &mut Nodes, node: NodeName) {
    match nodes.get(node) {
        NodeMut::Signer(signer) => signer.take_snapshot(),
        NodeMut::Service(service) => service.disk.take_snapshot(),
    }
}

/// A batch with one tick on top of the first `size` entries, under the writer's own keys.
fn forked(rig: &Rig, size: u64, now: UnixMs) -> Option<Vec<u8>> {
    let world = &rig.world;

    // Replayed from the wire: the second line must agree with what the signer has up to there, else
    // it is refused for that and not for being a fork.
    let mut follower = Follower::new(Arc::clone(&world.genesis)).ok()?;
    let opener = &rig.opener;
    let topic = entries_topic();
    for offset in 0..rig.wire.len(&topic) {
        let record = rig.wire.record(&topic, offset)?;
        let Some((_, batch)) = opener.open::<JournalBatch>(&record.payload) else {
            continue;
        };
        if batch.first_seq + batch.entries.len() as u64 <= size {
            follower.append(&batch).ok()?;
        }
    }
    if follower.size() != size || size == 0 {
        return None;
    }

    let orderer = Orderer::new(&world.genesis, &world.log_key.to_bytes()).ok()?;
    let rng = &mut world.seed.rng("forked salts", size);
    let ordered = orderer
        .order(&mut follower, now, &[Offer::tick()], rng)
        .ok()?;
    let batch = &ordered.batches.first()?.batch;
    let letter = Letter::new(topics::JOURNAL_ENTRIES, now);
    let writer = Sender::Service(Role::Writer);
    Some(world.record(writer, letter, batch).payload)
}
