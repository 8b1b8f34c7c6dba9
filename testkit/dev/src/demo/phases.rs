//! What the demo shows, phase by phase.

use super::hostile::Hostile;
use super::people::intent_digest;
use super::record::Timing;
use super::stand::{Stand, pause};
use super::tamper::Tampering;
use crate::children::program;
use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use strongroom::roles::RoleName;
use strongroom_chain_bitcoin_dev::check_spend;
use strongroom_client::api::TransactionInfo;
use strongroom_host::SystemEntropy;
use strongroom_ports::chain::{ChainGateway as _, OwnCoin, OwnPath};
use strongroom_types::{
    ActBody, Answer, CeremonyPlan, DecisionCore, Digest, Document as _, Record, Scope, Signed,
    Suite, TransactionId, Vault,
};
use strongroom_wire::TransactionState;

/// Whom honest transfers pay.
const PAYEE: &str = "bcrt1pccz8l9zpa47k6vz9gphftsrumpw80rjt3nhnefat4symjhrsnmjsgkm3r6";
/// Confirmed outputs the vault starts with, and the value of each in satoshi.
const FUNDED: (u32, u64) = (300, 10_000_000);
/// Amount of a measured transfer, satoshi.
const SMALL: u64 = 30_000;
/// Roles that stay honest while coordinator and transactions service are hostile.
const HONEST_ROLES: [RoleName; 4] = [
    RoleName::Link,
    RoleName::Writer,
    RoleName::Approvals,
    RoleName::Api,
];
/// Roles whose databases can be lost; the writer's holds the journal.
const LOST_ROLES: [RoleName; 4] = [
    RoleName::Api,
    RoleName::Approvals,
    RoleName::Transactions,
    RoleName::Coordinator,
];
/// How long a transfer may take before the demo gives up, milliseconds.
const SIGNED_WITHIN_MS: u64 = 20_000;

fn act_and_wait(stand: &Stand, signed: &Signed, operator: bool) -> anyhow::Result<Digest> {
    let client = if operator {
        stand.operator()?
    } else {
        stand.client()?
    };
    let digest = client.submit_act(signed)?;
    client.wait_act(&digest, Duration::from_secs(20))?;
    Ok(digest)
}

fn tenant_version(stand: &Stand) -> anyhow::Result<u64> {
    Ok(stand.client()?.tenant(stand.people.tenant)?.version)
}

fn put(stand: &Stand, record: Record) -> anyhow::Result<Digest> {
    let body = ActBody::Put(record);
    act_and_wait(
        stand,
        &stand
            .people
            .admin_act(tenant_version(stand)?, body, &SystemEntropy),
        false,
    )
}

/// Signers and witness are processes of their own, with distinct keys, and none listens on a port.
pub fn separate_processes(stand: &Stand) -> anyhow::Result<()> {
    let pids: BTreeSet<u32> = stand.children.iter().map(|child| child.pid()).collect();
    let keys: BTreeSet<[u8; 32]> = stand
        .installation
        .genesis
        .witness_keys()
        .map(|(_, key)| key)
        .collect();
    if pids.len() != stand.children.len() || keys.len() != stand.children.len() {
        bail!("signers share a process or a key");
    }
    for child in &stand.children {
        let ports = listening_sockets(child.pid())?;
        if ports > 0 {
            bail!("{} listens on {ports} ports", child.name());
        }
    }
    println!(
        "    ✓ {} processes, each with its own folder and keys; none listens on a port",
        pids.len()
    );
    Ok(())
}

/// TCP sockets in state LISTEN (0A) that belong to a process, from `/proc`.
fn listening_sockets(pid: u32) -> anyhow::Result<usize> {
    let mut listening = BTreeSet::new();
    for table in ["tcp", "tcp6"] {
        let text = std::fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        for fields in text
            .lines()
            .skip(1)
            .map(|line| line.split_whitespace().collect::<Vec<_>>())
        {
            if fields.get(3) == Some(&"0A") {
                listening.extend(fields.get(9).map(|inode| format!("socket:[{inode}]")));
            }
        }
    }
    let links = std::fs::read_dir(format!("/proc/{pid}/fd"))?;
    let open = links.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    Ok(open
        .filter(|target| listening.contains(&target.to_string_lossy().into_owned()))
        .count())
}

