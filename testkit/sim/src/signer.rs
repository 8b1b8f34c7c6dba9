//! One signer or witness: the node, its disk and marker, its link; it dies and starts again.

use crate::clock::NodeClock;
use crate::disk::SimDisk;
use crate::event::Event;
use crate::host::{NodeEntropy, SimMarker, SimProtector};
use crate::kinds::{NodeName, WritePoint};
use crate::link::{Frame, Link};
use crate::rig::Rig;
use std::sync::Arc;
use strongroom_mpc_core::seal::SealingSecret;
use strongroom_ports::chain::ChainCodec;
use strongroom_ports::db::Db as _;
use strongroom_ports::host::Entropy as _;
use strongroom_signer_core::{
    Fatal, LocalRules, NodeSecrets, SignerNode, SignerSetup, install, resume_local,
};
use strongroom_types::{Digest, NodeId, Signed, UnixMs};
use strongroom_wire::frame::{AdminReply, AdminRequest, FromSigner, ToSigner};
use zeroize::Zeroizing;

/// Between ticks, milliseconds.
const TICK_MS: u64 = 100;

/// A signer or the independent witness: one shipped node, and what of its host outlives its
/// process.
pub(crate) struct SignerHost {
    pub(crate) node: NodeName,
    rig: Rig,
    me: NodeId,
    pub(crate) disk: Arc<SimDisk>,
    marker: SimMarker,
    /// The marker beside the kept copy of the disk, for the run whose guard is missing.
    marker_copy: Option<[u8; 16]>,
    entropy: Arc<NodeEntropy>,
    codec: Arc<dyn ChainCodec>,
    pub(crate) clock: NodeClock,
    process: Option<SignerNode>,
    link: Link,
    /// Not before this true time.
    start_at: u64,
    tick_at: u64,
    /// Starts since the copy of its disk was made.
    starts: u64,
    /// Whether its disk was put back or lost: its key must retire.
    pub(crate) restored: bool,
    /// Whether it was shown another line: it has stopped, until its operator names the evidence.
    pub(crate) misled: bool,
    /// Whether it said that it is frozen.
    frozen: bool,
}

/// What became of a process over one call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    Runs,
    Died,
}

impl SignerHost {
    pub(crate) fn new(
        node: NodeName,
        rig: &Rig,
        codec: Arc<dyn ChainCodec>,
        clock: NodeClock,
    ) -> Self {
        let seats: Vec<NodeId> = rig.world.genesis.witness_keys().map(|(id, _)| id).collect();
        let me = rig.world.seat(node.seat()).node;
        let disk = SimDisk::new(node, rig.clone());
        let mut marker = SimMarker::default();
        let entropy = NodeEntropy::new(rig.world.seed, node.name());

        // As `strongroom-signer init` does: a database without its marker must never start.
        install(disk.content(), &mut marker, &mut *entropy.rng()).unwrap();
        Self {
            node,
            me,
            disk,
            marker,
            marker_copy: None,
            entropy,
            codec,
            clock,
            process: None,
            link: Link::new(node, me, &seats, rig.clone()),
            start_at: 0,
            tick_at: 0,
            starts: 0,
            restored: false,
            misled: false,
            frozen: false,
            rig: rig.clone(),
        }
    }

    fn own_time(&self) -> UnixMs {
        self.clock.at(self.rig.now())
    }

    fn secrets(&self) -> NodeSecrets {
        let seat = self.rig.world.seat(self.node.seat());

        // The independent witness has no roster seat, and so no sealing key in the world.
        let mut signers = self.rig.world.signers.iter();
        let sealing = match signers.find(|keys| keys.node == self.me) {
            Some(keys) => keys.sealing(),
            None => {
                let bytes = self.rig.world.seed.bytes("witness sealing", 0);
                SealingSecret::from_bytes(&bytes)
            }
        };
        NodeSecrets {
            signing: seat.signing,
            witness: Zeroizing::new(seat.witness.to_bytes()),
            sealing,
        }
    }

