//! Building: coins, change, fees, and refusals.

use crate::setup::{Ask, CHANGE, FOREIGN, TestVault, code, coin, effects, regtest, request};
use strongroom_chain_bitcoin::view::BuildView;
use strongroom_ports::chain::{ChainCodec, NoRegistry, OwnCoin, OwnPath};
use strongroom_types::registry::ADDRESS_INDEX_MAX;
use strongroom_types::{Code, ConflictKey, Digest, MinorUnits, Tweak};

const TAPROOT: &str = "bcrt1pvqu8lwwcrhzl0dkv3mfjs5kpu9qt5qy6hgx35ctvxp53eq852t4ql3dwxn";

#[test]
fn unsigned_bytes_do_not_change() {
    let (codec, vault) = (regtest(), TestVault::new(1, 3));
    let effects = effects(&codec, &[(FOREIGN, 70_000)]);
    let coins = [coin(1, 60_000), coin(2, 40_000)];
    let built = request(&effects, &vault.key, &coins).build(&codec).unwrap();
    assert_eq!(
        hex::encode(&built.unsigned),
        "01fabfb5daa6000000020000000201000000000000000000000000000000000000000000000000000000000000000100000000fdffffff02000000000000000000000000000000000000000000000000000000000000000200000000fdffffff02a0730000000000002251208340774bc333f4339cee36568ad9d709dd2a96f3807c6b7642eb833f8571a6f37011010000000000160014751e76e8199196d454941c45d1b3a323f1433bd6000000000200000060ea0000000000000000000001000000409c00000000000000000000020000000200000001010000000700000000"
    );
    assert_eq!(built.anchor, coins[0].key);
}

#[test]
fn a_payment_with_change_does_what_it_says() {
    let (codec, vault) = (regtest(), TestVault::new(1, 0));
    let effects = effects(
        &codec,
        &[(FOREIGN, 70_000), (FOREIGN, 70_000), (TAPROOT, 330)],
    );
    let coins: Vec<_> = (1..300).map(|n| coin(n, 100_000)).collect();
    let built = request(&effects, &vault.key, &coins).build(&codec).unwrap();
    let inspection = codec
        .inspect(&built.unsigned, &vault.key, &NoRegistry)
        .unwrap();
    assert_eq!(inspection.moves, effects.moves);
    assert_eq!(inspection.conflicts, built.conflicts);
    assert_eq!((inspection.slots.len(), built.conflicts.len()), (2, 2));
    let fee = built.fee.to_u64().unwrap();
    assert_eq!(
        inspection.returned.to_u64().unwrap() + fee + 140_330,
        200_000
    );
    let first = &inspection.slots[0];
    assert_eq!(first.path[..4], [86, 1, 0, 0]);
    assert_eq!((first.tweak, first.message.len()), (Tweak::Bip341, 32));
    assert_eq!(built.slots, inspection.slots);
}

#[test]
fn the_order_of_the_offered_coins_does_not_matter() {
    let (codec, vault) = (regtest(), TestVault::new(1, 0));
    let effects = effects(&codec, &[(FOREIGN, 1_234_567)]);
    let mut coins: Vec<_> = (1..90)
        .map(|n| coin(n, 20_000 + u64::from(n) * 777))
        .collect();
    let first = request(&effects, &vault.key, &coins).build(&codec).unwrap();
    coins.reverse();
    assert_eq!(
        request(&effects, &vault.key, &coins).build(&codec).unwrap(),
        first
    );
}

#[test]
fn a_coin_that_fits_is_spent_without_change() {
    let (codec, vault) = (regtest(), TestVault::new(1, 0));
    let effects = effects(&codec, &[(FOREIGN, 70_000)]);
    let mut coins: Vec<_> = (1..20).map(|n| coin(n, 1_000_000)).collect();
    coins.push(coin(30, 70_230));
    let built = request(&effects, &vault.key, &coins).build(&codec).unwrap();
    assert_eq!(built.conflicts, vec![coin(30, 0).key]);
    assert_eq!(
        codec
            .inspect(&built.unsigned, &vault.key, &NoRegistry)
            .unwrap()
            .returned,
        MinorUnits::ZERO
    );
}

#[test]
fn many_small_coins_are_spent_together() {
    let (codec, vault) = (regtest(), TestVault::new(1, 0));
    let effects = effects(&codec, &[(FOREIGN, 2_000_000)]);
    let coins: Vec<_> = (1..400).map(|n| coin(n, 10_000)).collect();
    let built = request(&effects, &vault.key, &coins).build(&codec).unwrap();
    assert!(built.conflicts.len() > 200 && built.unsigned.len() < 64 * 1024);
    let too_much = crate::setup::effects(&codec, &[(FOREIGN, 3_000_000)]);
    assert_eq!(
        code(request(&too_much, &vault.key, &coins).build(&codec)),
        Code::InsufficientBalance
    );
}