/// Tenant, key, vault, address, coins.
pub fn bring_up(stand: &mut Stand) -> anyhow::Result<()> {
    println!(
        "\n■ Tenant: charter signed by the platform's admin and countersigned by the tenant's"
    );
    let people = &stand.people;
    let charter = people.charter(&stand.installation.genesis, 2_000)?;
    let body = ActBody::CreateTenant {
        tenant: people.tenant,
        charter: Box::new(charter),
    };
    let act = people.act(Scope::Platform, 0, body, &SystemEntropy);
    let mut signed = Signed::draft(&act);
    signed.endorse::<strongroom_types::Act>(&people.operator.key);
    signed.endorse::<strongroom_types::Act>(&people.admin.key);
    act_and_wait(stand, &signed, true)?;

    println!(
        "■ Key: the committee proposes, waits 2 s, releases; three signers generate it (FROST, 2-of-3)"
    );
    let plan = CeremonyPlan {
        key: stand.people.key,
        suite: Suite::FrostSecp256k1Tr,
        min_signers: 2,
        roster: stand
            .installation
            .genesis
            .signers
            .iter()
            .map(|seat| seat.index)
            .collect(),
    };
    let proposal = put(stand, Record::Ceremony(plan))?;
    pause(Duration::from_millis(2_200));
    let release = ActBody::Release(proposal);
    let version = tenant_version(stand)?;
    act_and_wait(
        stand,
        &stand.people.admin_act(version, release, &SystemEntropy),
        false,
    )?;
    let (tenant, key) = (stand.people.tenant, stand.people.key);
    stand.wait("the key was not generated", 60, |platform| {
        use strongroom_journal::state::Lookup as _;
        platform
            .journal
            .read(|f| f.state().threshold_key(tenant, key).ok()?.public.map(drop))
    })?;

    println!(
        "■ Vault and address: the client proves both from genesis, derives the address itself and compares"
    );
    let vault = Vault {
        id: stand.people.vault,
        name: "Treasury".parse()?,
        key: stand.people.key,
        account: 0,
        tags: Vec::new(),
    };
    put(stand, Record::Vault(vault))?;
    stand.wait_fresh()?;
    let address = own_address(stand)?;
    println!("  {address}");
    let (count, value) = FUNDED;
    stand.platform()?.chain.fund(&address, value, count)?;
    println!(
        "  development chain (no miners, no mempool; scripts checked by Bitcoin Core's interpreter):"
    );
    println!("  {count} confirmed outputs of {value} sat");
    Ok(())
}

/// The vault's first receive address: the client proves key and vault from the pinned genesis,
/// derives it itself and compares.
fn own_address(stand: &Stand) -> anyhow::Result<String> {
    let (genesis, codec) = (
        &stand.installation.genesis,
        stand.platform()?.codec.as_ref(),
    );
    Ok(stand
        .client()?
        .proved_address(genesis, codec, stand.people.vault, 0, 0)?
        .address)
}

fn transaction_id(signed: &Signed) -> TransactionId {
    TransactionId::from(intent_digest(signed))
}

/// The main transfer is asked for and waits for a person.
pub fn ask_for_approval(stand: &mut Stand) -> anyhow::Result<Signed> {
    println!(
        "\n■ A transfer of 0.05 BTC: more than the automatic limit, so one approver must say yes"
    );
    let intent = stand
        .people
        .intent("invoice-2026-0001", PAYEE, 5_000_000, "invoice 2026-0001")?;
    let client = stand.client()?;
    client.create_transaction(&intent)?;
    let wanted = TransactionState::PendingApproval;
    let shown = client.transaction(transaction_id(&intent), Some(wanted), 5_000)?;
    if shown.state.0 != wanted {
        bail!("expected pending_approval: {shown:?}");
    }
    println!("  {} is {}", transaction_id(&intent), shown.state);
    Ok(intent)
}

