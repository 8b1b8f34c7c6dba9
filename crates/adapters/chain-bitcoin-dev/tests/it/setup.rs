//! A Taproot key with its whole secret, and transactions that it signs.

use bitcoin::absolute::LockTime;
use bitcoin::consensus::encode::serialize;
use bitcoin::hashes::Hash;
use bitcoin::key::{Keypair, TapTweak};
use bitcoin::secp256k1::{All, Message, Secp256k1, SecretKey};
use bitcoin::sighash::{Prevouts, SighashCache};
use bitcoin::transaction::Version;
use bitcoin::{
    Address, Amount, Network, OutPoint, ScriptBuf, Sequence, TapSighashType, Transaction, TxIn,
    TxOut, Witness,
};
use strongroom_types::ConflictKey;

pub struct Key {
    secp: Secp256k1<All>,
    pair: Keypair,
}

impl Key {
    pub fn new(seed: u8) -> Self {
        let secp = Secp256k1::new();
        let pair = Keypair::from_secret_key(&secp, &SecretKey::from_slice(&[seed; 32]).unwrap());
        Self { secp, pair }
    }

    pub fn script(&self) -> ScriptBuf {
        ScriptBuf::new_p2tr(&self.secp, self.pair.x_only_public_key().0, None)
    }

    pub fn address(&self) -> String {
        Address::from_script(&self.script(), Network::Regtest)
            .unwrap()
            .to_string()
    }

    /// Spends coins of this key, each of `amount`, to one output of this key.
    pub fn spend(
        &self,
        coins: &[ConflictKey],
        amount: u64,
        out: u64,
        lock_time: u32,
    ) -> Transaction {
        let input = |key: &ConflictKey| TxIn {
            previous_output: outpoint(key),
            script_sig: ScriptBuf::new(),
            sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
            witness: Witness::new(),
        };
        let mut transaction = Transaction {
            version: Version::TWO,
            lock_time: LockTime::from_consensus(lock_time),
            input: coins.iter().map(input).collect(),
            output: vec![TxOut {
                value: Amount::from_sat(out),
                script_pubkey: self.script(),
            }],
        };
        self.sign(&mut transaction, amount);
        transaction
    }

    pub fn sign(&self, transaction: &mut Transaction, amount: u64) {
        let coin = TxOut {
            value: Amount::from_sat(amount),
            script_pubkey: self.script(),
        };
        let spent = vec![coin; transaction.input.len()];
        let pair = self.pair.tap_tweak(&self.secp, None).to_keypair();
        for index in 0..transaction.input.len() {
            let hash = SighashCache::new(&*transaction)
                .taproot_key_spend_signature_hash(
                    index,
                    &Prevouts::All(&spent),
                    TapSighashType::Default,
                )
                .unwrap();
            let message = Message::from_digest(hash.to_byte_array());
            let signature = self.secp.sign_schnorr_no_aux_rand(&message, &pair);
            transaction.input[index].witness = Witness::from_slice(&[signature.serialize()]);
        }
    }

    pub fn raw(&self, coins: &[ConflictKey], amount: u64, out: u64) -> Vec<u8> {
        serialize(&self.spend(coins, amount, out, 0))
    }
}

fn outpoint(key: &ConflictKey) -> OutPoint {
    let ConflictKey::Coin(text) = key else {
        panic!("{key} is not a coin");
    };
    text.parse().unwrap()
}
