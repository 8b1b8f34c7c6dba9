//! All roles of this process: threads, databases, the bus, the replica, the HTTP server.

use super::layout::Layout;
use super::link::{socket_path, spawn};
use super::secrets::Secrets;
use anyhow::{Context as _, bail};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use strongroom_api::{Api, ApiParts, ApiStage, Changes, Keyring, Ready, serve};
use strongroom_approvals::ApprovalsStage;
use strongroom_bus_embedded::EmbeddedBus;
use strongroom_chain_bitcoin::{BitcoinCodec, Network};
use strongroom_chain_bitcoin_dev::{Confirm, DevChain};
use strongroom_coordinator::{CoordinatorStage, Pace};
use strongroom_host::{SystemClock, SystemEntropy};
use strongroom_journal::{Genesis, Mode as GenesisMode};
use strongroom_link::Link;
use strongroom_ports::bus::{Bus, Mode};
use strongroom_ports::chain::{ChainCodec, ChainGateway};
use strongroom_ports::db::Db;
use strongroom_ports::host::{Clock, Entropy};
use strongroom_replica::{Feed, Replica, SharedFollower};
use strongroom_stage::post::Post;
use strongroom_stage::{NoFaults, Options, Progress, Shell, Stage, StopFlag};
use strongroom_store_sqlite::SqliteDb;
use strongroom_transactions::{TransactionsParts, TransactionsStage};
use strongroom_types::{NodeId, UnixMs};
use strongroom_writer::Writer;

/// A signing run without answer is asked for again after this time.
const RESEND_MS: u64 = 5_000;
/// A stage that failed is made anew after this pause.
const RESTART_PAUSE: Duration = Duration::from_millis(200);

/// Replaying the journal at start may take this long.
const CATCH_UP_MAX: Duration = Duration::from_secs(120);

/// The running platform.
pub struct Platform {
    /// Its genesis.
    pub genesis: Arc<Genesis>,
    /// The replica that all roles of this process read.
    pub journal: Arc<SharedFollower>,
    /// The bus.
    pub bus: Arc<EmbeddedBus>,
    /// The development chain.
    pub chain: Arc<DevChain>,
    /// The Bitcoin codec.
    pub codec: Arc<BitcoinCodec>,
    /// Where the API listens.
    pub address: SocketAddr,
    run: PathBuf,
    databases: Vec<(&'static str, Arc<SqliteDb>)>,
    failure: Arc<Mutex<Option<String>>>,
    stop: StopFlag,
    threads: Vec<JoinHandle<()>>,
    http: Option<(tokio::sync::oneshot::Sender<()>, JoinHandle<()>)>,
}

/// What a platform is started from.
pub struct Start<'a> {
    /// The folder.
    pub layout: &'a Layout,
    /// Its pinned genesis.
    pub genesis: Arc<Genesis>,
    /// Service keys.
    pub secrets: &'a Secrets,
    /// Bearer keys.
    pub keyring: Keyring,
    /// Folder of the sockets.
    pub run: &'a Path,
    /// Loopback port, 0 for any.
    pub port: u16,
    /// Said by the operator: the bus is new and empty, stages begin at its start.
    pub new_bus: bool,
    /// Services of this process that are not started: somebody else plays them.
    pub skip: &'a [&'a str],
}

