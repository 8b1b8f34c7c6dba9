//! The builder: it chooses coins, sorts outputs by BIP-69, sends change to an address of the vault,
//! and reads the result back strictly.

use crate::BitcoinCodec;
use crate::encode::{INPUTS_MAX, InputClaim, OUTPUTS_MAX, Unsigned};
use crate::expected::{payments, total};
use crate::fee::{Fees, Replaced};
use crate::inspect::{SEQUENCE, inspect};
use crate::replace;
use crate::select::{Coin, Goal, Settlement, select};
use crate::view::{BuildView, outpoint};
use bitcoin::absolute::LockTime;
use bitcoin::transaction::Version;
use bitcoin::{Amount, ScriptBuf, Transaction, TxIn, TxOut, Witness};
use strongroom_ports::chain::{Built, OwnPath, Plan};
use strongroom_types::{AttemptKind, Code, ConflictKey, Refusal};

fn malformed(detail: impl std::fmt::Display) -> Refusal {
    Refusal::new(Code::Malformed, detail)
}

/// Builds the transaction of a plan from the coins of a view.
pub fn build(codec: &BitcoinCodec, plan: &Plan<'_>, view: &[u8]) -> Result<Built, Refusal> {
    let view = BuildView::decode(view, codec.network)?;
    let draft = match (plan.kind, plan.previous) {
        (AttemptKind::Pay, None) => payment(codec, plan, &view)?,
        (AttemptKind::Bump | AttemptKind::Cancel, Some(previous)) => {
            replace::draft(codec, plan, previous, &view)?
        }
        // A second payment beside the first one is refused, because it would pay twice.
        (AttemptKind::Pay, Some(_)) => {
            let detail = "a replacement is a bump or a cancel";
            return Err(Refusal::new(Code::Unsupported, detail));
        }
        (AttemptKind::Bump | AttemptKind::Cancel, None) => {
            return Err(malformed("a bump or cancel needs what it replaces"));
        }
        (AttemptKind::Child, _) => {
            return Err(Refusal::new(Code::Unsupported, "child transactions"));
        }
    };
    draft.finish(codec, plan, &view)
}

/// Draft of a payment that replaces no transaction.
fn payment(codec: &BitcoinCodec, plan: &Plan<'_>, view: &BuildView) -> Result<Draft, Refusal> {
    if plan.effects.moves.is_empty() {
        return Err(malformed("nothing to pay"));
    }
    let must = match plan.anchor {
        None => Vec::new(),
        // Earlier attempts of the intent may still confirm. The payment spends their anchor too, so
        // that only one of them can confirm.
        Some(anchor) => {
            let outpoint = outpoint(anchor)?;
            let coin = view.coins.iter().find(|coin| coin.outpoint == outpoint);
            vec![*coin.ok_or_else(|| Refusal::new(Code::AnchorMissing, anchor))?]
        }
    };

    Ok(Draft {
        outputs: payments(codec, plan.effects)?,
        coins: view.coins.clone(),
        must,
        replaced: None,
    })
}

/// Payments and coins of a transaction that is being built.
pub struct Draft {
    /// Paying outputs; if there are none, everything is returned to the vault.
    pub outputs: Vec<TxOut>,
    /// Coins that the transaction may spend.
    pub coins: Vec<Coin>,
    /// Coins that the transaction must spend.
    pub must: Vec<Coin>,
    /// Transaction that it replaces and must outbid, if any.
    pub replaced: Option<Replaced>,
}

impl Draft {
    /// Chooses coins, writes the transaction and reads it back.
    fn finish(
        self,
        codec: &BitcoinCodec,
        plan: &Plan<'_>,
        view: &BuildView,
    ) -> Result<Built, Refusal> {
        // One output must stay free for the change.
        if self.outputs.len() >= OUTPUTS_MAX || self.must.len() > INPUTS_MAX.min(plan.slots_max) {
            return Err(malformed("too many outputs or inputs"));
        }

        let goal = self.goal(plan, view)?;
        let (mut chosen, settlement) = select(&goal, &self.must, &self.coins)?;
        if settlement.fee > goal.fee_max {
            let detail = format!(
                "the fee would be {} satoshi, at most {}",
                settlement.fee, goal.fee_max
            );
            return Err(Refusal::new(Code::FeeCapTooLow, detail));
        }

        // BIP-69 sorts inputs by the transaction id in its displayed byte order, then by index.
        chosen.sort_by_key(|coin| (coin.outpoint.txid.to_string(), coin.outpoint.vout));
        let outputs = self.outputs(codec, plan, &settlement)?;
        let unsigned = write(codec, &chosen, outputs)?;
        read_back(codec, plan, unsigned, &settlement)
    }

