//! The cases of the codec port's contract, one per sentence.

use crate::setup::{FOREIGN, TestVault, coin};
use std::sync::Arc;
use strongroom_chain_bitcoin::view::FEE_RATE_MAX;
use strongroom_chain_bitcoin::{BitcoinCodec, FeeRate, Network};
use strongroom_conformance::chain::ChainFixture;
use strongroom_ports::chain::{AccountFact, ChainCodec, CoinFact, Fact, OwnCoin, Slot, VaultKey};
use strongroom_types::{ConflictKey, MinorUnits};

strongroom_conformance::chain_suite!(bitcoin);

struct Bitcoin;

fn bitcoin() -> impl ChainFixture {
    Bitcoin
}

fn reported(coin: OwnCoin, address: &str) -> CoinFact {
    CoinFact {
        key: coin.key,
        address: address.to_owned(),
        asset: coin.asset,
        amount: coin.amount,
        height: Some(700),
    }
}

impl ChainFixture for Bitcoin {
    fn codec(&self) -> Arc<dyn ChainCodec> {
        Arc::new(BitcoinCodec::new(Network::Regtest).unwrap())
    }

    fn vault(&self, number: u8) -> VaultKey {
        TestVault::new(number + 1, 0).key
    }

    fn sign(&self, number: u8, slot: &Slot) -> Vec<u8> {
        TestVault::new(number + 1, 0).sign(slot)
    }

    fn addresses(&self) -> Vec<String> {
        [
            FOREIGN,
            "bcrt1pvqu8lwwcrhzl0dkv3mfjs5kpu9qt5qy6hgx35ctvxp53eq852t4ql3dwxn",
            "bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry",
            "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn",
            "2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc",
        ]
        .map(str::to_owned)
        .to_vec()
    }

    fn not_addresses(&self) -> Vec<String> {
        [
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
            "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
            "bitcoin:bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080",
            "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt08q",
            "0x742d35Cc6634C0532925a3b844Bc454e4438f44e",
        ]
        .map(str::to_owned)
        .to_vec()
    }

    fn facts(&self, address: &str) -> Vec<Fact> {
        let coins = (1..=12).map(|number| reported(coin(number, 100_000), address));
        [
            Fact::Head { height: 800 },
            Fact::Fees(FeeRate(2_000).to_bytes()),
        ]
        .into_iter()
        .chain(coins.map(Fact::Coin))
        .collect()
    }

    fn impossible_facts(&self) -> Vec<Fact> {
        let good = || reported(coin(1, 100_000), FOREIGN);
        let coin = |change: fn(&mut CoinFact)| {
            let mut fact = good();
            change(&mut fact);
            Fact::Coin(fact)
        };
        let account = AccountFact {
            address: FOREIGN.to_owned(),
            next: 0,
            asset: good().asset,
            amount: 1.into(),
        };
        vec![
            Fact::Head { height: u64::MAX },
            Fact::Fees(FeeRate(FEE_RATE_MAX + 1).to_bytes()),
            Fact::Account(account),
            coin(|fact| fact.amount = MinorUnits::from_be_bytes([0xff; 32])),
            coin(|fact| fact.amount = (1_u64 << 63).into()),
            coin(|fact| fact.key = ConflictKey::Coin("x:0".into())),
            coin(|fact| fact.address.clear()),
            coin(|fact| fact.height = Some(u64::MAX)),
        ]
    }

    fn amount(&self) -> MinorUnits {
        70_000.into()
    }

    fn fee_max(&self) -> MinorUnits {
        20_000.into()
    }
}
