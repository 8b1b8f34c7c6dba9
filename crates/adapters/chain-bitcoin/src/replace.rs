//! Replacements on the anchor: the same payments for a higher fee, or everything back (BIP-125).

use crate::BitcoinCodec;
use crate::build::{Plan, read_coins};
use crate::encode::InputClaim;
use crate::expected::payments;
use crate::fee::{Fees, Replaced};
use crate::inspect::{Reading, inspect};
use crate::select::Coin;
use strongroom_ports::chain::{BuildRequest, Built, Effects};
use strongroom_types::{AttemptKind, Code, Refusal};

/// Builds a replacement that spends all inputs of `previous`, the anchor among them, and more if it
/// must.
pub fn replace(
    codec: &BitcoinCodec,
    kind: AttemptKind,
    previous: &[u8],
    request: &BuildRequest<'_>,
) -> Result<Built, Refusal> {
    let reading = inspect(codec, previous, request.vault)?;
    let anchor = request.anchor.ok_or(Code::AnchorMissing)?;
    if !reading.inspection.conflicts.contains(anchor) {
        return Err(Refusal::new(Code::AnchorMissing, &anchor.0));
    }
    let outputs = match kind {
        AttemptKind::Pay => {
            return Err(Refusal::new(
                Code::Unsupported,
                "a replacement is a bump or a cancel",
            ));
        }
        AttemptKind::Bump => same_payments(codec, &reading, request.effects)?,
        AttemptKind::Cancel => Vec::new(),
    };
    let must = coins_of(&reading);
    let mut coins = read_coins(request.coins)?;
    for coin in &must {
        coins.retain(|other| other.outpoint != coin.outpoint);
    }
    let replaced = Some(Replaced {
        fee: reading.fee,
        vsize: vsize(&reading),
    });
    Plan {
        outputs,
        coins,
        must,
        replaced,
    }
    .finish(codec, request)
}

fn same_payments(
    codec: &BitcoinCodec,
    reading: &Reading,
    effects: &Effects,
) -> Result<Vec<bitcoin::TxOut>, Refusal> {
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

/// Virtual size of the previous transaction once signed.
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
