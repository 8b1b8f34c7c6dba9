//! Child keys of shares and of public packages.

use super::Tweak;
use crate::PublicKeyRecord;
use crate::hd::{ChildPath, HdError};
use crate::suite::Suite;
use frost_core::keys::{KeyPackage, PublicKeyPackage, SigningShare, VerifyingShare};
use frost_core::{Ciphersuite, Field, Group, Scalar, VerifyingKey};
use std::collections::BTreeMap;

/// Scalar that is added to the root to get the key at `path`. It is derived from the record and
/// never taken from a message: a scalar that an attacker chooses would allow a related-key attack.
fn added<C: Suite>(key: &PublicKeyRecord, path: &ChildPath) -> Result<Scalar<C>, HdError> {
    let (_, tweak) = C::derive(&key.group_key, &key.chain_code, path)?;

    let encoded = tweak.as_slice().try_into().map_err(|_| HdError::Unusable)?;
    <<C::Group as Group>::Field as Field>::deserialize(&encoded).map_err(|_| HdError::Unusable)
}

/// Share of the child at `path`: `s + a` for the root's share `s` and the added scalar `a`, then
/// the tweak (one TapTweak for Taproot).
pub(super) fn child_share<C: Suite>(
    key: &PublicKeyRecord,
    root: &KeyPackage<C>,
    path: &ChildPath,
    tweak: Tweak,
) -> Result<KeyPackage<C>, HdError> {
    let scalar = added::<C>(key, path)?;
    let point = C::Group::generator() * scalar;

    // The Lagrange coefficients of a quorum sum to 1, so adding the scalar to every share adds it
    // once to the secret.
    let child = KeyPackage::new(
        *root.identifier(),
        SigningShare::new(root.signing_share().to_scalar() + scalar),
        VerifyingShare::new(root.verifying_share().to_element() + point),
        VerifyingKey::new(root.verifying_key().to_element() + point),
        *root.min_signers(),
    );

    match tweak {
        Tweak::None => Ok(child),
        Tweak::Bip341 => C::tap_tweak_share(child).ok_or(HdError::Unusable),
    }
}

/// Public package of the child at `path`, with the tweak applied. Verifying shares are derived only
/// when `shares` is true; a caller that needs only the key saves that work.
pub(super) fn child_public<C: Suite>(
    key: &PublicKeyRecord,
    root: &PublicKeyPackage<C>,
    shares: bool,
    path: &ChildPath,
    tweak: Tweak,
) -> Result<PublicKeyPackage<C>, HdError> {
    let scalar = added::<C>(key, path)?;
    let point = <C as Ciphersuite>::Group::generator() * scalar;

    let verifying_shares: BTreeMap<_, _> = root
        .verifying_shares()
        .iter()
        .filter(|_| shares)
        .map(|(id, share)| (*id, VerifyingShare::new(share.to_element() + point)))
        .collect();

    let child = PublicKeyPackage::new(
        verifying_shares,
        VerifyingKey::new(root.verifying_key().to_element() + point),
        root.min_signers(),
    );

    match tweak {
        Tweak::None => Ok(child),
        Tweak::Bip341 => C::tap_tweak_public(child).ok_or(HdError::Unusable),
    }
}
