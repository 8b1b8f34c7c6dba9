//! Bitcoin Core's interpreter accepts the honest spend and refuses every changed one.

use crate::setup::Key;
use bitcoin::consensus::encode::serialize;
use bitcoin::{Amount, Witness};
use strongroom_chain_bitcoin_dev::{Confirm, DevChain, ScriptError, SpentOutput, check_spend};

fn honest() -> (Key, bitcoin::Transaction, Vec<SpentOutput>) {
    let (key, chain) = (Key::new(7), DevChain::in_memory(Confirm::AtOnce).unwrap());
    let coins = chain.fund(&key.address(), 50_000, 2).unwrap();
    let transaction = key.spend(&coins, 50_000, 99_000, 0);
    let spent = chain
        .spent_outputs(&serialize(&transaction))
        .unwrap()
        .unwrap();
    (key, transaction, spent)
}

#[test]
fn an_honest_spend_is_accepted() {
    let (_, transaction, spent) = honest();
    assert_eq!(check_spend(&serialize(&transaction), &spent), Ok(()));
}

#[test]
fn each_flipped_witness_bit_is_refused() {
    let (_, transaction, spent) = honest();
    let signature = transaction.input[1].witness.to_vec()[0].clone();
    for bit in 0..signature.len() * 8 {
        let mut flipped = signature.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let mut changed = transaction.clone();
        changed.input[1].witness = Witness::from_slice(&[flipped]);
        assert_eq!(
            check_spend(&serialize(&changed), &spent),
            Err(ScriptError::Refused { input: 1 }),
            "bit {bit}"
        );
    }
}

#[test]
fn each_changed_amount_is_refused() {
    let (_, transaction, spent) = honest();
    let mut more = transaction.clone();
    more.output[0].value = Amount::from_sat(99_001);
    assert_eq!(
        check_spend(&serialize(&more), &spent),
        Err(ScriptError::Refused { input: 0 })
    );
    for index in 0..spent.len() {
        let mut other = spent.clone();
        other[index].amount += 1;
        assert_eq!(
            check_spend(&serialize(&transaction), &other),
            Err(ScriptError::Refused { input: 0 })
        );
    }
}

#[test]
fn a_script_or_spender_that_is_not_the_real_one_is_refused() {
    let (_, transaction, spent) = honest();
    let mut other = spent.clone();
    other[0].script = Key::new(8).script().to_bytes();
    assert!(check_spend(&serialize(&transaction), &other).is_err());
    let mut stolen = transaction;
    Key::new(8).sign(&mut stolen, 50_000);
    assert_eq!(
        check_spend(&serialize(&stolen), &spent),
        Err(ScriptError::Refused { input: 0 })
    );
    stolen.input[0].witness = Witness::new();
    assert!(check_spend(&serialize(&stolen), &spent).is_err());
}

#[test]
fn malformed_questions_are_refused() {
    let (_, transaction, spent) = honest();
    let raw = serialize(&transaction);
    assert_eq!(check_spend(&[], &spent), Err(ScriptError::NotATransaction));
    assert_eq!(
        check_spend(&raw[..raw.len() - 1], &spent),
        Err(ScriptError::NotATransaction)
    );
    assert_eq!(
        check_spend(&[&raw[..], &[0]].concat(), &spent),
        Err(ScriptError::NotATransaction)
    );
    let wrong = Err(ScriptError::WrongOutputs {
        inputs: 2,
        outputs: 1,
    });
    assert_eq!(check_spend(&raw, &spent[..1]), wrong);
    for amount in [u64::MAX, 2_100_000_000_000_001] {
        let mut huge = spent.clone();
        huge[1].amount = amount;
        assert!(matches!(
            check_spend(&raw, &huge),
            Err(ScriptError::WrongOutputs { .. })
        ));
    }
}
