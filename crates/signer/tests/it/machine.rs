//! One node with its disk, its marker and its key file.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use strongroom_chain_bitcoin::{BitcoinCodec, Network};
use strongroom_keys_software::SoftwareKeyProtector;
use strongroom_ports::bus::Mode;
use strongroom_ports::chain::ChainCodec;
use strongroom_ports::db::{Arg, Bulk, Db, DbError, DbErrorKind, Migration, Row, Tx};
use strongroom_ports::host::Entropy;
use strongroom_signer_core::{
    Fatal, LocalRules, Marker, NodeSecrets, SignerNode, SignerSetup, install,
};
use strongroom_store_sqlite::SqliteDb;
use strongroom_types::{NodeId, UnixMs};
use strongroom_world::World;

/// Generators from one seed, each another.
pub struct SeededEntropy {
    world: World,
    name: String,
    next: AtomicU64,
}

impl Entropy for SeededEntropy {
    fn rng(&self) -> Box<dyn rand_core::CryptoRngCore + Send> {
        Box::new(
            self.world
                .seed
                .rng(&self.name, self.next.fetch_add(1, Ordering::Relaxed)),
        )
    }
}

/// A marker in memory, outside of the disk.
#[derive(Clone, Default)]
pub struct MemoryMarker(Arc<Mutex<Option<[u8; 16]>>>);

impl Marker for MemoryMarker {
    fn read(&self) -> std::io::Result<Option<[u8; 16]>> {
        Ok(*self.0.lock().unwrap())
    }
    fn write(&mut self, generation: [u8; 16]) -> std::io::Result<()> {
        *self.0.lock().unwrap() = Some(generation);
        Ok(())
    }
}

/// A disk that can be full.
pub struct Disk {
    pub sqlite: SqliteDb,
    pub full: AtomicBool,
}

struct DiskTx<'a> {
    inner: Box<dyn Tx + 'a>,
    full: &'a AtomicBool,
}

impl Db for Disk {
    fn begin(&self) -> Result<Box<dyn Tx + '_>, DbError> {
        Ok(Box::new(DiskTx {
            inner: self.sqlite.begin()?,
            full: &self.full,
        }))
    }
    fn migrate(&self, migrations: &[Migration]) -> Result<(), DbError> {
        self.sqlite.migrate(migrations)
    }
    fn commits(&self) -> u64 {
        self.sqlite.commits()
    }
}

impl Tx for DiskTx<'_> {
    fn execute(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<u64, DbError> {
        self.inner.execute(sql, args)
    }
    fn query(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<Vec<Row>, DbError> {
        self.inner.query(sql, args)
    }
    fn bulk(&mut self, bulk: &Bulk, args: &[Arg<'_>]) -> Result<Vec<Row>, DbError> {
        self.inner.bulk(bulk, args)
    }
    fn commit(self: Box<Self>) -> Result<(), DbError> {
        if self.full.load(Ordering::Relaxed) {
            return Err(DbError::new(DbErrorKind::Full, "the test filled it"));
        }
        self.inner.commit()
    }
}

/// One node.
pub struct Machine {
    pub id: NodeId,
    pub node: Option<SignerNode>,
    pub disk: Arc<Disk>,
    pub marker: MemoryMarker,
    pub rules: LocalRules,
    pub codecs: Vec<Arc<dyn ChainCodec>>,
    pub entropy: Arc<SeededEntropy>,
    folder: tempfile::TempDir,
    world: World,
}

pub fn codec() -> BitcoinCodec {
    BitcoinCodec::new(Network::Regtest).unwrap()
}

impl Machine {
    pub fn new(world: &World, id: NodeId) -> Self {
        let entropy = SeededEntropy {
            world: world.clone(),
            name: format!("entropy of {id}"),
            next: AtomicU64::new(0),
        };
        let folder = tempfile::tempdir().unwrap();
        SoftwareKeyProtector::create(&folder.path().join("kek"), Mode::Dev, entropy.rng()).unwrap();
        let sqlite = SqliteDb::open_in_memory().unwrap();
        let mut marker = MemoryMarker::default();
        install(&sqlite, &mut marker, &mut *entropy.rng()).unwrap();
        Self {
            id,
            node: None,
            disk: Arc::new(Disk {
                sqlite,
                full: AtomicBool::new(false),
            }),
            marker,
            rules: LocalRules::default(),
            codecs: vec![Arc::new(codec())],
            entropy: Arc::new(entropy),
            folder,
            world: world.clone(),
        }
    }

    pub fn secrets(&self) -> NodeSecrets {
        if let Some(keys) = self.world.signers.iter().find(|keys| keys.node == self.id) {
            let witness = keys.witness.to_bytes().into();
            return NodeSecrets {
                signing: keys.signing.clone(),
                witness,
                sealing: keys.sealing(),
            };
        }
        let keys = self
            .world
            .witnesses
            .iter()
            .find(|keys| keys.node == self.id)
            .unwrap();
        let sealing = self.world.signer(1).sealing();
        NodeSecrets {
            signing: keys.signing.clone(),
            witness: keys.witness.to_bytes().into(),
            sealing,
        }
    }

    /// The wrapping key of its shares.
    pub fn protector(&self) -> SoftwareKeyProtector {
        let path = self.folder.path().join("kek");
        SoftwareKeyProtector::open(&path, Mode::Dev, self.entropy.rng()).unwrap()
    }

    pub fn setup(&self, now: UnixMs) -> SignerSetup {
        SignerSetup {
            genesis: self.world.genesis.to_bytes(),
            pinned: self.world.genesis.hash(),
            me: self.id,
            secrets: self.secrets(),
            db: self.disk.clone(),
            protector: Arc::new(self.protector()),
            codecs: self.codecs.clone(),
            entropy: self.entropy.clone(),
            rules: self.rules.clone(),
            marker: Box::new(self.marker.clone()),
            now,
        }
    }

    /// Starts the process, or starts it again.
    pub fn start(&mut self, now: UnixMs) -> Result<(), Fatal> {
        self.node = None;
        self.node = Some(SignerNode::open(self.setup(now))?);
        Ok(())
    }

    pub fn node(&mut self) -> &mut SignerNode {
        self.node.as_mut().expect("the machine runs")
    }
}
