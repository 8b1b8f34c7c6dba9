//! What can go wrong between a client and its server.

use strongroom_types::Refusal;

/// Why a call gave nothing that may be relied on.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server could not be reached, or its answer could not be read.
    #[error("no answer from the server: {0}")]
    Transport(String),
    /// The server refused (RFC 9457 problem).
    #[error("{code}: {detail}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Stable code, documented in `docs/errors/`.
        code: String,
        /// Subject of the refusal or the code's general meaning, for people.
        detail: String,
    },
    /// The answer contradicts what was recomputed here: a broken or hostile server. Never retry
    /// blindly.
    #[error("the server's answer is not true: {0}")]
    Untrue(String),
    /// A link between the pinned genesis and the claim does not hold.
    #[error("not proved: {0}")]
    NotProved(String),
    /// Not within the time given; it may still happen.
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

    pub(crate) fn untrue(what: impl std::fmt::Display) -> Self {
        Self::Untrue(what.to_string())
    }

    pub(crate) fn not_proved(what: impl std::fmt::Display) -> Self {
        Self::NotProved(what.to_string())
    }
}
