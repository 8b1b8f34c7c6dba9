//! Entries of the journal.

use crate::text::Hex;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An entry: the platform's and the caller's own in full, of any other its public leaf.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct EntryInfo {
    /// Journal time, Unix milliseconds.
    pub at_ms: u64,
    /// Class of the body: 0 control, 1 act, 2 payment, 3 ceremony.
    pub class: u8,
    /// Borsh of the public leaf.
    pub leaf: Hex,
    /// Borsh of the sealed entry; `null` when it is another tenant's.
    #[schema(required)]
    pub sealed: Option<Hex>,
    /// Position in the journal, from 0.
    pub seq: u64,
}
