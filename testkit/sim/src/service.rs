//! One service: its shell on its own disk, its replica fed from the bus, its clock; it dies and
//! starts again.

use crate::bus::SimBus;
use crate::client::{Asks, ClientStage};
use crate::clock::NodeClock;
use crate::disk::SimDisk;
use crate::host::NodeEntropy;
use crate::hub::Hub;
use crate::kinds::{NodeName, WritePoint};
use crate::plan::SKEW_MS;
use std::sync::Arc;
use std::time::Duration;
use strongroom_approvals::ApprovalsStage;
use strongroom_chain_bitcoin_dev::DevChain;
use strongroom_coordinator::{CoordinatorStage, Pace};
use strongroom_ports::chain::ChainCodec;
use strongroom_replica::{Feed, SharedFollower, journal_topics};
use strongroom_stage::post::Post;
use strongroom_stage::{CrashPoint, Faults, Options, Shell, ShellError, Stage};
use strongroom_transactions::{TransactionsParts, TransactionsStage};
use strongroom_wire::Role;
use strongroom_world::World;
use strongroom_writer::{RepublishError, Writer, republish};

/// A request's deadline is read on another clock: less than the skew, and a signer that is ahead
/// refuses every one.
const PACE: Pace = Pace {
    try_ms: SKEW_MS + 1_500,
    run_ms: 30_000,
    again_ms: 200,
};

/// What services share.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) hub: Hub,
    pub(crate) world: World,
    pub(crate) chain: Arc<DevChain>,
    pub(crate) codec: Arc<dyn ChainCodec>,
    pub(crate) asks: Asks,
}

struct DiesAt {
    node: NodeName,
    hub: Hub,
}

impl Faults for DiesAt {
    fn at(&self, point: CrashPoint) -> bool {
        let point = match point {
            CrashPoint::BeforeCommit => WritePoint::StageBeforeCommit,
            CrashPoint::AfterCommit => WritePoint::StageAfterCommit,
            CrashPoint::AfterPublish => WritePoint::StageAfterPublish,
        };
        self.hub.lock().dies(self.node, point)
    }
}

pub(crate) struct Service {
    pub(crate) node: NodeName,
    parts: Parts,
    pub(crate) disk: Arc<SimDisk>,
    bus: Arc<SimBus>,
    pub(crate) clock: NodeClock,
    entropy: Arc<NodeEntropy>,
    shared: Option<Arc<SharedFollower>>,
    feed: Option<Feed>,
    shell: Option<Shell<Box<dyn Stage>>>,
    /// Entries there were at the start: nothing is handled before the replica has them.
    behind: u64,
    /// Not before this true time.
    pub(crate) start_at: u64,
    /// The newest content of a disk that was put back where that may not be.
    newest: Option<Vec<u8>>,
    /// A guard is missing: the writer does not compare its database with the topic.
    orders_on: bool,
}

impl Service {
    pub(crate) fn new(node: NodeName, parts: Parts, clock: NodeClock) -> Self {
        let disk = SimDisk::new(node, parts.hub.clone());
        let bus = Arc::new(SimBus::new(node, parts.hub.clone()));
        let entropy = NodeEntropy::new(parts.world.seed, node.name());
        Self {
            node,
            parts,
            disk,
            bus,
            clock,
            entropy,
            shared: None,
            feed: None,
            shell: None,
            behind: 0,
            start_at: 0,
            newest: None,
            orders_on: false,
        }
    }

    fn role(&self) -> Role {
        match self.node {
            NodeName::Writer => Role::Writer,
            NodeName::Approvals => Role::Approvals,
            NodeName::Transactions => Role::Transactions,
            NodeName::Coordinator => Role::Coordinator,
            _ => Role::Api,
        }
    }

    fn post(&self) -> Post {
        let keys = self.parts.world.service(self.role());
        Post::new(
            self.parts.world.genesis.hash(),
            keys.node,
            &keys.signing.to_bytes(),
        )
    }

    /// Its replica, once it caught up.
    pub(crate) fn replica(&self) -> Option<&Arc<SharedFollower>> {
        self.shell
            .as_ref()
            .and(self.shared.as_ref())
            .filter(|shared| shared.read(|f| f.size()) >= self.behind)
    }

    /// The process is gone; it starts again after a pause.
    pub(crate) fn die(&mut self, why: &str, pause_ms: u64) {
        let mut inner = self.parts.hub.lock();
        inner.log(&format!("{} is down: {why}", self.node));
        self.start_at = inner.now + pause_ms;
        (self.shell, self.feed, self.shared) = (None, None, None);
    }

    fn ended(&mut self, code: &str, pause_ms: u64) {
        *self
            .parts
            .hub
            .lock()
            .counts
            .ended
            .entry(code.to_owned())
            .or_default() += 1;
        self.die(code, pause_ms);
    }

    fn pause(&self) -> u64 {
        self.parts.hub.lock().between(20, 1_500)
    }

    /// Puts the kept copy of its disk in place. A writer that notices gets the newest one back.
    /// `orders_on`: a guard is missing, it does not look.
    pub(crate) fn restore(&mut self, orders_on: bool) -> bool {
        let newest = self.disk.copy();
        if !self.disk.put_back() {
            return false;
        }
        self.orders_on |= orders_on;
        self.newest = (self.node == NodeName::Writer).then_some(newest);
        self.die("its disk is put back", 500);
        true
    }

