//! The configuration file.

use crate::exit::BadConfig;
use crate::folder::Folder;
use crate::marker::check_outside;
use anyhow::{Context as _, bail};
use serde::Deserialize;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use strongroom_signer_core::LocalRules;
use strongroom_types::{Digest, NodeId};

/// Members of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    data: PathBuf,
    marker: Option<PathBuf>,
    genesis: PathBuf,
    genesis_hash: String,
    node: String,
    link_socket: PathBuf,
    admin_socket: Option<PathBuf>,
    network: Option<String>,
    #[serde(default)]
    local_rules: RulesTable,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RulesTable {
    native_per_intent_max: Option<String>,
    native_per_day_max: Option<String>,
    vaults: Option<Vec<String>>,
    chains: Option<Vec<String>>,
}

/// The configuration of a node, read and checked.
pub struct Config {
    /// Data folder, made by `init`.
    pub data: PathBuf,
    /// File of the boot marker, outside of `data`.
    pub marker: PathBuf,
    /// Path of the genesis file.
    pub genesis: PathBuf,
    /// Hash that the genesis file must have.
    pub pinned: Digest,
    /// Id of this node's seat in genesis.
    pub node: NodeId,
    /// Unix socket on which the link process listens.
    pub link_socket: PathBuf,
    /// Unix socket on which this node listens for its operator.
    pub admin_socket: PathBuf,
    /// Only this network is decoded; none: all of genesis that this build knows.
    pub network: Option<String>,
    /// The operator's own rules, which only tighten.
    pub rules: LocalRules,
}

impl Config {
    /// Reads a file. Paths in it are relative to its own folder.
    pub fn read(path: &Path) -> Result<Self, BadConfig> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))
            .map_err(BadConfig)?;

        // A service manager starts this program in any folder.
        let here = path.parent().unwrap_or(Path::new("."));
        let config = Self::parse(&text, here).with_context(|| path.display().to_string());
        config.map_err(BadConfig)
    }

    fn parse(text: &str, here: &Path) -> anyhow::Result<Self> {
        let file: File = toml::from_str(text)?;
        let data = here.join(&file.data);
        let folder = Folder::at(&data);
        let marker = file
            .marker
            .map_or_else(|| folder.marker(), |marker| here.join(marker));

        // A backup of the data folder must not bring an old marker back with it: the two together
        // would hide that the database was put back.
        check_outside(&data, &marker).context("`marker`")?;

        Ok(Self {
            marker,
            genesis: here.join(file.genesis),
            // The operator gives this hash by their own hand, because the genesis file may come
            // from anyone.
            pinned: value("genesis_hash", &file.genesis_hash)?,
            node: value("node", &file.node)?,
            link_socket: here.join(file.link_socket),
            admin_socket: file
                .admin_socket
                .map_or_else(|| folder.admin_socket(), |path| here.join(path)),
            network: file.network.map(network).transpose()?,
            // Amounts and ids are texts: TOML integers end at 2^63, and a wrong rule refuses the start
            // instead of being left out.
            rules: LocalRules {
                native_per_intent_max: optional(
                    "native_per_intent_max",
                    file.local_rules.native_per_intent_max.as_deref(),
                )?,
                native_per_day_max: optional(
                    "native_per_day_max",
                    file.local_rules.native_per_day_max.as_deref(),
                )?,
                vaults: list("vaults", file.local_rules.vaults.as_deref())?,
                chains: list("chains", file.local_rules.chains.as_deref())?,
            },
            data,
        })
    }
}

/// A network that this build decodes.
fn network(name: String) -> anyhow::Result<String> {
    // The name is looked up now: a misspelt name is answered with the names there are.
    match strongroom_chains::network(&name).context("`network`")? {
        Some(_) => Ok(name),
        None => {
            let names = strongroom_chains::names().context("`network`")?;
            bail!("`network`: one of {names}, not `{name}`")
        }
    }
}

fn value<T: FromStr<Err: Error + Send + Sync + 'static>>(
    name: &str,
    text: &str,
) -> anyhow::Result<T> {
    text.parse().with_context(|| format!("`{name}`"))
}

fn optional<T: FromStr<Err: Error + Send + Sync + 'static>>(
    name: &str,
    text: Option<&str>,
) -> anyhow::Result<Option<T>> {
    text.map(|text| value(name, text)).transpose()
}

fn list<T: FromStr<Err: Error + Send + Sync + 'static>>(
    name: &str,
    texts: Option<&[String]>,
) -> anyhow::Result<Option<Vec<T>>> {
    let all = |texts: &[String]| texts.iter().map(|text| value(name, text)).collect();
    texts.map(all).transpose()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const LEAST: &str = r#"
data = "signer-1"
genesis = "genesis.bin"
genesis_hash = "0000000000000000000000000000000000000000000000000000000000000001"
node = "nod_00000000000000000000000000000001"
link_socket = "/run/link.sock"
"#;

    fn refused(more: &str) -> String {
        let result = Config::parse(&format!("{LEAST}{more}"), Path::new("/etc/strongroom"));
        format!("{:#}", result.err().expect("refused"))
    }

    #[test]
    fn a_small_file_is_enough_and_paths_are_relative_to_it() {
        let config = Config::parse(LEAST, Path::new("/etc/strongroom")).unwrap();
        assert_eq!(config.data, Path::new("/etc/strongroom/signer-1"));
        assert_eq!(config.marker, Path::new("/etc/strongroom/signer-1.marker"));
        assert_eq!(
            config.admin_socket,
            Path::new("/etc/strongroom/signer-1/admin.sock")
        );
        assert_eq!(config.link_socket, Path::new("/run/link.sock"));
        assert_eq!(config.rules, LocalRules::default());
    }

    #[test]
    fn rules_are_read() {
        let rules = "[local_rules]\nnative_per_intent_max = \"7\"\nnative_per_day_max = \"9\"\n\
                     vaults = [\"tnt_00000000000000000000000000000001/vlt_00000000000000000000000000000002\"]\nchains = [\"bip122:0f9188f13cb7b2c71f2a335e3a4fc328\"]\n";
        let config = Config::parse(&format!("{LEAST}{rules}"), Path::new(".")).unwrap();
        assert_eq!(config.rules.native_per_intent_max, Some(7.into()));
        assert_eq!(config.rules.native_per_day_max, Some(9.into()));
        assert_eq!(
            (
                config.rules.vaults.unwrap().len(),
                config.rules.chains.unwrap().len()
            ),
            (1, 1)
        );
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        assert!(refused("nativ = 1\n").contains("nativ"));
        assert!(refused("network = \"main\"\n").contains("network"));
        assert!(refused("marker = \"signer-1/marker\"\n").contains("outside"));
        assert!(
            refused("[local_rules]\nnative_per_day_max = \"-1\"\n").contains("native_per_day_max")
        );
        assert!(refused("[local_rules]\nper_day = \"1\"\n").contains("per_day"));
    }

    /// An id alone would allow the vaults of every tenant that chooses it.
    #[test]
    fn vault_without_its_tenant_is_refused_with_the_form_that_is_expected() {
        for vault in ["all", "vlt_00000000000000000000000000000002"] {
            let why = refused(&format!("[local_rules]\nvaults = [\"{vault}\"]\n"));
            assert!(
                why.contains("`vaults`") && why.contains("`tnt_…/vlt_…`"),
                "{why}"
            );
        }
    }
}
