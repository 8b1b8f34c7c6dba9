//! Tests of funding, accepting, confirming, conflicting and reopening.

use crate::setup::Key;
use bitcoin::consensus::encode::serialize;
use std::collections::BTreeSet;
use strongroom_chain_bitcoin_dev::{Confirm, DevChain, DevChainError};
use strongroom_ports::chain::{Broadcast, ChainGateway, Standing};
use strongroom_types::ConflictKey;

fn chain(confirm: Confirm) -> (Key, DevChain) {
    (Key::new(7), DevChain::in_memory(confirm).unwrap())
}

fn rejected(chain: &DevChain, raw: &[u8]) -> String {
    match chain.broadcast(raw).unwrap() {
        Broadcast::Rejected(reason) => reason,
        other => panic!("{other:?}"),
    }
}

fn id(transaction: &bitcoin::Transaction) -> String {
    transaction.compute_txid().to_string()
}

#[test]
fn funded_outputs_are_confirmed_coins_with_distinct_transactions() {
    let (key, chain) = chain(Confirm::AtOnce);
    let first = chain.fund(&key.address(), 50_000, 300).unwrap();
    let second = chain.fund(&key.address(), 50_000, 1).unwrap();
    let ids: BTreeSet<_> = first
        .iter()
        .chain(&second)
        .map(|key| key.to_string()[..69].to_owned())
        .collect();
    assert_eq!(ids.len(), 301);
    let coins = chain
        .coins(&[key.address(), Key::new(8).address()])
        .unwrap();
    assert_eq!(coins.len(), 301);
    assert!(
        coins
            .iter()
            .all(|coin| coin.amount == 50_000.into() && coin.address == key.address())
    );
    let heights: BTreeSet<_> = coins.iter().map(|coin| coin.height).collect();
    assert_eq!(heights, BTreeSet::from([Some(1), Some(2)]));
    let again = DevChain::in_memory(Confirm::AtOnce).unwrap();
    assert_eq!(again.fund(&key.address(), 50_000, 300).unwrap(), first);
}

#[test]
fn impossible_funding_is_refused() {
    let (key, chain) = chain(Confirm::AtOnce);
    assert!(matches!(
        chain.fund("bc1nonsense", 1, 1),
        Err(DevChainError::Address(_))
    ));
    for (amount, count) in [(0, 1), (1, 0), (u64::MAX, 1), (1, 100_001)] {
        assert!(matches!(
            chain.fund(&key.address(), amount, count),
            Err(DevChainError::Amount)
        ));
    }
}

#[test]
fn a_spend_confirms_at_once_and_makes_new_coins() {
    let (key, chain) = chain(Confirm::AtOnce);
    let coins = chain.fund(&key.address(), 50_000, 2).unwrap();
    let height = chain.height().unwrap();
    let spend = key.spend(&coins, 50_000, 99_000, height);
    let raw = serialize(&spend);
    assert_eq!(chain.standing(&id(&spend)).unwrap(), Standing::Unknown);
    assert_eq!(chain.broadcast(&raw).unwrap(), Broadcast::Accepted);
    assert_eq!(chain.broadcast(&raw).unwrap(), Broadcast::AlreadyKnown);
    let mut flipped = raw.clone();
    let in_witness = raw.len() - 10;
    flipped[in_witness] ^= 1;
    assert!(rejected(&chain, &flipped).contains("another witness"));
    assert_eq!(chain.standing(&id(&spend)).unwrap(), Standing::Confirmed(1));
    assert_eq!(chain.transaction(&id(&spend)).unwrap(), Some(raw));
    chain.mine().unwrap();
    assert_eq!(chain.standing(&id(&spend)).unwrap(), Standing::Confirmed(2));
    let left = chain.coins(&[key.address()]).unwrap();
    assert_eq!(
        left.iter().map(|coin| coin.amount).collect::<Vec<_>>(),
        [99_000.into()]
    );
    assert_eq!(chain.height().unwrap(), height + 2);
}

