//! `approvals`: what waits for people, and their signed answers.

use super::context::{Context, codecs, now, random};
use super::end::{Ending, Verb};
use super::fail::usage;
use super::{keys, show};
use clap::{Args, Subcommand};
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;
use strongroom_client::check::{self, PendingApproval};
use strongroom_types::{ActId, ApprovalNonce, TenantId, TransactionId};

/// Time in which the journal must take a no, milliseconds: a bus that lost it is asked again.
const ACT_LIFE_MS: u64 = 3_600_000;

/// Subcommands of `strongroom approvals`.
#[derive(Subcommand, Debug)]
pub enum ApprovalsCommand {
    /// Transactions that wait for approval, oldest first.
    List {
        /// The tenant (`tnt_…`); without it the API key's own.
        #[arg(long)]
        tenant: Option<TenantId>,
        /// One line of JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say yes: shows effects, words, tier and rule as this program reads them, then signs.
    Approve(ApproveArguments),
    /// Say no: an act that the journal takes at any time until the intent expires, also after its
    /// authorization. Exit code 1 while the transaction can still be paid.
    Reject(RejectArguments),
}

/// Arguments of `strongroom approvals approve`.
#[derive(Args, Debug)]
pub struct ApproveArguments {
    /// The transaction (`tx_…`).
    tx: TransactionId,
    /// Your key file.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Your written reason; its digest is signed.
    #[arg(long)]
    reason: String,
    /// Do not ask before signing.
    #[arg(long)]
    yes: bool,
    /// One line of JSON at the end.
    #[arg(long)]
    json: bool,
}

/// Arguments of `strongroom approvals reject`.
#[derive(Args, Debug)]
pub struct RejectArguments {
    /// The transaction (`tx_…`).
    tx: TransactionId,
    /// Your key file.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// New file for the signed act, as `strongroom-signer hand` reads it. Default:
    /// `reject-<transaction>-<act>.json` beside the profile.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Do not ask before signing.
    #[arg(long)]
    yes: bool,
    /// One line of JSON at the end.
    #[arg(long)]
    json: bool,
}

/// Lists what waits, or signs an answer.
pub fn run(
    context: &Context,
    command: &ApprovalsCommand,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    match command {
        ApprovalsCommand::List { tenant, json } => list(context, *tenant, *json, out),
        ApprovalsCommand::Approve(arguments) => approve(context, arguments, out),
        ApprovalsCommand::Reject(arguments) => reject(context, arguments, out),
    }
}

fn list(
    context: &Context,
    tenant: Option<TenantId>,
    json: bool,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let shown = context.client()?.approvals(tenant)?;
    if json {
        return show::json(out, &shown);
    }

    for item in &shown.data {
        let (transaction, decision) = (&item.transaction, item.transaction.decision.as_ref());
        writeln!(
            out,
            "{}  {}  tier {}  rule {}  {} answered  {}",
            transaction.id,
            transaction.external_id,
            show::or_dash(decision.map(|decision| decision.tier)),
            show::or_dash(decision.map(|decision| &decision.rule)),
            item.answered.len(),
            show::or_dash(item.purpose.as_ref()),
        )?;
    }

    if shown.data.is_empty() {
        writeln!(out, "nothing waits for approval")?;
    }
    Ok(())
}

fn approve(
    context: &Context,
    arguments: &ApproveArguments,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    // The digest of the reason is signed: an empty one would be a record that explains nothing to
    // an auditor.
    if arguments.reason.trim().is_empty() {
        return Err(usage("--reason must say something"));
    }
    let key = keys::open(&arguments.key)?;

    // Both digests and the effects are recomputed here from the texts, and vaults proved: an API
    // that shows one payment and has another signed is found before the question.
    let (client, genesis) = (context.client()?, context.genesis()?);
    let pending = client.pending(&genesis, &codecs(&genesis)?, arguments.tx)?;
    if !arguments.json {
        describe(&pending, out)?;
    }
    show::confirm(out, "Sign YES to exactly this?", arguments.yes)?;

    let nonce = ApprovalNonce(random());
    let signed = pending.approval(&arguments.reason, nonce, &key.signing());
    let digest = client.decide(arguments.tx, &signed)?;

    if arguments.json {
        let shown = json!({
            "transaction": arguments.tx.to_string(), "approval": digest.to_string(),
            "intent": pending.shown.digest.to_string(), "core": pending.decision.digest.to_string(),
        });
        return show::json(out, &shown);
    }
    Ok(writeln!(
        out,
        "signed as {}; approval {digest}",
        key.credential().id
    )?)
}

fn reject(
    context: &Context,
    arguments: &RejectArguments,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let key = keys::open(&arguments.key)?;

    // A no needs no decision: one whose decision cannot be read here can be rejected all the same.
    let client = context.client()?;
    let shown = check::transaction(&client.transaction(arguments.tx, None, 0)?)?;
    if !arguments.json {
        writeln!(out, "{} ({})", arguments.tx, shown.intent.external_id)?;
        writeln!(out, "  intent {}\n", shown.digest)?;
        show::words(out, &shown.digest)?;
        writeln!(out)?;
    }
    show::confirm(out, "Sign NO and end this transaction?", arguments.yes)?;

    let expires = now().plus(ACT_LIFE_MS);
    let signed = check::rejection(&shown, ActId(random()), expires, &key.signing());
    let ending = Ending {
        verb: Verb::Reject,
        tx: arguments.tx,
        signed: &signed,
        keep_in: arguments.out.as_deref(),
        json: arguments.json,
    };
    ending.run(context, out)
}

/// Prints the intent and decision that would be signed, as read here.
fn describe(pending: &PendingApproval, out: &mut dyn Write) -> anyhow::Result<()> {
    let (intent, core) = (&pending.shown.intent, &pending.decision.core);
    writeln!(
        out,
        "{} ({})",
        TransactionId::from(pending.shown.digest),
        intent.external_id
    )?;
    writeln!(
        out,
        "  from vault {}, asked by {}",
        intent.vault, intent.initiator
    )?;
    if let Some(purpose) = &intent.purpose {
        writeln!(out, "  purpose: {purpose}")?;
    }

    writeln!(out, "  what it does, read here by {}:", core.decoder)?;
    show::effects(out, &intent.chain, &pending.effects, intent.fee_max)?;
    writeln!(out, "  expires {}", show::time(intent.expires))?;
    writeln!(
        out,
        "  tier {}, rule \"{}\", policy {}",
        core.tier, core.rule, core.policy
    )?;

    for need in &core.groups {
        writeln!(out, "  needs {} of {}", need.approvals, need.group)?;
    }

    if core.time_lock_seconds > 0 {
        writeln!(
            out,
            "  time lock: {} s after the last approval",
            core.time_lock_seconds
        )?;
    }

    writeln!(out, "  {} said yes so far", pending.answered.len())?;
    writeln!(
        out,
        "  intent   {}\n  decision {}",
        pending.shown.digest, pending.decision.digest
    )?;

    // The digest binds the whole intent: words that agree leave a forged request no room.
    writeln!(out, "  compare these words with the requester:\n")?;
    show::words(out, &pending.shown.digest)?;
    Ok(writeln!(out)?)
}
