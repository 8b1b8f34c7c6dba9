//! Automatic transfers, one at a time: measured, and kept with what proves them.

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use strongroom_client::api::TransactionInfo;
use strongroom_types::Signed;
use strongroom_wire::TransactionState;

use super::{PAYEE, transaction_id};
use crate::demo::people::intent_digest;
use crate::demo::record::{SignedPayment, Timing};
use crate::demo::stand::Stand;

/// Amount of a measured transfer, satoshi.
const SMALL: u64 = 30_000;

/// How long a transfer may take before the demo gives up, milliseconds.
const SIGNED_WITHIN_MS: u64 = 20_000;

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

    // Commits and syncs per transfer follow from the difference, so each count is taken twice.
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
pub(super) fn transfer(stand: &mut Stand, name: &str, measured: bool) -> anyhow::Result<()> {
    let intent = stand
        .people
        .intent(name, PAYEE, SMALL, "measured transfer")?;

    // From just before the `POST` to the answer that it is signed, all by one clock: the client's
    // process and the services share it, so the layers can be laid over the total.
    let client = stand.client()?;
    let started = now_us();
    client.create_transaction(&intent)?;
    let shown = signed_or_why(stand, &intent)?;
    let total_us = now_us().saturating_sub(started);

    // Asked for after the measure: it is not part of what a client waits for.
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

/// Waits until a transaction is signed, or says why it is not.
pub(super) fn signed_or_why(stand: &Stand, intent: &Signed) -> anyhow::Result<TransactionInfo> {
    let wanted = Some(TransactionState::Signed);
    let id = transaction_id(intent);
    let shown = stand.client()?.transaction(id, wanted, SIGNED_WITHIN_MS)?;
    if shown.state.0.is_signed() {
        return Ok(shown);
    }
    bail!("{id} is {}, not signed: {:?}", shown.state, shown.reason)
}

/// Keeps a signed transaction with everything that proves it.
pub(super) fn keep(
    stand: &mut Stand,
    intent: &Signed,
    shown: &TransactionInfo,
    timing: Option<&Timing>,
) -> anyhow::Result<Vec<u8>> {
    let raw = shown.signed_transaction.as_ref();
    let raw = raw.context("the signed transaction")?.0.clone();
    let unsigned = stand.unsigned(&intent_digest(intent))?;

    let signed = SignedPayment {
        intent,
        attempt: 1,
        unsigned: &unsigned,
        signed: &raw,
    };
    stand.artefacts.transaction(&signed, timing)?;
    stand.last_raw = Some(raw.clone());
    Ok(raw)
}
