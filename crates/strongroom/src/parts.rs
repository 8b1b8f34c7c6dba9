//! The parts that roles run on: which kinds a build has, and opening those that a configuration
//! names. Everything is looked at before anything starts, the cheap and harmless first.

use crate::config::{Config, Part};
use crate::exit::RunError;
use crate::folder::{Claim, FolderLock, RoleFolder, check_database, claim_database};
use crate::role_name::RoleName;
use crate::secrets::RoleSecrets;
use crate::sockets::hold_sockets;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use strongroom_chains::ChainsError;
use strongroom_journal::Genesis;
use strongroom_ports::bus::{Bus, Mode};
use strongroom_ports::chain::{ChainCodec, ChainGateway};
use strongroom_ports::db::Db;
use strongroom_replica::SharedFollower;
use strongroom_stage::post::Post;
use strongroom_types::{ChainId, Digest};

/// Opens a bus; a development bus refuses [`Mode::Production`].
pub type OpenBus = Box<dyn Fn(&Part, Mode) -> anyhow::Result<Arc<dyn Bus>>>;
/// Opens a role's database; the path is the role's folder.
pub type OpenStore = Box<dyn Fn(&Part, &Path) -> anyhow::Result<Arc<dyn Db>>>;
/// Opens the way to a chain's network.
pub type OpenGateway = Box<dyn Fn(&Part, &ChainId) -> anyhow::Result<Arc<dyn ChainGateway>>>;

/// The kinds of parts that a build links, by the name that configurations use.
#[derive(Default)]
pub struct Adapters {
    /// Ways to open a bus.
    pub buses: BTreeMap<&'static str, OpenBus>,
    /// Ways to open a role's database.
    pub stores: BTreeMap<&'static str, OpenStore>,
    /// Ways to open a chain's gateway.
    pub gateways: BTreeMap<&'static str, OpenGateway>,
}

/// Opened parts on which the roles of this process run.
pub struct Parts {
    /// Configuration of this process, checked.
    pub config: Config,
    /// The pinned genesis.
    pub genesis: Arc<Genesis>,
    /// Bus shared by all roles of this process.
    pub bus: Arc<dyn Bus>,
    /// Journal replica in memory that the services of this process share.
    pub journal: Arc<SharedFollower>,
    /// Codecs of the chains of genesis that this build decodes.
    pub codecs: Vec<Arc<dyn ChainCodec>>,
    /// The chain that role transactions works, when it runs here.
    pub worked_chain: Option<WorkedChain>,
    services: BTreeMap<RoleName, Arc<Service>>,
    _folders: Vec<RoleFolder>,
    _sockets: Option<FolderLock>,
}

/// A chain with both of its sides.
#[derive(Clone)]
pub struct WorkedChain {
    /// The pure side.
    pub codec: Arc<dyn ChainCodec>,
    /// The way to its network.
    pub gateway: Arc<dyn ChainGateway>,
}

/// Identity and database of one service.
pub struct Service {
    /// Role that it plays, one service per role.
    pub role: RoleName,
    /// Database that no other role opens.
    pub db: Arc<dyn Db>,
    /// Keys of this role alone.
    pub secrets: RoleSecrets,
    genesis: Digest,
}

impl Service {
    /// Its identity on the bus.
    #[must_use]
    pub fn post(&self) -> Post {
        Post::new(self.genesis, self.secrets.node, &self.secrets.seed)
    }
}

