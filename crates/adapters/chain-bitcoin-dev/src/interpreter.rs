//! Verification of spends by Bitcoin Core's script interpreter.

use bitcoin::consensus::encode;
use bitcoin::{Amount, Transaction};
use bitcoinconsensus::{Utxo, VERIFY_ALL_PRE_TAPROOT, VERIFY_TAPROOT, verify_with_flags};

/// Flags for every consensus rule about scripts, from P2SH to Taproot.
const FLAGS: u32 = VERIFY_ALL_PRE_TAPROOT | VERIFY_TAPROOT;

/// An output that a transaction spends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SpentOutput {
    /// Amount, satoshi.
    pub amount: u64,
    /// Output script that the input must satisfy.
    pub script: Vec<u8>,
}

/// Reason for which a spend is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// The bytes are not a transaction, or not in its only encoding.
    #[error("not a Bitcoin transaction in its one encoding")]
    NotATransaction,
    /// There is not one spent output per input, or one has an impossible amount or script size.
    #[error("{outputs} spent outputs for {inputs} inputs, or an impossible amount or script size")]
    WrongOutputs {
        /// Number of inputs of the transaction.
        inputs: usize,
        /// Number of spent outputs that were given.
        outputs: usize,
    },
    /// The interpreter refuses the script of an input.
    #[error("the script of input {input} does not accept this spend")]
    Refused {
        /// Index of the input.
        input: usize,
    },
}

/// Decodes network bytes strictly.
///
/// # Errors
/// [`ScriptError::NotATransaction`].
pub fn decode(raw: &[u8]) -> Result<Transaction, ScriptError> {
    let transaction: Transaction =
        encode::deserialize(raw).map_err(|_| ScriptError::NotATransaction)?;

    // The library's decoder is strict today. The comparison keeps this function strict if the
    // library changes.
    if encode::serialize(&transaction) == raw {
        Ok(transaction)
    } else {
        Err(ScriptError::NotATransaction)
    }
}

/// Runs every input's script in Bitcoin Core's interpreter; `spent` are the spent outputs in input
/// order.
///
/// # Errors
/// [`ScriptError`]; for [`ScriptError::Refused`] the first input that is refused.
pub fn check_spend(raw: &[u8], spent: &[SpentOutput]) -> Result<(), ScriptError> {
    let inputs = decode(raw)?.input.len();
    let wrong = ScriptError::WrongOutputs {
        inputs,
        outputs: spent.len(),
    };
    if inputs != spent.len() {
        return Err(wrong);
    }

    // Taproot signs over all spent outputs (BIP-341), so the interpreter gets all of them for each
    // input.
    let outputs: Option<Vec<Utxo>> = spent.iter().map(utxo).collect();
    let outputs = outputs.ok_or(wrong)?;

    for (input, output) in spent.iter().enumerate() {
        verify_with_flags(
            &output.script,
            output.amount,
            raw,
            Some(&outputs),
            input,
            FLAGS,
        )
        .map_err(|_| ScriptError::Refused { input })?;
    }
    Ok(())
}

fn utxo(output: &SpentOutput) -> Option<Utxo> {
    // The amount is bounded here, because the interpreter takes a signed amount without a bound.
    let possible = output.amount <= Amount::MAX_MONEY.to_sat();

    Some(Utxo {
        script_pubkey: output.script.as_ptr(),
        script_pubkey_len: u32::try_from(output.script.len()).ok()?,
        value: i64::try_from(output.amount).ok().filter(|_| possible)?,
    })
}
