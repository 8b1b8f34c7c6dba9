//! Effects of an intent, and their form as outputs.

use crate::{BitcoinCodec, address};
use bitcoin::{Amount, ScriptBuf, TxOut};
use strongroom_ports::chain::{ChainCodec, Effects, Move, OwnPath, Registry};
use strongroom_types::{Code, Destination, Intent, MinorUnits, Refusal};

/// Path of the address that receives payments to another vault of the tenant.
pub const RECEIVE: OwnPath = OwnPath {
    change: 0,
    index: 0,
};

/// An amount as satoshi. [`total`] later bounds the sum by the supply of 21 million bitcoin.
pub fn satoshi(amount: MinorUnits) -> Result<u64, Refusal> {
    let fits = amount.to_u64();
    fits.ok_or_else(|| {
        Refusal::new(
            Code::InsufficientBalance,
            format!("{amount} satoshi exceed 21 million bitcoin"),
        )
    })
}

/// The moves of an intent, ascending.
pub fn expected(
    codec: &BitcoinCodec,
    intent: &Intent,
    registry: &dyn Registry,
) -> Result<Effects, Refusal> {
    if intent.chain != codec.manifest.chain {
        return Err(Refusal::new(
            Code::UnknownChain,
            format!("this codec reads {}", codec.manifest.chain),
        ));
    }

    // If the destination is a vault, its address is derived here and by every signer, so no service
    // can choose the address.
    let mut moves = Vec::with_capacity(intent.transfers().len());
    for transfer in intent.transfers() {
        let to = match &transfer.destination {
            Destination::Address(text) => text.clone(),
            Destination::Vault(vault) => {
                let key = registry.vault_key(*vault).ok_or(Code::UnknownVault)?;
                codec.derive_address(&key, RECEIVE)?
            }
        };
        moves.push(Move::exact(transfer.asset.clone(), to, transfer.amount));
    }

    // A transfer that could never be an output is refused now, and not after people have approved
    // it.
    let effects = Effects::of_moves(moves);
    payments(codec, &effects)?;
    Ok(effects)
}

/// Makes the outputs of the effects. It checks asset, address, amount and dust of each, and the
/// sum.
pub fn payments(codec: &BitcoinCodec, effects: &Effects) -> Result<Vec<TxOut>, Refusal> {
    if !effects.authorities.is_empty() {
        return Err(Refusal::new(Code::Unsupported, "Bitcoin gives no rights"));
    }

    let outputs = effects
        .moves
        .iter()
        .map(|step| payment(codec, step))
        .collect::<Result<Vec<_>, _>>()?;

    // Consensus has this bound as well. Without it, large amounts could overflow a sum and pass a
    // later check.
    total(outputs.iter().map(|output| output.value.to_sat())).ok_or_else(|| {
        Refusal::new(
            Code::InsufficientBalance,
            "the payments exceed 21 million bitcoin",
        )
    })?;
    Ok(outputs)
}

fn payment(codec: &BitcoinCodec, step: &Move) -> Result<TxOut, Refusal> {
    if step.asset != codec.manifest.native {
        return Err(Refusal::new(Code::UnknownAsset, &step.asset));
    }
    let script_pubkey: ScriptBuf = address::parse(&step.to, codec.network)?;

    // An output has exactly one amount, so a move with a range of amounts is refused.
    if step.at_least != step.at_most {
        return Err(Refusal::new(Code::Unsupported, "a payment of a range"));
    }

    // Nodes do not relay a transaction with an output below the dust limit.
    let value = satoshi(step.at_most)?;
    let least = address::dust_limit(&script_pubkey);
    if value < least {
        return Err(Refusal::new(
            Code::Dust,
            format!("{value} satoshi to {}, at least {least}", step.to),
        ));
    }

    Ok(TxOut {
        value: Amount::from_sat(value),
        script_pubkey,
    })
}

/// Sum of amounts; `None` above 21 million bitcoin.
pub fn total(amounts: impl Iterator<Item = u64>) -> Option<u64> {
    let mut sum = 0u64;
    for amount in amounts {
        sum = sum
            .checked_add(amount)
            .filter(|sum| *sum <= Amount::MAX_MONEY.to_sat())?;
    }
    Some(sum)
}
