//! A genesis from its TOML description.

use crate::cli::context::{now, random};
use anyhow::{Context as _, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use strongroom_journal::genesis::{ChainSeat, SignerSeat, WitnessSeat};
use strongroom_journal::{Bounds, Genesis, Mode};
use strongroom_types::charter::Board;
use strongroom_types::credential::{PublicKey, RelyingParty};
use strongroom_types::text::lower_hex;
use strongroom_types::{Credential, Name, NodeId, PlatformId, User, UserId};
use strongroom_wire::frame::PublicRecord;
use strongroom_wire::{NodeKey, Role, decode};

// Every table refuses unknown members: a misspelt optional one would leave its default in a file
// that can never be changed once its hash is pinned.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GenesisDescription {
    mode: String,
    origin: String,
    /// Ed25519 key of the log, hex.
    log_key: String,
    /// Largest t of any key; f = max(1, t − 1).
    min_signers: Option<u16>,
    /// Assumed number of faults (f), in place of `min_signers`.
    faults: Option<u16>,
    platform: Option<String>,
    signers: Vec<SignerTable>,
    #[serde(default)]
    witnesses: Vec<WitnessTable>,
    admins: AdminsTable,
    services: Vec<ServiceTable>,
    chains: Vec<ChainTable>,
    #[serde(default)]
    bounds: BoundsTable,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignerTable {
    index: u16,
    node: Option<String>,
    record: Option<String>,
    record_file: Option<PathBuf>,
    location: String,
    operator: String,
    hardware: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WitnessTable {
    node: Option<String>,
    record: Option<String>,
    record_file: Option<PathBuf>,
    operator: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdminsTable {
    quorum: u32,
    members: Vec<AdminTable>,
}

/// As `keys show` prints it, with the human's name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdminTable {
    id: String,
    user: String,
    name: String,
    class: String,
    algorithm: String,
    public_key: String,
    /// For a passkey.
    web: Option<WebTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebTable {
    rp_id: String,
    origins: Vec<String>,
    backup: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceTable {
    role: String,
    node: Option<String>,
    public_key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChainTable {
    network: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct BoundsTable {
    loosen_delay_ms: Option<u64>,
    ceremony_delay_ms: Option<u64>,
    platform_delay_ms: Option<u64>,
    attempt_life_ms: Option<u64>,
    intent_life_ms: Option<u64>,
    attempts_max: Option<u32>,
    freshness_ms: Option<u64>,
    skew_ms: Option<u64>,
    duty_ms: Option<u64>,
    retention_ms: Option<u64>,
    entries_per_minute: Option<u32>,
    intents_open_max: Option<u32>,
    proposals_open_max: Option<u32>,
    tick_max_ms: Option<u64>,
    ceremony_life_ms: Option<u64>,
    entry_bytes_per_minute: Option<u64>,
    tightenings_per_minute: Option<u32>,
    ended_open_max: Option<u32>,
}

/// Reads a description; record files are relative to its folder.
pub fn from_file(path: &Path) -> anyhow::Result<Genesis> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let config: GenesisDescription =
        toml::from_str(&text).with_context(|| path.display().to_string())?;
    from_config(config, path.parent().unwrap_or(Path::new(".")))
}

fn from_config(config: GenesisDescription, folder: &Path) -> anyhow::Result<Genesis> {
    let mode = mode(&config.mode)?;
    let faults = faults(&config)?;

    // `Genesis::check` wants them ascending; in what order people list them means nothing.
    let signers = config.signers.iter();
    let mut signers: Vec<SignerSeat> = collected(signers.map(|seat| signer_seat(seat, folder)))?;
    signers.sort_by_key(|seat| seat.index);
    let witnesses = config.witnesses.iter();
    let witnesses: Vec<WitnessSeat> = collected(witnesses.map(|seat| witness_seat(seat, folder)))?;

    // Every signer is a witness too, and k counts over all of them.
    let seats = u16::try_from(signers.len() + witnesses.len()).context("too many seats")?;

    // One human counts once, however many credentials are listed for them.
    let admin_credentials = collected(config.admins.members.iter().map(credential))?;
    let admin_users = users(&config.admins.members)?;
    let members = admin_users.iter().map(|user| user.id).collect();

    // The id is new for each installation: acts and intents name it, so that a signature for one
    // counts in no other.
    let platform = config.platform.map(|id| id.parse()).transpose()?;
    let platform = platform.unwrap_or_else(|| PlatformId(random()));

    let genesis = Genesis {
        version: strongroom_journal::genesis::VERSION,
        platform,
        mode,
        created: now(),
        signers,
        witnesses,
        admin_users,
        admin_credentials,
        admins: Board {
            members,
            quorum: config.admins.quorum,
        },
        services: collected(config.services.iter().map(service))?,
        origin: config.origin,
        log_key: key("log_key", &config.log_key)?,
        // The quorum is computed and never asked for: with one cosignature less, two quorums need
        // not share an honest witness; with more, fewer silent seats are borne than could be.
        quorum: strongroom_tlog::quorum(seats, faults),
        faults: u32::from(faults),
        chains: collected(config.chains.iter().map(chain))?,
        bounds: bounds(mode, &config.bounds),
    };

    // The rules are those of every process that loads the file: a refusal here is better than one
    // by each signer after people compared the hash.
    genesis.check().context("this genesis breaks a rule")?;

    Ok(genesis)
}

/// All rows of a table, or the first error.
fn collected<T>(rows: impl Iterator<Item = anyhow::Result<T>>) -> anyhow::Result<Vec<T>> {
    rows.collect()
}

/// The mode has no default: production minima hold only where genesis says so, and forgetting the
/// line must not decide that.
fn mode(text: &str) -> anyhow::Result<Mode> {
    match text {
        "dev" => Ok(Mode::Dev),
        "production" => Ok(Mode::Production),
        other => bail!("mode `{other}`: expected dev or production"),
    }
}

/// f is written into genesis, t is not: each key chooses its own. Both given could contradict each
/// other.
fn faults(config: &GenesisDescription) -> anyhow::Result<u16> {
    match (config.faults, config.min_signers) {
        (Some(faults), None) => Ok(faults),
        (None, Some(t)) => Ok(strongroom_tlog::faults_assumed(t)),
        _ => bail!("give min_signers (the largest t of any key) or faults, not both"),
    }
}

fn key(what: &str, text: &str) -> anyhow::Result<[u8; 32]> {
    lower_hex(text).with_context(|| format!("{what}: expected 64 lower-case hex digits"))
}

fn name(what: &str, text: &str) -> anyhow::Result<Name> {
    text.parse().with_context(|| format!("{what} `{text}`"))
}

fn node(given: Option<&String>) -> anyhow::Result<NodeId> {
    given.map_or_else(
        // Ids carry no meaning; they must only differ.
        || Ok(NodeId(random())),
        |text| text.parse().with_context(|| format!("node {text}")),
    )
}

/// A public record: in hex, or in the file that `strongroom-signer init` printed.
fn record(
    hex: Option<&String>,
    file: Option<&PathBuf>,
    folder: &Path,
) -> anyhow::Result<PublicRecord> {
    // Two records for one seat could be those of different machines.
    let text = match (hex, file) {
        (Some(hex), None) => hex.clone(),
        (None, Some(file)) => {
            let path = folder.join(file);
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            let printed: serde_json::Value =
                serde_json::from_str(&text).with_context(|| path.display().to_string())?;
            let record = printed.get("record").and_then(serde_json::Value::as_str);
            record
                .with_context(|| format!("{} has no member `record`", path.display()))?
                .to_owned()
        }
        _ => bail!("each seat needs record (hex) or record_file, not both"),
    };

    // Only the encoded record is read: the other members of the printed JSON are for people and
    // could say something else.
    decode(&hex::decode(text).context("record")?).context("record")
}

fn signer_seat(signer: &SignerTable, folder: &Path) -> anyhow::Result<SignerSeat> {
    let index = signer.index;
    let record = record(signer.record.as_ref(), signer.record_file.as_ref(), folder)
        .with_context(|| format!("signer {index}"))?;

    Ok(SignerSeat {
        index,
        node: node(signer.node.as_ref())?,
        signing_key: record.signing_key,
        witness_key: record.witness_key,
        sealing_key: record.sealing_key,
        // These names are for people, who judge from them whether one event or operator takes
        // several seats.
        location: name("location", &signer.location)?,
        operator: name("operator", &signer.operator)?,
        hardware: name("hardware", &signer.hardware)?,
        measurement: record.measurement,
    })
}

fn witness_seat(witness: &WitnessTable, folder: &Path) -> anyhow::Result<WitnessSeat> {
    let record = record(
        witness.record.as_ref(),
        witness.record_file.as_ref(),
        folder,
    )
    .with_context(|| format!("witness of {}", witness.operator))?;

    Ok(WitnessSeat {
        node: node(witness.node.as_ref())?,
        signing_key: record.signing_key,
        witness_key: record.witness_key,
        operator: name("operator", &witness.operator)?,
    })
}

/// Humans of the listed credentials, ascending.
fn users(admins: &[AdminTable]) -> anyhow::Result<Vec<User>> {
    let mut users: BTreeMap<UserId, Name> = BTreeMap::new();
    for admin in admins {
        let (id, shown) = (user_id(admin)?, name("admin's name", &admin.name)?);
        let known = users.insert(id, shown.clone());

        // Two names for one id are refused: one of them was copied to the wrong line.
        if known.is_some_and(|known| known != shown) {
            bail!("user {id} is listed under two names");
        }
    }
    let user = |(id, name)| User { id, name };
    Ok(users.into_iter().map(user).collect())
}

fn user_id(admin: &AdminTable) -> anyhow::Result<UserId> {
    let user = &admin.user;
    user.parse().with_context(|| format!("admin's user {user}"))
}

fn credential(admin: &AdminTable) -> anyhow::Result<Credential> {
    Ok(Credential {
        id: admin
            .id
            .parse()
            .with_context(|| format!("admin {}", admin.id))?,
        user: Some(user_id(admin)?),
        class: admin.class.parse().map_err(anyhow::Error::msg)?,
        key: PublicKey::from_text(&admin.algorithm, &admin.public_key)
            .with_context(|| format!("admin {}", admin.id))?,
        web: admin.web.as_ref().map(relying_party).transpose()?,
    })
}

fn relying_party(web: &WebTable) -> anyhow::Result<RelyingParty> {
    Ok(RelyingParty {
        rp_id: web.rp_id.clone(),
        origins: web.origins.clone(),
        backup: web.backup.parse().map_err(anyhow::Error::msg)?,
    })
}

fn service(service: &ServiceTable) -> anyhow::Result<NodeKey> {
    // Signers and witnesses have seats of their own, and a link signs nothing.
    let role = match service.role.as_str() {
        "api" => Role::Api,
        "approvals" => Role::Approvals,
        "transactions" => Role::Transactions,
        "coordinator" => Role::Coordinator,
        "writer" => Role::Writer,
        other => {
            bail!(
                "service role `{other}`: expected api, approvals, transactions, coordinator or writer"
            )
        }
    };

    Ok(NodeKey {
        node: node(service.node.as_ref())?,
        role,
        public_key: key("service key", &service.public_key)?,
    })
}

fn chain(chain: &ChainTable) -> anyhow::Result<ChainSeat> {
    let name = &chain.network;

    // A misspelt network would leave an installation whose intents nothing decodes.
    let Some(codec) = strongroom_chains::network(name)? else {
        let names = strongroom_chains::names()?;
        bail!("network `{name}`: expected one of {names}");
    };

    // Name and version of the decoder are taken from the codec: approvers are shown by which
    // decoder their intent was read.
    Ok(strongroom_chains::seat(codec.as_ref()))
}

fn bounds(mode: Mode, given: &BoundsTable) -> Bounds {
    // An override cannot loosen production: `Genesis::check` compares the result with its minima.
    let base = match mode {
        Mode::Dev => Bounds::dev(0),
        Mode::Production => Bounds::production(),
    };

    Bounds {
        loosen_delay_ms: given.loosen_delay_ms.unwrap_or(base.loosen_delay_ms),
        ceremony_delay_ms: given.ceremony_delay_ms.unwrap_or(base.ceremony_delay_ms),
        platform_delay_ms: given.platform_delay_ms.unwrap_or(base.platform_delay_ms),
        attempt_life_ms: given.attempt_life_ms.unwrap_or(base.attempt_life_ms),
        intent_life_ms: given.intent_life_ms.unwrap_or(base.intent_life_ms),
        attempts_max: given.attempts_max.unwrap_or(base.attempts_max),
        freshness_ms: given.freshness_ms.unwrap_or(base.freshness_ms),
        skew_ms: given.skew_ms.unwrap_or(base.skew_ms),
        duty_ms: given.duty_ms.unwrap_or(base.duty_ms),
        retention_ms: given.retention_ms.unwrap_or(base.retention_ms),
        entries_per_minute: given.entries_per_minute.unwrap_or(base.entries_per_minute),
        intents_open_max: given.intents_open_max.unwrap_or(base.intents_open_max),
        proposals_open_max: given.proposals_open_max.unwrap_or(base.proposals_open_max),
        tick_max_ms: given.tick_max_ms.unwrap_or(base.tick_max_ms),
        ceremony_life_ms: given.ceremony_life_ms.unwrap_or(base.ceremony_life_ms),
        entry_bytes_per_minute: given
            .entry_bytes_per_minute
            .unwrap_or(base.entry_bytes_per_minute),
        tightenings_per_minute: given
            .tightenings_per_minute
            .unwrap_or(base.tightenings_per_minute),
        ended_open_max: given.ended_open_max.unwrap_or(base.ended_open_max),
    }
}
