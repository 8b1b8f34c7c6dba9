//! Inputs of the signing core: public records, stored shares, packages, signature shares, sealed
//! messages.

use super::{SEEDS, Target, same};
use crate::generate;
use ed25519_dalek::SigningKey;
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng as _};
use std::sync::OnceLock;
use strongroom_mpc_core::seal::{Sealed, SealingSecret, open, seal};
use strongroom_mpc_core::signing::{PublicKeys, SignatureShare, SigningPackage};
use strongroom_mpc_core::{KeyShareRecord, PublicKeyRecord, SuiteId};
use zeroize::Zeroizing;

const INFO: &[u8] = b"strongroom/fuzz";
const PLAINTEXT: &[u8] = b"a share for one recipient";

pub(super) fn targets() -> Vec<Target> {
    vec![
        Target {
            name: "signing_package",
            run: package,
            seeds: packages,
        },
        Target {
            name: "signature_share",
            run: share,
            seeds: shares,
        },
        Target {
            name: "sealed_message",
            run: sealed_message,
            seeds: |_| sealed().clone(),
        },
        Target {
            name: "public_key_record",
            run: public_record,
            seeds: |_| vec![record().to_bytes()],
        },
        Target {
            name: "stored_key_share",
            run: stored_share,
            seeds: |_| stored().into_iter().collect(),
        },
    ]
}

fn package(data: &[u8]) -> bool {
    let Ok(package) = SigningPackage::from_bytes(data) else {
        return false;
    };
    // The points are decoded when the package is signed; here only a panic is of interest.
    for commitment in package.commitments.values() {
        let _ = commitment.is_well_formed(package.suite);
    }
    same(&package.to_bytes(), data)
}

fn packages(rng: &mut dyn RngCore) -> Vec<Vec<u8>> {
    let made = (0..SEEDS).filter_map(|_| generate::value::<SigningPackage>(rng));
    made.map(|package| package.to_bytes())
        .filter(|bytes| self::package(bytes))
        .collect()
}

fn share(data: &[u8]) -> bool {
    SignatureShare::from_bytes(data).is_ok_and(|share| same(&share.to_bytes(), data))
}

fn shares(rng: &mut dyn RngCore) -> Vec<Vec<u8>> {
    let made = (0..SEEDS).filter_map(|_| generate::value::<SignatureShare>(rng));
    made.map(|one| one.to_bytes())
        .filter(|bytes| share(bytes))
        .collect()
}

/// A record that decodes is opened: nothing that it holds is decoded later only.
fn public_record(data: &[u8]) -> bool {
    PublicKeyRecord::from_bytes(data).is_ok_and(|record| {
        assert!(PublicKeys::open(record.clone()).is_ok(), "a point unread");
        same(&record.to_bytes(), data)
    })
}

fn stored_share(data: &[u8]) -> bool {
    KeyShareRecord::from_secret_bytes(data)
        .is_ok_and(|record| same(&record.to_secret_bytes(), data))
}

/// All messages that one recipient was ever sent.
fn sealed() -> &'static Vec<Vec<u8>> {
    static SEALED: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    SEALED.get_or_init(|| {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let public = SealingSecret::from_bytes(&[8; 32]).public_key();
        let sealed = public.and_then(|recipient| seal(&recipient, INFO, PLAINTEXT, &mut rng));
        sealed
            .iter()
            .filter_map(|sealed| borsh::to_vec(sealed).ok())
            .collect()
    })
}

/// Whatever opens is exactly what was sealed.
fn sealed_message(data: &[u8]) -> bool {
    let Ok(message) = borsh::from_slice::<Sealed>(data) else {
        return false;
    };
    let opened = open(&SealingSecret::from_bytes(&[8; 32]), INFO, &message);
    assert!(
        opened
            .as_ref()
            .map_or(true, |plaintext| plaintext.as_slice() == PLAINTEXT),
        "a forged sealed message"
    );
    opened.is_ok() && sealed().iter().any(|known| same(data, known))
}

fn key(index: u16) -> SigningKey {
    let [low, high] = index.to_le_bytes();
    SigningKey::from_bytes(&[high ^ low; 32])
}

fn record() -> PublicKeyRecord {
    let point = |index: u16| key(index).verifying_key().to_bytes().to_vec();
    PublicKeyRecord {
        suite: SuiteId::FrostEd25519,
        key_id: b"tenant/key".to_vec(),
        epoch: 1,
        min_signers: 2,
        group_key: point(9),
        verifying_shares: (1..=3).map(|index| (index, point(index))).collect(),
        chain_code: [4; 32],
    }
}

fn stored() -> Option<Vec<u8>> {
    let secret = Zeroizing::new(key(1).to_scalar().to_bytes());
    let share = KeyShareRecord::new(1, secret, record(), [2; 32], [3; 32]).ok()?;
    Some(share.to_secret_bytes().to_vec())
}