    fn start(&mut self) -> Result<(), String> {
        let world = self.parts.world.clone();
        self.disk.revive();
        let now = self.clock.at(self.parts.hub.now());
        let stage: Box<dyn Stage> = if self.node == NodeName::Writer {
            let mut post = self.post();
            let looked = if self.orders_on {
                Ok(0)
            } else {
                republish(
                    self.disk.as_ref(),
                    self.bus.as_ref(),
                    &world.genesis,
                    &mut post,
                    now,
                )
            };
            match looked {
                Ok(_) => {}
                Err(error @ RepublishError::DatabaseBehind { .. }) => {
                    // It must not order on. The operator finds the newest disk.
                    let newest = self
                        .newest
                        .take()
                        .ok_or_else(|| format!("unexpected: {error}"))?;
                    self.disk.put(&newest);
                    return Err("writer_database_behind".into());
                }
                Err(error) => return Err(format!("republish: {error}")),
            }
            let log_seed = world.log_key.to_bytes();
            let entropy = Arc::clone(&self.entropy) as Arc<dyn strongroom_ports::host::Entropy>;
            Box::new(
                Writer::new(Arc::clone(&world.genesis), &log_seed, self.post(), entropy).unwrap(),
            )
        } else {
            let shared = Arc::new(SharedFollower::new(Arc::clone(&world.genesis)).unwrap());
            self.feed =
                Some(Feed::new(self.bus.clone(), Arc::clone(&shared)).map_err(|e| e.to_string())?);
            self.behind = self.parts.hub.lock().observer.entries;
            let stage = self.stage(&shared);
            self.shared = Some(shared);
            stage
        };
        self.subscribe(&stage);
        let faults = DiesAt {
            node: self.node,
            hub: self.parts.hub.clone(),
        };
        let shell = Shell::new(
            stage,
            self.disk.clone(),
            self.bus.clone(),
            Options::default(),
            Box::new(faults),
        );
        self.shell = Some(shell.map_err(|error| code_of(&error))?);
        self.parts.hub.log(&format!("{} is up", self.node));
        Ok(())
    }

    fn stage(&self, shared: &Arc<SharedFollower>) -> Box<dyn Stage> {
        let journal = Arc::clone(shared);
        match self.node {
            NodeName::Approvals => Box::new(ApprovalsStage::new(self.post(), journal)),
            NodeName::Transactions => Box::new(TransactionsStage::new(TransactionsParts {
                post: self.post(),
                journal,
                codec: Arc::clone(&self.parts.codec),
                gateway: Arc::clone(&self.parts.chain)
                    as Arc<dyn strongroom_ports::chain::ChainGateway>,
                resend_ms: 5_000,
            })),
            NodeName::Coordinator => Box::new(CoordinatorStage::new(self.post(), journal, PACE)),
            _ => Box::new(ClientStage::new(
                self.post(),
                journal,
                Arc::clone(&self.parts.asks),
            )),
        }
    }

    fn subscribe(&self, stage: &dyn Stage) {
        let mut topics = stage.topics();
        if self.feed.is_some() {
            topics.extend(journal_topics(&self.parts.world.genesis).unwrap());
        }
        let mut inner = self.parts.hub.lock();
        for topic in topics {
            let nodes = inner.subscribers.entry(topic).or_default();
            if !nodes.contains(&self.node) {
                nodes.push(self.node);
            }
        }
    }

    /// One round; gives when it is due again.
    pub(crate) fn step(&mut self, idle_ms: u64) -> u64 {
        let now = self.parts.hub.now();
        if self.shell.is_none() {
            if now < self.start_at {
                return self.start_at;
            }
            if let Err(code) = self.start() {
                let pause = self.pause();
                self.ended(&code, pause);
                return self.start_at;
            }
        }
        let clock = self.clock.at(now);
        let fed = match self
            .feed
            .as_mut()
            .map(|feed| feed.step(|| clock, Duration::ZERO))
        {
            None => 0,
            Some(Ok(records)) => records,
            Some(Err(error)) => {
                self.ended(&format!("feed: {error}"), 1_000);
                return self.start_at;
            }
        };
        if self
            .shared
            .as_ref()
            .is_some_and(|shared| shared.read(|f| f.size()) < self.behind)
        {
            return now + 5;
        }
        let result = self
            .shell
            .as_mut()
            .map(|shell| shell.step(clock.0, Duration::ZERO));
        match result {
            Some(Ok(progress)) if progress.records > 0 || fed > 0 => now + 1,
            Some(Ok(progress)) if progress.blocked.is_some() => now + 20,
            Some(Ok(_)) | None => now + idle_ms,
            Some(Err(error)) => {
                let pause = self.pause();
                match error {
                    ShellError::Crashed(point) => self.die(&format!("{point:?}"), pause),
                    other => self.ended(&code_of(&other), pause),
                }
                self.start_at
            }
        }
    }

    /// Whether the process runs.
    pub(crate) fn is_up(&self) -> bool {
        self.shell.is_some()
    }

    /// Entries and state root of its replica.
    pub(crate) fn tip(&self) -> Option<(u64, String)> {
        if self.node == NodeName::Writer {
            let genesis = Arc::clone(&self.parts.world.genesis);
            let replica = strongroom_replica::Replica::open(&self.disk.db, genesis).unwrap();
            return Some((
                replica.follower().size(),
                replica.follower().tip().body.clone(),
            ));
        }
        self.shared
            .as_ref()
            .map(|shared| shared.read(|f| (f.size(), f.tip().body.clone())))
    }
}

fn code_of(error: &ShellError) -> String {
    use strongroom_ports::db::DbErrorKind::Full;
    match error {
        ShellError::CommitUnknown { source, .. } | ShellError::Db { source, .. }
            if source.kind() == Full =>
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
