//! Secrets of one role: `secrets/ROLE.json`, mode 0600, bound to one installation.
//!
//! | member | in whose file |
//! |---|---|
//! | `genesis` | every: hash of the genesis that the keys belong to |
//! | `role`, `node` | every: which service's, and its id on the bus |
//! | `seed` | every: Ed25519 seed of its envelopes, 64 hex digits |
//! | `log` | writer only: Ed25519 seed of the log's checkpoints |
//! | `bearer_keys` | api only: SHA-256 of each bearer key, and the tenant that it reaches |

use crate::role_name::RoleName;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use strongroom_api::AccessKey;
use strongroom_ports::host::Entropy;
use strongroom_types::text::lower_hex;
use strongroom_types::{Digest, NodeId, TenantId};
use zeroize::Zeroizing;

/// Ed25519 seed, 32 bytes, wiped on drop.
pub type Seed = Zeroizing<[u8; 32]>;

/// A role's identity, and the keys that it alone holds.
pub struct RoleSecrets {
    /// Its id on the bus.
    pub node: NodeId,
    /// Seed of the key that signs its envelopes.
    pub seed: Seed,
    /// Keys that no other role may hold.
    pub held: HeldKeys,
}

/// Keys in the file of one role that must not be in another's.
pub enum HeldKeys {
    /// Nothing beside the identity.
    Identity,
    /// The writer's: seed of the key that signs the log's checkpoints.
    LogKey(Seed),
    /// The API's: hashes of the bearer keys that it accepts.
    BearerKeys(Vec<AccessKey>),
}

impl HeldKeys {
    /// The writer's log key.
    #[must_use]
    pub fn log_key(&self) -> Option<&Seed> {
        match self {
            Self::LogKey(seed) => Some(seed),
            Self::Identity | Self::BearerKeys(_) => None,
        }
    }

    /// Hashes of the bearer keys that the API accepts.
    #[must_use]
    pub fn bearer_keys(&self) -> Option<&[AccessKey]> {
        match self {
            Self::BearerKeys(keys) => Some(keys),
            Self::Identity | Self::LogKey(_) => None,
        }
    }
}

impl fmt::Debug for RoleSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RoleSecrets({}, ..)", self.node)
    }
}

/// Reason for which a secrets file cannot be used. No variant holds a value of the file but the
/// genesis and the role that it names.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// Missing, or unreadable.
    #[error("secrets file {}", path.display())]
    File {
        /// Path of the secrets file.
        path: PathBuf,
        /// The operating system's answer.
        #[source]
        source: io::Error,
    },
    /// Others can read it.
    #[error("secrets file {0} has mode {mode:o}, others can read it: chmod 600 {0}", path.display())]
    ReadableByOthers {
        /// Path of the secrets file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not the form of a secrets file.
    #[error("secrets file {}: {why}", path.display())]
    Form {
        /// Path of the secrets file.
        path: PathBuf,
        /// The place or member, never its value.
        why: String,
    },
    /// Made for another installation.
    #[error("secrets file {} belongs to another installation, genesis {theirs}", path.display())]
    Foreign {
        /// Path of the secrets file.
        path: PathBuf,
        /// The genesis that it names.
        theirs: Digest,
    },
    /// Made for another role.
    #[error("secrets file {} belongs to role {theirs}", path.display())]
    OtherRole {
        /// Path of the secrets file.
        path: PathBuf,
        /// The role that it names.
        theirs: RoleName,
    },
}

/// The members of the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    genesis: String,
    role: String,
    node: String,
    seed: Zeroizing<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<Zeroizing<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bearer_keys: Option<Vec<BearerKey>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BearerKey {
    sha256: String,
    tenant: Option<String>,
}

/// Path of a role's secrets file.
#[must_use]
pub fn file_of(folder: &Path, role: RoleName) -> PathBuf {
    folder.join(format!("{}.json", role.name()))
}

impl RoleSecrets {
    /// Makes a new node id and seed.
    pub fn generate(entropy: &dyn Entropy, held: HeldKeys) -> Self {
        let mut rng = entropy.rng();
        let node = NodeId::random(rng.as_mut());
        let mut seed = Seed::default();
        rng.fill_bytes(seed.as_mut());
        Self { node, seed, held }
    }

    /// Reads the file of a role.
    ///
    /// # Errors
    /// See [`SecretsError`].
    pub fn open(folder: &Path, role: RoleName, genesis: Digest) -> Result<Self, SecretsError> {
        let path = file_of(folder, role);
        let text = read_private(&path)?;
        let form = |why: &str| SecretsError::Form {
            path: path.clone(),
            why: why.to_owned(),
        };
        let file: File = serde_json::from_slice(&text).map_err(|error| {
            // The parser's own message may quote a value of the file.
            form(&format!(
                "not its form at line {} column {}",
                error.line(),
                error.column()
            ))
        })?;

        // The owner is read first: a file of another installation is refused as that, whatever else
        // is wrong with it.
        let theirs: Digest = file
            .genesis
            .parse()
            .map_err(|_| form("`genesis` is not a hash"))?;
        if theirs != genesis {
            return Err(SecretsError::Foreign { path, theirs });
        }
        let theirs: RoleName = file
            .role
            .parse()
            .map_err(|_| form("`role` is not a role"))?;
        if theirs != role {
            return Err(SecretsError::OtherRole { path, theirs });
        }

        let node = file
            .node
            .parse()
            .map_err(|_| form("`node` is not a node id"))?;
        let seed = seed(&file.seed).ok_or_else(|| form("`seed` is not 64 hex digits"))?;
        let held = held(role, file.log, file.bearer_keys).map_err(form)?;
        Ok(Self { node, seed, held })
    }

