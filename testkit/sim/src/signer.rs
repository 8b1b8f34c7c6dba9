//! One signer or witness: the node, its disk and marker, its link; it dies and starts again.

use crate::clock::NodeClock;
use crate::disk::SimDisk;
use crate::host::{NodeEntropy, SimMarker, SimProtector};
use crate::hub::Hub;
use crate::kinds::{NodeName, WritePoint};
use crate::link::{Frame, Link};
use std::sync::Arc;
use strongroom_mpc_core::seal::SealingSecret;
use strongroom_ports::chain::ChainCodec;
use strongroom_signer_core::{
    Fatal, LocalRules, NodeSecrets, SignerNode, SignerSetup, resume_local,
};
use strongroom_types::{NodeId, Signed};
use strongroom_wire::frame::{AdminReply, AdminRequest, FromSigner, ToSigner};
use strongroom_world::World;
use zeroize::Zeroizing;

/// Between ticks, milliseconds.
const TICK_MS: u64 = 100;

pub(crate) struct SignerHost {
    pub(crate) node: NodeName,
    hub: Hub,
    world: World,
    me: NodeId,
    pub(crate) disk: Arc<SimDisk>,
    marker: SimMarker,
    marker_copy: Option<[u8; 16]>,
    entropy: Arc<NodeEntropy>,
    codec: Arc<dyn ChainCodec>,
    pub(crate) clock: NodeClock,
    process: Option<SignerNode>,
    link: Link,
    pub(crate) start_at: u64,
    tick_at: u64,
    /// Starts since the copy of its disk was made.
    starts: u64,
    /// Its disk was put back: it must retire.
    pub(crate) restored: bool,
    /// It was shown another line: it has stopped for good.
    pub(crate) misled: bool,
}

impl SignerHost {
    pub(crate) fn new(
        node: NodeName,
        hub: Hub,
        world: &World,
        codec: Arc<dyn ChainCodec>,
        clock: NodeClock,
    ) -> Self {
        let seats: Vec<NodeId> = world.genesis.witness_keys().map(|(node, _)| node).collect();
        let me = seats[usize::from(node.seat()) - 1];
        Self {
            node,
            world: world.clone(),
            me,
            disk: SimDisk::new(node, hub.clone()),
            marker: SimMarker::default(),
            marker_copy: None,
            entropy: NodeEntropy::new(world.seed, node.name()),
            codec,
            clock,
            process: None,
            link: Link::new(node, me, &seats, hub.clone()),
            start_at: 0,
            tick_at: 0,
            starts: 0,
            restored: false,
            misled: false,
            hub,
        }
    }

    fn secrets(&self) -> NodeSecrets {
        match self.world.signers.iter().find(|keys| keys.node == self.me) {
            Some(keys) => NodeSecrets {
                signing: keys.signing.clone(),
                witness: Zeroizing::new(keys.witness.to_bytes()),
                sealing: keys.sealing(),
            },
            None => {
                let keys = &self.world.witnesses[0];
                NodeSecrets {
                    signing: keys.signing.clone(),
                    witness: Zeroizing::new(keys.witness.to_bytes()),
                    sealing: SealingSecret::from_bytes(
                        &self.world.seed.bytes("witness sealing", 0),
                    ),
                }
            }
        }
    }

    fn start(&mut self) -> Result<(), Fatal> {
        self.disk.revive();
        let setup = SignerSetup {
            genesis: self.world.genesis.to_bytes(),
            pinned: self.world.genesis.hash(),
            me: self.me,
            secrets: self.secrets(),
            db: self.disk.clone(),
            protector: Arc::new(SimProtector),
            codecs: vec![Arc::clone(&self.codec)],
            entropy: self.entropy.clone(),
            rules: LocalRules::default(),
            marker: Box::new(self.marker.clone()),
            now: self.clock.at(self.hub.now()),
        };
        let mut process = SignerNode::open(setup)?;
        self.hub.lock().saw_start(self.node);
        self.starts += 1;
        self.connect(&mut process);
        self.hub.log(&format!(
            "{} is up{}",
            self.node,
            if process.is_retired() {
                ", retired"
            } else {
                ""
            }
        ));
        self.process = Some(process);
        Ok(())
    }

    fn connect(&mut self, process: &mut SignerNode) {
        if let FromSigner::Hello { next_seq } = process.hello() {
            self.link.connect(next_seq);
        }
    }

    /// The process is gone; it starts again after a pause.
    pub(crate) fn die(&mut self, why: &str, pause_ms: u64) {
        let mut inner = self.hub.lock();
        inner.log(&format!("{} is down: {why}", self.node));
        self.start_at = inner.now + pause_ms;
        drop(inner);
        self.process = None;
    }

    fn ended(&mut self, fatal: &Fatal) {
        let mut inner = self.hub.lock();
        *inner
            .counts
            .ended
            .entry(format!("signer: {}", fatal.code()))
            .or_default() += 1;
        let pause = inner.between(20, 2_000);
        drop(inner);
        self.die(&fatal.to_string(), pause);
    }

    /// Keeps a copy of its disk, and starts anew: the copy is of an earlier generation then.
    pub(crate) fn take_snapshot(&mut self) {
        self.disk.take_snapshot();
        self.marker_copy = self.marker.get();
        self.starts = 0;
        self.die("after its disk was copied", 50);
    }

    /// Puts the kept copy of its disk in place; `false` when there is none, or when it did not
    /// start since. (A copy of the same generation is not seen without a hardware counter, which
    /// the product says.)
    ///
    /// `marker_too`: a guard is missing, the boot marker is put back with it.
    pub(crate) fn restore(&mut self, marker_too: bool) -> bool {
        if self.starts == 0 {
            return false;
        }
        self.process = None;
        let back = self.disk.put_back();
        if back {
            if marker_too {
                self.marker.set(self.marker_copy);
                // Else the own cosignature on the bus would give it away all the same.
                self.link.forget_own();
            }
            self.restored = true;
            self.hub.lock().saw_restore(self.node);
            self.die("its disk is put back", 300);
        }
        back
    }

