//! The server's address and the genesis to believe: from flags, or from a profile file.

use super::fail::{Usage, usage};
use anyhow::Context as _;
use clap::Args;
use serde::{Deserialize, Serialize};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strongroom_client::Client;
use strongroom_host::{SystemClock, SystemEntropy};
use strongroom_journal::Genesis;
use strongroom_ports::chain::ChainCodec;
use strongroom_ports::host::{Clock as _, Entropy as _};
use strongroom_types::{Digest, TenantId, TenantVault, UnixMs, VaultId};
use zeroize::Zeroizing;

/// Profile that is taken when no `--profile` is given and it is in the current folder.
const DEFAULT_PROFILE: &str = "strongroom.toml";

/// Options of the commands that ask a server or need the pinned genesis.
#[derive(Args, Clone, PartialEq, Eq, Debug, Default)]
pub struct ServerOptions {
    /// Profile (TOML: url, api_key_file, genesis, genesis_hash, tenant); other options win over it.
    /// Default: `strongroom.toml` in the current folder, if it is there.
    #[arg(long, global = true, value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// The server, on loopback: http://127.0.0.1:PORT.
    #[arg(long, global = true)]
    pub url: Option<String>,
    /// File with the API key (mode 0600).
    #[arg(long, global = true, value_name = "FILE")]
    pub api_key_file: Option<PathBuf>,
    /// The genesis file.
    #[arg(long, global = true, value_name = "FILE")]
    pub genesis: Option<PathBuf>,
    /// The genesis hash you compared and pinned (64 hex digits).
    #[arg(long, global = true, value_name = "HEX")]
    pub genesis_hash: Option<Digest>,
}

impl ServerOptions {
    /// Takes those of `leading` that are absent here.
    pub(super) fn default_to(&mut self, leading: Self) {
        let own = std::mem::take(self);
        *self = Self {
            profile: own.profile.or(leading.profile),
            url: own.url.or(leading.url),
            api_key_file: own.api_key_file.or(leading.api_key_file),
            genesis: own.genesis.or(leading.genesis),
            genesis_hash: own.genesis_hash.or(leading.genesis_hash),
        };
    }
}

/// A profile file. Paths are relative to its folder.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Address of the server.
    pub url: Option<String>,
    /// File with the API key.
    pub api_key_file: Option<PathBuf>,
    /// The genesis file.
    pub genesis: Option<PathBuf>,
    /// The pinned genesis hash.
    pub genesis_hash: Option<String>,
    /// The tenant whose vaults are meant (`tnt_…`).
    pub tenant: Option<String>,
}

impl Profile {
    /// Writes the profile.
    ///
    /// # Errors
    /// The file system's.
    pub fn save(&self, path: &Path) -> anyhow::Result<()> {
        let text = toml::to_string(self)?;
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    fn load(path: &Path) -> anyhow::Result<Self> {
        let named = || Usage(format!("profile {}", path.display()));
        let text = std::fs::read_to_string(path).with_context(named)?;
        let mut profile: Self = toml::from_str(&text).with_context(named)?;

        // Paths follow the profile's folder, so that one profile works from every current folder.
        let folder = folder_of(path);
        for file in [&mut profile.api_key_file, &mut profile.genesis]
            .into_iter()
            .flatten()
        {
            *file = folder.join(&*file);
        }
        Ok(profile)
    }
}

/// The profile of the current folder, if there is one.
fn found_profile() -> anyhow::Result<Option<PathBuf>> {
    let file = PathBuf::from(DEFAULT_PROFILE);
    let meta = match std::fs::metadata(&file) {
        Ok(meta) => meta,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(error).with_context(|| Usage(format!("profile {DEFAULT_PROFILE}")));
        }
    };

    // It says which genesis is pinned and where the bearer key goes. In a folder that others can
    // write to, they would say so.
    let is_own = [0, rustix::process::geteuid().as_raw()].contains(&meta.uid());
    if !is_own || meta.mode() & 0o022 != 0 {
        return Err(usage(format!(
            "{DEFAULT_PROFILE} in this folder belongs to another user, or others can write to it: \
             chown and chmod 600 it, or name it with --profile if you mean it"
        )));
    }
    Ok(Some(file))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// Options and profile together.
#[derive(Debug)]
pub struct Context {
    folder: PathBuf,
    url: Option<String>,
    api_key_file: Option<PathBuf>,
    genesis: Option<PathBuf>,
    genesis_hash: Option<Digest>,
    tenant: Option<TenantId>,
}

impl Context {
    /// Options win over the profile.
    pub fn new(options: &ServerOptions) -> anyhow::Result<Self> {
        let ServerOptions {
            profile,
            url,
            api_key_file,
            genesis,
            genesis_hash,
        } = options.clone();

        // A profile that was named must exist; the one that is only looked for need not.
        let file = match profile {
            Some(named) => Some(named),
            None => found_profile()?,
        };
        let (profile, folder) = match &file {
            Some(path) => (Profile::load(path)?, folder_of(path)),
            None => (Profile::default(), Path::new("")),
        };

        let pinned = profile
            .genesis_hash
            .as_deref()
            .map(str::parse::<Digest>)
            .transpose();
        let pinned = pinned.with_context(|| Usage("profile: genesis_hash".to_owned()))?;
        let tenant = profile.tenant.as_deref().map(str::parse::<TenantId>);
        let tenant = tenant.transpose();
        let tenant = tenant.with_context(|| Usage("profile: tenant".to_owned()))?;

        Ok(Self {
            folder: folder.to_owned(),
            url: url.or(profile.url),
            api_key_file: api_key_file.or(profile.api_key_file),
            genesis: genesis.or(profile.genesis),
            genesis_hash: genesis_hash.or(pinned),
            tenant,
        })
    }