#[test]
fn invalid_spends_are_rejected_with_a_reason() {
    let (key, chain) = chain(Confirm::AtOnce);
    let coins = chain.fund(&key.address(), 50_000, 2).unwrap();
    let stranger = Key::new(8);
    assert!(rejected(&chain, &stranger.raw(&coins, 50_000, 99_000)).contains("input 0"));
    assert!(rejected(&chain, &key.raw(&coins, 50_000, 100_001)).contains("more than it spends"));
    let unknown = ConflictKey::Coin(format!("{:064x}:0", 5));
    assert!(rejected(&chain, &key.raw(&[unknown], 50_000, 1_000)).contains("not known"));
    let twice = [coins[0].clone(), coins[0].clone()];
    assert!(rejected(&chain, &key.raw(&twice, 50_000, 60_000)).contains("twice"));
    let early = serialize(&key.spend(&coins, 50_000, 99_000, chain.height().unwrap() + 1));
    assert!(rejected(&chain, &early).contains("locked until height"));
    let mut burning = key.spend(&coins, 50_000, 99_000, 0);
    burning.output.clear();
    key.sign(&mut burning, 50_000);
    assert!(rejected(&chain, &serialize(&burning)).contains("no outputs"));
    assert!(rejected(&chain, b"nonsense").contains("not a Bitcoin transaction"));
    assert_eq!(chain.coins(&[key.address()]).unwrap().len(), 2);
}

#[test]
fn a_confirmed_coin_is_not_spent_twice() {
    let (key, chain) = chain(Confirm::AtOnce);
    let coins = chain.fund(&key.address(), 50_000, 2).unwrap();
    assert_eq!(
        chain
            .broadcast(&key.raw(&coins[..1], 50_000, 49_000))
            .unwrap(),
        Broadcast::Accepted
    );
    assert!(rejected(&chain, &key.raw(&coins, 50_000, 10_000)).contains("already spent by"));
    assert_eq!(
        chain
            .broadcast(&key.raw(&coins[1..], 50_000, 49_000))
            .unwrap(),
        Broadcast::Accepted
    );
}

#[test]
fn a_waiting_transaction_is_replaced_by_a_higher_fee_only() {
    let (key, chain) = chain(Confirm::OnMine);
    let coins = chain.fund(&key.address(), 50_000, 2).unwrap();
    let first = key.spend(&coins, 50_000, 99_000, 0);
    assert_eq!(
        chain.broadcast(&serialize(&first)).unwrap(),
        Broadcast::Accepted
    );
    assert_eq!(chain.standing(&id(&first)).unwrap(), Standing::Pending);
    assert!(chain.coins(&[key.address()]).unwrap().is_empty());
    assert!(rejected(&chain, &key.raw(&coins, 50_000, 98_999)).contains("replacement needs"));
    let bump = key.spend(&coins[..1], 50_000, 48_000, 0);
    assert_eq!(
        chain.broadcast(&serialize(&bump)).unwrap(),
        Broadcast::Accepted
    );
    assert_eq!(chain.standing(&id(&first)).unwrap(), Standing::Unknown);
    assert_eq!(chain.coins(&[key.address()]).unwrap().len(), 1);
    chain.mine().unwrap();
    assert_eq!(chain.standing(&id(&bump)).unwrap(), Standing::Confirmed(1));
    assert!(rejected(&chain, &serialize(&first)).contains("already spent by"));
}

#[test]
fn the_chain_survives_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.sqlite");
    let key = Key::new(7);
    let chain = DevChain::open(&path, Confirm::AtOnce).unwrap();
    let coins = chain.fund(&key.address(), 50_000, 300).unwrap();
    let spend = key.spend(&coins[..1], 50_000, 49_000, 0);
    chain.broadcast(&serialize(&spend)).unwrap();
    let (before, height) = (
        chain.coins(&[key.address()]).unwrap(),
        chain.height().unwrap(),
    );
    drop(chain);
    let chain = DevChain::open(&path, Confirm::AtOnce).unwrap();
    assert_eq!(
        (
            chain.coins(&[key.address()]).unwrap(),
            chain.height().unwrap()
        ),
        (before, height)
    );
    assert_eq!(
        chain.broadcast(&serialize(&spend)).unwrap(),
        Broadcast::AlreadyKnown
    );
    let more = chain.fund(&key.address(), 50_000, 1).unwrap();
    assert!(!coins.contains(&more[0]));
}
