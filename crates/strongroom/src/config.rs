//! The configuration of a process: one TOML file, in which an unknown member is an error.

use crate::exit::RunError;
use anyhow::{Context as _, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use strongroom_types::{ChainId, Digest};

/// The form of the file, as `run --help` and `docs/cli.md` show it.
pub const FORM: &str = "\
The configuration is TOML; every path may be relative to the file's own folder:

  genesis      = \"genesis.bin\"
  genesis_hash = \"64 hex digits\"     # compared by people as 16 words before it is written here
  data         = \"roles\"             # one folder per role in it, for one process at a time
  secrets      = \"secrets\"           # ROLE.json for each role but link, mode 0600

  [bus]                              # every role
  kind = \"embedded\"                  # what kinds there are depends on the build
  at   = \"bus/bus.sqlite\"

  [store]                            # every role but link
  kind = \"sqlite\"

  [gateways.\"bip122:…\"]              # role transactions: the way to each chain's network
  kind = \"dev\"
  at   = \"chain/devchain.sqlite\"

  [api]                              # role api
  listen = \"127.0.0.1:7600\"          # loopback only: a bearer key never travels in clear

  [link]                             # role link
  sockets = \"run\"                    # signer-1.sock, witness-1.sock, …";

/// A read and checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file it came from.
    pub file: PathBuf,
    /// The genesis file.
    pub genesis: PathBuf,
    /// Hash that the genesis file must have.
    pub genesis_hash: Digest,
    /// Folder that holds a folder per role.
    pub data: PathBuf,
    /// Folder that holds a secrets file per role.
    pub secrets: PathBuf,
    /// Bus that all roles share; every role needs one.
    pub bus: Option<Part>,
    /// The roles' databases.
    pub store: Option<Part>,
    /// Ways to the networks of chains.
    pub gateways: BTreeMap<ChainId, Part>,
    /// Loopback address and port of the API; port 0 takes any that is free.
    pub listen: Option<SocketAddr>,
    /// Folder of the signers' sockets.
    pub sockets: Option<PathBuf>,
}

/// One replaceable part: which adapter, and where it finds its data or server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// Name of the adapter, such as `sqlite`.
    pub kind: String,
    /// Adapter's own address: a path, a server.
    pub at: Option<String>,
    /// Folder that relative paths start from.
    folder: PathBuf,
}

impl Part {
    /// `at` as a path.
    #[must_use]
    pub fn path(&self) -> Option<PathBuf> {
        self.at.as_deref().map(|at| self.folder.join(at))
    }
}

/// The members of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    genesis: PathBuf,
    genesis_hash: String,
    data: PathBuf,
    secrets: PathBuf,
    bus: Option<PartTable>,
    store: Option<PartTable>,
    #[serde(default)]
    gateways: BTreeMap<String, PartTable>,
    api: Option<ApiTable>,
    link: Option<LinkTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PartTable {
    kind: String,
    at: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApiTable {
    listen: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkTable {
    sockets: PathBuf,
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// [`RunError::Config`] with the line or member.
    pub fn read(path: &Path) -> Result<Self, RunError> {
        let config = |why| RunError::Config {
            path: path.to_owned(),
            why,
        };
        let text = std::fs::read_to_string(path).map_err(|error| config(error.into()))?;
        Self::parse(path, &text).map_err(config)
    }

    fn parse(path: &Path, text: &str) -> anyhow::Result<Self> {
        let file: File = toml::from_str(text)?;

        // Paths start at the file, not at the current folder: a service manager starts processes
        // anywhere.
        let folder = path.parent().unwrap_or(Path::new("."));
        let part = |PartTable { kind, at }| Part {
            kind,
            at,
            folder: folder.to_owned(),
        };

        let mut gateways = BTreeMap::new();
        for (chain, table) in file.gateways {
            gateways.insert(value("gateways", &chain)?, part(table));
        }

        Ok(Self {
            file: path.to_owned(),
            genesis: folder.join(file.genesis),
            genesis_hash: value("genesis_hash", &file.genesis_hash)?,
            data: folder.join(file.data),
            secrets: folder.join(file.secrets),
            bus: file.bus.map(part),
            store: file.store.map(part),
            gateways,
            listen: file.api.map(|table| loopback(&table.listen)).transpose()?,
            sockets: file.link.map(|table| folder.join(table.sockets)),
        })
    }

    /// Address of role api.
    ///
    /// # Errors
    /// [`RunError::Config`] when the file has no `[api]`.
    pub fn listen(&self) -> Result<SocketAddr, RunError> {
        self.listen
            .ok_or_else(|| self.error("role api needs `[api]`"))
    }

    /// Socket folder of role link.
    ///
    /// # Errors
    /// [`RunError::Config`] when the file has no `[link]`.
    pub fn sockets(&self) -> Result<&Path, RunError> {
        let sockets = self.sockets.as_deref();
        sockets.ok_or_else(|| self.error("role link needs `[link]`"))
    }

    /// An error that names this configuration's file.
    pub(crate) fn error(&self, why: impl Into<String>) -> RunError {
        RunError::Config {
            path: self.file.clone(),
            why: anyhow::Error::msg(why.into()),
        }
    }
}

fn value<T: FromStr<Err: Error + Send + Sync + 'static>>(
    member: &str,
    text: &str,
) -> anyhow::Result<T> {
    text.parse()
        .with_context(|| format!("`{member}`: `{text}`"))
}

/// Address and port, if the address is loopback. Bearer keys travel in the clear: on any other
/// address a machine on the path could copy one.
fn loopback(text: &str) -> anyhow::Result<SocketAddr> {
    let address: SocketAddr = value("api.listen", text)?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        bail!("`api.listen`: {address} is not a loopback address; put a proxy with TLS before it")
    }
}
