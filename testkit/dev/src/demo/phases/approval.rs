//! A transfer that waits for a person, and is signed once they approved it.

use anyhow::{Context as _, bail};
use strongroom_host::SystemEntropy;
use strongroom_ports::chain::{ChainGateway as _, Standing};
use strongroom_types::{DecisionCore, Digest, Document as _, Signed};
use strongroom_wire::TransactionState;

use super::transfers::{keep, signed_or_why};
use super::{PAYEE, transaction_id};
use crate::demo::people::intent_digest;
use crate::demo::stand::Stand;

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

/// Alice approves; the transfer is signed in one online round.
pub fn approved_transfer(stand: &mut Stand, pending: &Signed) -> anyhow::Result<()> {
    println!("\n■ Approval: Alice recomputes both digests from the texts and signs");

    // A decision is signed by its digest, which a person must not take from the service.
    let core = core_of(stand, pending)?;
    let people = &stand.people;
    let yes = people.approval(&people.alice, intent_digest(pending), core, &SystemEntropy);
    stand.client()?.decide(transaction_id(pending), &yes)?;

    let shown = signed_or_why(stand, pending)?;
    keep(stand, pending, &shown, None)?;

    let id = shown.network_id.context("a network id")?;
    println!("  signed: {id}");
    stand.wait("the transaction was not confirmed", 20, |platform| {
        let standing = platform.chain.standing(&id).ok()?;
        matches!(standing, Standing::Confirmed(_)).then_some(())
    })?;
    println!("  accepted by Bitcoin Core's script interpreter with all Taproot rules");
    Ok(())
}

/// Digest of the decision core, recomputed from its text.
pub(super) fn core_of(stand: &Stand, intent: &Signed) -> anyhow::Result<Digest> {
    let shown = stand
        .client()?
        .transaction(transaction_id(intent), None, 0)?;
    let decision = shown.decision.context("a decision")?;
    Ok(DecisionCore::parse(&decision.text)?.digest())
}