    /// Writes the file for its owner only; never overwrites one.
    ///
    /// # Errors
    /// [`SecretsError::File`].
    pub fn save(&self, folder: &Path, role: RoleName, genesis: Digest) -> Result<(), SecretsError> {
        let path = file_of(folder, role);
        let (log, bearer_keys) = match &self.held {
            HeldKeys::Identity => (None, None),
            HeldKeys::LogKey(seed) => (Some(seed_text(seed)), None),
            HeldKeys::BearerKeys(keys) => (None, Some(keys.iter().map(BearerKey::of).collect())),
        };

        // The genesis hash is in the file: a role that is started with another installation's
        // secrets is then refused, and does not sign under a node that it is not.
        let members = File {
            genesis: genesis.to_string(),
            role: role.name().to_owned(),
            node: self.node.to_string(),
            seed: seed_text(&self.seed),
            log,
            bearer_keys,
        };

        let write = || {
            let mut file = OpenOptions::new()
                .write(true)
                // A file is never written over: the keys that genesis names exist once, and without
                // them the role could never speak again.
                .create_new(true)
                .mode(0o600)
                .open(&path)?;
            // Member by member, without a text of the whole file: as that grew it would leave
            // copies of the seed that are not wiped.
            serde_json::to_writer_pretty(&mut file, &members)?;
            file.sync_all()
        };

        write().map_err(|source| SecretsError::File {
            path: path.clone(),
            source,
        })
    }

    /// Ed25519 public key of the envelopes.
    #[must_use]
    pub fn public_key(&self) -> [u8; 32] {
        public_key(&self.seed)
    }
}

/// Ed25519 public key of a seed.
#[must_use]
pub fn public_key(seed: &Seed) -> [u8; 32] {
    // Any id will do: it is part of signatures, and only the public key is asked for.
    let id = strongroom_types::CredentialId([0; 16]);
    strongroom_types::SigningCredential::new(id, seed).public_key()
}

impl BearerKey {
    fn of(key: &AccessKey) -> Self {
        // Only the hash is kept: a copy of this file does not let its reader in as a client.
        Self {
            sha256: hex::encode(key.hash),
            tenant: key.tenant.map(|tenant| tenant.to_string()),
        }
    }

    fn access(&self) -> Option<AccessKey> {
        let tenant: Option<TenantId> = match &self.tenant {
            Some(text) => Some(text.parse().ok()?),
            None => None,
        };
        Some(AccessKey {
            hash: lower_hex(&self.sha256)?,
            tenant,
        })
    }
}

/// The rule of who holds what: a log key in the API's file would put the journal's head into the
/// process that faces clients.
fn held(
    role: RoleName,
    log: Option<Zeroizing<String>>,
    bearer_keys: Option<Vec<BearerKey>>,
) -> Result<HeldKeys, &'static str> {
    if log.is_some() && role != RoleName::Writer {
        return Err("`log` belongs into the writer's file only");
    }
    if bearer_keys.is_some() && role != RoleName::Api {
        return Err("`bearer_keys` belongs into the api's file only");
    }

    match role {
        RoleName::Writer => {
            let log = log.ok_or("`log` is missing")?;
            seed(&log)
                .map(HeldKeys::LogKey)
                .ok_or("`log` is not 64 hex digits")
        }
        RoleName::Api => {
            let keys = bearer_keys.ok_or("`bearer_keys` is missing")?;
            let keys: Option<Vec<AccessKey>> = keys.iter().map(BearerKey::access).collect();
            keys.map(HeldKeys::BearerKeys)
                .ok_or("`bearer_keys`: not a SHA-256, or not a tenant")
        }
        RoleName::Link | RoleName::Approvals | RoleName::Coordinator | RoleName::Transactions => {
            Ok(HeldKeys::Identity)
        }
    }
}

fn seed(text: &str) -> Option<Seed> {
    lower_hex(text).map(Zeroizing::new)
}

fn seed_text(seed: &Seed) -> Zeroizing<String> {
    Zeroizing::new(hex::encode(seed.as_slice()))
}

fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretsError> {
    let file_error = |source| SecretsError::File {
        path: path.to_owned(),
        source,
    };
    let mut file = std::fs::File::open(path).map_err(file_error)?;

    // The mode is that of the open file: the path could lead to another one by now.
    let mode = file.metadata().map_err(file_error)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(SecretsError::ReadableByOthers {
            path: path.to_owned(),
            mode,
        });
    }

    let mut text = Zeroizing::new(Vec::new());
    file.read_to_end(&mut text).map_err(file_error)?;
    Ok(text)
}