    fn start(&mut self) -> Result<(), Fatal> {
        self.disk.revive();
        let setup = SignerSetup {
            genesis: self.rig.world.genesis.to_bytes(),
            pinned: self.rig.world.genesis.hash(),
            me: self.me,
            secrets: self.secrets(),
            db: self.disk.clone(),
            protector: Arc::new(SimProtector),
            codecs: vec![Arc::clone(&self.codec)],
            entropy: self.entropy.clone(),
            rules: LocalRules::default(),
            marker: Box::new(self.marker.clone()),
            now: self.own_time(),
        };

        // Told before the first frame: the observer takes the floor of what it cosigned from here,
        // and what hostile parts know of its nonces is void.
        let mut process = SignerNode::open(setup)?;
        self.rig.on_start(self.node, self.cosigned_last());
        self.starts += 1;
        self.connect(&mut process);
        self.rig.trace.log(Event::NodeUp {
            node: self.node,
            retired: process.is_retired(),
        });
        self.process = Some(process);
        Ok(())
    }

    /// What its disk says that it cosigned last: size, and time in Unix seconds. Both are 0 before
    /// the first time.
    fn cosigned_last(&self) -> (u64, u64) {
        let mut tx = self.disk.content().begin().unwrap();
        let sql = "SELECT cosigned_size, cosigned_s FROM journal_witness WHERE id = 1";
        let row = tx.query_opt(sql, &[]).unwrap().unwrap();
        (row.u64(0).unwrap(), row.u64(1).unwrap())
    }

    fn connect(&mut self, process: &mut SignerNode) {
        if let FromSigner::Hello { next_seq } = process.hello() {
            self.link.connect(next_seq);
        }
    }

    /// The process is gone; it starts again after a pause.
    pub(crate) fn die(&mut self, why: &str, pause_ms: u64) {
        self.rig.trace.log(Event::NodeDown {
            node: self.node,
            why: why.to_owned(),
        });
        self.start_at = self.rig.now() + pause_ms;
        self.process = None;
    }

    fn on_fatal(&mut self, fatal: &Fatal) {
        self.rig.trace.log(Event::NodeEnded {
            node: self.node,
            code: fatal.code().to_string(),
        });

        // A supervisor starts it again at once or later; drawn, so that starts meet different
        // heads.
        let pause = self.rig.dice.between(20, 2_000);
        self.die(&fatal.to_string(), pause);
    }

    /// Keeps a copy of its disk, and starts again: the copy is of an earlier generation then.
    pub(crate) fn take_snapshot(&mut self) {
        self.disk.take_snapshot();
        self.marker_copy = self.marker.get();
        self.starts = 0;
        self.die("after its disk was copied", 50);
    }

    /// Puts the kept copy of its disk in place; `false` when there is none, or when it did not
    /// start since: a copy of the same generation is not noticed without a hardware counter, which
    /// the product says.
    ///
    /// `marker_too`: a guard is missing, the boot marker is put back with it.
    pub(crate) fn restore(&mut self, marker_too: bool) -> bool {
        if self.starts == 0 {
            return false;
        }
        self.process = None;
        if !self.disk.restore() {
            return false;
        }

        if marker_too {
            self.marker.set(self.marker_copy);
            // Else its own cosignature on the bus would give it away all the same.
            self.link.forget_own();
        }

        self.restored = true;
        self.rig.observer.on_restore(self.node);
        self.die("its disk is put back", 300);
        true
    }

    /// Its database and its marker are gone, its keys are elsewhere, and the bus does not show it
    /// what it cosigned: without a marker they must retire.
    pub(crate) fn lose_disk(&mut self) {
        self.process = None;
        self.disk.wipe();
        self.marker.set(None);

        // Else its own cosignature on the bus would give it away all the same.
        self.link.forget_own();
        self.restored = true;
        self.rig.observer.on_restore(self.node);
        self.die("its database and marker are lost", 300);
    }

    /// Hands a tightening over, as an operator does at the admin socket.
    pub(crate) fn hand(&mut self, signed: &Signed) {
        let now = self.own_time();
        let Some(process) = &mut self.process else {
            return;
        };
        let request = AdminRequest::Hand(signed.to_json().to_text());
        let refused = match process.admin(request, now) {
            AdminReply::Done => None,
            other => Some(format!("{other:?}")),
        };

        // Only what it took is owed (property h); the clock is its own, since the duty counts
        // there.
        if refused.is_none() {
            self.rig.observer.on_handed(self.node, signed, now);
        }
        self.rig.trace.log(Event::Handed {
            node: self.node,
            refused,
        });
    }

