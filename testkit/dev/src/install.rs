//! Making a development installation: keys, signers' folders, genesis.

use crate::children::{run, signer_binary};
use crate::layout::Layout;
use anyhow::{Context as _, ensure};
use serde::Deserialize;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use strongroom::roles::{RoleName, seats, socket_path};
use strongroom::secrets::{HeldKeys, RoleSecrets, Seed, public_key};
use strongroom_api::{AccessKey, hash_key};
use strongroom_host::{SystemClock, SystemEntropy};
use strongroom_journal::genesis::{SignerSeat, WitnessSeat};
use strongroom_journal::{Bounds, Genesis, Mode};
use strongroom_ports::host::{Clock as _, Entropy as _};
use strongroom_types::charter::Board;
use strongroom_types::text::lower_hex;
use strongroom_types::{Credential, Digest, NodeId, PlatformId, TenantId, UnixMs, User};
use strongroom_wire::{NodeKey, Role};

/// Network of the development chain.
const NETWORK: &str = "regtest";

/// What an installation is made of.
pub struct InstallPlan {
    /// Number of signers.
    pub signers: u16,
    /// Number of independent witnesses.
    pub witnesses: u16,
    /// Hostile witnesses the quorum bears.
    pub faults: u16,
    /// Delay of loosenings and ceremonies, milliseconds.
    pub delay_ms: u64,
    /// A tenant that gets a bearer key of its own.
    pub tenant: Option<TenantId>,
}

impl Default for InstallPlan {
    /// 2-of-3 + 1, quorum 3-of-4, delays of 2 s.
    fn default() -> Self {
        Self {
            signers: 3,
            witnesses: 1,
            faults: 1,
            delay_ms: 2_000,
            tenant: None,
        }
    }
}

/// A development installation on disk.
pub struct Installation {
    /// The pinned genesis.
    pub genesis: Arc<Genesis>,
    /// Bearer key of the platform's operators.
    pub operator_key: String,
    /// Bearer key of the plan's tenant; empty without one.
    pub tenant_key: String,
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
    ///
    /// # Errors
    /// A missing or foreign file.
    pub fn open(layout: &Layout) -> anyhow::Result<Self> {
        let bytes = std::fs::read(layout.genesis())
            .with_context(|| format!("no installation in {}", layout.root().display()))?;
        let pinned: Digest = std::fs::read_to_string(layout.genesis_hash())?
            .trim()
            .parse()?;

        // The pinned hash and not the file decides: an edited genesis could name other keys.
        let genesis =
            Genesis::pinned(&bytes, pinned).map_err(|refusal| anyhow::anyhow!("{refusal}"))?;

        let bearer_key = |name| std::fs::read_to_string(layout.bearer_key(name));
        Ok(Self {
            genesis: Arc::new(genesis),
            operator_key: bearer_key("operator")?,
            tenant_key: bearer_key("tenant").unwrap_or_default(),
        })
    }

    /// Makes one: `strongroom-signer init` for each seat, the roles' secrets, genesis, and the
    /// configurations of roles and signers with the hash pinned.
    ///
    /// # Errors
    /// A folder that holds one already, files, a signer that does not answer.
    pub fn create(layout: &Layout, plan: &InstallPlan, admin: &Credential) -> anyhow::Result<Self> {
        ensure!(
            !layout.genesis().exists(),
            "{} holds an installation already",
            layout.root().display()
        );
        layout.create()?;

        // Each node makes its own keys; only public records come out of `init`.
        let binary = signer_binary()?;
        let mut signers = Vec::new();
        for index in 1..=plan.signers {
            signers.push(signer(layout, &binary, index)?);
        }
        let mut witnesses = Vec::new();
        for number in 1..=plan.witnesses {
            witnesses.push(witness(layout, &binary, number)?);
        }

        // The API stores hashes of bearer keys; the keys themselves go into files of mode 0600.
        let (operator_key, tenant_key) = (bearer_key("srk_op"), bearer_key("srk_tn"));
        let mut bearer_keys = vec![AccessKey {
            hash: hash_key(&operator_key),
            tenant: None,
        }];
        if let Some(tenant) = plan.tenant {
            let hash = hash_key(&tenant_key);
            bearer_keys.push(AccessKey {
                hash,
                tenant: Some(tenant),
            });
        }
        let services = ServiceKeys::generate(bearer_keys);

        // Genesis names every public key, so all keys come before it, and all files that pin its
        // hash after it.
        let genesis = genesis(plan, admin, &services, (signers, witnesses))?;
        genesis
            .check()
            .map_err(|refusal| anyhow::anyhow!("genesis: {refusal}"))?;

        services.save(layout, genesis.hash())?;
        std::fs::write(layout.genesis(), genesis.to_bytes())?;
        std::fs::write(layout.genesis_hash(), format!("{}\n", genesis.hash()))?;
        write_private(&layout.bearer_key("operator"), &operator_key)?;
        if plan.tenant.is_some() {
            write_private(&layout.bearer_key("tenant"), &tenant_key)?;
        }

        configure_roles(layout, &genesis)?;
        for (name, node) in seats(&genesis) {
            configure_signer(layout, &genesis, &name, node)?;
        }

        Ok(Self {
            genesis: Arc::new(genesis),
            operator_key,
            tenant_key,
        })
    }
}

