//! What a chain codec reads: addresses, and the unsigned transactions of a builder nobody trusts.

use super::{Target, same};
use std::sync::OnceLock;
use strongroom_chain_bitcoin::{BitcoinCodec, FeeRate, Network};
use strongroom_ports::chain::{
    ChainCodec, Effects, Facts, Holding, Inspection, Move, NoRegistry, OwnCoin, OwnPath, Plan,
    VaultKey,
};
use strongroom_types::{AttemptKind, ConflictKey, MinorUnits, Suite};

const ADDRESS: &str = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
/// The generator of secp256k1, compressed: a point whose secret everybody knows.
const POINT: [u8; 33] = [
    0x02, 0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62, 0x95, 0xce, 0x87, 0x0b,
    0x07, 0x02, 0x9b, 0xfc, 0xdb, 0x2d, 0xce, 0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17,
    0x98,
];

pub(super) fn targets() -> Vec<Target> {
    vec![
        Target {
            name: "bitcoin_address",
            run: address,
            seeds: |_| vec![ADDRESS.as_bytes().to_vec()],
        },
        Target {
            name: "bitcoin_unsigned",
            run: unsigned,
            seeds: |_| built().iter().map(|(bytes, _)| bytes.clone()).collect(),
        },
    ]
}

fn codec() -> Option<&'static BitcoinCodec> {
    static CODEC: OnceLock<Option<BitcoinCodec>> = OnceLock::new();
    CODEC
        .get_or_init(|| BitcoinCodec::new(Network::Regtest).ok())
        .as_ref()
}

/// Upper case, other networks and other spellings are refused, so an accepted address is lower case
/// or base58.
fn address(data: &[u8]) -> bool {
    let (Ok(text), Some(codec)) = (std::str::from_utf8(data), codec()) else {
        return false;
    };
    let accepted = codec.parse_address(text).is_ok();
    if accepted && text.to_ascii_lowercase().starts_with("bcrt1") {
        same(text.to_ascii_lowercase().as_bytes(), data);
    }
    accepted
}

/// Two encodings of one transaction would be two digests for one attempt: what reads the same must
/// be the same bytes.
fn unsigned(data: &[u8]) -> bool {
    let Some(codec) = codec() else { return false };
    let Ok(reading) = codec.inspect(data, &vault(), &NoRegistry) else {
        return false;
    };
    for (bytes, known) in built() {
        if reading == *known {
            same(bytes, data);
        }
    }
    true
}

fn vault() -> VaultKey {
    VaultKey {
        suite: Suite::FrostSecp256k1Tr,
        public_key: POINT.to_vec(),
        chain_code: [4; 32],
        account: 0,
    }
}

fn built() -> &'static Vec<(Vec<u8>, Inspection)> {
    static BUILT: OnceLock<Vec<(Vec<u8>, Inspection)>> = OnceLock::new();
    BUILT.get_or_init(|| [40_000, 150_000].into_iter().filter_map(build).collect())
}

/// A payment of `amount`; the larger one needs several inputs.
fn build(amount: u64) -> Option<(Vec<u8>, Inspection)> {
    let (codec, vault) = (codec()?, vault());
    let native = &codec.manifest().native;
    let coins: Vec<Holding> = (1..=4_u32)
        .map(|number| OwnCoin {
            key: ConflictKey(format!("{number:064x}:0")),
            path: OwnPath {
                change: 0,
                index: number,
            },
            asset: native.clone(),
            amount: MinorUnits::from(60_000),
        })
        .map(Holding::Coin)
        .collect();
    let to = Move::exact(native.clone(), ADDRESS.to_owned(), amount.into());
    let facts = Facts {
        height: 800,
        fees: &FeeRate(2_000).to_bytes(),
        holdings: &coins,
        taken: &[],
    };
    let plan = Plan {
        kind: AttemptKind::Pay,
        effects: &Effects::of_moves(vec![to]),
        vault: &vault,
        anchor: None,
        previous: None,
        fee_max: MinorUnits::from(1_000_000),
        return_to: OwnPath {
            change: 1,
            index: 7,
        },
    };
    let bytes = codec.build(&plan, &codec.view(&facts).ok()?).ok()?.unsigned;
    let reading = codec.inspect(&bytes, &vault, &NoRegistry).ok()?;
    Some((bytes, reading))
}
