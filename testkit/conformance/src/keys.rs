//! Cases of the key protector port.

use strongroom_ports::keys::{KeyProtector, KeyProtectorError};

const AAD: &[u8] = b"tenant/key/signer/epoch/commitment";
const SECRET: &[u8] = b"a share of thirty-two bytes, yes";

fn integrity(result: Result<impl Sized, KeyProtectorError>) -> bool {
    matches!(result, Err(KeyProtectorError::Integrity))
}

/// A wrapped secret unwraps to the same bytes, an empty and a long one too.
pub fn what_was_wrapped_unwraps(p: &impl KeyProtector, _: &impl KeyProtector) {
    for secret in [SECRET, &[], &[9; 10_000]] {
        let blob = p.wrap(AAD, secret).unwrap();
        assert_eq!(p.unwrap(AAD, &blob).unwrap().as_slice(), secret);
    }
}

/// The associated data is bound.
pub fn another_aad_is_an_integrity_failure(p: &impl KeyProtector, _: &impl KeyProtector) {
    let blob = p.wrap(AAD, SECRET).unwrap();
    assert!(integrity(p.unwrap(b"", &blob)));
    assert!(integrity(p.unwrap(&AAD[1..], &blob)));
}

/// A change of any bit is noticed.
pub fn any_flipped_bit_is_an_integrity_failure(p: &impl KeyProtector, _: &impl KeyProtector) {
    let blob = p.wrap(AAD, SECRET).unwrap();
    for bit in 0..blob.len() * 8 {
        let mut bad = blob.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(integrity(p.unwrap(AAD, &bad)), "bit {bit}");
    }
}

/// A change of the length is noticed.
pub fn a_truncated_or_longer_blob_is_an_integrity_failure(
    p: &impl KeyProtector,
    _: &impl KeyProtector,
) {
    let mut blob = p.wrap(AAD, SECRET).unwrap();
    for len in 0..blob.len() {
        assert!(integrity(p.unwrap(AAD, &blob[..len])), "{len} bytes");
    }
    blob.push(0);
    assert!(integrity(p.unwrap(AAD, &blob)));
}

/// Another key opens nothing.
pub fn another_key_is_an_integrity_failure(p: &impl KeyProtector, other: &impl KeyProtector) {
    assert!(integrity(other.unwrap(AAD, &p.wrap(AAD, SECRET).unwrap())));
}

/// A nonce is never used twice.
pub fn wrapping_twice_gives_different_blobs(p: &impl KeyProtector, _: &impl KeyProtector) {
    let mut blobs: Vec<_> = (0..200).map(|_| p.wrap(AAD, SECRET).unwrap()).collect();
    blobs.sort();
    blobs.dedup();
    assert_eq!(blobs.len(), 200);
}

/// Nothing of the secret is in the blob.
pub fn the_blob_does_not_show_the_secret(p: &impl KeyProtector, _: &impl KeyProtector) {
    let blob = p.wrap(AAD, SECRET).unwrap();
    assert!(!blob.windows(8).any(|w| SECRET.windows(8).any(|s| s == w)));
}
