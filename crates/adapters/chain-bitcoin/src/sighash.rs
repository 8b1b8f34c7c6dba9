//! BIP-341 key-path signature hashes, SIGHASH_DEFAULT: they commit to every input's amount and
//! script.

use bitcoin::hashes::Hash;
use bitcoin::sighash::{Prevouts, SighashCache};
use bitcoin::{TapSighashType, Transaction, TxOut};
use strongroom_types::{Code, Refusal};

/// The 32-byte message of each input, in order. `spent` are the outputs that the inputs spend, in
/// the same order.
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use bitcoin::consensus::encode::deserialize_hex;
    use bitcoin::{Amount, ScriptBuf};

    /// The transaction of the vectors mixes script kinds, which the inspection refuses. Its
    /// messages of type DEFAULT must come out here too.
    #[test]
    fn bip341_messages_match_the_wallet_vectors() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../vectors/bip341-wallet-test-vectors.json"))
                .unwrap();
        let case = &vectors["keyPathSpending"][0];
        let transaction: Transaction =
            deserialize_hex(case["given"]["rawUnsignedTx"].as_str().unwrap()).unwrap();
        let spent = case["given"]["utxosSpent"]
            .as_array()
            .unwrap()
            .iter()
            .map(|utxo| TxOut {
                value: Amount::from_sat(utxo["amountSats"].as_u64().unwrap()),
                script_pubkey: ScriptBuf::from_hex(utxo["scriptPubKey"].as_str().unwrap()).unwrap(),
            });
        let messages = messages(&transaction, &spent.collect::<Vec<_>>()).unwrap();
        let inputs = case["inputSpending"].as_array().unwrap().iter();
        let default: Vec<_> = inputs
            .filter(|input| input["given"]["hashType"] == 0)
            .collect();
        assert_eq!(default.len(), 1);
        for input in default {
            let index = usize::try_from(input["given"]["txinIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(
                hex::encode(messages[index]),
                input["intermediary"]["sigHash"].as_str().unwrap()
            );
        }
    }
}