    /// The operator stops it; it starts again as stopped. `None` while it is down, else whether it
    /// said so: a process that dies after its commit is stopped all the same.
    pub(crate) fn stop_local(&mut self) -> Option<bool> {
        let now = self.own_time();
        let process = self.process.as_mut()?;
        let reply = process.admin(AdminRequest::Stop, now);
        Some(matches!(reply, AdminReply::Done))
    }

    /// The operator removes the stop mark, while the process is down.
    pub(crate) fn resume_local(&mut self) {
        self.process = None;
        self.disk.revive();

        // Without a mark there is nothing to remove, as where its disk was put back in between.
        let _ = resume_local(self.disk.content());
        self.die("resumed by its operator", 50);
    }

    /// Evidence of the freeze that is in force, as the node's status names it.
    fn evidence(&mut self) -> Option<Digest> {
        let now = self.own_time();
        let process = self.process.as_mut()?;
        let AdminReply::Status(status) = process.admin(AdminRequest::Status, now) else {
            return None;
        };
        let mut lines = status.lines();
        lines.find_map(|line| line.strip_prefix("frozen: ")?.parse().ok())
    }

    /// It freezes, which its process may forget and the observer does not.
    fn observe_freeze(&mut self) {
        if !self.frozen && self.is_halted() && self.evidence().is_some() {
            self.frozen = true;
            self.rig.observer.on_freeze(self.node, true);
        }
    }

    /// The operator names the evidence of its freeze and starts it again.
    pub(crate) fn unfreeze(&mut self) {
        let (now, evidence) = (self.own_time(), self.evidence());
        let (Some(process), Some(evidence)) = (&mut self.process, evidence) else {
            return;
        };
        if process.admin(AdminRequest::Unfreeze(evidence), now) == AdminReply::Done {
            (self.frozen, self.misled) = (false, false);
            self.rig.observer.on_freeze(self.node, false);
            self.die("unfrozen by its operator", 50);
        }
    }

    /// The connection is lost until then.
    pub(crate) fn disconnect(&mut self, until: u64) {
        self.link.disconnect(until);
    }

    /// Nothing of the journal reaches it until then.
    pub(crate) fn hide_journal(&mut self, until: u64) {
        self.link.hide_journal(until);
    }

    pub(crate) fn inject(&mut self, frame: ToSigner) {
        self.link.inject(frame);
    }

    /// Next entry it needs.
    pub(crate) fn next_seq(&mut self) -> Option<u64> {
        match self.process.as_mut()?.hello() {
            FromSigner::Hello { next_seq } => Some(next_seq),
            FromSigner::Outbox(_) | FromSigner::Cosignature(_) | FromSigner::Submission(_) => None,
        }
    }

    /// One round; gives when it is due again.
    pub(crate) fn step(&mut self, idle_ms: u64) -> u64 {
        let now = self.rig.now();
        self.link.flush();
        if self.process.is_none() && (now < self.start_at || self.try_start() == Life::Died) {
            return self.start_at;
        }

        self.link.pump();

        // All that has arrived, in order, as a process that blocks on its link would take it.
        let mut has_worked = false;
        while let Some(frame) = self.link.next() {
            has_worked = true;
            if self.deliver(&frame) == Life::Died {
                return self.start_at;
            }
        }
        if now >= self.tick_at && self.tick() == Life::Died {
            return self.start_at;
        }
        self.link.flush();

        // One that worked looks again soon: the answer to what it sent may be there.
        let soon = if has_worked {
            now + 2
        } else {
            now + idle_ms.min(TICK_MS * 2)
        };
        let next = self.link.next_due();
        next.map_or(soon, |due| soon.min(due.max(now + 1)))
    }

