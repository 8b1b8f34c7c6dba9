//! An installation on disk, made from a test world, and the parts to run it on.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strongroom::config::{Config, Part};
use strongroom::exit::{RunError, with_causes};
use strongroom::parts::Adapters;
use strongroom::roles::RoleName;
use strongroom::run::Running;
use strongroom::secrets::{HeldKeys, RoleSecrets, Seed};
use strongroom_api::{AccessKey, hash_key};
use strongroom_bus_embedded::{EmbeddedBus, Options};
use strongroom_journal::Bounds;
use strongroom_ports::bus::{Bus, Mode};
use strongroom_ports::db::Db;
use strongroom_store_sqlite::SqliteDb;
use strongroom_types::Digest;
use strongroom_wire::Role;
use strongroom_world::{World, WorldOptions};
use tempfile::TempDir;

/// The operators' bearer key of every installation here.
pub const OPERATOR: &str = "srk_op_test";

/// Services with their roles on the bus.
pub const SERVICES: [(RoleName, Role); 5] = [
    (RoleName::Writer, Role::Writer),
    (RoleName::Approvals, Role::Approvals),
    (RoleName::Coordinator, Role::Coordinator),
    (RoleName::Transactions, Role::Transactions),
    (RoleName::Api, Role::Api),
];

pub struct Installation {
    pub world: World,
    pub genesis: Digest,
    folder: TempDir,
}

impl Installation {
    /// The installation of a seed: genesis, secrets and configuration; nothing has run yet.
    pub fn new(seed: u64) -> Self {
        Self::of(World::new(seed, WorldOptions::default()))
    }

    /// As [`Self::new`], with a genesis for production.
    pub fn for_production(seed: u64) -> Self {
        let mut world = World::new(seed, WorldOptions::default());
        let genesis = Arc::make_mut(&mut world.genesis);
        (genesis.mode, genesis.bounds) = (Mode::Production, Bounds::production());
        Self::of(world)
    }

    /// As [`Self::new`], with a genesis of a build that reads the chain by another row.
    pub fn with_another_row(seed: u64) -> Self {
        let mut world = World::new(seed, WorldOptions::default());
        Arc::make_mut(&mut world.genesis).chains[0].row = Digest([7; 32]);
        Self::of(world)
    }

    fn of(world: World) -> Self {
        let genesis = world.genesis.hash();
        let installation = Self {
            world,
            genesis,
            folder: tempfile::tempdir().unwrap(),
        };
        let write = |name: &str, bytes: &[u8]| {
            std::fs::write(installation.path(name), bytes).unwrap();
        };
        write("genesis.bin", &installation.world.genesis.to_bytes());
        write("roles.toml", installation.config_text().as_bytes());
        std::fs::create_dir(installation.path("secrets")).unwrap();
        for (role, _) in SERVICES {
            installation
                .secrets_of(role)
                .save(&installation.path("secrets"), role, genesis)
                .unwrap();
        }
        installation
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn config_text(&self) -> String {
        let chain = &self.world.genesis.chains[0].chain;
        format!(
            "genesis = \"genesis.bin\"\ngenesis_hash = \"{}\"\ndata = \"roles\"\nsecrets = \"secrets\"\n\
             [bus]\nkind = \"embedded\"\nat = \"bus.sqlite\"\n[store]\nkind = \"sqlite\"\n\
             [gateways.\"{chain}\"]\nkind = \"dev\"\n[api]\nlisten = \"127.0.0.1:0\"\n[link]\nsockets = \"run\"\n",
            self.genesis
        )
    }

    pub fn config(&self) -> Config {
        Config::read(&self.path("roles.toml")).unwrap()
    }

    /// Reads a configuration in which `from` is replaced; the error, which the test expects.
    pub fn refused_config(&self, from: &str, to: &str) -> RunError {
        let text = self.config_text();
        assert!(text.contains(from), "{from}");
        let file = self.path("changed.toml");
        std::fs::write(&file, text.replacen(from, to, 1)).unwrap();
        Config::read(&file).expect_err("refused")
    }

    /// A role's keys, as the world has them.
    pub fn secrets_of(&self, role: RoleName) -> RoleSecrets {
        let (_, on_bus) = SERVICES
            .into_iter()
            .find(|(name, _)| *name == role)
            .unwrap();
        let service = self.world.service(on_bus);
        let held = match role {
            RoleName::Writer => HeldKeys::LogKey(Seed::new(self.world.log_key.to_bytes())),
            RoleName::Api => HeldKeys::BearerKeys(vec![AccessKey {
                hash: hash_key(OPERATOR),
                tenant: None,
            }]),
            RoleName::Link
            | RoleName::Approvals
            | RoleName::Coordinator
            | RoleName::Transactions => HeldKeys::Identity,
        };
        RoleSecrets {
            node: service.node,
            seed: Seed::new(service.signing.to_bytes()),
            held,
        }
    }

    pub fn start(&self, roles: &[RoleName]) -> Result<Running, RunError> {
        self.start_on(roles, &adapters())
    }

    pub fn start_on(&self, roles: &[RoleName], adapters: &Adapters) -> Result<Running, RunError> {
        let roles: BTreeSet<RoleName> = roles.iter().copied().collect();
        Running::start(self.config(), &roles, adapters, false)
    }

    /// The error of a start that must be refused, with nothing changed on disk by it but locks and
    /// the folders that hold them.
    pub fn refused(&self, roles: &[RoleName]) -> RunError {
        self.refused_on(roles, &adapters())
    }

    pub fn refused_on(&self, roles: &[RoleName], adapters: &Adapters) -> RunError {
        let before = self.files();
        let error = self.start_on(roles, adapters).err().expect("refused");
        let after = self.files();
        let touched = |path: &&PathBuf| before.get(*path) != after.get(*path);
        let touched: Vec<_> = before.keys().chain(after.keys()).filter(touched).collect();
        assert!(touched.is_empty(), "touched: {touched:?}");
        error
    }

    /// Every file but locks, with its bytes.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        collect(self.folder.path(), &mut found);
        found
    }
}

fn collect(folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let kind = path.symlink_metadata().unwrap().file_type();
        if kind.is_dir() {
            collect(&path, found);
        } else if kind.is_file() && !path.ends_with("lock") {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
}

/// An embedded bus and SQLite; no gateway.
pub fn adapters() -> Adapters {
    let mut adapters = Adapters::default();
    adapters.buses.insert(
        "embedded",
        Box::new(|part: &Part, mode| {
            let path = part.path().unwrap();
            let bus = EmbeddedBus::open(&path, mode, Options::default(), [1; 16])?;
            Ok(Arc::new(bus) as Arc<dyn Bus>)
        }),
    );
    adapters.stores.insert(
        "sqlite",
        Box::new(|_: &Part, folder: &Path| {
            Ok(Arc::new(SqliteDb::open(&folder.join("store.sqlite"))?) as Arc<dyn Db>)
        }),
    );
    adapters
}

/// The error as a person sees it, and its exit code.
pub fn told(error: &RunError) -> (u8, String) {
    (error.exit_code(), with_causes(error))
}

/// `GET path`: the status and the body.
pub fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\nauthorization: Bearer {OPERATOR}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (
        head.split(' ').nth(1).unwrap().parse().unwrap(),
        body.to_owned(),
    )
}
