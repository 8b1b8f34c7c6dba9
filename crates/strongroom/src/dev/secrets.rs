//! Keys of the service instances of a development installation: one file, mode 0600.

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use strongroom_ports::host::Entropy;
use strongroom_types::NodeId;
use strongroom_types::text::lower_hex;
use strongroom_wire::{NodeKey, Role};

/// Roles that are services of this process.
pub const SERVICE_ROLES: [(Role, &str); 5] = [
    (Role::Api, "api"),
    (Role::Approvals, "approvals"),
    (Role::Transactions, "transactions"),
    (Role::Coordinator, "coordinator"),
    (Role::Writer, "writer"),
];

/// A service's identity.
#[derive(Serialize, Deserialize)]
pub struct ServiceSecret {
    name: String,
    node: String,
    seed: String,
}

/// All services' identities, the log key and the API keys.
#[derive(Serialize, Deserialize)]
pub struct Secrets {
    services: Vec<ServiceSecret>,
    log: String,
    /// Bearer key of the platform's operators.
    pub operator_key: String,
    /// Bearer key of the demo tenant.
    pub tenant_key: String,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(..)")
    }
}

impl fmt::Debug for ServiceSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceSecret({}, ..)", self.name)
    }
}

fn seed(text: &str) -> anyhow::Result<[u8; 32]> {
    lower_hex(text).context("a seed in the service key file is not 64 lower-case hex digits")
}

impl Secrets {
    /// Fresh keys.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut rng = entropy.rng();
        let mut bytes = || {
            let mut bytes = [0; 32];
            rng.fill_bytes(&mut bytes);
            bytes
        };
        let service = |bytes: &mut dyn FnMut() -> [u8; 32], name: &str| {
            let mut node = [0; 16];
            node.iter_mut()
                .zip(bytes())
                .for_each(|(to, from)| *to = from);
            ServiceSecret {
                name: name.to_owned(),
                node: NodeId(node).to_string(),
                seed: hex::encode(bytes()),
            }
        };
        let services = SERVICE_ROLES
            .iter()
            .map(|(_, name)| service(&mut bytes, name))
            .collect();
        let log = hex::encode(bytes());
        let (operator_key, tenant_key) = (
            format!("srk_op_{}", hex::encode(bytes())),
            format!("srk_tn_{}", hex::encode(bytes())),
        );
        Self {
            services,
            log,
            operator_key,
            tenant_key,
        }
    }

    /// Writes the file, for its owner only; never overwrites.
    ///
    /// # Errors
    /// The file system's.
    pub fn save(&self, path: &Path) -> anyhow::Result<()> {
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(serde_json::to_string_pretty(self)?.as_bytes())?;
        Ok(file.sync_all()?)
    }

    /// Reads the file; refuses one that others can read.
    ///
    /// # Errors
    /// Missing, readable by others, or not the right form.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let mode = std::fs::metadata(path)
            .with_context(|| format!("service keys {shown}"))?
            .permissions()
            .mode();
        if mode & 0o077 != 0 {
            bail!(
                "{shown} can be read by others (mode {:o}); run: chmod 600 {shown}",
                mode & 0o777
            );
        }
        serde_json::from_slice(&std::fs::read(path)?)
            .with_context(|| format!("service keys {shown}"))
    }

    /// Id and seed of a service.
    ///
    /// # Errors
    /// When the file names no such service.
    pub fn service(&self, name: &str) -> anyhow::Result<(NodeId, [u8; 32])> {
        let found = self.services.iter().find(|service| service.name == name);
        let found = found.with_context(|| format!("no key of service `{name}`"))?;
        Ok((found.node.parse()?, seed(&found.seed)?))
    }

    /// Seed of the log key.
    ///
    /// # Errors
    /// When it is no seed.
    pub fn log(&self) -> anyhow::Result<[u8; 32]> {
        seed(&self.log)
    }

    /// What genesis registers of the services.
    ///
    /// # Errors
    /// When the file is incomplete.
    pub fn node_keys(&self) -> anyhow::Result<Vec<NodeKey>> {
        let key = |(role, name): &(Role, &str)| {
            let (node, seed) = self.service(name)?;
            Ok(NodeKey {
                node,
                role: *role,
                public_key: public_key(&seed),
            })
        };
        SERVICE_ROLES.iter().map(key).collect()
    }
}

/// Ed25519 public key of a seed.
#[must_use]
pub fn public_key(seed: &[u8; 32]) -> [u8; 32] {
    let id = strongroom_types::CredentialId([0; 16]);
    strongroom_types::SigningCredential::new(id, seed).public_key()
}
