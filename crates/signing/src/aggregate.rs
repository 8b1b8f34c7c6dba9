//! Aggregation of the signature shares of a whole request, slot by slot.

use std::collections::BTreeMap;

use strongroom_mpc_core::signing::{AggregateFault, PublicKeys, SignatureShare, SigningPackage};

/// Reason for which the shares of a request make no signatures.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SharesFault {
    /// Shares that are missing or are not 32 bytes.
    #[error("missing or malformed signature shares of signers {culprits:?}")]
    Malformed {
        /// Roster indices of their signers, ascending.
        culprits: Vec<u16>,
    },
    /// Shares that make no valid signature.
    #[error("the signature shares do not add up")]
    Aggregate(#[from] AggregateFault),
}

impl SharesFault {
    /// Roster indices of the signers at fault; empty when no share is at fault.
    #[must_use]
    pub fn culprits(&self) -> Vec<u16> {
        match self {
            Self::Malformed { culprits } => culprits.clone(),
            Self::Aggregate(fault) => fault.culprits(),
        }
    }
}

/// Makes one verified signature per package (RFC 9591 §5.3). `shares` holds, for each participant,
/// one share per package in the same order, each in the group's scalar encoding.
///
/// # Errors
/// [`SharesFault`] of the first package that gets no valid signature.
pub fn aggregate(
    keys: &mut PublicKeys,
    packages: &[SigningPackage],
    shares: &BTreeMap<u16, Vec<Vec<u8>>>,
) -> Result<Vec<Vec<u8>>, SharesFault> {
    let mut signatures = Vec::with_capacity(packages.len());
    for (slot, package) in packages.iter().enumerate() {
        // The loop ends at the first slot that fails, because a transaction without one of its
        // signatures cannot be sent.
        let of_slot = shares_of_slot(package, slot, shares)?;
        signatures.push(keys.aggregate(package, &of_slot)?);
    }
    Ok(signatures)
}

/// The share of every participant for one slot. The index is that of the authenticated sender,
/// never one from the share.
fn shares_of_slot(
    package: &SigningPackage,
    slot: usize,
    shares: &BTreeMap<u16, Vec<Vec<u8>>>,
) -> Result<Vec<SignatureShare>, SharesFault> {
    let (mut of_slot, mut culprits) = (Vec::new(), Vec::new());
    for index in package.commitments.keys() {
        // A signer without a share for this slot is a culprit like one with a wrong share, because
        // the quorum needs every share.
        let bytes = shares.get(index).and_then(|all| all.get(slot));
        match bytes.and_then(|bytes| bytes.as_slice().try_into().ok()) {
            Some(share) => of_slot.push(SignatureShare {
                index: *index,
                share,
            }),
            None => culprits.push(*index),
        }
    }

    // All culprits are named at once, so that the coordinator can replace every one before its next
    // try.
    if culprits.is_empty() {
        Ok(of_slot)
    } else {
        Err(SharesFault::Malformed { culprits })
    }
}
