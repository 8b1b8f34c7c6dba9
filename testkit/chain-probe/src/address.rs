//! Addresses: `prb1`, the account's Ed25519 key in hex, and a checksum of both.

use strongroom_mpc_core::ChildPath;
use strongroom_mpc_core::hd::ed25519::derive_public;
use strongroom_ports::chain::{OwnPath, VaultKey};
use strongroom_types::registry::{ACCOUNT_INDEX_MAX, ADDRESS_INDEX_MAX};
use strongroom_types::{Code, Refusal, Suite, digest, text};

const PREFIX: &str = "prb1";
/// Bytes of the checksum.
const CHECK: usize = 4;
/// First steps of every derivation path.
const PURPOSE: [u32; 2] = [86, 7];

/// The address of a key.
#[must_use]
pub fn of_key(key: &[u8; 32]) -> String {
    let check = digest("chain-probe/address/v1", &[key]);
    let check = check.0.get(..CHECK).unwrap_or_default();
    format!("{PREFIX}{}{}", hex::encode(key), hex::encode(check))
}

/// The key of an address in its one form.
///
/// # Errors
/// `address_invalid`.
pub fn parse(address: &str) -> Result<[u8; 32], Refusal> {
    let invalid = || Refusal::new(Code::AddressInvalid, "not an address of the probe chain");
    let digits = address.strip_prefix(PREFIX).ok_or_else(invalid)?;
    let key = digits.get(..64).and_then(text::lower_hex);
    let key: [u8; 32] = key.ok_or_else(invalid)?;

    // The text is compared whole: one character more, or upper case, is another text.
    if of_key(&key) == address {
        Ok(key)
    } else {
        Err(invalid())
    }
}

/// The full derivation path of an account of the vault.
#[must_use]
pub fn full_path(vault: &VaultKey, path: OwnPath) -> Vec<u32> {
    PURPOSE
        .into_iter()
        .chain([vault.account, path.change, path.index])
        .collect()
}

/// The key of an account of the vault.
///
/// # Errors
/// `unsupported`, `malformed`, `path_not_own`.
pub fn own_key(vault: &VaultKey, path: OwnPath) -> Result<[u8; 32], Refusal> {
    if vault.suite != Suite::FrostEd25519 {
        let detail = "the probe chain needs a frost-ed25519 key";
        return Err(Refusal::new(Code::Unsupported, detail));
    }

    // An index beyond the bound is not watched: what returns there is lost.
    let in_bounds = vault.account < ACCOUNT_INDEX_MAX && path.index < ADDRESS_INDEX_MAX;
    if !in_bounds || path.change > 1 {
        return Err(Refusal::new(Code::PathNotOwn, format!("{path:?}")));
    }

    let malformed = || Refusal::new(Code::Malformed, "the group key is not an Ed25519 key");
    let root: &[u8; 32] = vault
        .public_key
        .as_slice()
        .try_into()
        .map_err(|_| malformed())?;
    let steps = ChildPath::new(full_path(vault, path)).map_err(|_| malformed())?;
    derive_public(root, &vault.chain_code, &steps).map_err(|_| malformed())
}
