//! What a node says to the transactions service, the table that is kept of it, and network bytes.
//! No adapter to a node is linked here: [`Fact`] is all that one may hand over.

use super::Target;
use super::chain::{codecs, pays, plan, samples, vault};
use super::services::record_seeds;
use borsh::{BorshDeserialize, BorshSerialize};
use strongroom_ports::chain::{
    AccountFact, ChainCodec, CoinFact, Fact, Facts, Holding, NoRegistry, OwnCoin, OwnPath, VaultKey,
};
use strongroom_types::{AssetId, ConflictKey, MinorUnits};
use strongroom_wire::{decode, encode};

const ORIGIN: OwnPath = OwnPath {
    change: 0,
    index: 0,
};
/// Fees that every codec of this build believes.
const FEES: [u8; 8] = 2_000_u64.to_le_bytes();

pub(super) fn targets() -> Vec<Target> {
    vec![
        Target {
            name: "chain_fact",
            run: fact,
            seeds: |_| claims(),
        },
        Target {
            name: "chain_facts",
            run: facts,
            seeds: |rng| [tables(), record_seeds::<Table>(rng)].concat(),
        },
        Target {
            name: "chain_vault",
            run: address_of_vault,
            seeds: |_| vaults(),
        },
        Target {
            name: "chain_signed",
            run: signed,
            seeds: |_| vec![network_bytes()],
        },
    ]
}

/// A fact as an input spells it; nothing sends this form.
#[derive(BorshSerialize, BorshDeserialize)]
enum Claim {
    Head(u64),
    Fees(Vec<u8>),
    Coin {
        key: ConflictKey,
        address: String,
        asset: AssetId,
        amount: MinorUnits,
        height: Option<u64>,
    },
    Account {
        address: String,
        next: u64,
        asset: AssetId,
        amount: MinorUnits,
    },
}

impl Claim {
    fn into_fact(self) -> Fact {
        match self {
            Self::Head(height) => Fact::Head { height },
            Self::Fees(fees) => Fact::Fees(fees),
            Self::Coin {
                key,
                address,
                asset,
                amount,
                height,
            } => Fact::Coin(CoinFact {
                key,
                address,
                asset,
                amount,
                height,
            }),
            Self::Account {
                address,
                next,
                asset,
                amount,
            } => Fact::Account(AccountFact {
                address,
                next,
                asset,
                amount,
            }),
        }
    }
}

/// A fact that is taken is one that a view can be made of: one lie of a node must not end the
/// builds of a vault.
fn fact(data: &[u8]) -> bool {
    let Ok(claim) = decode::<Claim>(data) else {
        return false;
    };
    let fact = claim.into_fact();
    let mut accepted = false;
    for codec in codecs() {
        if codec.check_fact(&fact).is_err() {
            continue;
        }
        accepted = true;
        let view = match &fact {
            Fact::Head { height } => view(codec.as_ref(), *height, &FEES, &[]),
            Fact::Fees(fees) => view(codec.as_ref(), 1, fees, &[]),
            Fact::Coin(coin) => {
                assert!(codec.parse_address(&coin.address).is_ok(), "no address");
                let own = Holding::Coin(OwnCoin {
                    key: coin.key.clone(),
                    path: ORIGIN,
                    asset: coin.asset.clone(),
                    amount: coin.amount,
                });
                view(codec.as_ref(), 1, &FEES, &[own])
            }
            // No codec of this build has accounts; one that has is asked for its view here.
            Fact::Account(_) => continue,
        };
        assert!(view, "a fact that no view can be made of");
    }
    accepted
}

fn view(codec: &dyn ChainCodec, height: u64, fees: &[u8], holdings: &[Holding]) -> bool {
    let facts = Facts {
        height,
        fees,
        holdings,
        taken: &[],
    };
    codec.view(&facts).is_ok()
}

fn claims() -> Vec<Vec<u8>> {
    let mut claims = vec![Claim::Head(800), Claim::Fees(FEES.to_vec())];
    for codec in codecs() {
        let vault = vault(codec.as_ref());
        let Ok(address) = codec.derive_address(&vault, ORIGIN) else {
            continue;
        };
        claims.push(Claim::Coin {
            key: ConflictKey::Coin(format!("{:064x}:0", 1)),
            address,
            asset: codec.manifest().native.clone(),
            amount: MinorUnits::from(60_000),
            height: Some(799),
        });
    }
    claims.iter().map(encode).collect()
}

