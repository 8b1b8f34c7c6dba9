//! The transaction: what is signed, and the network bytes.
//!
//! Unsigned, borsh: `version u8 = 1 ‖ sender path ‖ sender key [32] ‖ number u64 ‖ pays [{key [32],
//! amount [32]}] ‖ fee [32] ‖ valid_until u64 ‖ grant: Option<key [32]> ‖ call bytes`. Signed: the
//! same and 64 bytes of Ed25519 signature. The signature is over the whole unsigned form under a
//! tag.

use borsh::{BorshDeserialize, BorshSerialize};
use strongroom_ports::chain::OwnPath;
use strongroom_types::{Code, ConflictKey, MinorUnits, Refusal};

/// Version of the form.
const VERSION: u8 = 1;
/// Largest unsigned form.
const BYTES_MAX: usize = 16 * 1024;
/// Most payments.
pub const PAYS_MAX: usize = 32;
/// Tag of what is signed, so that it is never bytes of another chain.
const TAG: &[u8] = b"chain-probe/transaction/v1\0";

/// A payment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, BorshSerialize, BorshDeserialize)]
pub struct Pay {
    /// Key of the recipient.
    pub to: [u8; 32],
    /// Base units.
    pub amount: MinorUnits,
}

/// An unsigned transaction.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Form {
    version: u8,
    /// Own address that pays.
    pub path: OwnPath,
    /// Key of that address.
    pub sender: [u8; 32],
    /// Number of the transaction among those of the sender.
    pub number: u64,
    /// Payments, ascending.
    pub pays: Vec<Pay>,
    /// Fee, base units.
    pub fee: MinorUnits,
    /// Last height that may include it.
    pub valid_until: u64,
    /// Key that may move everything later; this build never asks for it.
    pub grant: Option<[u8; 32]>,
    /// Bytes for the network's virtual machine, which no one understands.
    pub call: Vec<u8>,
}

fn malformed(detail: &str) -> Refusal {
    Refusal::new(Code::Malformed, detail)
}

impl Form {
    /// A plain payment.
    #[must_use]
    pub fn payment(path: OwnPath, sender: [u8; 32], number: u64, pays: Vec<Pay>) -> Self {
        Self {
            version: VERSION,
            path,
            sender,
            number,
            pays,
            fee: MinorUnits::ZERO,
            valid_until: 0,
            grant: None,
            call: Vec::new(),
        }
    }

    /// The one encoding.
    ///
    /// # Errors
    /// `record_too_large`.
    pub fn encode(&self) -> Result<Vec<u8>, Refusal> {
        let bytes = borsh::to_vec(self).map_err(|e| Refusal::new(Code::Internal, e))?;
        if bytes.len() > BYTES_MAX {
            return Err(Code::RecordTooLarge.into());
        }
        Ok(bytes)
    }

    /// Reads strictly.
    ///
    /// # Errors
    /// `record_too_large`, `unsupported`, `malformed`.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.len() > BYTES_MAX {
            return Err(Code::RecordTooLarge.into());
        }
        let form = Self::try_from_slice(bytes).map_err(|_| malformed("not a probe transaction"))?;
        if form.version != VERSION {
            return Err(Refusal::new(Code::Unsupported, "unknown version"));
        }

        // One list of payments has one order, else two byte strings would be one transaction.
        if form.pays.len() > PAYS_MAX || !form.pays.is_sorted() {
            return Err(malformed("payments ascend and are at most 32"));
        }
        Ok(form)
    }

    /// What two transactions cannot both use up: the sender's number.
    #[must_use]
    pub fn conflict_key(&self) -> ConflictKey {
        conflict_key(&self.sender, self.number)
    }

    /// What is signed.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn message(&self) -> Result<Vec<u8>, Refusal> {
        Ok([TAG, &self.encode()?].concat())
    }
}

/// The sender's account is its public key, in lower-case hex.
#[must_use]
pub fn conflict_key(sender: &[u8; 32], number: u64) -> ConflictKey {
    ConflictKey::Sequence {
        account: hex::encode(sender),
        number,
    }
}

/// Network bytes.
#[must_use]
pub fn signed(unsigned: &[u8], signature: &[u8; 64]) -> Vec<u8> {
    [unsigned, signature].concat()
}

/// Unsigned form and signature of network bytes.
///
/// # Errors
/// `malformed`.
pub fn split(signed: &[u8]) -> Result<(&[u8], &[u8; 64]), Refusal> {
    signed
        .split_last_chunk::<64>()
        .ok_or_else(|| malformed("no room for a signature"))
}