    /// A file beside the profile; without a profile, in the current folder.
    pub fn beside_profile(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The server's address.
    pub fn url(&self) -> anyhow::Result<&str> {
        self.url
            .as_deref()
            .ok_or_else(|| usage("where is the server? give --url or --profile"))
    }

    /// A vault of the tenant that the option names, or else the profile. It is never asked of the
    /// server: a vault's id is unique within its tenant only, and a server could answer with the
    /// proof of another tenant's.
    pub fn vault(&self, tenant: Option<TenantId>, vault: VaultId) -> anyhow::Result<TenantVault> {
        let tenant = tenant
            .or(self.tenant)
            .ok_or_else(|| usage("whose vault? give --tenant tnt_…, or `tenant` in the profile"))?;
        Ok(TenantVault { tenant, vault })
    }

    /// The file with the API key.
    pub fn api_key_file(&self) -> Option<&Path> {
        self.api_key_file.as_deref()
    }

    /// A client with the API key.
    pub fn client(&self) -> anyhow::Result<Client> {
        let url = self.url()?;
        let file = self.api_key_file.as_deref();
        let file = file.ok_or_else(|| usage("which API key? give --api-key-file or --profile"))?;
        Ok(Client::new(url, &read_api_key(file)?))
    }

    /// A client without an API key, for what needs none.
    pub fn anonymous(&self) -> anyhow::Result<Client> {
        Ok(Client::new(self.url()?, ""))
    }

    /// The genesis file with the pinned hash.
    pub fn genesis(&self) -> anyhow::Result<Arc<Genesis>> {
        // A genesis without its pinned hash would prove what its author likes.
        let missing = "nothing can be proved without a pinned genesis: give --genesis and --genesis-hash, or --profile";
        let (Some(file), Some(hash)) = (&self.genesis, self.genesis_hash) else {
            return Err(usage(missing));
        };

        let bytes = std::fs::read(file)
            .with_context(|| format!("cannot read genesis {}", file.display()))?;
        Ok(Arc::new(
            Genesis::pinned(&bytes, hash).with_context(|| format!("genesis {}", file.display()))?,
        ))
    }

    /// The pinned genesis hash, if one is given.
    pub fn pinned(&self) -> Option<Digest> {
        self.genesis_hash
    }
}

/// Reads an API key: one line, in a file for its owner only.
fn read_api_key(file: &Path) -> anyhow::Result<Zeroizing<String>> {
    let meta =
        std::fs::metadata(file).with_context(|| format!("API key file {}", file.display()))?;

    // A bearer key is all that a reader needs: a copy of it reaches what its owner reaches.
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        anyhow::bail!(
            "API key file {0} has mode {mode:o}; only its owner may read it: chmod 600 {0}",
            file.display()
        );
    }

    let text = Zeroizing::new(std::fs::read_to_string(file)?);
    let key = Zeroizing::new(text.trim().to_owned());

    // A line break inside would end the header line that carries the key.
    if key.is_empty() || key.chars().any(|c| !c.is_ascii_graphic()) {
        anyhow::bail!(
            "API key file {} does not hold one API key on one line",
            file.display()
        );
    }
    Ok(key)
}

/// The codecs of an installation's chains.
pub fn codecs(genesis: &Genesis) -> anyhow::Result<Vec<Arc<dyn ChainCodec>>> {
    Ok(strongroom_chains::codecs(genesis)?.known().to_vec())
}

/// The codec of the named network; without a name, of the only chain.
pub fn codec(genesis: &Genesis, network: Option<&str>) -> anyhow::Result<Arc<dyn ChainCodec>> {
    let codecs = strongroom_chains::codecs(genesis)?;
    let names = || {
        let names = codecs.known().iter().map(|codec| codec.manifest().network);
        names.collect::<Vec<_>>().join(", ")
    };
    match (network, codecs.known()) {
        (Some(name), _) => codecs.named(name).cloned().ok_or_else(|| {
            usage(format!(
                "--network {name}: this installation has {}",
                names()
            ))
        }),
        (None, [only]) => Ok(Arc::clone(only)),
        (None, []) => anyhow::bail!("genesis enables no chain that this program can read"),
        // Money paid on one network to an address that was meant for another is lost.
        (None, _) => Err(usage(format!(
            "which network? --network, one of {}",
            names()
        ))),
    }
}

/// The host's time.
pub fn now() -> UnixMs {
    UnixMs(SystemClock.now_ms())
}

/// A fresh random id.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemEntropy.rng().fill_bytes(&mut bytes);
    bytes
}
