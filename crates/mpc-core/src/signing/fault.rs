//! Reasons for which a key share makes no commitments or no signature share.

use super::package::PackageFault;
use crate::StepError;
use crate::hd::HdError;

/// Reason for which no commitments were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PrepareFault {
    /// The stock would exceed [`super::NONCES_MAX`].
    #[error("nonce stock full")]
    StockFull,
    /// The nonce numbers are used up, or the library failed.
    #[error("commitments cannot be made")]
    Failed,
}

/// Reason for which a package is not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignFault {
    /// The package is wrong for every signer.
    #[error(transparent)]
    Package(#[from] PackageFault),
    /// The package has no commitment of this signer.
    #[error("not a participant of the package")]
    NotParticipant,
    /// The commitment is of another run of the process, or was never published.
    #[error("commitment unknown")]
    CommitmentUnknown,
    /// The package's commitment is not the one published under that number.
    #[error("commitment differs from the published one")]
    CommitmentMismatch,
    /// The nonce was used for another package, or for this one and its answer is no longer kept.
    #[error("nonce already used")]
    NonceUsed,
    /// The path cannot be derived.
    #[error(transparent)]
    Path(#[from] HdError),
    /// The library refused; the nonce is destroyed.
    #[error("signing failed")]
    Failed(#[source] StepError),
}

impl SignFault {
    /// Participants that the fault concerns; see [`PackageFault::culprits`].
    #[must_use]
    pub fn culprits(&self) -> Vec<u16> {
        match self {
            Self::Package(fault) => fault.culprits(),
            Self::NotParticipant
            | Self::CommitmentUnknown
            | Self::CommitmentMismatch
            | Self::NonceUsed
            | Self::Path(_)
            | Self::Failed(_) => Vec::new(),
        }
    }
}