/// Coordinator and transactions service turn hostile, with their own valid keys.
pub fn attacks(stand: &mut Stand, pending: &Signed) -> anyhow::Result<()> {
    println!(
        "\n■ Attacks: coordinator and transactions service are hostile and sign with their own valid keys"
    );
    stand.stop_services();
    stand.start(&HONEST_ROLES, false)?;
    stand.wait_fresh()?;
    initiator_cannot_approve(stand, pending)?;
    let coins = confirmed_coins(stand, 14)?;
    let parts = stand.parts()?;
    let hostile = Hostile::new(parts.platform, parts.people.tenant, parts.people.key)?;
    let mut run = Tampering::new(
        parts.platform,
        parts.people,
        hostile,
        parts.artefacts,
        coins,
        PAYEE,
    )?;
    run.unapproved(pending)?;
    run.swapped()?;
    run.pays_else()?;
    run.foreign_change()?;
    run.revoked_approver()?;
    run.other_anchor()?;
    stand.wait_fresh()?;
    stand.stop_services();
    stand.start(&RoleName::ALL, false)?;
    stand.wait_fresh()
}

/// The API says at once what journal and signers would say.
fn initiator_cannot_approve(stand: &Stand, pending: &Signed) -> anyhow::Result<()> {
    let core = core_of(stand, pending)?;
    let people = &stand.people;
    let own = people.answer(
        &people.initiator,
        intent_digest(pending),
        core,
        Answer::Yes,
        &SystemEntropy,
    );
    match stand.client()?.decide(transaction_id(pending), &own) {
        Err(error) if error.code() == Some("approval_by_initiator") => {
            println!("    ✓ the API refuses the initiator's own approval: approval_by_initiator");
            Ok(())
        }
        other => bail!("the initiator's own approval was not refused: {other:?}"),
    }
}

/// Digest of the decision core, recomputed from its text.
fn core_of(stand: &Stand, intent: &Signed) -> anyhow::Result<Digest> {
    let shown = stand
        .client()?
        .transaction(transaction_id(intent), None, 0)?;
    let decision = shown.decision.context("a decision")?;
    Ok(DecisionCore::parse(&decision.text)?.digest())
}

fn confirmed_coins(stand: &Stand, count: usize) -> anyhow::Result<Vec<OwnCoin>> {
    let address = own_address(stand)?;
    let coins = stand.platform()?.chain.coins(&[address])?;
    let path = OwnPath {
        change: 0,
        index: 0,
    };
    let own = coins.into_iter().map(|coin| OwnCoin {
        key: coin.key,
        path,
        asset: coin.asset,
        amount: coin.amount,
    });
    let coins: Vec<OwnCoin> = own.take(count).collect();
    if coins.len() < count {
        bail!("only {} coins", coins.len())
    } else {
        Ok(coins)
    }
}

/// Alice approves; the transfer is signed in one online round.
pub fn approved_transfer(stand: &mut Stand, pending: &Signed) -> anyhow::Result<()> {
    println!("\n■ Approval: Alice recomputes both digests from the texts and signs");
    let core = core_of(stand, pending)?;
    let people = &stand.people;
    let yes = people.answer(
        &people.alice,
        intent_digest(pending),
        core,
        Answer::Yes,
        &SystemEntropy,
    );
    stand.client()?.decide(transaction_id(pending), &yes)?;
    let shown = signed_or_why(stand, pending)?;
    keep(stand, pending, &shown, None)?;
    let id = shown.network_id.context("a network id")?;
    println!("  signed: {id}");
    stand.wait("the transaction was not confirmed", 20, |platform| {
        let standing = platform.chain.standing(&id).ok()?;
        matches!(standing, strongroom_ports::chain::Standing::Confirmed(_)).then_some(())
    })?;
    println!("  accepted by Bitcoin Core's script interpreter with all Taproot rules");
    Ok(())
}

