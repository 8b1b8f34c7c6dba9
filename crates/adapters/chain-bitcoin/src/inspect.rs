//! Strict reading of an unsigned form, which gives its real effects.

use crate::encode::{InputClaim, Unsigned};
use crate::expected::total;
use crate::wallet::Wallet;
use crate::{BitcoinCodec, address, sighash};
use bitcoin::absolute::LockTime;
use bitcoin::transaction::Version;
use bitcoin::{Amount, Sequence, Transaction, TxIn, TxOut};
use std::collections::BTreeSet;
use strongroom_guard::{G, guard};
use strongroom_ports::chain::{Inspection, Move, OwnPath, Slot, VaultKey};
use strongroom_types::{Code, ConflictKey, Refusal, Suite, Tweak};

/// The only sequence number that is accepted: replaceable (BIP-125), without a relative lock
/// (BIP-68).
pub const SEQUENCE: Sequence = Sequence::ENABLE_RBF_NO_LOCKTIME;

/// An unsigned form that was decoded and checked, with its effects.
pub struct Reading {
    /// The decoded form.
    pub unsigned: Unsigned,
    /// Effects, conflict keys and slots of the transaction.
    pub inspection: Inspection,
    /// Fee of the transaction, satoshi.
    pub fee: u64,
}

fn opaque(detail: impl std::fmt::Display) -> Refusal {
    Refusal::new(Code::OpaqueEffects, detail)
}

fn malformed(detail: &str) -> Refusal {
    Refusal::new(Code::Malformed, detail)
}

/// Decodes a form, checks every claim by derivation and computes its effects.
pub fn inspect(codec: &BitcoinCodec, bytes: &[u8], vault: &VaultKey) -> Result<Reading, Refusal> {
    let unsigned = Unsigned::decode(bytes, codec.network)?;
    read(codec, unsigned, vault)
}

fn read(codec: &BitcoinCodec, unsigned: Unsigned, vault: &VaultKey) -> Result<Reading, Refusal> {
    check_shape(&unsigned.transaction)?;
    let wallet = codec.wallet(vault)?;

    // Input amounts are claims of the builder, but BIP-341 signs over each of them. With a false
    // amount the signature is invalid, so a transaction that hides a fee behind one never reaches a
    // block.
    let spent = spent_outputs(&unsigned, &wallet)?;
    let money_in = sum(&spent)?;
    let money_out = sum(&unsigned.transaction.output)?;
    let fee = money_in
        .checked_sub(money_out)
        .ok_or_else(|| malformed("it pays more than it spends"))?;

    // An output counts as returned only if its script derives from the vault's account. Every
    // output without such a claim is a payment, and a false claim is refused.
    let (mut moves, mut returned) = (Vec::new(), 0u64);
    for (output, claim) in unsigned.transaction.output.iter().zip(&unsigned.outputs) {
        match claim {
            Some(path) => {
                check_own(output, *path, &wallet)?;
                returned = returned.saturating_add(output.value.to_sat());
            }
            None => moves.push(payment(codec, output)?),
        }
    }

    moves.sort();

    let inputs = unsigned.transaction.input.iter();
    let mut conflicts: Vec<_> = inputs
        .map(|input| ConflictKey::Coin(input.previous_output.to_string()))
        .collect();
    conflicts.sort();

    let inspection = Inspection {
        moves,
        // A key-path spend moves value and grants no rights, and outputs without an address were
        // refused.
        authorities: Vec::new(),
        opaque: Vec::new(),
        returned: returned.into(),
        fee: fee.into(),
        conflicts,
        // A transaction without a lock stays valid until one of its inputs is spent, so it has no
        // expiry.
        expiry: None,
        slots: slots(&unsigned, &spent, &wallet)?,
    };

    Ok(Reading {
        unsigned,
        inspection,
        fee,
    })
}

fn check_shape(transaction: &Transaction) -> Result<(), Refusal> {
    // Only one version, one lock time and one sequence number are accepted: every other value has
    // effects that this build does not need and would have to judge.
    if transaction.version != Version::TWO {
        return Err(opaque("transaction version other than 2"));
    }

    // A transaction that is locked until a far block could confirm long after its intent has ended,
    // and no signer knows which block is the newest.
    if transaction.lock_time != LockTime::ZERO {
        return Err(opaque("lock time other than 0"));
    }

    transaction.input.iter().try_for_each(check_input)?;

    // An input that is counted twice would hide a fee as large as its amount.
    let distinct: BTreeSet<_> = transaction
        .input
        .iter()
        .map(|input| input.previous_output)
        .collect();
    if distinct.len() != transaction.input.len() {
        return Err(malformed("it spends an output twice"));
    }
    Ok(())
}

fn check_input(input: &TxIn) -> Result<(), Refusal> {
    // A transaction with a final sequence number could not be replaced when fees rise, and a
    // relative lock could delay the payment for months.
    if input.sequence != SEQUENCE {
        return Err(opaque("sequence number other than 0xfffffffd"));
    }

    // A witness in the unsigned form could carry an annex, to which the signature would commit.
    if !input.script_sig.is_empty() || !input.witness.is_empty() {
        return Err(opaque("input script or witness in an unsigned transaction"));
    }

    if input.previous_output.is_null() {
        return Err(opaque("coinbase input"));
    }
    Ok(())
}

fn spent_outputs(unsigned: &Unsigned, wallet: &Wallet<'_>) -> Result<Vec<TxOut>, Refusal> {
    let output = |claim: &InputClaim| {
        let script_pubkey = wallet.script(claim.path)?;
        Ok(TxOut {
            value: Amount::from_sat(claim.amount),
            script_pubkey,
        })
    };
    unsigned.inputs.iter().map(output).collect()
}

fn sum(outputs: &[TxOut]) -> Result<u64, Refusal> {
    total(outputs.iter().map(|output| output.value.to_sat()))
        .ok_or_else(|| malformed("amounts exceed 21 million bitcoin"))
}

fn check_own(output: &TxOut, path: OwnPath, wallet: &Wallet<'_>) -> Result<(), Refusal> {
    // The claimed path must derive the output's script: a builder could declare an output to a
    // thief as the vault's change.
    let is_own = wallet.script(path)? == output.script_pubkey;
    if guard(G::ChangeOwn, !is_own) {
        return Err(Refusal::new(
            Code::PathNotOwn,
            format!("output at {path:?} pays another address"),
        ));
    }
    Ok(())
}

fn payment(codec: &BitcoinCodec, output: &TxOut) -> Result<Move, Refusal> {
    // An output without an address is refused, because approvers could not have seen where the
    // value goes.
    let to = address::of_script(&output.script_pubkey, codec.network)
        .ok_or_else(|| opaque("output without an address"))?;
    let amount = output.value.to_sat().into();

    Ok(Move::exact(codec.manifest.native.clone(), to, amount))
}

fn slots(unsigned: &Unsigned, spent: &[TxOut], wallet: &Wallet<'_>) -> Result<Vec<Slot>, Refusal> {
    // The messages are computed from the transaction here: a signer that took them from the
    // coordinator would sign without knowing what.
    let messages = sighash::messages(&unsigned.transaction, spent)?;
    let slot = |(claim, message): (&InputClaim, [u8; 32])| Slot {
        suite: Suite::FrostSecp256k1Tr,
        path: wallet.full_path(claim.path),
        tweak: Tweak::Bip341,
        message: message.to_vec(),
    };
    Ok(unsigned.inputs.iter().zip(messages).map(slot).collect())
}
