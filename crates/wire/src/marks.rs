//! Timeline marks: the time at which each layer finished. They are an unsigned header, for latency
//! reports only.

use crate::codec::{decode, encode};
use borsh::{BorshDeserialize, BorshSerialize};

/// A layer of the path with a latency budget.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, BorshSerialize, BorshDeserialize,
)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Layer {
    /// The client's request arrived at the API.
    Received = 0,
    /// The API accepted and stored the intent.
    Api = 1,
    /// The approvals service evaluated the policy.
    Policy = 2,
    /// The transaction was built and submitted to the journal.
    Transactions = 3,
    /// The coordinator sent the signing requests.
    Coordinator = 4,
    /// A witnessed head covered the attempt (at the latest of the quorum's signers).
    Journal = 5,
    /// The shares arrived, and the signature was aggregated and checked.
    Mpc = 6,
    /// The signed transaction was assembled and verified.
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

    /// Stable name, for reports.
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

    /// Latency budget of the layer's work and the hop to it, microseconds at P95, for one region,
    /// the tier `auto` and prepared nonces.
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

/// Layers with the time at which each finished, Unix microseconds, in the order in which they were
/// added.
#[derive(Clone, PartialEq, Eq, Debug, Default, BorshSerialize, BorshDeserialize)]
pub struct Marks(pub Vec<(Layer, u64)>);

impl Marks {
    /// Adds a mark; the first mark of a layer stays.
    #[must_use]
    pub fn with(mut self, layer: Layer, at_us: u64) -> Self {
        // The first mark stays, because a record that is delivered again must not make its layer
        // look later than it was.
        if self.at(layer).is_none() {
            self.0.push((layer, at_us));
        }

        self
    }

    /// Time at which a layer finished, Unix microseconds.
    #[must_use]
    pub fn at(&self, layer: Layer) -> Option<u64> {
        self.0
            .iter()
            .find(|(known, _)| *known == layer)
            .map(|(_, at)| *at)
    }

    /// The marks as header bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads header bytes. Bytes that do not decode count as no marks, because nothing is decided
    /// by marks.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        decode(bytes).unwrap_or_default()
    }
}
