//! Errors between a client and its server.

use std::error::Error;
use std::fmt::Write as _;
use strongroom_types::Refusal;

/// Error below another one, or a sentence in its place.
pub type SourceError = Box<dyn Error + Send + Sync>;

/// Reason for which a call gave nothing that may be relied on. `Display` is the outermost sentence;
/// [`with_causes`] is the whole of it.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server could not be reached, or its answer could not be read.
    #[error("no answer from the server")]
    Transport(#[source] SourceError),
    /// The server refused (RFC 9457 problem).
    #[error("{code}: {detail}")]
    Refused {
        /// HTTP status of the answer.
        status: u16,
        /// Stable code, documented in `docs/errors/`.
        code: String,
        /// Subject of the refusal or the code's general meaning, for people.
        detail: String,
    },
    /// The answer contradicts what was recomputed here: a broken or hostile server. Never retry
    /// blindly.
    #[error("the server's answer is not true")]
    Untrue(#[source] SourceError),
    /// A link between the pinned genesis and the claim does not hold.
    #[error("not proved")]
    NotProved(#[source] SourceError),
    /// The awaited event did not happen within the time given; it may still happen.
    #[error("not within the time given: {0}")]
    TooLong(String),
    /// A text or entry is refused by the rules themselves.
    #[error(transparent)]
    Rule(#[from] Refusal),
}

impl ClientError {
    /// The stable code, where there is one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            Self::Rule(refusal) => Some(refusal.code.as_str()),
            Self::Transport(_) | Self::Untrue(_) | Self::NotProved(_) | Self::TooLong(_) => None,
        }
    }

    pub(crate) fn transport(cause: impl Into<SourceError>) -> Self {
        Self::Transport(cause.into())
    }

    pub(crate) fn untrue(cause: impl Into<SourceError>) -> Self {
        Self::Untrue(cause.into())
    }

    pub(crate) fn not_proved(cause: impl Into<SourceError>) -> Self {
        Self::NotProved(cause.into())
    }
}

/// An error and its causes on one line, outermost first.
#[must_use]
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a `String` cannot fail.
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use strongroom_types::Code;

    #[test]
    fn an_error_prints_no_cause_and_its_chain_prints_each_once() {
        let error = ClientError::untrue(Refusal::new(Code::BadSignature, "of the act"));
        assert_eq!(error.to_string(), "the server's answer is not true");
        assert_eq!(
            with_causes(&error),
            "the server's answer is not true: bad_signature: of the act"
        );
        let error = ClientError::not_proved("too few witnesses cosigned");
        assert_eq!(
            with_causes(&error),
            "not proved: too few witnesses cosigned"
        );
    }
}
