//! Making a development installation: keys, signers' folders, genesis.

use super::children::{run, signer_binary};
use super::layout::Layout;
use super::secrets::Secrets;
use anyhow::{Context as _, bail};
use serde::Deserialize;
use std::path::Path;
use std::sync::Arc;
use strongroom_chain_bitcoin::Network;
use strongroom_host::{SystemClock, SystemEntropy};
use strongroom_journal::genesis::{ChainSeat, SignerSeat, WitnessSeat};
use strongroom_journal::{Bounds, Genesis, Mode};
use strongroom_ports::host::{Clock as _, Entropy as _};
use strongroom_types::charter::Board;
use strongroom_types::text::lower_hex;
use strongroom_types::{Credential, Digest, NodeId, PlatformId, UnixMs};

/// What an installation is made of.
pub struct Plan {
    /// Number of signers.
    pub signers: u16,
    /// Number of independent witnesses.
    pub witnesses: u16,
    /// Hostile witnesses the quorum bears.
    pub faults: u16,
    /// Delay of loosenings and ceremonies, milliseconds.
    pub delay_ms: u64,
}

impl Default for Plan {
    /// 2-of-3 + 1, quorum 3-of-4, delays of 2 s.
    fn default() -> Self {
        Self {
            signers: 3,
            witnesses: 1,
            faults: 1,
            delay_ms: 2_000,
        }
    }
}

/// A development installation on disk.
#[derive(Debug)]
pub struct Installation {
    /// Its pinned genesis.
    pub genesis: Arc<Genesis>,
    /// Its service keys.
    pub secrets: Secrets,
}

#[derive(Deserialize)]
struct InitRecord {
    signing_key: String,
    witness_key: String,
    sealing_key: String,
    measurement: String,
}

impl Installation {
    /// Opens one that was made before: the genesis file must have the pinned hash.
    pub fn open(layout: &Layout) -> anyhow::Result<Self> {
        let bytes = std::fs::read(layout.genesis())
            .with_context(|| format!("no installation in {}", layout.root().display()))?;
        let pinned: Digest = std::fs::read_to_string(layout.genesis_hash())?
            .trim()
            .parse()?;
        let genesis =
            Genesis::pinned(&bytes, pinned).map_err(|refusal| anyhow::anyhow!("{refusal}"))?;
        Ok(Self {
            genesis: Arc::new(genesis),
            secrets: Secrets::load(&layout.secrets())?,
        })
    }

    /// Makes one: `strongroom-signer init` for each seat, service keys, genesis, and the signers'
    /// configurations with the hash pinned.
    pub fn create(
        layout: &Layout,
        plan: &Plan,
        admin: &Credential,
        sockets: &Path,
    ) -> anyhow::Result<Self> {
        if layout.genesis().exists() {
            bail!("{} holds an installation already", layout.root().display());
        }
        layout.create()?;
        let binary = signer_binary()?;
        let secrets = Secrets::generate(&SystemEntropy);
        let mut signers = Vec::new();
        for index in 1..=plan.signers {
            signers.push(signer(layout, &binary, index)?);
        }
        let mut witnesses = Vec::new();
        for number in 1..=plan.witnesses {
            witnesses.push(witness(layout, &binary, number)?);
        }
        let genesis = genesis(plan, admin, &secrets, signers, witnesses)?;
        genesis
            .check()
            .map_err(|refusal| anyhow::anyhow!("genesis: {refusal}"))?;
        std::fs::write(layout.genesis(), genesis.to_bytes())?;
        std::fs::write(layout.genesis_hash(), format!("{}\n", genesis.hash()))?;
        secrets.save(&layout.secrets())?;
        for (name, node) in super::platform::seats(&genesis) {
            configure(layout, &genesis, &name, node, sockets)?;
        }
        Ok(Self {
            genesis: Arc::new(genesis),
            secrets,
        })
    }
}

fn init(layout: &Layout, binary: &Path, name: &str, witness: bool) -> anyhow::Result<InitRecord> {
    let folder = layout.signer(name);
    let folder = folder.to_str().context("the folder's name is not UTF-8")?;
    let mut arguments = vec!["init", "--data", folder];
    if witness {
        arguments.push("--witness");
    }
    let printed = run(binary, &arguments)?;
    serde_json::from_str(&printed).with_context(|| format!("public record of {name}: {printed}"))
}

fn key(text: &str) -> anyhow::Result<[u8; 32]> {
    lower_hex(text).context("a key of a public record is not 64 lower-case hex digits")
}

fn node() -> NodeId {
    NodeId::random(SystemEntropy.rng().as_mut())
}

fn signer(layout: &Layout, binary: &Path, index: u16) -> anyhow::Result<SignerSeat> {
    let record = init(layout, binary, &format!("signer-{index}"), false)?;
    Ok(SignerSeat {
        index,
        node: node(),
        signing_key: key(&record.signing_key)?,
        witness_key: key(&record.witness_key)?,
        sealing_key: hex::decode(&record.sealing_key)?,
        location: "this machine".parse()?,
        operator: format!("operator-{index}").parse()?,
        hardware: "software".parse()?,
        measurement: record.measurement.parse()?,
    })
}

fn witness(layout: &Layout, binary: &Path, number: u16) -> anyhow::Result<WitnessSeat> {
    let record = init(layout, binary, &format!("witness-{number}"), true)?;
    Ok(WitnessSeat {
        node: node(),
        signing_key: key(&record.signing_key)?,
        witness_key: key(&record.witness_key)?,
        operator: format!("auditor-{number}").parse()?,
    })
}

fn genesis(
    plan: &Plan,
    admin: &Credential,
    secrets: &Secrets,
    signers: Vec<SignerSeat>,
    witnesses: Vec<WitnessSeat>,
) -> anyhow::Result<Genesis> {
    let network = Network::Regtest;
    let seats = plan.signers + plan.witnesses;
    Ok(Genesis {
        version: 1,
        platform: PlatformId::random(SystemEntropy.rng().as_mut()),
        mode: Mode::Dev,
        created: UnixMs(SystemClock.now_ms()),
        signers,
        witnesses,
        admin_credentials: vec![admin.clone()],
        admins: Board {
            members: vec![admin.id],
            quorum: 1,
        },
        services: secrets.node_keys()?,
        origin: "strongroom.dev/journal".to_owned(),
        log_key: super::secrets::public_key(&secrets.log()?),
        quorum: strongroom_tlog::quorum(seats, plan.faults),
        faults: u32::from(plan.faults),
        chains: vec![ChainSeat {
            chain: network.chain_id().parse()?,
            native: network.native_asset().parse()?,
            decoder: "bitcoin/1".to_owned(),
        }],
        bounds: Bounds::dev(plan.delay_ms),
    })
}

/// Writes a signer's configuration: the genesis hash is pinned here, at install.
fn configure(
    layout: &Layout,
    genesis: &Genesis,
    name: &str,
    node: NodeId,
    sockets: &Path,
) -> anyhow::Result<()> {
    let text = format!(
        "data = {:?}\ngenesis = {:?}\ngenesis_hash = \"{}\"\nnode = \"{node}\"\nlink_socket = {:?}\nadmin_socket = {:?}\n",
        layout.signer(name),
        layout.genesis(),
        genesis.hash(),
        super::link::socket_path(sockets, name),
        super::link::socket_path(sockets, &format!("{name}-admin")),
    );
    Ok(std::fs::write(layout.signer_config(name), text)?)
}
