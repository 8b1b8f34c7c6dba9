//! One message to one recipient: HPKE (RFC 9180) base mode with X-Wing, HKDF-SHA-256 and
//! ChaCha20-Poly1305.
//!
//! Only base mode is used: X-Wing has no authenticated mode (the crate panics there), and the
//! signed envelope outside authenticates the sender. The `info` binds the message to its session,
//! direction and parameters.

use borsh::{BorshDeserialize, BorshSerialize};
use hpke::{Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _};
use rand_core::CryptoRngCore;
use std::convert::Infallible;
use zeroize::{Zeroize as _, Zeroizing};

type Kem = hpke::kem::XWing;
type Kdf = hpke::kdf::HkdfSha256;
type Aead = hpke::aead::ChaCha20Poly1305;

/// Length of a sealing public key in bytes.
pub const SEALING_KEY_LEN: usize = 1216;

/// A sealing failure: a malformed key, or a message not sealed to this key under this `info`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sealed message or sealing key invalid")]
pub struct SealError;

/// An X-Wing decapsulation key (32-byte seed).
pub struct SealingSecret(Zeroizing<[u8; 32]>);

impl SealingSecret {
    /// Draws a new key from `rng`.
    pub fn generate(rng: &mut dyn CryptoRngCore) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(seed.as_mut());
        Self(seed)
    }

    /// Key with this seed. The caller wipes its own copy.
    #[must_use]
    pub fn from_bytes(seed: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*seed))
    }

    /// Seed of the key, for protected storage.
    #[must_use]
    pub fn to_secret_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.0.clone()
    }

    /// The public key, [`SEALING_KEY_LEN`] bytes.
    ///
    /// # Errors
    /// Never for a seed of 32 bytes; the library's type has an error all the same.
    pub fn public_key(&self) -> Result<Vec<u8>, SealError> {
        let secret =
            <Kem as hpke::Kem>::PrivateKey::from_bytes(self.0.as_ref()).map_err(|_| SealError)?;
        Ok(Kem::sk_to_pk(&secret).to_bytes().to_vec())
    }
}

impl std::fmt::Debug for SealingSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingSecret(..)")
    }
}

/// A sealed message as it travels.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Sealed {
    /// X-Wing ciphertext (1120 bytes).
    pub encapsulated: Vec<u8>,
    /// ChaCha20-Poly1305 ciphertext with its tag.
    pub ciphertext: Vec<u8>,
}

/// Seals `plaintext` to `recipient` under `info`.
///
/// # Errors
/// [`SealError`] when `recipient` is not an X-Wing key.
pub fn seal(
    recipient: &[u8],
    info: &[u8],
    plaintext: &[u8],
    rng: &mut dyn CryptoRngCore,
) -> Result<Sealed, SealError> {
    let recipient = <Kem as hpke::Kem>::PublicKey::from_bytes(recipient).map_err(|_| SealError)?;

    // RFC 9180 §6.1: each message has a context of its own, so no AEAD nonce repeats.
    let (encapsulated, ciphertext) = hpke::single_shot_seal_with_rng::<Aead, Kdf, Kem>(
        &OpModeS::Base,
        &recipient,
        info,
        plaintext,
        &[],
        &mut Randomness(rng),
    )
    .map_err(|_| SealError)?;

    Ok(Sealed {
        encapsulated: encapsulated.to_bytes().to_vec(),
        ciphertext,
    })
}

/// Opens a message that [`seal`] made for `secret` under the same `info`.
///
/// # Errors
/// [`SealError`] for any other key, `info` or changed byte.
pub fn open(
    secret: &SealingSecret,
    info: &[u8],
    sealed: &Sealed,
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let secret =
        <Kem as hpke::Kem>::PrivateKey::from_bytes(secret.0.as_ref()).map_err(|_| SealError)?;
    let encapsulated =
        <Kem as hpke::Kem>::EncappedKey::from_bytes(&sealed.encapsulated).map_err(|_| SealError)?;

    hpke::single_shot_open::<Aead, Kdf, Kem>(
        &OpModeR::Base,
        &secret,
        &encapsulated,
        info,
        &sealed.ciphertext,
        &[],
    )
    .map(Zeroizing::new)
    .map_err(|_| SealError)
}

/// Whether `bytes` is the one encoding of an X-Wing public key.
pub(crate) fn is_sealing_key(bytes: &[u8]) -> bool {
    // The key is encoded again and compared: two encodings of one key would pass the check that no
    // two members share a key.
    <Kem as hpke::Kem>::PublicKey::from_bytes(bytes)
        .is_ok_and(|key| key.to_bytes().as_slice() == bytes)
}

/// A rand_core 0.6 source behind the interface of the version that HPKE uses.
struct Randomness<'a>(&'a mut dyn CryptoRngCore);

impl hpke::rand_core::TryRng for Randomness<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.0.next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.next_u64())
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        // The buffer is cleared first: if a source filled only a part, the caller's old bytes must
        // not be taken for randomness.
        out.zeroize();
        self.0.fill_bytes(out);
        Ok(())
    }
}

impl hpke::rand_core::TryCryptoRng for Randomness<'_> {}