impl Parts {
    /// Opens what the roles need.
    ///
    /// # Errors
    /// See [`RunError`]; until everything is open nothing on disk is changed but new role folders,
    /// their lock files and new, empty databases.
    pub fn open(
        config: Config,
        roles: &BTreeSet<RoleName>,
        adapters: &Adapters,
    ) -> Result<Self, RunError> {
        // Up to the locks, files are only read: an operator's mistake is answered before anything
        // on disk has changed.
        let genesis = Arc::new(pinned_genesis(&config)?);
        let codecs = codecs(&config, &genesis)?;
        only_known_chains(&config, &genesis)?;
        adapters.has_all(&config, roles, &codecs)?;

        // Secrets are read before any folder is made: without its keys a role cannot run.
        let secrets = open_secrets(&config, roles, genesis.hash())?;

        // All locks are taken before the first database is opened: another process may be writing
        // to it.
        let folders: Vec<RoleFolder> = roles
            .iter()
            .map(|role| RoleFolder::hold(&config.data, *role))
            .collect::<Result<_, _>>()?;
        let link = roles.get(&RoleName::Link);
        let sockets = link.map(|_| hold_sockets(config.sockets()?)).transpose()?;

        // All databases are looked at before the first is written to: beside one that is refused,
        // no other role's may have been changed.
        let (mut services, mut claims) = (BTreeMap::new(), Vec::new());
        for (role, secrets) in secrets {
            let db = adapters.open_store(&config, role)?;
            if check_database(db.as_ref(), genesis.hash(), role)? == Claim::Open {
                claims.push((role, Arc::clone(&db)));
            }
            let service = Service {
                role,
                db,
                secrets,
                genesis: genesis.hash(),
            };
            services.insert(role, Arc::new(service));
        }

        let worked_chain = if roles.contains(&RoleName::Transactions) {
            Some(adapters.open_gateway(&config, worked(&config, &codecs)?)?)
        } else {
            None
        };

        // All services of the process share one replica: each of its own would replay the whole
        // journal.
        let journal = SharedFollower::new(Arc::clone(&genesis));
        let journal = journal.map_err(|refusal| RunError::part("the journal replica", refusal))?;
        let bus = adapters.open_bus(&config, genesis.mode)?;

        for (role, db) in claims {
            claim_database(db.as_ref(), genesis.hash(), role)?;
        }

        Ok(Self {
            bus,
            journal: Arc::new(journal),
            genesis,
            codecs,
            worked_chain,
            services,
            _folders: folders,
            _sockets: sockets,
            config,
        })
    }

    /// A service of this process.
    ///
    /// # Errors
    /// When the role was not among those that were opened.
    pub fn service(&self, role: RoleName) -> Result<&Arc<Service>, RunError> {
        let why = || self.config.error(format!("role {role} was not asked for"));
        self.services.get(&role).ok_or_else(why)
    }

    /// All services of this process.
    pub fn services(&self) -> impl Iterator<Item = &Arc<Service>> {
        self.services.values()
    }
}

fn open_secrets(
    config: &Config,
    roles: &BTreeSet<RoleName>,
    genesis: Digest,
) -> Result<Vec<(RoleName, RoleSecrets)>, RunError> {
    let services = roles.iter().copied().filter(|role| role.is_service());
    let open = |role| {
        let secrets = RoleSecrets::open(&config.secrets, role, genesis)
            .map_err(|source| RunError::Secrets { role, source })?;
        Ok((role, secrets))
    };
    services.map(open).collect()
}

fn pinned_genesis(config: &Config) -> Result<Genesis, RunError> {
    let path = || config.genesis.clone();
    let bytes = std::fs::read(&config.genesis).map_err(|source| RunError::GenesisFile {
        path: path(),
        source,
    })?;
    Genesis::pinned(&bytes, config.genesis_hash).map_err(|source| RunError::Genesis {
        path: path(),
        source,
    })
}

/// Codecs of the chains of genesis that this build decodes, in the order of genesis.
fn codecs(config: &Config, genesis: &Genesis) -> Result<Vec<Arc<dyn ChainCodec>>, RunError> {
    let codecs = strongroom_chains::codecs(genesis).map_err(|error| match error {
        ChainsError::Seat(source) => RunError::Genesis {
            path: config.genesis.clone(),
            source,
        },
        ChainsError::Id(_) | ChainsError::Twice(_) | ChainsError::Name(_) => {
            RunError::part("the chains of this build", error)
        }
    })?;

    // This is not an error: the other chains work, and a request about this one is refused by its
    // code.
    for chain in codecs.unknown() {
        tracing::warn!(%chain, "not decoded by this build");
    }
    Ok(codecs.known().to_vec())
}