impl Platform {
    /// Starts everything but the signers.
    ///
    /// # Errors
    /// Files, sockets, a genesis that says production (the embedded parts refuse it).
    pub fn start(start: Start<'_>) -> anyhow::Result<Self> {
        let Start {
            layout,
            genesis,
            secrets,
            keyring,
            run,
            port,
            new_bus,
            skip,
        } = start;
        let mode = if genesis.mode == GenesisMode::Production {
            Mode::Production
        } else {
            Mode::Dev
        };
        let mut incarnation = [0; 16];
        SystemEntropy.rng().fill_bytes(&mut incarnation);
        let options = strongroom_bus_embedded::Options::default();
        let bus = Arc::new(EmbeddedBus::open(
            &layout.service("bus"),
            mode,
            options,
            incarnation,
        )?);
        let journal = Arc::new(SharedFollower::new(Arc::clone(&genesis))?);
        let mut platform = Self {
            journal,
            bus,
            chain: Arc::new(DevChain::open(&layout.chain(), Confirm::AtOnce)?),
            codec: Arc::new(BitcoinCodec::new(Network::Regtest)?),
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            run: run.to_owned(),
            databases: Vec::new(),
            failure: Arc::default(),
            stop: StopFlag::new(),
            threads: Vec::new(),
            http: None,
            genesis,
        };
        platform.writer(layout, secrets, new_bus)?;
        platform.feed();
        platform.caught_up()?;
        platform.approvals(layout, secrets)?;
        if !skip.contains(&"coordinator") {
            platform.coordinator(layout, secrets)?;
        }
        if !skip.contains(&"transactions") {
            platform.transactions(layout, secrets)?;
        }
        platform.links()?;
        platform.api(layout, secrets, keyring)?;
        Ok(platform)
    }

    /// A service's identity.
    pub fn post(&self, secrets: &Secrets, name: &str) -> anyhow::Result<Post> {
        let (node, seed) = secrets.service(name)?;
        Ok(Post::new(self.genesis.hash(), node, &seed))
    }

