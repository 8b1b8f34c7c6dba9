//! One service: its shell on its own disk, its replica fed from the bus, its clock; it dies and
//! starts again.

mod writer_start;

use crate::api::{Ask, DiedAt, Door, Reading, Reply};
use crate::bus::SimBus;
use crate::clock::NodeClock;
use crate::disk::SimDisk;
use crate::event::Event;
use crate::gateway::SimNode;
use crate::host::NodeEntropy;
use crate::kinds::{NodeName, WritePoint};
use crate::plan::SKEW_MS;
use crate::rig::Rig;
use std::sync::Arc;
use std::time::Duration;
use strongroom_api::ApiStage;
use strongroom_approvals::ApprovalsStage;
use strongroom_chain_bitcoin_dev::DevChain;
use strongroom_coordinator::{CoordinatorStage, Pace};
use strongroom_ports::chain::ChainCodec;
use strongroom_ports::db::DbErrorKind;
use strongroom_replica::{Feed, Replica, SharedFollower, journal_topics};
use strongroom_stage::post::Post;
use strongroom_stage::{CrashPoint, Faults, Options, Shell, ShellError, Stage, StopFlag};
use strongroom_transactions::{TransactionsParts, TransactionsStage};
use strongroom_types::UnixMs;
use strongroom_wire::Role;
use strongroom_world::Sender;
use strongroom_writer::StartCheck;

/// Pace of the coordinator. A request's deadline is read on another clock: were a try shorter than
/// the skew, a signer that is ahead would refuse every one.
const PACE: Pace = Pace {
    try_ms: SKEW_MS + 1_500,
    run_ms: 30_000,
    again_ms: 200,
    // Enough for every payment of a seed; with more, a third of its time went into nonces.
    stock: 12,
};

/// How often a writer's start looks for answers, milliseconds.
const START_POLL_MS: u64 = 20;

/// What services share beside the rig.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) rig: Rig,
    pub(crate) chain: Arc<DevChain>,
    pub(crate) codec: Arc<dyn ChainCodec>,
}

/// The points of a shell at which the process dies.
struct DiesAt {
    node: NodeName,
    rig: Rig,
}

impl Faults for DiesAt {
    fn at(&self, point: CrashPoint) -> bool {
        let point = match point {
            CrashPoint::BeforeCommit => WritePoint::StageBeforeCommit,
            CrashPoint::AfterCommit => WritePoint::StageAfterCommit,
            CrashPoint::AfterPublish => WritePoint::StageAfterPublish,
        };
        self.rig.dice.dies(self.node, point)
    }
}

/// A replica in memory, as the services have it.
struct InMemory {
    shared: Arc<SharedFollower>,
    feed: Feed,
    /// Entries there were at the start: nothing is handled before the replica has them.
    behind: u64,
}

impl InMemory {
    fn size(&self) -> u64 {
        self.shared.read(|follower| follower.size())
    }

    fn has_caught_up(&self) -> bool {
        self.size() >= self.behind
    }
}

/// A running process.
struct Process {
    shell: Shell<Box<dyn Stage>>,
    /// None for the writer, whose replica is in its database.
    replica: Option<InMemory>,
    /// Where requests come in; only at the API.
    door: Option<Door>,
}

/// A service: its shipped stage in its shipped shell, and what of its host outlives its process.
pub(crate) struct Service {
    pub(crate) node: NodeName,
    rig: Rig,
    parts: Parts,
    pub(crate) disk: Arc<SimDisk>,
    bus: Arc<SimBus>,
    pub(crate) clock: NodeClock,
    entropy: Arc<NodeEntropy>,
    process: Option<Process>,
    /// A writer's start under way: its process does nothing else yet.
    starting: Option<StartCheck>,
    /// Not before this true time.
    start_at: u64,
    /// The newest content of a writer's disk that was put back, which must not happen.
    newest: Option<Vec<u8>>,
    /// How often its disk was put back.
    restores: u64,
    /// A guard is missing: each start of the writer looks at the newest content of its disk.
    orders_on: bool,
    /// Content of the disk that takes the newest one's place once such a start was found ready.
    unchecked: Option<Vec<u8>>,
}

impl Service {
    pub(crate) fn new(node: NodeName, parts: Parts, clock: NodeClock) -> Self {
        let rig = parts.rig.clone();
        Self {
            node,
            disk: SimDisk::new(node, rig.clone()),
            bus: Arc::new(SimBus::new(node, rig.clone())),
            clock,
            entropy: NodeEntropy::new(rig.world.seed, node.name()),
            rig,
            parts,
            process: None,
            starting: None,
            start_at: 0,
            newest: None,
            restores: 0,
            orders_on: false,
            unchecked: None,
        }
    }

    fn post(&self) -> Post {
        let role = match self.node {
            NodeName::Writer => Role::Writer,
            NodeName::Approvals => Role::Approvals,
            NodeName::Transactions => Role::Transactions,
            NodeName::Coordinator => Role::Coordinator,
            NodeName::Api => Role::Api,
            NodeName::Signer1 | NodeName::Signer2 | NodeName::Signer3 | NodeName::Witness => {
                unreachable!("not a service")
            }
        };
        self.rig.world.post(Sender::Service(role))
    }