impl Adapters {
    /// Refuses when the configuration names too little, or kinds that this build lacks; nothing is
    /// opened yet. All that is lacking is named at once.
    fn has_all(
        &self,
        config: &Config,
        roles: &BTreeSet<RoleName>,
        codecs: &[Arc<dyn ChainCodec>],
    ) -> Result<(), RunError> {
        // These tables are asked for here and not when the role starts: the roles before it would
        // run by then.
        if roles.contains(&RoleName::Api) {
            config.listen()?;
        }
        if roles.contains(&RoleName::Link) {
            config.sockets()?;
        }

        // Errors are collected, not returned at the first: an operator should not start once per
        // missing part.
        let mut lacking = Vec::new();
        let bus = config
            .bus
            .as_ref()
            .ok_or_else(|| config.error("every role needs `[bus]`"))?;
        if !self.buses.contains_key(bus.kind.as_str()) {
            lacking.push(format!(
                "no bus in this build: {}",
                has(&bus.kind, &self.buses)
            ));
        }

        for role in roles.iter().filter(|role| role.is_service()) {
            let why = || config.error(format!("role {role} needs `[store]`"));
            let store = config.store.as_ref().ok_or_else(why)?;
            if !self.stores.contains_key(store.kind.as_str()) {
                let has = has(&store.kind, &self.stores);
                lacking.push(format!("role {role}: no store in this build: {has}"));
            }
        }

        if roles.contains(&RoleName::Transactions) {
            let chain = &worked(config, codecs)?.manifest().chain;
            let gateway = config
                .gateways
                .get(chain)
                .ok_or_else(|| no_gateway(config, chain))?;
            if !self.gateways.contains_key(gateway.kind.as_str()) {
                let has = has(&gateway.kind, &self.gateways);
                lacking.push(format!(
                    "role transactions: this build has no gateway for chain {chain}: {has}"
                ));
            }
        }

        if lacking.is_empty() {
            Ok(())
        } else {
            Err(RunError::Lacking(lacking))
        }
    }

    fn open_bus(&self, config: &Config, mode: Mode) -> Result<Arc<dyn Bus>, RunError> {
        let (part, open) = named(config.bus.as_ref(), &self.buses)
            .ok_or_else(|| config.error("every role needs `[bus]`"))?;

        // The mode comes from genesis and never from a flag, so that an embedded bus refuses a
        // production installation itself. The adapter's own error, where it has one, decides the
        // exit code.
        open(part, mode).map_err(|error| match error.downcast() {
            Ok(refused) => RunError::Bus(refused),
            Err(error) => RunError::part(format!("bus of kind `{}`", part.kind), error),
        })
    }

    fn open_store(&self, config: &Config, role: RoleName) -> Result<Arc<dyn Db>, RunError> {
        let (part, open) = named(config.store.as_ref(), &self.stores)
            .ok_or_else(|| config.error(format!("role {role} needs `[store]`")))?;
        open(part, &config.data.join(role.name())).map_err(|error| match error.downcast() {
            Ok(source) => RunError::Store { role, source },
            Err(error) => RunError::part(format!("role {role}: store `{}`", part.kind), error),
        })
    }

    fn open_gateway(
        &self,
        config: &Config,
        codec: &Arc<dyn ChainCodec>,
    ) -> Result<WorkedChain, RunError> {
        let chain = &codec.manifest().chain;
        let (part, open) = named(config.gateways.get(chain), &self.gateways)
            .ok_or_else(|| no_gateway(config, chain))?;

        let gateway = open(part, chain)
            .map_err(|error| RunError::part(format!("gateway for chain {chain}"), error))?;
        Ok(WorkedChain {
            codec: Arc::clone(codec),
            gateway,
        })
    }
}

/// The chain that role transactions works: the first of genesis that this build decodes.
fn worked<'a>(
    config: &Config,
    codecs: &'a [Arc<dyn ChainCodec>],
) -> Result<&'a Arc<dyn ChainCodec>, RunError> {
    let none = || config.error("role transactions: genesis has no chain that this build decodes");
    codecs.first().ok_or_else(none)
}

fn no_gateway(config: &Config, chain: &ChainId) -> RunError {
    config.error(format!("role transactions needs `[gateways.\"{chain}\"]`"))
}

/// A gateway of a chain that genesis does not have was meant for another installation.
fn only_known_chains(config: &Config, genesis: &Genesis) -> Result<(), RunError> {
    for chain in config.gateways.keys() {
        if !genesis.chains.iter().any(|seat| seat.chain == *chain) {
            return Err(config.error(format!("`gateways`: genesis has no chain {chain}")));
        }
    }
    Ok(())
}

fn named<'a, T>(
    part: Option<&'a Part>,
    kinds: &'a BTreeMap<&'static str, T>,
) -> Option<(&'a Part, &'a T)> {
    let part = part?;
    kinds.get(part.kind.as_str()).map(|open| (part, open))
}

/// Kind that the configuration names, beside those of this build.
fn has<T>(kind: &str, kinds: &BTreeMap<&'static str, T>) -> String {
    let known: Vec<&str> = kinds.keys().copied().collect();
    match known.as_slice() {
        [] => format!("it has none, and the configuration names `{kind}`"),
        known => format!(
            "the configuration names `{kind}`, it has {}",
            known.join(", ")
        ),
    }
}