    /// The database of a service of this process.
    #[must_use]
    pub fn database(&self, name: &str) -> Option<Arc<SqliteDb>> {
        self.databases
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, db)| Arc::clone(db))
    }

    fn open(&mut self, name: &'static str, path: &Path) -> anyhow::Result<Arc<SqliteDb>> {
        let db =
            Arc::new(SqliteDb::open(path).with_context(|| format!("database {}", path.display()))?);
        self.databases.push((name, Arc::clone(&db)));
        Ok(db)
    }

    fn writer(&mut self, layout: &Layout, secrets: &Secrets, new_bus: bool) -> anyhow::Result<()> {
        let db = self.open("journal", &layout.journal())?;
        if new_bus {
            strongroom_stage::forget_positions(db.as_ref(), "writer")?;
        }
        let now = UnixMs(SystemClock.now_ms());
        let mut post = self.post(secrets, "writer")?;
        let sent = strongroom_writer::republish(
            db.as_ref(),
            self.bus.as_ref(),
            &self.genesis,
            &mut post,
            now,
        )?;
        if sent > 0 {
            tracing::info!(sent, "journal batches published again");
        }
        let (genesis, log) = (Arc::clone(&self.genesis), secrets.log()?);
        let (hash, (node, seed)) = (genesis.hash(), secrets.service("writer")?);
        let make = move || {
            let post = Post::new(hash, node, &seed);
            Writer::new(Arc::clone(&genesis), &log, post, Arc::new(SystemEntropy))
                .map_err(Into::into)
        };
        self.stage(db, make, || {});
        Ok(())
    }

    /// Replays the journal into the replica that the roles share.
    fn feed(&mut self) {
        let (bus, journal, stop) = (
            Arc::clone(&self.bus),
            Arc::clone(&self.journal),
            self.stop.clone(),
        );
        let failure = Arc::clone(&self.failure);
        self.threads.push(spawn("feed", move || {
            let bus: Arc<dyn Bus> = bus;
            while !stop.is_set() {
                let Ok(mut feed) = Feed::new(Arc::clone(&bus), Arc::clone(&journal)) else {
                    return;
                };
                while !stop.is_set() {
                    let now = || UnixMs(SystemClock.now_ms());
                    if let Err(error) = feed.step(now, Duration::from_millis(250)) {
                        let halted = journal.read(|f| f.halted().is_some());
                        report(&failure, halted, &format!("feed: {error}"));
                        let _ = stop.wait(RESTART_PAUSE);
                        break;
                    }
                }
            }
        }));
    }

    /// Services answer from the replica, so none starts before it has all that the journal's
    /// database has.
    fn caught_up(&self) -> anyhow::Result<()> {
        let db = self.database("journal").context("the journal's database")?;
        let stored = Replica::stored_size(db.begin()?.as_mut())?;
        let mut waited = Duration::ZERO;
        while self.journal.read(|f| f.size()) < stored {
            if self.stop.wait(RESTART_PAUSE / 20) || waited > CATCH_UP_MAX {
                bail!(
                    "the replica did not catch up with {stored} entries; {:?}",
                    self.failure()
                );
            }
            waited += RESTART_PAUSE / 20;
        }
        Ok(())
    }

    fn approvals(&mut self, layout: &Layout, secrets: &Secrets) -> anyhow::Result<()> {
        let hash = self.genesis.hash();
        let db = self.open("approvals", &layout.service("approvals"))?;
        let (journal, (node, seed)) = (Arc::clone(&self.journal), secrets.service("approvals")?);
        let make = move || {
            Ok(ApprovalsStage::new(
                Post::new(hash, node, &seed),
                Arc::clone(&journal),
            ))
        };
        self.stage(db, make, || {});
        Ok(())
    }

    fn coordinator(&mut self, layout: &Layout, secrets: &Secrets) -> anyhow::Result<()> {
        let hash = self.genesis.hash();
        let db = self.open("coordinator", &layout.service("coordinator"))?;
        let (journal, (node, seed)) = (Arc::clone(&self.journal), secrets.service("coordinator")?);
        let make = move || {
            let post = Post::new(hash, node, &seed);
            Ok(CoordinatorStage::new(
                post,
                Arc::clone(&journal),
                Pace::default(),
            ))
        };
        self.stage(db, make, || {});
        Ok(())
    }

    fn transactions(&mut self, layout: &Layout, secrets: &Secrets) -> anyhow::Result<()> {
        let hash = self.genesis.hash();
        let db = self.open("transactions", &layout.service("transactions"))?;
        let (journal, (node, seed)) = (Arc::clone(&self.journal), secrets.service("transactions")?);
        let codec: Arc<dyn ChainCodec> = self.codec.clone();
        let gateway: Arc<dyn ChainGateway> = self.chain.clone();
        let make = move || {
            Ok(TransactionsStage::new(TransactionsParts {
                post: Post::new(hash, node, &seed),
                journal: Arc::clone(&journal),
                codec: Arc::clone(&codec),
                gateway: Arc::clone(&gateway),
                resend_ms: RESEND_MS,
            }))
        };
        self.stage(db, make, || {});
        Ok(())
    }

    fn links(&mut self) -> anyhow::Result<()> {
        for (name, node) in seats(&self.genesis) {
            let socket = socket_path(&self.run, &name);
            let bus: Arc<dyn Bus> = self.bus.clone();
            let link = Link::open(bus, &self.genesis, node, &socket, self.stop.clone())?;
            let serve = move || link.serve(&|name, work| spawn(name, work));
            self.threads.push(spawn(&format!("link-{node}"), serve));
        }
        Ok(())
    }

    fn api(&mut self, layout: &Layout, secrets: &Secrets, keyring: Keyring) -> anyhow::Result<()> {
        let db = self.open("api", &layout.service("api"))?;
        let changes = Changes::default();
        let (hash, journal, (node, seed)) = (
            self.genesis.hash(),
            Arc::clone(&self.journal),
            secrets.service("api")?,
        );
        let make = move || {
            Ok(ApiStage::new(
                Post::new(hash, node, &seed),
                Arc::clone(&journal),
            ))
        };
        let bump = changes.clone();
        self.stage(Arc::clone(&db), make, move || bump.bump());
        let api = Api::new(ApiParts {
            db,
            bus: self.bus.clone(),
            journal: Arc::clone(&self.journal),
            codecs: vec![self.codec.clone()],
            post: self.post(secrets, "api")?,
            keyring,
            clock: Arc::new(SystemClock),
            changes,
            ready: Ready::at_once(),
        });
        let listener = std::net::TcpListener::bind(self.address)
            .with_context(|| format!("cannot listen on {}; choose another --port", self.address))?;
        listener.set_nonblocking(true)?;
        self.address = listener.local_addr()?;
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let thread = spawn("http", move || {
            let served = runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                serve(api, listener, async {
                    let _ = stopped.await;
                })
                .await
            });
            if let Err(error) = served {
                tracing::error!(%error, "http server");
            }
        });
        self.http = Some((stop, thread));
        Ok(())
    }

    /// Runs a stage on its own thread; made anew from its database after a failure that may pass.
    fn stage<S: Stage + 'static>(
        &mut self,
        db: Arc<SqliteDb>,
        make: impl Fn() -> anyhow::Result<S> + Send + 'static,
        after: impl Fn() + Send + 'static,
    ) {
        let (bus, stop, failure) = (
            Arc::clone(&self.bus),
            self.stop.clone(),
            Arc::clone(&self.failure),
        );
        self.threads.push(spawn("stage", move || {
            while !stop.is_set() {
                match run_stage(&make, &db, &bus, &stop, &after) {
                    Ok(()) => return,
                    Err((error, may_restart)) => {
                        report(&failure, !may_restart, &error);
                        if !may_restart || stop.wait(RESTART_PAUSE) {
                            return;
                        }
                    }
                }
            }
        }));
    }

    /// What stopped a part of the platform for good, if anything did.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Commits of all databases of this process since its start, by name.
    #[must_use]
    pub fn commits(&self) -> Vec<(&'static str, u64)> {
        self.databases
            .iter()
            .map(|(name, db)| (*name, db.commits()))
            .collect()
    }

    /// Stops every thread and closes the databases.
    pub fn stop(mut self) {
        self.stop.set();
        if let Some((stop, thread)) = self.http.take() {
            let _ = stop.send(());
            let _ = thread.join();
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        let _ = self.bus.shutdown(Duration::from_secs(5));
    }
}

