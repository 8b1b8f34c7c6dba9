//! Mode of an installation: development, or production with real value.

use borsh::{BorshDeserialize, BorshSerialize};

/// Development or production. Genesis sets it, and no flag, variable or build can change it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Mode {
    /// Delays may be short; software key protection and embedded parts are allowed.
    Dev = 0,
    /// Production minima hold, and development parts refuse to open.
    Production = 1,
}
