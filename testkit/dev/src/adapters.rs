//! The development parts, by the names that configurations use: bus `embedded` (one process) or
//! `shared` (several), store `sqlite`, gateway `dev`.

use crate::shared_bus;
use anyhow::{Context as _, ensure};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strongroom::config::Part;
use strongroom::parts::Adapters;
use strongroom_bus_embedded::{EmbeddedBus, Options};
use strongroom_chain_bitcoin_dev::{Confirm, DevChain};
use strongroom_host::SystemEntropy;
use strongroom_ports::bus::{Bus, Mode};
use strongroom_ports::chain::ChainGateway;
use strongroom_ports::db::Db;
use strongroom_ports::host::Entropy as _;
use strongroom_store_sqlite::SqliteDb;

/// Development parts that are opened as a configuration says.
#[must_use]
pub fn adapters() -> Adapters {
    let mut adapters = Adapters::default();
    adapters.buses.insert("embedded", Box::new(open_bus));
    adapters.buses.insert("shared", Box::new(open_shared_bus));
    adapters.stores.insert("sqlite", Box::new(open_store));

    // Without miners a transaction would never confirm, so it does as soon as it is accepted.
    let open_chain = |part: &Part, _: &_| {
        let chain = DevChain::open(&place(part)?, Confirm::AtOnce)?;
        Ok(Arc::new(chain) as Arc<dyn ChainGateway>)
    };
    adapters.gateways.insert("dev", Box::new(open_chain));
    adapters
}

/// The same with a development chain that the caller keeps a hand on.
#[must_use]
pub fn adapters_on(chain: &Arc<DevChain>) -> Adapters {
    let mut adapters = adapters();
    let chain = Arc::clone(chain);
    let open_chain = move |_: &Part, _: &_| Ok(Arc::clone(&chain) as Arc<dyn ChainGateway>);
    adapters.gateways.insert("dev", Box::new(open_chain));
    adapters
}

fn open_bus(part: &Part, mode: Mode) -> anyhow::Result<Arc<dyn Bus>> {
    let bus = EmbeddedBus::open(&place(part)?, mode, Options::default(), incarnation())?;
    Ok(Arc::new(bus))
}

fn open_shared_bus(part: &Part, mode: Mode) -> anyhow::Result<Arc<dyn Bus>> {
    Ok(shared_bus::open(&place(part)?, mode, incarnation())?)
}

/// Name of a new log; an existing one keeps its own.
fn incarnation() -> [u8; 16] {
    let mut incarnation = [0; 16];
    SystemEntropy.rng().fill_bytes(&mut incarnation);
    incarnation
}

/// One file in each role's folder.
fn open_store(part: &Part, folder: &Path) -> anyhow::Result<Arc<dyn Db>> {
    // A store that all roles shared would let one read another's tables.
    ensure!(
        part.at.is_none(),
        "`store.at`: SQLite files are in the roles' folders"
    );
    Ok(Arc::new(SqliteDb::open(&folder.join("store.sqlite"))?))
}

/// The file of a part; its folder is made.
fn place(part: &Part) -> anyhow::Result<PathBuf> {
    let path = part
        .path()
        .with_context(|| format!("a part of kind `{}` needs `at`", part.kind))?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    Ok(path)
}
