//! Time as Unix milliseconds.

use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;
use std::str::FromStr;

/// Milliseconds since 1970-01-01 UTC. Text form: decimal digits without leading zeros.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Debug,
    BorshSerialize,
    BorshDeserialize,
)]
pub struct UnixMs(pub u64);

impl UnixMs {
    /// This time plus `ms` milliseconds, saturating at the largest time.
    #[must_use]
    pub const fn plus(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this time; 0 when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The time at which a Unix second begins, saturating at the end of time.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Unix second that this time is in.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0 / 1000
    }

    /// The same time in Unix microseconds, the unit of timelines.
    #[must_use]
    pub const fn micros(self) -> u64 {
        self.0.saturating_mul(1000)
    }
}

impl fmt::Display for UnixMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Text that is not a canonical decimal number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a number is decimal digits without leading zeros, within 64 bits")]
pub struct NotANumber;

/// Parses canonical decimal digits ("0", "17", never "017", "+1" or "").
pub fn canonical_u64(text: &str) -> Result<u64, NotANumber> {
    let number: u64 = text.parse().map_err(|_| NotANumber)?;

    // The library also parses `+17` and `017`, but one number must have one text.
    if number.to_string() == text {
        Ok(number)
    } else {
        Err(NotANumber)
    }
}

impl FromStr for UnixMs {
    type Err = NotANumber;

    fn from_str(text: &str) -> Result<Self, NotANumber> {
        canonical_u64(text).map(Self)
    }
}
