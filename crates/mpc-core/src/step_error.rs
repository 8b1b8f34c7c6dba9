//! Cause of a step that failed without any peer's fault.

use crate::record::RecordError;
use crate::seal::SealError;
use crate::suite::Suite;

/// Error below a failed step of key generation or signing, for this signer's log. It holds no
/// secret: frost's errors hold fixed words and roster identifiers, of which the words are kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// The FROST library refused, with these words.
    #[error("{0}")]
    Frost(String),
    /// A message was not sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The record that was made does not check.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A scalar's encoding has another length.
    #[error("a scalar of {0} bytes, not 32")]
    ScalarLength(usize),
    /// A value that was made before is gone.
    #[error("{0} is missing")]
    Missing(&'static str),
}

impl<C: Suite> From<frost_core::Error<C>> for StepError {
    fn from(error: frost_core::Error<C>) -> Self {
        // The type of frost's error names the curve, which no caller sees. The error of a field or
        // group is below it.
        let below = match &error {
            frost_core::Error::FieldError(below) => Some(below.to_string()),
            frost_core::Error::GroupError(below) => Some(below.to_string()),
            _ => None,
        };
        Self::Frost(below.map_or_else(|| error.to_string(), |below| format!("{error} {below}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::Ed;
    use frost_core::{Error, FieldError};

    #[test]
    fn frosts_words_are_kept_down_to_the_field() {
        let text = |error: Error<Ed>| StepError::from(error).to_string();
        assert_eq!(text(Error::UnknownIdentifier), "Unknown identifier.");
        assert_eq!(
            text(Error::FieldError(FieldError::InvalidZeroScalar)),
            "Error in scalar Field. Invalid for this scalar to be zero."
        );
    }
}
