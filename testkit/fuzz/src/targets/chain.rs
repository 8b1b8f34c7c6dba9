//! Inputs of the chain codecs of this build: addresses, views, signed bytes, and the unsigned
//! transactions of a builder that is not trusted. Every codec of the list is given every input.

use super::{Target, same};
use std::sync::{Arc, OnceLock};
use strongroom_ports::chain::{
    ChainCodec, Effects, Facts, Holding, Inspection, Move, NoRegistry, OwnCoin, OwnPath, Plan,
    VaultKey,
};
use strongroom_types::{AttemptKind, ConflictKey, MinorUnits, Suite};

const ADDRESS: &str = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
/// The generator of secp256k1, compressed: a point whose secret is known.
const SECP256K1: [u8; 33] = [
    0x02, 0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62, 0x95, 0xce, 0x87, 0x0b,
    0x07, 0x02, 0x9b, 0xfc, 0xdb, 0x2d, 0xce, 0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17,
    0x98,
];
/// The base point of Ed25519: 0x58 and 31 times 0x66.
const ED25519: [u8; 32] = {
    let mut point = [0x66; 32];
    point[0] = 0x58;
    point
};

pub(super) fn targets() -> Vec<Target> {
    vec![
        Target {
            name: "chain_address",
            run: address,
            seeds: |_| vec![ADDRESS.as_bytes().to_vec()],
        },
        Target {
            name: "chain_unsigned",
            run: unsigned,
            seeds: |_| samples().iter().map(|s| s.unsigned.clone()).collect(),
        },
        Target {
            name: "chain_view",
            run: view,
            seeds: |_| samples().iter().map(|s| s.view.clone()).collect(),
        },
    ]
}

pub(super) fn codecs() -> &'static [Arc<dyn ChainCodec>] {
    strongroom_chains::all().unwrap_or_default()
}

/// An address has one text: when one is accepted, its other spellings are not.
fn address(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let mut accepted = false;
    for codec in codecs() {
        if codec.parse_address(text).is_err() {
            continue;
        }
        accepted = true;
        for other in [text.to_ascii_lowercase(), text.to_ascii_uppercase()] {
            if codec.parse_address(&other).is_ok() {
                same(other.as_bytes(), data);
            }
        }
    }
    accepted
}

/// Two encodings of one transaction would be two digests for one attempt: what reads the same must
/// be the same bytes.
fn unsigned(data: &[u8]) -> bool {
    let mut accepted = false;
    for codec in codecs() {
        let vault = vault(codec.as_ref());
        // Network bytes are read by the same decoders; here only a panic is of interest.
        let _ = codec.transaction_id(data);
        let _ = codec.verify_signed(data, data, &vault);
        let Ok(reading) = codec.inspect(data, &vault, &NoRegistry) else {
            continue;
        };
        accepted = true;
        let same_chain = samples()
            .iter()
            .filter(|s| s.chain == codec.manifest().chain);
        for sample in same_chain.filter(|sample| sample.reading == reading) {
            same(&sample.unsigned, data);
        }
    }
    accepted
}

/// What is built from an accepted view is accepted by the decoder of signers.
fn view(data: &[u8]) -> bool {
    let mut accepted = false;
    for codec in codecs() {
        let (vault, effects) = (vault(codec.as_ref()), pays(codec.as_ref(), 40_000));
        let Ok(built) = codec.build(&plan(&vault, &effects), data) else {
            continue;
        };
        accepted = true;
        let reading = codec.inspect(&built.unsigned, &vault, &NoRegistry);
        assert_eq!(reading.map(|reading| reading.slots), Ok(built.slots));
    }
    accepted
}

/// A vault whose key is of the codec's first suite.
pub(super) fn vault(codec: &dyn ChainCodec) -> VaultKey {
    let suite = codec.manifest().suites.first().copied();
    let suite = suite.unwrap_or(Suite::FrostSecp256k1Tr);
    VaultKey {
        suite,
        public_key: match suite {
            Suite::FrostSecp256k1Tr | Suite::FrostSecp256k1 => SECP256K1.to_vec(),
            Suite::FrostEd25519 => ED25519.to_vec(),
        },
        chain_code: [4; 32],
        account: 0,
    }
}

/// An honest transaction and the view it was built from.
pub(super) struct Sample {
    pub(super) chain: strongroom_types::ChainId,
    view: Vec<u8>,
    pub(super) unsigned: Vec<u8>,
    reading: Inspection,
}

/// Payments on Bitcoin's regtest; the larger one needs several inputs.
pub(super) fn samples() -> &'static Vec<Sample> {
    static SAMPLES: OnceLock<Vec<Sample>> = OnceLock::new();
    SAMPLES.get_or_init(|| {
        let amounts = [40_000, 150_000].into_iter();
        amounts.filter_map(sample).collect()
    })
}

fn sample(amount: u64) -> Option<Sample> {
    let codec = strongroom_chains::network("regtest").ok()??;
    let native = &codec.manifest().native;
    let coin = |number: u32| OwnCoin {
        key: ConflictKey::Coin(format!("{number:064x}:0")),
        path: OwnPath {
            change: 0,
            index: number,
        },
        asset: native.clone(),
        amount: MinorUnits::from(60_000),
    };
    let coins: Vec<Holding> = (1..=4).map(coin).map(Holding::Coin).collect();
    let facts = Facts {
        height: 800,
        fees: &2_000_u64.to_le_bytes(),
        holdings: &coins,
        taken: &[],
    };

    let (vault, effects) = (vault(codec.as_ref()), pays(codec.as_ref(), amount));
    let view = codec.view(&facts).ok()?;
    let unsigned = codec.build(&plan(&vault, &effects), &view).ok()?.unsigned;
    let reading = codec.inspect(&unsigned, &vault, &NoRegistry).ok()?;
    Some(Sample {
        chain: codec.manifest().chain.clone(),
        view,
        unsigned,
        reading,
    })
}

pub(super) fn pays(codec: &dyn ChainCodec, amount: u64) -> Effects {
    let native = codec.manifest().native.clone();
    let to = Move::exact(native, ADDRESS.to_owned(), amount.into());
    Effects::of_moves(vec![to])
}

pub(super) fn plan<'a>(vault: &'a VaultKey, effects: &'a Effects) -> Plan<'a> {
    Plan {
        kind: AttemptKind::Pay,
        effects,
        vault,
        anchor: None,
        previous: None,
        fee_max: MinorUnits::from(1_000_000),
        slots_max: 256,
        return_to: OwnPath {
            change: 1,
            index: 7,
        },
    }
}
