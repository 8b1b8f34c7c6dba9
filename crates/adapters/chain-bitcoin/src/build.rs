//! Building: coins, outputs in BIP-69 order, change to an own address, and the strict reading of
//! the result.

use crate::BitcoinCodec;
use crate::encode::{INPUTS_MAX, InputClaim, OUTPUTS_MAX, Unsigned};
use crate::expected::{payments, satoshi, total};
use crate::fee::{Fees, Replaced};
use crate::inspect::{SEQUENCE, inspect};
use crate::select::{Coin, Goal, select};
use bitcoin::absolute::LockTime;
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, ScriptBuf, Transaction, TxIn, TxOut, Witness};
use std::collections::BTreeSet;
use strongroom_ports::chain::{BuildRequest, Built, OwnCoin, OwnPath};
use strongroom_types::{Code, ConflictKey, Refusal};

/// Most coins one request may offer.
const COINS_MAX: usize = 100_000;

fn malformed(detail: impl std::fmt::Display) -> Refusal {
    Refusal::new(Code::Malformed, detail)
}

/// Builds the transaction that pays the effects.
pub fn build(codec: &BitcoinCodec, request: &BuildRequest<'_>) -> Result<Built, Refusal> {
    if request.effects.moves.is_empty() {
        return Err(malformed("nothing to pay"));
    }
    let outputs = payments(codec, request.effects)?;
    let coins = read_coins(request.coins)?;
    let must = match request.anchor {
        None => Vec::new(),
        Some(anchor) => {
            let outpoint = outpoint(anchor)?;
            let coin = coins.iter().find(|coin| coin.outpoint == outpoint);
            vec![*coin.ok_or_else(|| Refusal::new(Code::AnchorMissing, &anchor.0))?]
        }
    };
    Plan {
        outputs,
        coins,
        must,
        replaced: None,
    }
    .finish(codec, request)
}

/// What a transaction is to pay and may spend.
pub struct Plan {
    /// Payments to others; none gives everything back to the vault.
    pub outputs: Vec<TxOut>,
    /// Coins it may spend.
    pub coins: Vec<Coin>,
    /// Coins it must spend.
    pub must: Vec<Coin>,
    /// What it must outbid.
    pub replaced: Option<Replaced>,
}

impl Plan {
    /// Chooses coins, writes the transaction and reads it back.
    pub fn finish(
        self,
        codec: &BitcoinCodec,
        request: &BuildRequest<'_>,
    ) -> Result<Built, Refusal> {
        if self.outputs.len() >= OUTPUTS_MAX || self.must.len() > INPUTS_MAX {
            return Err(malformed("too many outputs or inputs"));
        }
        let fee_max = request.fee_max.to_u64().unwrap_or(u64::MAX);
        let paid = total(self.outputs.iter().map(|output| output.value.to_sat()))
            .ok_or_else(|| malformed("amounts exceed 21 million bitcoin"))?;
        let fees = Fees {
            rate: request.fee_rate,
            outputs_weight: self
                .outputs
                .iter()
                .map(|output| output.weight().to_wu())
                .sum(),
            outputs: self.outputs.len(),
            replaced: self.replaced,
        };
        let goal = Goal {
            paid,
            fees,
            must_change: self.outputs.is_empty(),
            fee_max,
        };
        let (mut chosen, settlement) = select(&goal, &self.must, &self.coins)?;
        if settlement.fee > fee_max {
            let detail = format!(
                "the fee would be {} satoshi, at most {fee_max}",
                settlement.fee
            );
            return Err(Refusal::new(Code::FeeCapTooLow, detail));
        }
        // BIP-69: inputs by the transaction id as people see it, then by index.
        chosen.sort_by_key(|coin| (coin.outpoint.txid.to_string(), coin.outpoint.vout));
        let mut outputs: Vec<(TxOut, Option<OwnPath>)> =
            self.outputs.into_iter().map(|out| (out, None)).collect();
        if let Some(value) = settlement.change {
            let script_pubkey = codec.wallet(request.vault)?.script(request.change)?;
            outputs.push((
                TxOut {
                    value: Amount::from_sat(value),
                    script_pubkey,
                },
                Some(request.change),
            ));
        }
        outputs.sort_by(|(a, own_a), (b, own_b)| {
            (a.value, a.script_pubkey.as_bytes(), own_a).cmp(&(
                b.value,
                b.script_pubkey.as_bytes(),
                own_b,
            ))
        });
        write(codec, request, &chosen, outputs, settlement.fee)
    }
}

fn write(
    codec: &BitcoinCodec,
    request: &BuildRequest<'_>,
    chosen: &[Coin],
    outputs: Vec<(TxOut, Option<OwnPath>)>,
    fee: u64,
) -> Result<Built, Refusal> {
    let lock_time = LockTime::from_height(request.height).map_err(malformed)?;
    let (output, claims) = outputs.into_iter().unzip();
    let transaction = Transaction {
        version: Version::TWO,
        lock_time,
        input: chosen.iter().map(input).collect(),
        output,
    };
    let inputs = chosen
        .iter()
        .map(|coin| InputClaim {
            amount: coin.amount,
            path: coin.path,
        })
        .collect();
    let unsigned = Unsigned {
        transaction,
        inputs,
        outputs: claims,
    }
    .encode(codec.network)?;
    let inspection = inspect(codec, &unsigned, request.vault)?.inspection;
    if inspection.fee != fee.into() {
        return Err(Refusal::new(
            Code::Internal,
            "the built fee is not the chosen one",
        ));
    }
    let first = chosen
        .first()
        .map(|coin| ConflictKey(coin.outpoint.to_string()));
    let anchor = request
        .anchor
        .cloned()
        .or(first)
        .ok_or(Code::AnchorMissing)?;
    if !inspection.conflicts.contains(&anchor) {
        return Err(Refusal::new(Code::AnchorMissing, &anchor.0));
    }
    Ok(Built {
        unsigned,
        anchor,
        conflicts: inspection.conflicts,
        fee: inspection.fee,
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

/// Reads what the network and the registry say about coins: distinct names, possible amounts.
pub fn read_coins(coins: &[OwnCoin]) -> Result<Vec<Coin>, Refusal> {
    if coins.len() > COINS_MAX {
        return Err(malformed("too many coins"));
    }
    let read = |coin: &OwnCoin| {
        let outpoint = outpoint(&coin.key)?;
        let amount = satoshi(coin.amount).map_err(|refusal| malformed(refusal.detail))?;
        Ok(Coin {
            outpoint,
            amount,
            path: coin.path,
        })
    };
    let coins = coins
        .iter()
        .map(read)
        .collect::<Result<Vec<Coin>, Refusal>>()?;
    let distinct: BTreeSet<_> = coins.iter().map(|coin| coin.outpoint).collect();
    if distinct.len() != coins.len() {
        return Err(malformed("a coin is offered twice"));
    }
    total(coins.iter().map(|coin| coin.amount))
        .ok_or_else(|| malformed("the coins exceed 21 million bitcoin"))?;
    Ok(coins)
}

/// Reads a conflict key: `txid:vout`, canonical.
fn outpoint(key: &ConflictKey) -> Result<OutPoint, Refusal> {
    let read: Option<OutPoint> = key.0.parse().ok();
    read.filter(|outpoint| outpoint.to_string() == key.0)
        .ok_or_else(|| malformed(format!("`{}` is not txid:vout", key.0)))
}
