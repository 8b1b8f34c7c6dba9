//! The one rule by which an Ed25519 signature is verified.
//!
//! RFC 8032 §5.1.7 allows two equations, and verifiers differ on small-order keys. The strict rule
//! is used everywhere and never in a batch: replicas that disagreed on one signature would compute
//! different states.

#[cfg(feature = "verified-memo")]
mod memo;

use ed25519_dalek::{Signature, VerifyingKey};
#[cfg(feature = "verified-memo")]
use memo::known_or;
use strongroom_guard::{G, kept};

/// Whether this build remembers which signatures it verified. Never in a shipped program: each
/// refuses to compile then.
pub const REMEMBERS: bool = cfg!(feature = "verified-memo");

/// A signature beside what it is said to be of.
#[derive(Clone, Copy)]
struct Claim<'a> {
    key: &'a [u8; 32],
    message: &'a [u8],
    signature: &'a [u8; 64],
}

#[cfg(not(feature = "verified-memo"))]
fn known_or(_: Claim<'_>, verify: impl FnOnce() -> bool) -> bool {
    verify()
}

fn strictly(key: &VerifyingKey, claim: Claim<'_>) -> bool {
    let signature = Signature::from_bytes(claim.signature);
    let verdict = kept!(
        G::StrictEd25519,
        key.verify_strict(claim.message, &signature),
        instead ed25519_dalek::Verifier::verify(key, claim.message, &signature)
    );
    verdict.is_ok()
}

/// Whether `signature` is the key's over `message`: canonical encodings, no small order, no
/// cofactor.
#[must_use]
pub fn verify(key: &VerifyingKey, message: &[u8], signature: &[u8; 64]) -> bool {
    let claim = Claim {
        key: key.as_bytes(),
        message,
        signature,
    };
    known_or(claim, || strictly(key, claim))
}

/// [`verify`] under a key that is not decoded yet; `false` also when its bytes encode none.
#[must_use]
pub fn verify_bytes(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let claim = Claim {
        key,
        message,
        signature,
    };
    known_or(claim, || {
        VerifyingKey::from_bytes(claim.key).is_ok_and(|key| strictly(&key, claim))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer as _, SigningKey};

    /// Judged twice in both forms, so that what is remembered is judged too.
    fn judge(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
        let once = verify_bytes(key, message, signature);
        let decoded = VerifyingKey::from_bytes(key);
        let decoded = decoded.is_ok_and(|key| verify(&key, message, signature));
        assert_eq!(decoded, once);
        assert_eq!(verify_bytes(key, message, signature), once);
        once
    }

    #[test]
    fn any_other_key_message_or_signature_is_refused_before_and_after_the_true_one() {
        let signer = SigningKey::from_bytes(&[7; 32]);
        let key = signer.verifying_key().to_bytes();
        let signature = signer.sign(b"message").to_bytes();
        let other = SigningKey::from_bytes(&[8; 32]);
        for _ in 0..2 {
            assert!(!judge(
                &other.verifying_key().to_bytes(),
                b"message",
                &signature
            ));
            assert!(!judge(&key, b"messagf", &signature));
            assert!(!judge(&key, b"message\0", &signature));
            assert!(!judge(&key, b"", &signature));
            for at in 0..64 {
                let mut changed = signature;
                changed[at] ^= 1;
                assert!(!judge(&key, b"message", &changed), "byte {at}");
            }
            assert!(judge(&key, b"message", &signature));
        }
    }

    #[test]
    fn a_key_of_small_order_and_bytes_that_encode_none_verify_nothing() {
        // The neutral element: under it R = s·B holds for every message with the plain equation.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let mut signature = [0; 64];
        signature[0] = 1;
        let key = VerifyingKey::from_bytes(&neutral).unwrap();
        assert!(key.is_weak());
        assert!(!judge(&neutral, b"message", &signature));

        let mut bytes = (0..=u8::MAX).map(|byte| [byte; 32]);
        let no_key = bytes.find(|bytes| VerifyingKey::from_bytes(bytes).is_err());
        assert!(!judge(&no_key.unwrap(), b"message", &signature));
    }
}