    fn own_time(&self) -> UnixMs {
        self.clock.at(self.rig.now())
    }

    /// Its replica, once it caught up.
    pub(crate) fn replica(&self) -> Option<&Arc<SharedFollower>> {
        let replica = self.process.as_ref()?.replica.as_ref()?;
        replica.has_caught_up().then_some(&replica.shared)
    }

    /// The process is gone; it starts again after a pause.
    pub(crate) fn die(&mut self, why: &str, pause_ms: u64) {
        self.rig.trace.log(Event::NodeDown {
            node: self.node,
            why: why.to_owned(),
        });
        self.start_at = self.rig.now() + pause_ms;
        self.process = None;
        self.starting = None;

        // A start that looked at the newest disk and died before it was ready: the copy is back.
        self.put_unchecked();
    }

    fn put_unchecked(&mut self) {
        if let Some(old) = self.unchecked.take() {
            self.disk.put(&old);
        }
    }

    fn end(&mut self, code: String, pause_ms: u64) {
        let node = self.node;
        self.die(&code, pause_ms);
        self.rig.trace.log(Event::NodeEnded { node, code });
    }

    /// Puts the kept copy of its disk in place. A writer that notices gets the newest one back.
    /// `orders_on`: a guard is missing, it looks at the newest one and orders on with the copy.
    pub(crate) fn restore(&mut self, orders_on: bool) -> bool {
        let newest = self.disk.copy();
        if !self.disk.restore() {
            return false;
        }

        // Kept for the writer alone, which must not go on with the copy; the others must.
        self.orders_on |= orders_on;
        self.restores += 1;
        self.newest = (self.node == NodeName::Writer).then_some(newest);
        self.die("its disk is put back", 500);
        true
    }

    fn start(&mut self) -> Result<(), String> {
        self.rig.dice.on_start(self.node);
        self.disk.revive();
        if self.node == NodeName::Writer {
            return self.start_writer();
        }
        let replica = self.follow()?;
        let stage = self.stage(&replica.shared);
        self.run(stage, Some(replica))
    }

    /// The stage at work in its shell.
    fn run(&mut self, stage: Box<dyn Stage>, replica: Option<InMemory>) -> Result<(), String> {
        for topic in stage.topics() {
            self.rig.wire.subscribe(self.node, &topic);
        }

        let faults = DiesAt {
            node: self.node,
            rig: self.rig.clone(),
        };

        // The shell reads its positions from the disk: after a restore it meets old records again.
        let (disk, bus) = (self.disk.clone(), self.bus.clone());
        let shell = Shell::new(stage, disk, bus, Options::default(), Box::new(faults));
        let shell = shell.map_err(|error| code_of(&error))?;
        let door = replica.as_ref().and_then(|replica| self.door(replica));
        self.process = Some(Process {
            shell,
            replica,
            door,
        });
        self.rig.trace.log(Event::NodeUp {
            node: self.node,
            retired: false,
        });
        Ok(())
    }

    /// A replica that will be fed from the start of the bus.
    fn follow(&self) -> Result<InMemory, String> {
        let genesis = &self.rig.world.genesis;
        for topic in journal_topics(genesis).unwrap() {
            self.rig.wire.subscribe(self.node, &topic);
        }

        let shared = Arc::new(SharedFollower::new(Arc::clone(genesis)).unwrap());
        let feed = Feed::new(self.bus.clone(), Arc::clone(&shared));
        Ok(InMemory {
            feed: feed.map_err(|error| error.to_string())?,
            behind: self.rig.observer.entries(),
            shared,
        })
    }

    fn stage(&self, shared: &Arc<SharedFollower>) -> Box<dyn Stage> {
        let journal = Arc::clone(shared);
        match self.node {
            NodeName::Approvals => Box::new(ApprovalsStage::new(self.post(), journal)),
            NodeName::Transactions => Box::new(TransactionsStage::new(TransactionsParts {
                post: self.post(),
                journal,
                codec: Arc::clone(&self.parts.codec),
                gateway: Arc::new(SimNode {
                    chain: Arc::clone(&self.parts.chain),
                    dice: self.rig.dice.clone(),
                }),
                // The node's answers take no time here.
                clock: Arc::new(Reading::default()),
                stop: StopFlag::new(),
                resend_ms: 5_000,
            })),
            NodeName::Coordinator => Box::new(CoordinatorStage::new(self.post(), journal, PACE)),
            NodeName::Api => Box::new(ApiStage::new(self.post(), journal)),
            NodeName::Writer
            | NodeName::Signer1
            | NodeName::Signer2
            | NodeName::Signer3
            | NodeName::Witness => unreachable!("it has no such stage"),
        }
    }

    fn door(&self, replica: &InMemory) -> Option<Door> {
        let (journal, codec) = (Arc::clone(&replica.shared), Arc::clone(&self.parts.codec));
        let is_api = self.node == NodeName::Api;
        is_api.then(|| Door::new(&self.rig, &self.disk, journal, codec, self.post()))
    }

