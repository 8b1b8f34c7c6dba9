//! Replacements on the anchor (BIP-125): the same payments with a higher fee, or everything back to
//! the vault.

use crate::BitcoinCodec;
use crate::build::Draft;
use crate::encode::InputClaim;
use crate::expected::payments;
use crate::fee::{Fees, Replaced};
use crate::inspect::{Reading, inspect};
use crate::select::Coin;
use crate::view::BuildView;
use strongroom_ports::chain::{Effects, Plan};
use strongroom_types::{AttemptKind, Code, Refusal};

/// Draft of a replacement. It spends all inputs of `previous`, the anchor among them, and more
/// coins if the fee needs them.
pub fn draft(
    codec: &BitcoinCodec,
    plan: &Plan<'_>,
    previous: &[u8],
    view: &BuildView,
) -> Result<Draft, Refusal> {
    let reading = inspect(codec, previous, plan.vault)?;

    // The replacement must spend the anchor; otherwise it could confirm beside the transaction that
    // it should replace.
    let anchor = plan.anchor.ok_or(Code::AnchorMissing)?;
    if !reading.inspection.conflicts.contains(anchor) {
        return Err(Refusal::new(Code::AnchorMissing, anchor));
    }

    let outputs = match plan.kind {
        AttemptKind::Pay | AttemptKind::Bump => same_payments(codec, &reading, plan.effects)?,
        AttemptKind::Cancel | AttemptKind::Child => Vec::new(),
    };

    let must = coins_of(&reading);

    // The view may also list coins of the replaced transaction. They are removed, so that none
    // becomes an input twice.
    let mut coins = view.coins.clone();
    coins.retain(|coin| must.iter().all(|old| old.outpoint != coin.outpoint));

    let replaced = Some(Replaced {
        fee: reading.fee,
        vsize: vsize(&reading),
    });

    Ok(Draft {
        outputs,
        coins,
        must,
        replaced,
    })
}

fn same_payments(
    codec: &BitcoinCodec,
    reading: &Reading,
    effects: &Effects,
) -> Result<Vec<bitcoin::TxOut>, Refusal> {
    // The outputs are read from the bytes of `previous` and compared with the intent's effects, so
    // that a bump pays only what was approved.
    if effects.moves.is_empty() || reading.inspection.moves != effects.moves {
        return Err(Refusal::new(
            Code::EffectsMismatch,
            "the replaced transaction pays something else",
        ));
    }

    payments(codec, effects)
}

fn coins_of(reading: &Reading) -> Vec<Coin> {
    let inputs = reading.unsigned.transaction.input.iter();
    let coin = |(input, claim): (&bitcoin::TxIn, &InputClaim)| Coin {
        outpoint: input.previous_output,
        amount: claim.amount,
        path: claim.path,
    };
    inputs.zip(&reading.unsigned.inputs).map(coin).collect()
}

/// Virtual size of the previous transaction when it is signed.
fn vsize(reading: &Reading) -> u64 {
    let transaction = &reading.unsigned.transaction;
    let outputs_weight = transaction
        .output
        .iter()
        .map(|output| output.weight().to_wu())
        .sum();

    let fees = Fees {
        rate: 0,
        outputs_weight,
        outputs: transaction.output.len(),
        replaced: None,
    };
    fees.vsize(transaction.input.len(), false)
}