/// Secrets of all services, before genesis names their public keys.
struct ServiceKeys {
    log_key: [u8; 32],
    secrets: Vec<(RoleName, Role, RoleSecrets)>,
}

impl ServiceKeys {
    fn generate(bearer_keys: Vec<AccessKey>) -> Self {
        let mut log = Seed::default();
        SystemEntropy.rng().fill_bytes(log.as_mut());
        let log_key = public_key(&log);

        // Only the writer holds the log's key and only the API the bearer keys: one role's file
        // must not give another role's power.
        let new = |held| RoleSecrets::generate(&SystemEntropy, held);
        let secrets = vec![
            (
                RoleName::Api,
                Role::Api,
                new(HeldKeys::BearerKeys(bearer_keys)),
            ),
            (
                RoleName::Approvals,
                Role::Approvals,
                new(HeldKeys::Identity),
            ),
            (
                RoleName::Transactions,
                Role::Transactions,
                new(HeldKeys::Identity),
            ),
            (
                RoleName::Coordinator,
                Role::Coordinator,
                new(HeldKeys::Identity),
            ),
            (RoleName::Writer, Role::Writer, new(HeldKeys::LogKey(log))),
        ];
        Self { log_key, secrets }
    }

    fn node_keys(&self) -> Vec<NodeKey> {
        let key = |(_, role, secrets): &(RoleName, Role, RoleSecrets)| NodeKey {
            node: secrets.node,
            role: *role,
            public_key: secrets.public_key(),
        };
        self.secrets.iter().map(key).collect()
    }

    fn save(&self, layout: &Layout, genesis: Digest) -> anyhow::Result<()> {
        for (name, _, secrets) in &self.secrets {
            secrets.save(&layout.secrets(), *name, genesis)?;
        }
        Ok(())
    }
}

/// A new bearer key: 256 random bits behind a prefix that says whose it is.
fn bearer_key(prefix: &str) -> String {
    let mut bytes = [0; 32];
    SystemEntropy.rng().fill_bytes(&mut bytes);
    format!("{prefix}_{}", hex::encode(bytes))
}

fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    // The mode is set as the file is made: a later chmod leaves a moment in which others can read.
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    Ok(file.write_all(text.as_bytes())?)
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
    plan: &InstallPlan,
    admin: &Credential,
    services: &ServiceKeys,
    (signers, witnesses): (Vec<SignerSeat>, Vec<WitnessSeat>),
) -> anyhow::Result<Genesis> {
    let chain = strongroom_chains::network(NETWORK)?.context("the development network's codec")?;
    let seats = plan.signers + plan.witnesses;
    let user = admin.user.context("the operator's user")?;

    Ok(Genesis {
        version: strongroom_journal::genesis::VERSION,
        platform: PlatformId::random(SystemEntropy.rng().as_mut()),
        mode: Mode::Dev,
        created: UnixMs(SystemClock.now_ms()),
        signers,
        witnesses,
        admin_users: vec![User {
            id: user,
            name: "operator".parse()?,
        }],
        admin_credentials: vec![admin.clone()],
        admins: Board {
            members: vec![user],
            quorum: 1,
        },
        services: services.node_keys(),
        origin: "strongroom.dev/journal".to_owned(),
        log_key: services.log_key,
        quorum: strongroom_tlog::quorum(seats, plan.faults),
        faults: u32::from(plan.faults),
        chains: vec![strongroom_chains::seat(chain.as_ref())],
        bounds: Bounds::dev(plan.delay_ms),
    })
}

/// Writes the roles' configuration: the genesis hash is pinned here, at install.
fn configure_roles(layout: &Layout, genesis: &Genesis) -> anyhow::Result<()> {
    let chain = &genesis
        .chains
        .first()
        .context("genesis has no chain")?
        .chain;
    let text = format!(
        r#"# Strongroom's roles on this machine. `strongroom-dev run --help` explains every member.
genesis = "genesis.bin"
genesis_hash = "{}"
data = "roles"
secrets = "secrets"

[bus]
kind = "embedded"
at = "bus/bus.sqlite"

[store]
kind = "sqlite"

[gateways."{chain}"]
kind = "dev"
at = "chain/devchain.sqlite"

[api]
listen = "127.0.0.1:7600"

[link]
sockets = {:?}
"#,
        genesis.hash(),
        layout.sockets(),
    );
    Ok(std::fs::write(layout.config(), text)?)
}

/// Writes a signer's configuration, with the genesis hash pinned as well.
fn configure_signer(
    layout: &Layout,
    genesis: &Genesis,
    name: &str,
    node: NodeId,
) -> anyhow::Result<()> {
    let sockets = layout.sockets();
    let text = format!(
        "data = {:?}\ngenesis = {:?}\ngenesis_hash = \"{}\"\nnode = \"{node}\"\nlink_socket = {:?}\nadmin_socket = {:?}\n",
        layout.signer(name),
        layout.genesis(),
        genesis.hash(),
        socket_path(&sockets, name),
        socket_path(&sockets, &format!("{name}-admin")),
    );
    Ok(std::fs::write(layout.signer_config(name), text)?)
}
