//! `tx`: transactions.

mod create;

use super::context::{Context, now, random};
use super::end::{Ending, Verb};
use super::{keys, show};
use anyhow::bail;
use clap::{Args, Subcommand};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use strongroom_client::api::{Reason, RefusalInfo, TransactionInfo};
use strongroom_client::{Client, check};
use strongroom_types::{Act, ActBody, ActId, Scope, Signed, TenantId, Tighten, TransactionId};
use strongroom_wire::TransactionState;

/// How long one request waits for a change, milliseconds.
const WAIT_MS: u64 = 10_000;

/// Subcommands of `strongroom tx`.
#[derive(Subcommand, Debug)]
pub enum TxCommand {
    /// Sign an intent and send it.
    Create(Box<create::Create>),
    /// List transactions, newest first.
    List {
        /// The tenant (`tnt_…`); without it the API key's own.
        #[arg(long)]
        tenant: Option<TenantId>,
        /// Most transactions to list.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        /// Cursor that an earlier list printed.
        #[arg(long, value_parser = cursor)]
        cursor: Option<String>,
        /// One line of JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show a transaction; digest and words are recomputed from its text.
    Show {
        /// The transaction (`tx_…`).
        tx: TransactionId,
        /// Longest wait until it is signed or has ended (e.g. 30s).
        #[arg(long, value_parser = show::duration)]
        wait: Option<Duration>,
        /// One line of JSON.
        #[arg(long)]
        json: bool,
    },
    /// Time that each layer took, beside its budget.
    Timeline {
        /// The transaction (`tx_…`).
        tx: TransactionId,
        /// One line of JSON.
        #[arg(long)]
        json: bool,
    },
    /// Ask to end a transaction (by its initiator's user, or the admins' quorum); exit code 1 while
    /// it can still be paid.
    Cancel(CancelArguments),
}

/// Arguments of `strongroom tx cancel`.
#[derive(Args, Debug)]
pub struct CancelArguments {
    /// The transaction (`tx_…`).
    tx: TransactionId,
    /// Key files that sign; may be given several times.
    #[arg(long, value_name = "FILE", required = true)]
    key: Vec<PathBuf>,
    /// New file for the signed act, as `strongroom-signer hand` reads it. Default:
    /// `cancel-<transaction>-<act>.json` beside the profile.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

/// Creates, lists, shows or cancels transactions.
pub fn run(context: &Context, command: &TxCommand, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        TxCommand::Create(create) => create::run(context, create, out),
        TxCommand::List {
            tenant,
            limit,
            cursor,
            json,
        } => list(context, *tenant, *limit, cursor.as_deref(), *json, out),
        TxCommand::Show { tx, wait, json } => {
            let client = context.client()?;
            let shown = match wait {
                Some(within) => until_signed(&client, *tx, *within)?,
                None => client.transaction(*tx, None, 0)?,
            };
            describe(&shown, *json, out)
        }
        TxCommand::Timeline { tx, json } => timeline(context, *tx, *json, out),
        TxCommand::Cancel(arguments) => cancel(context, arguments, out),
    }
}

/// A cursor that a server may have printed; other text would be other parts of the request.
fn cursor(text: &str) -> Result<String, String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
    if !text.is_empty() && text.chars().all(is_part) {
        Ok(text.to_owned())
    } else {
        Err("not a cursor that `tx list` printed".to_owned())
    }
}

/// Asks until a transaction is signed or has ended.
fn until_signed(
    client: &Client,
    tx: TransactionId,
    within: Duration,
) -> anyhow::Result<TransactionInfo> {
    let mut left = u64::try_from(within.as_millis())?;
    loop {
        let wait = left.min(WAIT_MS);
        let shown = client.transaction(tx, Some(TransactionState::Signed), wait)?;
        let state = shown.state.0;

        // `signed` is asked for, but an answer may come for an end that excludes it.
        if state.is_signed() || state.is_terminal() || left == 0 {
            return Ok(shown);
        }
        left = left.saturating_sub(wait);
    }
}

fn list(
    context: &Context,
    tenant: Option<TenantId>,
    limit: u32,
    cursor: Option<&str>,
    json: bool,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let shown = context.client()?.transactions(tenant, limit, cursor)?;
    if json {
        return show::json(out, &shown);
    }
    for row in &shown.data {
        writeln!(out, "{}  {:<16} {}", row.id, row.state, row.external_id)?;
    }

    match shown.next_cursor {
        Some(cursor) => Ok(writeln!(out, "more: --cursor {cursor}")?),
        None => Ok(()),
    }
}