#[test]
fn no_more_coins_are_spent_than_a_request_carries_signatures() {
    let (codec, vault) = (regtest(), TestVault::new(1, 0));
    let coins: Vec<_> = (1..60).map(|n| coin(n, 10_000)).collect();
    for amount in [50_000, 200_000] {
        let effects = effects(&codec, &[(FOREIGN, amount)]);
        let ask = |slots_max: usize| {
            let of_all = request(&effects, &vault.key, &coins);
            Ask {
                slots_max,
                ..of_all
            }
            .build(&codec)
        };
        let least = ask(256).unwrap().slots.len();
        assert_eq!(ask(least).unwrap().slots.len(), least);
        assert_eq!(code(ask(least - 1)), Code::InsufficientBalance);
    }
}

#[test]
fn a_given_anchor_is_spent_or_the_request_refused() {
    let (codec, vault) = (regtest(), TestVault::new(1, 0));
    let effects = effects(&codec, &[(FOREIGN, 70_000)]);
    let coins = [coin(1, 600), coin(2, 400_000), coin(3, 500_000)];
    let anchor = coins[0].key.clone();
    let with = Ask {
        anchor: Some(&anchor),
        ..request(&effects, &vault.key, &coins)
    };
    let built = with.build(&codec).unwrap();
    assert_eq!(built.anchor, anchor);
    assert!(built.conflicts.contains(&anchor));
    let without = Ask {
        coins: &coins[1..],
        ..with
    };
    assert_eq!(code(without.build(&codec)), Code::AnchorMissing);
}

#[test]
fn what_cannot_be_paid_is_refused_with_its_reason() {
    let (codec, vault) = (regtest(), TestVault::new(1, 0));
    let coins = [coin(1, 100_000)];
    let pay = |to: &str, amount: u64| {
        let effects = effects(&codec, &[(to, amount)]);
        code(request(&effects, &vault.key, &coins).build(&codec))
    };
    assert_eq!(pay(FOREIGN, 100_000), Code::InsufficientBalance);
    assert_eq!(pay(FOREIGN, 293), Code::Dust);
    assert_eq!(pay(TAPROOT, 329), Code::Dust);
    assert_eq!(pay(FOREIGN, 0), Code::Dust);
    assert_eq!(pay(FOREIGN, u64::MAX), Code::InsufficientBalance);
    assert_eq!(
        pay("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", 1_000),
        Code::AddressWrongNetwork
    );
    assert_eq!(pay(&FOREIGN.to_uppercase(), 1_000), Code::AddressInvalid);
    let none = effects(&codec, &[]);
    assert_eq!(
        code(request(&none, &vault.key, &coins).build(&codec)),
        Code::Malformed
    );
}

#[test]
fn a_fee_above_the_cap_is_refused() {
    let (codec, vault) = (regtest(), TestVault::new(1, 0));
    let effects = effects(&codec, &[(FOREIGN, 70_000)]);
    let coins = [coin(1, 100_000)];
    let built = request(&effects, &vault.key, &coins).build(&codec).unwrap();
    let exact = Ask {
        fee_max: built.fee,
        ..request(&effects, &vault.key, &coins)
    };
    assert_eq!(exact.build(&codec).unwrap().fee, built.fee);
    let less = built.fee.checked_sub(1.into()).unwrap();
    assert_eq!(
        code(
            Ask {
                fee_max: less,
                ..exact
            }
            .build(&codec)
        ),
        Code::FeeCapTooLow
    );
}

#[test]
fn change_below_dust_goes_to_the_fee() {
    let (codec, vault) = (regtest(), TestVault::new(1, 0));
    let effects = effects(&codec, &[(FOREIGN, 70_000)]);
    let returned = |amount: u64| {
        let coins = [coin(1, amount)];
        let cheap = Ask {
            fee_rate: 1_000,
            ..request(&effects, &vault.key, &coins)
        };
        codec
            .inspect(
                &cheap.build(&codec).unwrap().unsigned,
                &vault.key,
                &NoRegistry,
            )
            .unwrap()
            .returned
    };
    // The transaction with change has 153 virtual bytes or less.
    assert_eq!(returned(70_000 + 153 + 150), MinorUnits::ZERO);
    assert!(returned(70_000 + 153 + 330) >= 330.into());
}

