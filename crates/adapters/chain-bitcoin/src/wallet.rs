//! The scripts of a vault. Keys are at m/86/coin/account/change/index, all non-hardened from the
//! group key, with exactly one TapTweak without script tree (BIP-32, BIP-86, BIP-341).

use crate::Network;
use bitcoin::bip32::{ChainCode, ChildNumber, Fingerprint, Xpub};
use bitcoin::key::{TapTweak, TweakedPublicKey};
use bitcoin::secp256k1::{PublicKey, Secp256k1, VerifyOnly};
use bitcoin::{NetworkKind, ScriptBuf};
use strongroom_guard::{G, guard};
use strongroom_ports::chain::{OwnPath, VaultKey};
use strongroom_types::registry::{ACCOUNT_INDEX_MAX, ADDRESS_INDEX_MAX};
use strongroom_types::{Code, Refusal, Suite};

/// First step of the path, the purpose of BIP-86.
const PURPOSE: u32 = 86;

/// A vault on one Bitcoin network, with both of its branches derived.
pub struct Wallet<'a> {
    secp: &'a Secp256k1<VerifyOnly>,
    prefix: [u32; 3],
    receive: Xpub,
    change: Xpub,
}

fn not_own(detail: impl std::fmt::Display) -> Refusal {
    Refusal::new(Code::PathNotOwn, detail)
}

impl<'a> Wallet<'a> {
    /// Derives both branches of a vault. The group key is taken as the root as it is, with the
    /// tweak of its key generation.
    pub fn new(
        secp: &'a Secp256k1<VerifyOnly>,
        network: Network,
        vault: &VaultKey,
    ) -> Result<Self, Refusal> {
        // A Taproot output needs BIP-340 signatures, so a key of another suite could never spend
        // what is paid to it.
        if vault.suite != Suite::FrostSecp256k1Tr {
            return Err(Refusal::new(
                Code::Unsupported,
                "Bitcoin needs a frost-secp256k1-tr key",
            ));
        }

        if vault.account >= ACCOUNT_INDEX_MAX {
            return Err(not_own("account out of bounds"));
        }

        // The library also reads uncompressed keys. They are refused, because one key must have one
        // encoding.
        let compressed = vault.public_key.len() == 33;
        let key = PublicKey::from_slice(&vault.public_key)
            .ok()
            .filter(|_| compressed)
            .ok_or_else(|| {
                Refusal::new(
                    Code::Malformed,
                    "the group key is not a compressed public key",
                )
            })?;

        // BIP-32 derivation uses only key and chain code; depth, parent and network appear in the
        // text form alone.
        let root = Xpub {
            network: NetworkKind::Main,
            depth: 0,
            parent_fingerprint: Fingerprint::default(),
            child_number: ChildNumber::Normal { index: 0 },
            public_key: key,
            chain_code: ChainCode::from(vault.chain_code),
        };

        let prefix = [PURPOSE, network.coin_type(), vault.account];
        let account = prefix
            .iter()
            .try_fold(root, |parent, index| child(secp, &parent, *index))?;

        let receive = child(secp, &account, 0)?;
        let change = child(secp, &account, 1)?;

        Ok(Self {
            secp,
            prefix,
            receive,
            change,
        })
    }

    /// The tweaked output key of the vault at this path.
    pub fn output_key(&self, path: OwnPath) -> Result<TweakedPublicKey, Refusal> {
        let branch = match path.change {
            0 => &self.receive,
            1 => &self.change,
            other => return Err(not_own(format!("there is no branch {other}"))),
        };

        // No service watches indices beyond the bound: a coin there would belong to the vault and
        // never be noticed.
        if guard(G::PathBounds, path.index >= ADDRESS_INDEX_MAX) {
            return Err(not_own(format!(
                "address index {} out of bounds",
                path.index
            )));
        }

        let internal = child(self.secp, branch, path.index)?.to_x_only_pub();
        Ok(internal.tap_tweak(self.secp, None).0)
    }

    /// The P2TR script of the vault at this path.
    pub fn script(&self, path: OwnPath) -> Result<ScriptBuf, Refusal> {
        self.output_key(path).map(ScriptBuf::new_p2tr_tweaked)
    }

    /// The full derivation path, from the group key.
    pub fn full_path(&self, path: OwnPath) -> Vec<u32> {
        self.prefix
            .into_iter()
            .chain([path.change, path.index])
            .collect()
    }
}

fn child(secp: &Secp256k1<VerifyOnly>, parent: &Xpub, index: u32) -> Result<Xpub, Refusal> {
    let number = ChildNumber::from_normal_idx(index).map_err(not_own)?;
    // A child key that does not exist has probability 2^-127 (BIP-32); the caller then takes
    // another index.
    parent.ckd_pub(secp, number).map_err(not_own)
}