/// Waits until a transaction is signed, or says why it is not.
fn signed_or_why(stand: &Stand, intent: &Signed) -> anyhow::Result<TransactionInfo> {
    let wanted = Some(TransactionState::Signed);
    let id = transaction_id(intent);
    let shown = stand.client()?.transaction(id, wanted, SIGNED_WITHIN_MS)?;
    if shown.state.0.is_signed() {
        return Ok(shown);
    }
    bail!("{id} is {}, not signed: {:?}", shown.state, shown.reason)
}

/// Keeps a signed transaction with everything that proves it.
fn keep(
    stand: &mut Stand,
    intent: &Signed,
    shown: &TransactionInfo,
    timing: Option<&Timing>,
) -> anyhow::Result<Vec<u8>> {
    let raw = shown.signed_transaction.as_ref();
    let raw = raw.context("the signed transaction")?.0.clone();
    let unsigned = stand.unsigned(&intent_digest(intent))?;
    stand
        .artefacts
        .transaction(intent, 1, &unsigned, &raw, timing)?;
    stand.last_raw = Some(raw.clone());
    Ok(raw)
}

/// The interpreter also rejects: one witness bit flipped, one amount changed.
pub fn interpreter(stand: &Stand) -> anyhow::Result<()> {
    println!(
        "\n■ The interpreter itself: the signed transaction with one bit flipped, and with one amount changed"
    );
    let raw = stand.last_raw.as_ref().context("a signed transaction")?;
    let outputs = stand
        .platform()?
        .chain
        .spent_outputs(raw)?
        .context("the spent outputs")?;
    check_spend(raw, &outputs)
        .map_err(|e| anyhow::anyhow!("the honest transaction was rejected: {e:?}"))?;
    let mut flipped = raw.clone();
    // The last input's 64-byte signature ends four bytes (lock time) before the end.
    let at = flipped
        .len()
        .checked_sub(10)
        .context("a short transaction")?;
    *flipped.get_mut(at).context("a witness byte")? ^= 1;
    if check_spend(&flipped, &outputs).is_ok() {
        bail!("the interpreter accepted a flipped witness bit");
    }
    let mut changed = outputs;
    changed.first_mut().context("a spent output")?.amount += 1;
    if check_spend(raw, &changed).is_ok() {
        bail!("the interpreter accepted a changed amount");
    }
    println!(
        "    ✓ accepted as signed; rejected with one witness bit flipped; rejected with one amount changed"
    );
    Ok(())
}

/// Automatic transfers one at a time, measured by the client's clock.
pub fn automatic_transfers(stand: &mut Stand, count: u32) -> anyhow::Result<()> {
    println!("\n■ {count} automatic transfers, one at a time (client's clock: POST to signed)");
    let before = counters(stand)?;
    for n in 0..count {
        transfer(stand, &format!("auto-{n:04}"), true)?;
        if n % 50 == 49 {
            println!("  {} signed", n + 1);
        }
    }
    let after = counters(stand)?;
    let counters = json!({"intents": count, "before": before, "after": after});
    stand.artefacts.counters(&counters)
}

/// Commits of every database and syncs of the bus so far; signers are asked for their own counts.
fn counters(stand: &Stand) -> anyhow::Result<Value> {
    let platform = stand.platform()?;
    let mut commits: Vec<(String, u64)> = platform
        .commits()
        .into_iter()
        .map(|(name, count)| (name.to_owned(), count))
        .collect();
    for child in &stand.children {
        commits.push((child.name().to_owned(), stand.signer_commits(child.name())?));
    }
    let commits: serde_json::Map<String, Value> = commits
        .into_iter()
        .map(|(name, count)| (name, json!(count)))
        .collect();
    Ok(json!({"commits": commits, "bus_fsyncs": platform.bus.fsyncs()}))
}