fn report(failure: &Mutex<Option<String>>, for_good: bool, what: &str) {
    if for_good {
        tracing::error!("{what}");
        failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert_with(|| what.to_owned());
    } else {
        tracing::warn!("{what}");
    }
}

fn run_stage<S: Stage>(
    make: &impl Fn() -> anyhow::Result<S>,
    db: &Arc<SqliteDb>,
    bus: &Arc<EmbeddedBus>,
    stop: &StopFlag,
    after: &impl Fn(),
) -> Result<(), (String, bool)> {
    let stage = make().map_err(|e| (e.to_string(), false))?;
    let describe = |e: strongroom_stage::ShellError| {
        let may_restart = e.may_restart();
        (format!("{:#}", anyhow::Error::from(e)), may_restart)
    };
    let (db, bus): (Arc<dyn Db>, Arc<dyn Bus>) = (db.clone(), bus.clone());
    let mut shell =
        Shell::new(stage, db, bus, Options::default(), Box::new(NoFaults)).map_err(describe)?;
    let mut notify = |progress: &Progress| {
        if progress.records > 0 || progress.ticked {
            after();
        }
    };
    shell.run(&SystemClock, stop, &mut notify).map_err(describe)
}

/// Signers and witnesses of a genesis by the names of their folders.
#[must_use]
pub fn seats(genesis: &Genesis) -> Vec<(String, NodeId)> {
    let signers = genesis
        .signers
        .iter()
        .map(|seat| (format!("signer-{}", seat.index), seat.node));
    let witnesses = genesis
        .witnesses
        .iter()
        .enumerate()
        .map(|(n, seat)| (format!("witness-{}", n + 1), seat.node));
    signers.chain(witnesses).collect()
}