/// A transaction, with everything recomputed that follows from its texts.
fn describe(info: &TransactionInfo, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    if json {
        return show::json(out, info);
    }

    // All is read from the signed texts, with digests recomputed: the server is believed only in
    // state, reasons and network id.
    let shown = check::transaction(info)?;
    writeln!(
        out,
        "{}  {}",
        TransactionId::from(shown.digest),
        shown.state
    )?;
    writeln!(
        out,
        "  external id {}, vault {}",
        shown.intent.external_id, shown.intent.vault
    )?;

    for transfer in shown.intent.transfers() {
        let to = match &transfer.destination {
            strongroom_types::Destination::Address(address) => address.clone(),
            strongroom_types::Destination::Vault(vault) => vault.to_string(),
        };
        let amount = show::amount(&transfer.asset, transfer.amount)?;
        writeln!(out, "  pays {amount} to {to}")?;
    }
    writeln!(
        out,
        "  fee at most {}, expires {}",
        show::fee(&shown.intent.chain, shown.intent.fee_max)?,
        show::time(shown.intent.expires)
    )?;

    if let Some(decision) = &shown.decision {
        writeln!(
            out,
            "  tier {}, rule \"{}\"",
            decision.core.tier, decision.core.rule
        )?;
    }
    if let Some(Reason { code, detail }) = &info.reason {
        writeln!(out, "  reason {code}: {detail}")?;
    }
    for RefusalInfo { code, detail, .. } in &info.refusals {
        writeln!(out, "  a signer refused: {code}: {detail}")?;
    }
    if let Some(network_id) = &info.network_id {
        writeln!(out, "  network id {network_id}")?;
    }

    writeln!(out, "  digest {}\n", shown.digest)?;
    show::words(out, &shown.digest)
}

fn timeline(
    context: &Context,
    tx: TransactionId,
    json: bool,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let shown = context.client()?.timeline(tx)?;
    if json {
        return show::json(out, &shown);
    }

    let ms =
        |us: Option<u64>| show::or_dash(us.map(|us| format!("{}.{:03}", us / 1000, us % 1000)));
    writeln!(out, "{:<14}{:>12}{:>12}", "layer", "took ms", "budget ms")?;
    for layer in &shown.layers {
        let mark = if layer.over_budget {
            "  over budget"
        } else {
            ""
        };
        let (took, budget) = (ms(layer.took_us), ms(Some(layer.budget_us)));
        writeln!(out, "{:<14}{took:>12}{budget:>12}{mark}", layer.layer)?;
    }

    let total = ms(shown.total_us);
    Ok(writeln!(out, "{:<14}{total:>12}", "total")?)
}

fn cancel(
    context: &Context,
    arguments: &CancelArguments,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let tx = arguments.tx;
    let client = context.client()?;

    // Digest and tenant come from the intent itself: a server must not choose which intent the act
    // cancels.
    let shown = check::transaction(&client.transaction(tx, None, 0)?)?;
    // A tightening names a lowest version: 0 fits every state of the scope.
    let act = Act {
        platform: shown.intent.platform,
        scope: Scope::Tenant(shown.intent.tenant),
        id: ActId(random()),
        version: 0,
        expires: now().plus(3_600_000),
        body: ActBody::Tighten(Tighten::Cancel(shown.digest)),
    };

    let mut signed = Signed::draft(&act);
    for file in &arguments.key {
        signed.endorse::<Act>(&key(file)?.signing());
    }

    let ending = Ending {
        verb: Verb::Cancel,
        tx,
        signed: &signed,
        keep_in: arguments.out.as_deref(),
        json: arguments.json,
    };
    ending.run(context, out)
}

fn key(file: &Path) -> anyhow::Result<strongroom_client::KeyFile> {
    keys::open(file)
}

/// Fails unless a transaction got as far as it was waited for.
fn reached(info: &TransactionInfo) -> anyhow::Result<()> {
    let state = info.state;
    if state.0.is_signed() {
        return Ok(());
    }
    let reason = info.reason.as_ref();
    if !state.0.is_terminal() && reason.is_none() {
        bail!("the transaction is {state}; look again with `tx show`");
    }
    bail!(
        "the transaction is {state}: {}: {}",
        show::or_dash(reason.map(|reason| &reason.code)),
        show::or_dash(reason.map(|reason| &reason.detail))
    )
}