    fn goal(&self, plan: &Plan<'_>, view: &BuildView) -> Result<Goal, Refusal> {
        let paid = total(self.outputs.iter().map(|output| output.value.to_sat()))
            .ok_or_else(|| malformed("amounts exceed 21 million bitcoin"))?;

        let fees = Fees {
            rate: view.rate.0,
            outputs_weight: self
                .outputs
                .iter()
                .map(|output| output.weight().to_wu())
                .sum(),
            outputs: self.outputs.len(),
            replaced: self.replaced,
        };
        Ok(Goal {
            paid,
            fees,
            must_change: self.outputs.is_empty(),
            fee_max: plan.fee_max.to_u64().unwrap_or(u64::MAX),
            inputs_max: INPUTS_MAX.min(plan.slots_max),
        })
    }

    /// Payments and change in BIP-69 order, each with the vault's path if it returns to the vault.
    fn outputs(
        self,
        codec: &BitcoinCodec,
        plan: &Plan<'_>,
        settlement: &Settlement,
    ) -> Result<Vec<(TxOut, Option<OwnPath>)>, Refusal> {
        let mut outputs: Vec<_> = self
            .outputs
            .into_iter()
            .map(|output| (output, None))
            .collect();

        // Change goes to the plan's return path, whose branch signers accept as returned, and never
        // to an address that was given out for deposits.
        if let Some(value) = settlement.change {
            let script_pubkey = codec.wallet(plan.vault)?.script(plan.return_to)?;
            let change = TxOut {
                value: Amount::from_sat(value),
                script_pubkey,
            };
            outputs.push((change, Some(plan.return_to)));
        }

        // Outputs are sorted (BIP-69), so that their order does not show which output is the
        // change.
        outputs.sort_by(|(a, own_a), (b, own_b)| {
            let key_a = (a.value, a.script_pubkey.as_bytes(), own_a);
            key_a.cmp(&(b.value, b.script_pubkey.as_bytes(), own_b))
        });
        Ok(outputs)
    }
}

fn write(
    codec: &BitcoinCodec,
    chosen: &[Coin],
    outputs: Vec<(TxOut, Option<OwnPath>)>,
) -> Result<Vec<u8>, Refusal> {
    let (output, claims) = outputs.into_iter().unzip();
    let transaction = Transaction {
        version: Version::TWO,
        // Signers accept only lock time 0: they know no block height, so they could not judge
        // another one.
        lock_time: LockTime::ZERO,
        input: chosen.iter().map(input).collect(),
        output,
    };

    let claim = |coin: &Coin| InputClaim {
        amount: coin.amount,
        path: coin.path,
    };
    let inputs = chosen.iter().map(claim).collect();

    Unsigned {
        transaction,
        inputs,
        outputs: claims,
    }
    .encode(codec.network)
}

/// Reads the result with the decoder that signers use, so that a difference is refused here and not
/// later by the signers.
fn read_back(
    codec: &BitcoinCodec,
    plan: &Plan<'_>,
    unsigned: Vec<u8>,
    settlement: &Settlement,
) -> Result<Built, Refusal> {
    let reading = inspect(codec, &unsigned, plan.vault)?;
    if reading.fee != settlement.fee {
        let detail = "the built fee is not the chosen one";
        return Err(Refusal::new(Code::Internal, detail));
    }

    let inputs = &reading.unsigned.transaction.input;
    let first = inputs
        .first()
        .map(|input| ConflictKey::Coin(input.previous_output.to_string()));

    // The first attempt sets the anchor: its first input, which every later attempt must spend as
    // well.
    let anchor = plan.anchor.cloned().or(first).ok_or(Code::AnchorMissing)?;
    if !reading.inspection.conflicts.contains(&anchor) {
        return Err(Refusal::new(Code::AnchorMissing, &anchor));
    }

    Ok(Built {
        unsigned,
        anchor,
        conflicts: reading.inspection.conflicts,
        returned: reading.inspection.returned,
        fee: reading.inspection.fee,
        slots: reading.inspection.slots,
    })
}

fn input(coin: &Coin) -> TxIn {
    TxIn {
        previous_output: coin.outpoint,
        script_sig: ScriptBuf::new(),
        sequence: SEQUENCE,
        witness: Witness::new(),
    }
}