/// The rows of a facts table, as one build reads them.
#[derive(BorshSerialize, BorshDeserialize)]
struct Table {
    height: u64,
    fees: Vec<u8>,
    holdings: Vec<Holding>,
    taken: Vec<ConflictKey>,
}

/// What is built from a table spends only what is in it, and reads back as it was built.
fn facts(data: &[u8]) -> bool {
    let Ok(table) = decode::<Table>(data) else {
        return false;
    };
    let facts = Facts {
        height: table.height,
        fees: &table.fees,
        holdings: &table.holdings,
        taken: &table.taken,
    };
    let held = |key: &ConflictKey| {
        let mut holdings = table.holdings.iter();
        holdings.any(|held| matches!(held, Holding::Coin(coin) if coin.key == *key))
    };
    for codec in codecs() {
        let Ok(view) = codec.view(&facts) else {
            continue;
        };
        let (vault, effects) = (vault(codec.as_ref()), pays(codec.as_ref(), 40_000));
        if let Ok(built) = codec.build(&plan(&vault, &effects), &view) {
            assert!(built.conflicts.iter().all(held), "a coin from nowhere");
            let reading = codec.inspect(&built.unsigned, &vault, &NoRegistry);
            assert_eq!(reading.map(|reading| reading.slots), Ok(built.slots));
        }
    }
    // The table itself has one encoding, whether or not a chain of this build can use it.
    super::same(&encode(&table), data)
}

fn tables() -> Vec<Vec<u8>> {
    let table = |codec: &dyn ChainCodec| Table {
        height: 800,
        fees: FEES.to_vec(),
        holdings: vec![Holding::Coin(OwnCoin {
            key: ConflictKey::Coin(format!("{:064x}:0", 1)),
            path: ORIGIN,
            asset: codec.manifest().native.clone(),
            amount: MinorUnits::from(60_000),
        })],
        taken: Vec::new(),
    };
    let tables = codecs().iter().map(|codec| table(codec.as_ref()));
    tables.map(|table| encode(&table)).collect()
}

/// An address that a vault has is one that its network reads.
fn address_of_vault(data: &[u8]) -> bool {
    let Ok((key, path)) = decode::<(VaultKey, OwnPath)>(data) else {
        return false;
    };
    let mut accepted = false;
    for codec in codecs() {
        let Ok(address) = codec.derive_address(&key, path) else {
            continue;
        };
        accepted = true;
        assert!(codec.parse_address(&address).is_ok(), "{address}");
    }
    accepted
}

fn vaults() -> Vec<Vec<u8>> {
    let keys = codecs().iter().map(|codec| vault(codec.as_ref()));
    keys.map(|key| encode(&(key, ORIGIN))).collect()
}

/// Network bytes: they have one encoding, and none of them is a vault's, which signed nothing here.
fn signed(data: &[u8]) -> bool {
    let mut accepted = false;
    for codec in codecs() {
        let vault = vault(codec.as_ref());
        let ours = samples()
            .iter()
            .filter(|sample| sample.chain == codec.manifest().chain);
        for sample in ours {
            let proved = codec.verify_signed(&sample.unsigned, data, &vault);
            assert!(proved.is_err(), "a signature that no one made");
        }
        if codec.transaction_id(data).is_ok() {
            accepted = true;
            let longer = [data, b"\0"].concat();
            assert!(codec.transaction_id(&longer).is_err(), "a trailing byte");
        }
    }
    accepted
}

/// A transaction of one key-path input and one output (BIP-144), whose signature is made up.
fn network_bytes() -> Vec<u8> {
    [
        &[2, 0, 0, 0, 0, 1, 1][..],
        &[0x11; 32],
        &[0; 4],
        &[0],
        &[0xfd, 0xff, 0xff, 0xff],
        &[1],
        &40_000_u64.to_le_bytes(),
        &[34, 0x51, 0x20],
        &[0x22; 32],
        &[1, 64],
        &[0x33; 64],
        &[0; 4],
    ]
    .concat()
}