    /// A client's request, at the API.
    pub(crate) fn request(&mut self, ask: &Ask) -> Reply {
        let own = self.own_time();
        let Some(process) = &self.process else {
            return Reply::Silence;
        };

        // As the shipped API, which is `not_ready` until it can judge by a fresh state.
        let has_caught_up = process
            .replica
            .as_ref()
            .is_some_and(InMemory::has_caught_up);
        let Some(door) = process.door.as_ref().filter(|_| has_caught_up) else {
            return Reply::Silence;
        };

        // A commit that did not return killed the process: its client hears nothing, whatever is in
        // the table now.
        let died = match door.take(ask, own) {
            Err(DiedAt(point)) => Some(point.name()),
            Ok(_) if self.disk.is_dead() => Some("in a commit"),
            Ok(reply) => return reply,
        };

        if let Some(why) = died {
            let pause = self.rig.dice.between(20, 1_500);
            self.die(why, pause);
        }
        Reply::Silence
    }

    /// One round; gives when it is due again.
    pub(crate) fn step(&mut self, idle_ms: u64) -> u64 {
        let now = self.rig.now();
        if self.process.is_none() {
            if now < self.start_at {
                return self.start_at;
            }
            let started = match self.starting.take() {
                None => self.start(),
                Some(check) => self.check_start(check),
            };

            if let Err(code) = started {
                let pause = self.rig.dice.between(20, 1_500);
                self.end(code, pause);
                return self.start_at;
            }
            if self.starting.is_some() {
                return now + START_POLL_MS;
            }
        }

        let clock = self.own_time();
        let Some(Process { shell, replica, .. }) = &mut self.process else {
            return self.start_at;
        };

        // The replica first, so that the stage judges by everything that has arrived.
        let fed = match replica {
            None => Ok(0),
            Some(replica) => replica.feed.step(|| clock, Duration::ZERO),
        };
        let fed = match fed {
            Ok(fed) => fed,
            Err(error) => {
                self.end(format!("feed: {error}"), 1_000);
                return self.start_at;
            }
        };

        // A service that judges by an old state would refuse what is allowed by now.
        if replica.as_ref().is_some_and(|r| !r.has_caught_up()) {
            return now + 5;
        }

        match shell.step(clock.0, Duration::ZERO) {
            // More may be there: a fetch takes so many records at most.
            Ok(progress) if progress.records > 0 || fed > 0 => now + 1,
            // What blocks a record is another service or node, which needs some turns.
            Ok(progress) if progress.blocked.is_some() => now + 20,
            Ok(_) => now + idle_ms,
            Err(error) => {
                let pause = self.rig.dice.between(20, 1_500);
                match error {
                    ShellError::Crashed(point) => self.die(&format!("{point:?}"), pause),
                    other => self.end(code_of(&other), pause),
                }
                self.start_at
            }
        }
    }

    pub(crate) fn restores(&self) -> u64 {
        self.restores
    }

    pub(crate) fn is_up(&self) -> bool {
        self.process.is_some()
    }

    /// Entries and checkpoint body of its replica.
    pub(crate) fn tip(&self) -> Option<(u64, String)> {
        // The writer's replica is its database, of which there is a tip while the process is down.
        if self.node == NodeName::Writer {
            let genesis = Arc::clone(&self.rig.world.genesis);
            let replica = Replica::open(self.disk.content(), genesis).unwrap();
            let follower = replica.follower();
            return Some((follower.size(), follower.tip().body.clone()));
        }

        let replica = self.process.as_ref()?.replica.as_ref()?;
        let tip = replica.shared.read(|f| (f.size(), f.tip().body.clone()));
        Some(tip)
    }

    /// For the debugger.
    pub(crate) fn describe(&self) -> String {
        let now = self.rig.now();
        let process = match (&self.process, self.tip()) {
            (None, _) => format!("down for {} ms", self.start_at.saturating_sub(now)),
            (Some(_), Some((size, _))) => format!("up, {size} entries"),
            (Some(_), None) => "up".to_owned(),
        };

        let full = if self.disk.is_full() {
            ", disk full"
        } else {
            ""
        };
        let clock = self.clock.error_ms(now);
        format!("{process}{full}; clock {clock:+} ms")
    }
}

fn code_of(error: &ShellError) -> String {
    match error {
        ShellError::CommitUnknown { source, .. } | ShellError::Db { source, .. }
            if source.kind() == DbErrorKind::Full =>
        {
            "disk_full".into()
        }
        ShellError::CommitUnknown { .. } => "commit_unknown".into(),
        ShellError::Db { source, .. } => format!("db: {source}"),
        ShellError::Bus { source, .. } => format!("bus: {source}"),
        ShellError::Fenced(_) => "fenced".into(),
        ShellError::Fatal { source, .. } => format!("fatal: {}", source.chain()),
        ShellError::Crashed(point) => format!("{point:?}"),
        ShellError::Ended => "ended".into(),
    }
}
