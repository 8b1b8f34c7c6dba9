//! Facts of a network that are accepted or refused, and the views that are made from them.

use crate::setup::{Ask, CHANGE, FOREIGN, TestVault, code, coin, effects, regtest, request};
use strongroom_chain_bitcoin::view::FEE_RATE_MAX;
use strongroom_chain_bitcoin::{BitcoinCodec, FeeRate, Network};
use strongroom_ports::chain::{AccountFact, ChainCodec, CoinFact, Fact, Facts, Holding, Plan};
use strongroom_types::{AttemptKind, Code, ConflictKey, MinorUnits};

fn said() -> CoinFact {
    let own = coin(1, 100_000);
    CoinFact {
        key: own.key,
        address: FOREIGN.to_owned(),
        asset: own.asset,
        amount: own.amount,
        height: Some(7),
    }
}

fn refused(change: impl FnOnce(&mut CoinFact)) -> Code {
    let mut fact = said();
    change(&mut fact);
    code(regtest().check_fact(&Fact::Coin(fact)))
}

#[test]
fn possible_facts_are_taken() {
    let codec = regtest();
    let unconfirmed = CoinFact {
        height: None,
        ..said()
    };
    for fact in [
        Fact::Coin(said()),
        Fact::Coin(unconfirmed),
        Fact::Head { height: 0 },
        Fact::Head {
            height: 499_999_999,
        },
        Fact::Fees(FeeRate(0).to_bytes()),
        Fact::Fees(FeeRate(FEE_RATE_MAX).to_bytes()),
    ] {
        codec.check_fact(&fact).unwrap();
    }
}

#[test]
fn absurd_facts_are_refused() {
    let codec = regtest();
    for key in [
        "",
        "x:0",
        &format!("{:064X}:0", 0xabcdef),
        &format!("{:064x}:01", 1),
    ] {
        assert_eq!(
            refused(|fact| fact.key = ConflictKey::Coin(key.to_owned())),
            Code::Malformed,
            "{key}"
        );
    }
    let supply = 2_100_000_000_000_000u64;
    assert_eq!(
        refused(|fact| fact.amount = (supply + 1).into()),
        Code::Malformed
    );
    let huge = MinorUnits::from_be_bytes([0xff; 32]);
    assert_eq!(refused(|fact| fact.amount = huge), Code::Malformed);
    assert_eq!(
        refused(|fact| fact.height = Some(500_000_000)),
        Code::Malformed
    );
    assert_eq!(refused(|fact| fact.address.clear()), Code::AddressInvalid);
    let mainnet = Network::Mainnet.native_asset().parse().unwrap();
    assert_eq!(refused(|fact| fact.asset = mainnet), Code::UnknownAsset);
    let account = AccountFact {
        address: FOREIGN.to_owned(),
        next: 0,
        asset: said().asset,
        amount: 1.into(),
    };
    for fact in [
        Fact::Account(account),
        Fact::Head {
            height: 500_000_000,
        },
        Fact::Head { height: u64::MAX },
        Fact::Fees(vec![]),
        Fact::Fees(vec![0; 9]),
        Fact::Fees(FeeRate(FEE_RATE_MAX + 1).to_bytes()),
    ] {
        assert_eq!(code(codec.check_fact(&fact)), Code::Malformed, "{fact:?}");
    }
}

#[test]
fn a_foreign_truncated_or_extended_view_is_refused() {
    let (codec, vault) = (regtest(), TestVault::new(1, 0));
    let effects = effects(&codec, &[(FOREIGN, 70_000)]);
    let coins = [coin(1, 60_000), coin(2, 40_000)];
    let ask: Ask<'_> = request(&effects, &vault.key, &coins);
    let plan = Plan {
        kind: AttemptKind::Pay,
        effects: &effects,
        vault: &vault.key,
        anchor: None,
        previous: None,
        fee_max: 10_000.into(),
        slots_max: 256,
        return_to: CHANGE,
    };
    let view = ask.view(&codec).unwrap();
    codec.build(&plan, &view).unwrap();
    for length in 0..view.len() {
        assert_eq!(
            code(codec.build(&plan, &view[..length])),
            Code::Malformed,
            "{length}"
        );
    }
    let longer = [&view[..], &[0]].concat();
    assert_eq!(code(codec.build(&plan, &longer)), Code::Malformed);
    let other_version = [&[2], &view[1..]].concat();
    assert_eq!(code(codec.build(&plan, &other_version)), Code::Malformed);
    let own: Vec<_> = coins
        .iter()
        .map(|coin| {
            let asset = Network::Mainnet.native_asset().parse().unwrap();
            Holding::Coin(strongroom_ports::chain::OwnCoin {
                asset,
                ..coin.clone()
            })
        })
        .collect();
    let facts = Facts {
        height: 800,
        fees: &FeeRate(2_000).to_bytes(),
        holdings: &own,
        taken: &[],
    };
    let mainnet = BitcoinCodec::new(Network::Mainnet)
        .unwrap()
        .view(&facts)
        .unwrap();
    assert_eq!(code(codec.build(&plan, &mainnet)), Code::Malformed);
    assert_eq!(
        code(codec.build(&plan, &vec![0; 6_000_000])),
        Code::RecordTooLarge
    );
}
