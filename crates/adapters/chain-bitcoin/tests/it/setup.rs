//! A vault whose secret the test knows, its coins, and requests to build.

use bitcoin::ScriptBuf;
use bitcoin::bip32::{ChainCode, ChildNumber, Fingerprint, Xpriv};
use bitcoin::key::{Keypair, TapTweak};
use bitcoin::secp256k1::{All, Message, Secp256k1, SecretKey};
use strongroom_chain_bitcoin::{BitcoinCodec, FeeRate, Network};
use strongroom_ports::chain::{
    Built, ChainCodec, Effects, Facts, Holding, Move, NoRegistry, OwnCoin, OwnPath, Plan, Slot,
    VaultKey,
};
use strongroom_types::{AttemptKind, Code, ConflictKey, MinorUnits, Refusal, Suite};

pub const CHANGE: OwnPath = OwnPath {
    change: 1,
    index: 7,
};
pub const FOREIGN: &str = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";

/// The key of a vault with its whole secret, which exists only in tests.
pub struct TestVault {
    secp: Secp256k1<All>,
    root: Xpriv,
    pub key: VaultKey,
}

impl TestVault {
    pub fn new(seed: u8, account: u32) -> Self {
        let secp = Secp256k1::new();
        let private_key = SecretKey::from_slice(&[seed; 32]).unwrap();
        let chain_code = [seed ^ 0x55; 32];
        let root = Xpriv {
            network: bitcoin::NetworkKind::Main,
            depth: 0,
            parent_fingerprint: Fingerprint::default(),
            child_number: ChildNumber::Normal { index: 0 },
            private_key,
            chain_code: ChainCode::from(chain_code),
        };
        let public_key = private_key.public_key(&secp).serialize().to_vec();
        let key = VaultKey {
            suite: Suite::FrostSecp256k1Tr,
            public_key,
            chain_code,
            account,
        };
        Self { secp, root, key }
    }

    pub fn sign(&self, slot: &Slot) -> Vec<u8> {
        let path: Vec<_> = slot
            .path
            .iter()
            .map(|index| ChildNumber::from_normal_idx(*index).unwrap())
            .collect();
        let node = self.root.derive_priv(&self.secp, &path).unwrap();
        let tweaked =
            Keypair::from_secret_key(&self.secp, &node.private_key).tap_tweak(&self.secp, None);
        let message = Message::from_digest_slice(&slot.message).unwrap();
        self.secp
            .sign_schnorr_no_aux_rand(&message, &tweaked.to_keypair())
            .serialize()
            .to_vec()
    }

    /// The vault's own script at a path, derived by the library alone, whatever the index.
    pub fn script(&self, path: OwnPath) -> ScriptBuf {
        let full = [86, 1, self.key.account, path.change, path.index];
        let path = full.map(|index| ChildNumber::from_normal_idx(index).unwrap());
        let node = self.root.derive_priv(&self.secp, &path).unwrap();
        let internal = node.private_key.x_only_public_key(&self.secp).0;
        ScriptBuf::new_p2tr(&self.secp, internal, None)
    }

    pub fn sign_all(&self, codec: &BitcoinCodec, unsigned: &[u8]) -> Vec<Vec<u8>> {
        codec
            .inspect(unsigned, &self.key, &NoRegistry)
            .unwrap()
            .slots
            .iter()
            .map(|slot| self.sign(slot))
            .collect()
    }
}

pub fn regtest() -> BitcoinCodec {
    BitcoinCodec::new(Network::Regtest).unwrap()
}

pub fn coin(number: u32, amount: u64) -> OwnCoin {
    OwnCoin {
        key: ConflictKey::Coin(format!("{number:064x}:{}", number % 3)),
        path: OwnPath {
            change: 0,
            index: number % 8,
        },
        asset: Network::Regtest.native_asset().parse().unwrap(),
        amount: amount.into(),
    }
}

pub fn effects(codec: &BitcoinCodec, payments: &[(&str, u64)]) -> Effects {
    let native = &codec.manifest().native;
    let step = |(to, amount): &(&str, u64)| {
        Move::exact(native.clone(), (*to).to_owned(), (*amount).into())
    };
    Effects::of_moves(payments.iter().map(step).collect())
}

/// A plan and the facts of its view.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    pub effects: &'a Effects,
    pub vault: &'a VaultKey,
    pub coins: &'a [OwnCoin],
    pub anchor: Option<&'a ConflictKey>,
    pub fee_rate: u64,
    pub fee_max: MinorUnits,
    pub slots_max: usize,
    pub change: OwnPath,
    pub height: u64,
}

impl Ask<'_> {
    pub fn view(&self, codec: &BitcoinCodec) -> Result<Vec<u8>, Refusal> {
        let holdings: Vec<_> = self.coins.iter().cloned().map(Holding::Coin).collect();
        codec.view(&Facts {
            height: self.height,
            fees: &FeeRate(self.fee_rate).to_bytes(),
            holdings: &holdings,
            taken: &[],
        })
    }

    pub fn build(&self, codec: &BitcoinCodec) -> Result<Built, Refusal> {
        self.plan(codec, AttemptKind::Pay, None)
    }

    pub fn replace(
        &self,
        codec: &BitcoinCodec,
        kind: AttemptKind,
        previous: &[u8],
    ) -> Result<Built, Refusal> {
        self.plan(codec, kind, Some(previous))
    }

    pub fn plan(
        &self,
        codec: &BitcoinCodec,
        kind: AttemptKind,
        previous: Option<&[u8]>,
    ) -> Result<Built, Refusal> {
        let plan = Plan {
            kind,
            effects: self.effects,
            vault: self.vault,
            anchor: self.anchor,
            previous,
            fee_max: self.fee_max,
            slots_max: self.slots_max,
            return_to: self.change,
        };
        codec.build(&plan, &self.view(codec)?)
    }
}

pub fn request<'a>(effects: &'a Effects, vault: &'a VaultKey, coins: &'a [OwnCoin]) -> Ask<'a> {
    Ask {
        effects,
        vault,
        coins,
        anchor: None,
        fee_rate: 2_000,
        fee_max: MinorUnits::from(1_000_000),
        slots_max: 256,
        change: CHANGE,
        height: 800,
    }
}

pub fn code<T>(result: Result<T, Refusal>) -> Code {
    match result {
        Ok(_) => panic!("it was accepted"),
        Err(refusal) => refusal.code,
    }
}