#[test]
fn small_change_is_kept_when_the_cap_forbids_to_give_it_away() {
    let (codec, vault) = (regtest(), TestVault::new(1, 0));
    let effects = effects(&codec, &[(FOREIGN, 70_000)]);
    let coins = [coin(1, 70_000 + 141 * 10 + 400)];
    let at_ten = Ask {
        fee_rate: 10_000,
        ..request(&effects, &vault.key, &coins)
    };
    assert_eq!(at_ten.build(&codec).unwrap().fee, 1_810.into());
    let capped = Ask {
        fee_max: 1_700.into(),
        ..at_ten
    };
    let built = capped.build(&codec).unwrap();
    assert!(built.fee <= 1_700.into());
    assert!(
        codec
            .inspect(&built.unsigned, &vault.key, &NoRegistry)
            .unwrap()
            .returned
            >= 330.into()
    );
}

#[test]
fn hostile_facts_are_refused_without_harm() {
    let (codec, vault) = (regtest(), TestVault::new(1, 0));
    let effects = effects(&codec, &[(FOREIGN, 70_000)]);
    let good = coin(1, 100_000);
    let with = |coins: &[OwnCoin]| code(request(&effects, &vault.key, coins).build(&codec));
    assert_eq!(with(&[]), Code::InsufficientBalance);
    assert_eq!(with(&[good.clone(), good.clone()]), Code::Malformed);
    assert_eq!(with(&[coin(1, u64::MAX)]), Code::Malformed);
    let huge = MinorUnits::from_be_bytes([0xff; 32]);
    assert_eq!(
        with(&[OwnCoin {
            amount: huge,
            ..good.clone()
        }]),
        Code::Malformed
    );
    for key in [
        "",
        "x:0",
        &format!("{:064X}:0", 0xabcdef),
        &format!("{:064x}:01", 1),
        &format!("{:064x}", 1),
    ] {
        let mut bad = good.clone();
        bad.key = ConflictKey::Coin(key.to_owned());
        assert_eq!(with(&[bad]), Code::Malformed, "{key}");
    }
    let sequence = ConflictKey::Sequence {
        account: "a".to_owned(),
        number: 0,
    };
    for key in [sequence, ConflictKey::Once(Digest([1; 32]))] {
        let bad = OwnCoin {
            key,
            ..good.clone()
        };
        assert_eq!(with(&[bad]), Code::Malformed);
    }
    for path in [
        OwnPath {
            change: 2,
            index: 0,
        },
        OwnPath {
            change: 0,
            index: ADDRESS_INDEX_MAX,
        },
    ] {
        assert_eq!(
            with(&[OwnCoin {
                path,
                ..good.clone()
            }]),
            Code::PathNotOwn
        );
    }
    let coins = [good];
    let fine = request(&effects, &vault.key, &coins);
    assert_eq!(
        code(
            Ask {
                fee_rate: u64::MAX,
                ..fine
            }
            .build(&codec)
        ),
        Code::Malformed
    );
    let fine = request(&effects, &vault.key, &coins);
    assert_eq!(
        code(
            Ask {
                height: 500_000_000,
                ..fine
            }
            .build(&codec)
        ),
        Code::Malformed
    );
    let fine = request(&effects, &vault.key, &coins);
    let change = OwnPath {
        index: ADDRESS_INDEX_MAX,
        ..CHANGE
    };
    assert_eq!(code(Ask { change, ..fine }.build(&codec)), Code::PathNotOwn);
}

/// A lying node can invent coins that are each possible; the vault's own money stays spendable.
#[test]
fn coins_beyond_the_supply_are_left_out_of_the_view() {
    let (codec, vault) = (regtest(), TestVault::new(1, 0));
    let effects = effects(&codec, &[(FOREIGN, 70_000)]);
    let supply = 2_100_000_000_000_000;
    let coins = [coin(1, supply - 100_000), coin(2, supply), coin(3, 100_000)];
    let ask = request(&effects, &vault.key, &coins);
    let view = BuildView::decode(&ask.view(&codec).unwrap(), codec.network()).unwrap();
    let amounts: Vec<_> = view.coins.iter().map(|coin| coin.amount).collect();
    assert_eq!(amounts, [supply - 100_000, 100_000]);
    ask.build(&codec).unwrap();
}

#[test]
fn large_amounts_are_built_exactly() {
    let (codec, vault) = (regtest(), TestVault::new(1, 0));
    let effects = effects(&codec, &[(FOREIGN, 1_999_999_999_990_000)]);
    let coins: Vec<_> = (1..21)
        .map(|n| coin(n, 100_000_000_000_000 + u64::from(n)))
        .collect();
    let built = request(&effects, &vault.key, &coins).build(&codec).unwrap();
    assert!(built.fee < 10_211.into());
}
