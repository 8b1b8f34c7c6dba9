//! Timeline marks: which layer finished when. An unsigned header, for latency reports only.

use crate::codec::{decode, encode};
use borsh::{BorshDeserialize, BorshSerialize};

/// A layer of the path with a latency budget.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, BorshSerialize, BorshDeserialize,
)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Layer {
    /// Client's request arrived at the API.
    Received = 0,
    /// API accepted and stored the intent.
    Api = 1,
    /// Policy decided.
    Policy = 2,
    /// Transaction built and submitted to the journal.
    Transactions = 3,
    /// Signing requests sent.
    Coordinator = 4,
    /// Witnessed head covered the attempt (latest of the quorum's signers).
    Journal = 5,
    /// Shares arrived, signature aggregated and checked.
    Mpc = 6,
    /// Transaction assembled and verified.
    Assembled = 7,
    /// The API recorded `signed`.
    Signed = 8,
}

impl Layer {
    /// All layers in path order.
    pub const ALL: [Self; 9] = [
        Self::Received,
        Self::Api,
        Self::Policy,
        Self::Transactions,
        Self::Coordinator,
        Self::Journal,
        Self::Mpc,
        Self::Assembled,
        Self::Signed,
    ];

    /// Stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Api => "api",
            Self::Policy => "policy",
            Self::Transactions => "transactions",
            Self::Coordinator => "coordinator",
            Self::Journal => "journal",
            Self::Mpc => "mpc",
            Self::Assembled => "assembled",
            Self::Signed => "signed",
        }
    }

    /// Budget in microseconds, P95, one region, auto tier, nonces prepared (the layer's work and
    /// the hop to it).
    #[must_use]
    pub const fn budget_us(self) -> u64 {
        match self {
            Self::Received => 0,
            Self::Api => 7_000,
            Self::Policy => 4_000,
            Self::Transactions => 9_000,
            Self::Coordinator => 7_000,
            Self::Journal => 14_000,
            Self::Mpc => 10_000,
            Self::Assembled => 5_000,
            Self::Signed => 4_000,
        }
    }
}

/// When layers finished, Unix microseconds, in path order.
#[derive(Clone, PartialEq, Eq, Debug, Default, BorshSerialize, BorshDeserialize)]
pub struct Marks(pub Vec<(Layer, u64)>);

impl Marks {
    /// Adds a mark; the first mark of a layer stays.
    #[must_use]
    pub fn with(mut self, layer: Layer, at_us: u64) -> Self {
        // A record that is delivered again must not make its layer look later than it was.
        if self.at(layer).is_none() {
            self.0.push((layer, at_us));
        }

        self
    }

    /// When a layer finished.
    #[must_use]
    pub fn at(&self, layer: Layer) -> Option<u64> {
        self.0
            .iter()
            .find(|(known, _)| *known == layer)
            .map(|(_, at)| *at)
    }

    /// As header bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// From header bytes; anything unreadable counts as no marks (they decide nothing).
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        decode(bytes).unwrap_or_default()
    }
}