    /// Hands a tightening over, as an operator does at the admin socket.
    pub(crate) fn hand(&mut self, signed: &Signed) {
        let now = self.clock.at(self.hub.now());
        let Some(process) = &mut self.process else {
            return;
        };
        match process.admin(AdminRequest::Hand(signed.to_json().to_text()), now) {
            AdminReply::Done => {
                let mut inner = self.hub.lock();
                inner.log(&format!("{} is handed a tightening", self.node));
                inner.saw_handed(self.node, signed, now);
            }
            other => self.hub.log(&format!(
                "{} does not take a tightening: {other:?}",
                self.node
            )),
        }
    }

    /// The operator stops it; it starts again as stopped.
    pub(crate) fn stop_local(&mut self) -> bool {
        let now = self.clock.at(self.hub.now());
        let Some(process) = &mut self.process else {
            return false;
        };
        matches!(process.admin(AdminRequest::Stop, now), AdminReply::Done)
    }

    /// The operator removes the stop mark, while the process is down.
    pub(crate) fn resume_local(&mut self) {
        self.process = None;
        self.disk.revive();
        let _ = resume_local(&self.disk.db);
        self.die("resumed by its operator", 50);
    }

    /// The connection is lost until then.
    pub(crate) fn lose(&mut self, until: u64) {
        self.link.lose(until);
    }

    /// Nothing of the journal reaches it until then.
    pub(crate) fn blind(&mut self, until: u64) {
        self.link.blind(until);
    }

    pub(crate) fn inject(&mut self, frame: ToSigner) {
        self.link.inject(frame);
    }

    /// Next entry it needs.
    pub(crate) fn next_seq(&mut self) -> Option<u64> {
        match self.process.as_mut()?.hello() {
            FromSigner::Hello { next_seq } => Some(next_seq),
            FromSigner::Outbox(_) | FromSigner::Cosignature(_) => None,
        }
    }

    /// One round; gives when it is due again.
    pub(crate) fn step(&mut self, idle_ms: u64) -> u64 {
        let now = self.hub.now();
        self.link.flush();
        if self.process.is_none() {
            if now < self.start_at {
                return self.start_at;
            }
            if self.hub.lock().dies(self.node, WritePoint::SignerAtStart) {
                self.die("at its start", 100);
                return self.start_at;
            }
            if let Err(fatal) = self.start() {
                self.ended(&fatal);
                return self.start_at;
            }
        }
        self.link.pump();
        let mut worked = false;
        while let Some(frame) = self.link.next() {
            worked = true;
            if !self.deliver(&frame) {
                return self.start_at;
            }
        }
        if now >= self.tick_at {
            self.tick_at = now + TICK_MS;
            let clock = self.clock.at(now);
            let ticked = self.process.as_mut().map(|process| process.tick(clock));
            if !self.said(ticked, None) {
                return self.start_at;
            }
        }
        self.link.flush();
        let soon = if worked {
            now + 2
        } else {
            now + idle_ms.min(TICK_MS * 2)
        };
        self.link
            .next_due()
            .map_or(soon, |due| soon.min(due.max(now + 1)))
    }

    /// `false`: the process died over it.
    fn deliver(&mut self, frame: &Frame) -> bool {
        let clock = self.clock.at(self.hub.now());
        let answers = self
            .process
            .as_mut()
            .map(|process| process.handle(frame.frame.clone(), clock));
        if !self.said(answers, Some(frame)) {
            return false;
        }
        let gap = self.process.as_ref().is_some_and(SignerNode::has_gap);
        if gap && let Some(mut process) = self.process.take() {
            self.connect(&mut process);
            self.process = Some(process);
        }
        true
    }

    /// Sends what a call answered, unless the process dies before or after.
    fn said(
        &mut self,
        answers: Option<Result<Vec<FromSigner>, Fatal>>,
        frame: Option<&Frame>,
    ) -> bool {
        let answers = match answers {
            None => return false,
            Some(Ok(answers)) => answers,
            Some(Err(fatal)) => {
                self.ended(&fatal);
                return false;
            }
        };
        let mut sent = answers.len();
        let own = self.clock.at(self.hub.now());
        if !answers.is_empty() {
            let mut inner = self.hub.lock();
            if inner.dies(self.node, WritePoint::SignerBeforeSend) {
                sent = inner.below(answers.len() as u64) as usize;
            }
        }
        let died = sent < answers.len();
        let any = !answers.is_empty();
        for answer in answers.into_iter().take(sent) {
            self.hub.lock().saw_frame(self.node, &answer, own);
            self.link.take(answer);
        }
        if died {
            self.die("before it sent everything", 200);
            return false;
        }
        if any && self.hub.lock().dies(self.node, WritePoint::SignerAfterSend) {
            self.die("after it sent", 200);
            return false;
        }
        if let Some(frame) = frame {
            self.link.ack(frame);
        }
        true
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

    pub(crate) fn halted(&self) -> bool {
        self.process
            .as_ref()
            .is_some_and(|process| process.halted().is_some())
    }

    /// Entries and checkpoint body on its disk.
    pub(crate) fn tip(&self) -> (u64, String) {
        let genesis = Arc::clone(&self.world.genesis);
        let replica = strongroom_replica::Replica::open(&self.disk.db, genesis).unwrap();
        (
            replica.follower().size(),
            replica.follower().tip().body.clone(),
        )
    }
}
