//! Assembly of signed transactions, which Bitcoin Core's script interpreter verifies.

use crate::setup::{FOREIGN, TestVault, code, coin, effects, regtest, request};
use bitcoinconsensus::{Utxo, VERIFY_ALL_PRE_TAPROOT, VERIFY_TAPROOT, verify_with_flags};
use strongroom_chain_bitcoin::BitcoinCodec;
use strongroom_chain_bitcoin::encode::Unsigned;
use strongroom_ports::chain::{ChainCodec, NoRegistry};
use strongroom_types::Code;

fn signed() -> (BitcoinCodec, TestVault, Vec<u8>, Vec<Vec<u8>>) {
    let (codec, vault) = (regtest(), TestVault::new(9, 4));
    let effects = effects(&codec, &[(FOREIGN, 250_000)]);
    let coins = [coin(1, 100_000), coin(2, 100_001), coin(3, 100_002)];
    let unsigned = request(&effects, &vault.key, &coins)
        .build(&codec)
        .unwrap()
        .unsigned;
    let signatures = vault.sign_all(&codec, &unsigned);
    (codec, vault, unsigned, signatures)
}

#[test]
fn a_signed_transaction_passes_bitcoin_cores_interpreter() {
    let (codec, vault, unsigned, signatures) = signed();
    let raw = codec.assemble(&unsigned, &signatures, &vault.key).unwrap();
    let form = Unsigned::decode(&unsigned, codec.network()).unwrap();
    let scripts: Vec<_> = form
        .inputs
        .iter()
        .map(|claim| {
            let text = codec.derive_address(&vault.key, claim.path).unwrap();
            (
                strongroom_chain_bitcoin::address::parse(&text, codec.network()).unwrap(),
                claim.amount,
            )
        })
        .collect();
    let spent: Vec<_> = scripts
        .iter()
        .map(|(script, amount)| Utxo {
            script_pubkey: script.as_bytes().as_ptr(),
            script_pubkey_len: script.len().try_into().unwrap(),
            value: (*amount).try_into().unwrap(),
        })
        .collect();
    let flags = VERIFY_ALL_PRE_TAPROOT | VERIFY_TAPROOT;
    for (index, (script, amount)) in scripts.iter().enumerate() {
        verify_with_flags(script.as_bytes(), *amount, &raw, Some(&spent), index, flags).unwrap();
    }
}

#[test]
fn the_fee_rate_holds_for_the_signed_size() {
    let (codec, vault, unsigned, signatures) = signed();
    let raw = codec.assemble(&unsigned, &signatures, &vault.key).unwrap();
    let transaction: bitcoin::Transaction = bitcoin::consensus::encode::deserialize(&raw).unwrap();
    let fee = codec
        .inspect(&unsigned, &vault.key, &NoRegistry)
        .unwrap()
        .fee
        .to_u64()
        .unwrap();
    assert_eq!(fee, transaction.vsize() as u64 * 2);
}

#[test]
fn the_transaction_id_does_not_depend_on_the_signatures() {
    let (codec, vault, unsigned, signatures) = signed();
    let raw = codec.assemble(&unsigned, &signatures, &vault.key).unwrap();
    let form = Unsigned::decode(&unsigned, codec.network()).unwrap();
    assert_eq!(
        codec.transaction_id(&raw).unwrap(),
        form.transaction.compute_txid().to_string()
    );
    assert_eq!(code(codec.transaction_id(&[])), Code::Malformed);
    assert_eq!(
        code(codec.transaction_id(&raw[..raw.len() - 1])),
        Code::Malformed
    );
    assert_eq!(
        code(codec.transaction_id(&[raw, vec![0]].concat())),
        Code::Malformed
    );
}

#[test]
fn wrong_signatures_are_refused() {
    let (codec, vault, unsigned, signatures) = signed();
    let refuse = |signatures: &[Vec<u8>]| {
        assert_eq!(
            code(codec.assemble(&unsigned, signatures, &vault.key)),
            Code::BadSignature
        );
    };
    refuse(&[]);
    refuse(&signatures[..2]);
    refuse(&[signatures.clone(), signatures.clone()].concat());
    let mut swapped = signatures.clone();
    swapped.swap(0, 1);
    refuse(&swapped);
    let mut with_type_byte = signatures.clone();
    with_type_byte[0].push(1);
    refuse(&with_type_byte);
    let replacements = [
        vec![0; 64],
        vec![0xff; 64],
        vec![],
        signatures[0][..63].to_vec(),
    ];
    for replacement in replacements {
        let mut bad = signatures.clone();
        bad[2] = replacement;
        refuse(&bad);
    }
    for bit in 0..512 {
        let mut bad = signatures.clone();
        bad[1][bit / 8] ^= 1 << (bit % 8);
        refuse(&bad);
    }
    let stranger = TestVault::new(10, 4);
    let slots = codec
        .inspect(&unsigned, &vault.key, &NoRegistry)
        .unwrap()
        .slots;
    refuse(
        &slots
            .iter()
            .map(|slot| stranger.sign(slot))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn signed_bytes_are_proved_and_named() {
    let (codec, vault, unsigned, signatures) = signed();
    let raw = codec.assemble(&unsigned, &signatures, &vault.key).unwrap();
    assert_eq!(
        codec.verify_signed(&unsigned, &raw, &vault.key).unwrap(),
        codec.transaction_id(&raw).unwrap()
    );
}

#[test]
fn signed_bytes_of_another_transaction_or_with_more_in_them_are_refused() {
    use bitcoin::Witness;
    use bitcoin::consensus::encode::{deserialize, serialize};
    let (codec, vault, unsigned, signatures) = signed();
    let raw = codec.assemble(&unsigned, &signatures, &vault.key).unwrap();
    let changed = |change: &dyn Fn(&mut bitcoin::Transaction)| {
        let mut transaction: bitcoin::Transaction = deserialize(&raw).unwrap();
        change(&mut transaction);
        code(codec.verify_signed(&unsigned, &serialize(&transaction), &vault.key))
    };
    let other_amount = changed(&|t| t.output[0].value = bitcoin::Amount::from_sat(1));
    assert_eq!(other_amount, Code::AttemptDigestMismatch);
    let script = changed(&|t| t.input[0].script_sig = bitcoin::ScriptBuf::from_bytes(vec![0x51]));
    assert_eq!(script, Code::AttemptDigestMismatch);
    let fewer = changed(&|t| t.input.truncate(2));
    assert_eq!(fewer, Code::BadSignature);
    let annex = |t: &mut bitcoin::Transaction| {
        let signature = t.input[0].witness.nth(0).unwrap().to_vec();
        t.input[0].witness = Witness::from_slice(&[&signature[..], &[0x50, 1]]);
    };
    assert_eq!(changed(&annex), Code::Malformed);
    assert_eq!(changed(&|t| t.input[1].witness.clear()), Code::Malformed);
    let swapped = changed(&|t| {
        let first = t.input[0].witness.clone();
        t.input[0].witness = t.input[1].witness.clone();
        t.input[1].witness = first;
    });
    assert_eq!(swapped, Code::BadSignature);
    for bytes in [&[][..], &raw[..raw.len() - 1], &[&raw[..], &[0]].concat()] {
        let refusal = codec.verify_signed(&unsigned, bytes, &vault.key);
        assert_eq!(code(refusal), Code::Malformed);
    }
    let stranger = TestVault::new(10, 4);
    let refusal = codec.verify_signed(&unsigned, &raw, &stranger.key);
    assert_eq!(code(refusal), Code::PathNotOwn);
}