    fn try_start(&mut self) -> Life {
        self.rig.dice.on_start(self.node);

        // Before the node opens anything: a start that fails here must leave no trace.
        if self.rig.dice.dies(self.node, WritePoint::SignerAtStart) {
            self.die("at its start", 100);
            return Life::Died;
        }
        match self.start() {
            Ok(()) => Life::Runs,
            Err(fatal) => {
                self.on_fatal(&fatal);
                Life::Died
            }
        }
    }

    fn tick(&mut self) -> Life {
        self.tick_at = self.rig.now() + TICK_MS;
        let clock = self.own_time();
        let answers = self.process.as_mut().map(|process| process.tick(clock));
        self.send(answers, None)
    }

    fn deliver(&mut self, frame: &Frame) -> Life {
        let clock = self.own_time();
        let process = self.process.as_mut();
        let answers = process.map(|process| process.handle(frame.frame.clone(), clock));
        if self.send(answers, Some(frame)) == Life::Died {
            return Life::Died;
        }

        self.observe_freeze();

        // A signer that misses entries says so; the carrier starts again where it wants.
        let has_gap = self.process.as_ref().is_some_and(SignerNode::has_gap);
        if has_gap && let Some(mut process) = self.process.take() {
            self.connect(&mut process);
            self.process = Some(process);
        }
        Life::Runs
    }

    /// Sends what a call answered, unless the process dies before or after.
    fn send(
        &mut self,
        answers: Option<Result<Vec<FromSigner>, Fatal>>,
        frame: Option<&Frame>,
    ) -> Life {
        let answers = match answers {
            None => return Life::Died,
            Some(Ok(answers)) => answers,
            Some(Err(fatal)) => {
                self.on_fatal(&fatal);
                return Life::Died;
            }
        };

        // The points are where something leaves the process, so a call without answers has none.
        let dice = self.rig.dice.clone();
        let dies = |point| !answers.is_empty() && dice.dies(self.node, point);
        let sent = if dies(WritePoint::SignerBeforeSend) {
            dice.below(answers.len() as u64) as usize
        } else {
            answers.len()
        };
        for answer in &answers[..sent] {
            self.rig.on_frame(self.node, answer);
            self.link.send(answer.clone());
        }

        if sent < answers.len() {
            self.die("before it sent everything", 200);
            return Life::Died;
        }

        // Sent, but the carrier does not know that the frame was taken in: it comes again.
        if !answers.is_empty() && dice.dies(self.node, WritePoint::SignerAfterSend) {
            self.die("after it sent", 200);
            return Life::Died;
        }

        // Last: a frame whose answers were lost with the process must come again.
        if let Some(frame) = frame {
            self.link.ack(frame);
        }
        Life::Runs
    }

    pub(crate) fn is_up(&self) -> bool {
        self.process.is_some()
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.link.is_quiet()
    }

    pub(crate) fn is_retired(&self) -> bool {
        self.process.as_ref().is_some_and(SignerNode::is_retired)
    }

    pub(crate) fn is_halted(&self) -> bool {
        let process = self.process.as_ref();
        process.is_some_and(|process| process.halted().is_some())
    }

    /// Entries and checkpoint body on its disk.
    pub(crate) fn tip(&self) -> (u64, String) {
        let genesis = Arc::clone(&self.rig.world.genesis);
        let replica = strongroom_replica::Replica::open(self.disk.content(), genesis).unwrap();
        let follower = replica.follower();
        (follower.size(), follower.tip().body.clone())
    }

    /// For the debugger.
    pub(crate) fn describe(&self) -> String {
        let now = self.rig.now();
        let mut text = match &self.process {
            None => format!("down for {} ms", self.start_at.saturating_sub(now)),
            Some(_) => format!("up, {} entries", self.tip().0),
        };
        let marks = [
            (self.is_halted(), "halted"),
            (self.is_retired(), "retired"),
            (self.restored, "disk was put back"),
            (self.misled, "was shown a fork"),
            (self.disk.is_full(), "disk full"),
        ];
        for (_, what) in marks.iter().filter(|(is_so, _)| *is_so) {
            text.push_str(&format!(", {what}"));
        }

        let clock = self.clock.error_ms(now);
        let link = self.link.describe();
        format!("{text}; clock {clock:+} ms; link: {link}")
    }
}