/// One automatic transfer from `POST` to `signed`.
fn transfer(stand: &mut Stand, name: &str, measured: bool) -> anyhow::Result<()> {
    let intent = stand
        .people
        .intent(name, PAYEE, SMALL, "measured transfer")?;
    let client = stand.client()?;
    let started = now_us();
    client.create_transaction(&intent)?;
    let shown = signed_or_why(stand, &intent)?;
    let total_us = now_us().saturating_sub(started);
    let timeline = client.timeline(transaction_id(&intent))?;
    let timing = measured.then_some(Timing {
        sent_us: started,
        total_us,
        timeline,
    });
    keep(stand, &intent, &shown, timing.as_ref())?;
    Ok(())
}

/// Microseconds of the client's clock.
#[expect(
    clippy::disallowed_methods,
    reason = "the demo's client measures by the machine's clock"
)]
fn now_us() -> u64 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// A signer is killed without warning between two transfers; signing goes on with the others.
pub fn killed_signer(stand: &mut Stand) -> anyhow::Result<()> {
    println!("\n■ SIGKILL: one signer dies between two transfers");
    let victim = stand
        .children
        .iter_mut()
        .find(|child| child.name() == "signer-2")
        .context("signer-2")?;
    println!("  killing {} (pid {})", victim.name(), victim.pid());
    victim.kill()?;
    stand.dead = Some("signer-2");
    for n in 0..3 {
        transfer(stand, &format!("without-signer-2-{n}"), false)?;
    }
    println!("    ✓ three more transfers signed by the two that are left");
    stand.dead = None;
    let victim = stand
        .children
        .iter_mut()
        .find(|child| child.name() == "signer-2")
        .context("signer-2")?;
    victim.restart()?;
    println!("  restarted as pid {}", victim.pid());
    stand.wait_fresh()
}

/// Every service database but the journal's is deleted.
pub fn services_lost(stand: &mut Stand) -> anyhow::Result<()> {
    println!("\n■ Every service database except the journal's is deleted, the bus too");
    let before = stand.client()?.vaults(stand.people.tenant)?;
    stand.wait_fresh()?;
    stand.keep_cosignatures()?;
    stand.stop_services();
    for role in LOST_ROLES {
        std::fs::remove_dir_all(stand.layout.role(role))?;
    }
    std::fs::remove_dir_all(stand.layout.bus())?;
    stand.start(&RoleName::ALL, true)?;
    stand.wait_fresh()?;
    let after = stand.client()?.vaults(stand.people.tenant)?;
    if before != after {
        bail!("the vaults differ after the restart: {before:?} / {after:?}");
    }
    transfer(stand, "after-the-loss", false)?;
    println!("    ✓ the same vaults are listed, and one more transfer is signed");
    Ok(())
}

/// Prints the URL, and commands to go on with.
pub fn how_to_go_on(stand: &mut Stand) -> anyhow::Result<()> {
    let url = stand.url()?;
    stand.write_client_files()?;
    let profile = stand.layout.profile();
    let program = program("strongroom")?;
    let strongroom = format!("{} --profile {}", program.display(), profile.display());
    let key = |name: &str| stand.layout.person(name).display().to_string();
    let vault = stand.people.vault;
    println!("\n■ The platform is up: {url}/v1/status");
    println!("  Another transfer (0.05 BTC, needs an approval):");
    println!(
        "    {strongroom} tx create --vault {vault} --to {PAYEE} --amount 5000000 --fee-max 50000 \\"
    );
    println!("        --external-id my-first --key {}", key("initiator"));
    println!("  What waits for approval:");
    println!("    {strongroom} approvals list");
    println!("  Approve it (the command shows what it does, and the 16 words):");
    println!(
        "    {strongroom} approvals approve TX --key {} --reason \"checked\"",
        key("alice")
    );
    println!("  See it: {strongroom} tx show TX · {strongroom} tx timeline TX");
    println!(
        "  The client's own copy of the claim: {} journal verify {}",
        program.display(),
        stand.layout.root().display()
    );
    println!("  Ctrl-C ends everything.");
    Ok(())
}
