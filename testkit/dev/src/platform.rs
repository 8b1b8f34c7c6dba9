//! The roles of a development installation in this process, and the development chain beside them.

use crate::adapters::adapters_on;
use crate::layout::Layout;
use anyhow::Context as _;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use strongroom::config::Config;
use strongroom::roles::RoleName;
use strongroom::run::Running;
use strongroom::secrets::RoleSecrets;
use strongroom_chain_bitcoin::{BitcoinCodec, Network};
use strongroom_chain_bitcoin_dev::{Confirm, DevChain};
use strongroom_journal::Genesis;
use strongroom_ports::bus::Bus;
use strongroom_ports::db::Db;
use strongroom_replica::SharedFollower;
use strongroom_stage::post::Post;

/// The running roles.
pub struct Platform {
    /// The pinned genesis.
    pub genesis: Arc<Genesis>,
    /// Replica that the services of this process read.
    pub journal: Arc<SharedFollower>,
    /// The bus.
    pub bus: Arc<dyn Bus>,
    /// The development chain.
    pub chain: Arc<DevChain>,
    /// The chain's codec.
    pub codec: Arc<BitcoinCodec>,
    /// Where the API listens.
    pub address: SocketAddr,
    layout: Layout,
    running: Running,
}

/// How roles are started.
#[derive(Clone, Copy)]
pub struct Start<'a> {
    /// The roles; the API must be among them.
    pub roles: &'a [RoleName],
    /// Loopback port of the API, 0 for any that is free.
    pub port: u16,
    /// The bus is new and empty: the roles begin at its start.
    pub new_bus: bool,
}

impl Platform {
    /// Starts roles of an installation; its signers are started apart.
    ///
    /// # Errors
    /// Files, sockets, a genesis that says production (the embedded parts refuse it).
    pub fn start(layout: &Layout, start: Start<'_>) -> anyhow::Result<Self> {
        let mut config = Config::read(&layout.config())?;

        // Loopback only, whatever the file says: bearer keys travel without TLS here.
        config.listen = Some(SocketAddr::from(([127, 0, 0, 1], start.port)));

        // Opened here and not by the roles, so that the demo can fund and read the same chain.
        let chain = Arc::new(DevChain::open(&layout.chain(), Confirm::AtOnce)?);
        let roles: BTreeSet<RoleName> = start.roles.iter().copied().collect();
        let running = Running::start(config, &roles, &adapters_on(&chain), start.new_bus)?;

        let parts = running.parts();
        Ok(Self {
            genesis: Arc::clone(&parts.genesis),
            journal: Arc::clone(&parts.journal),
            bus: Arc::clone(&parts.bus),
            chain,
            codec: Arc::new(BitcoinCodec::new(Network::Regtest)?),
            address: running
                .address()
                .context("the API is not among the roles")?,
            layout: layout.clone(),
            running,
        })
    }

    /// The identity of a role that does not run, to be played by the caller.
    ///
    /// # Errors
    /// Its secrets file.
    pub fn post(&self, role: RoleName) -> anyhow::Result<Post> {
        let hash = self.genesis.hash();
        let secrets = RoleSecrets::open(&self.layout.secrets(), role, hash)?;
        Ok(Post::new(hash, secrets.node, &secrets.seed))
    }

    /// The database of a role of this process.
    ///
    /// # Errors
    /// When the role does not run here.
    pub fn database(&self, role: RoleName) -> anyhow::Result<Arc<dyn Db>> {
        Ok(Arc::clone(&self.running.parts().service(role)?.db))
    }

    /// Commits of all databases of this process since its start, by role.
    #[must_use]
    pub fn commits(&self) -> Vec<(&'static str, u64)> {
        let services = self.running.parts().services();
        services
            .map(|service| (service.role.name(), service.db.commits()))
            .collect()
    }

    /// What ended for good, if anything did.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        self.running.failure().map(|failure| failure.what)
    }

    /// Stops every role and closes the databases.
    pub fn stop(self) {
        self.running.stop();
    }
}
