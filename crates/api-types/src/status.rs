//! The server's replica.

use crate::text::{DigestText, PlatformIdText};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far this server's replica is. It says nothing of any tenant.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct StatusInfo {
    /// Hash of the genesis it replays from.
    pub genesis: DigestText,
    /// The 16 words of the hash, for people to compare.
    pub genesis_words: Vec<String>,
    /// Code of the contradiction for which the replica has stopped; `null` while it runs.
    #[schema(required)]
    pub halted: Option<String>,
    /// Size and witnesses of the replica's journal.
    pub journal: JournalStatus,
    /// Development or production, as genesis says.
    pub mode: ModeName,
    /// The server's clock, Unix milliseconds.
    pub now_ms: u64,
    /// Installation, named by its genesis.
    pub platform: PlatformIdText,
}

/// A replica's journal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct JournalStatus {
    /// Number of hostile witnesses that the quorum bears (f).
    pub faults: u32,
    /// Size of the witnessed head that is fresh enough to act under; `null` when none is.
    #[schema(required)]
    pub fresh: Option<u64>,
    /// Number of cosignatures that make a head witnessed (k).
    pub quorum: u32,
    /// Number of entries.
    pub size: u64,
    /// Number of entries under the newest witnessed head.
    pub witnessed: u64,
    /// Number of witnesses: every signer, and the independent ones (w).
    pub witnesses: u64,
}

/// Purpose of an installation, as genesis fixes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModeName {
    /// Trying out; never real funds.
    Dev,
    /// Real funds.
    Production,
}

impl ModeName {
    /// Name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Production => "production",
        }
    }
}
