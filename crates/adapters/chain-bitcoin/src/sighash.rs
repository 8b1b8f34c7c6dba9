//! BIP-341 key-path signature hashes, SIGHASH_DEFAULT: they commit to every input's amount and script.

use bitcoin::hashes::Hash;
use bitcoin::sighash::{Prevouts, SighashCache};
use bitcoin::{TapSighashType, Transaction, TxOut};
use strongroom_types::{Code, Refusal};

/// One 32-byte message an input, in order. `spent` are the outputs that the inputs spend.
pub fn messages(transaction: &Transaction, spent: &[TxOut]) -> Result<Vec<[u8; 32]>, Refusal> {
    let mut cache = SighashCache::new(transaction);
    let all = Prevouts::All(spent);
    (0..transaction.input.len())
        .map(|index| {
            cache
                .taproot_key_spend_signature_hash(index, &all, TapSighashType::Default)
                .map(|hash| hash.to_byte_array())
                .map_err(|e| Refusal::new(Code::Internal, e))
        })
        .collect()
}
