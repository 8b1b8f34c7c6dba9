//! A chain's network side.

use super::Fact;

/// Answer of the network to a broadcast.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Broadcast {
    /// Taken into the node's pool.
    Accepted,
    /// Known to the node already.
    AlreadyKnown,
    /// Refused, with the network's reason.
    Rejected(String),
}

/// Progress of a transaction towards the chain, as one node reports it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Not known to the network.
    Unknown,
    /// Waiting for a block.
    Pending,
    /// In a block, with this many confirmations: 1 in the newest block.
    Confirmed(u32),
}

/// Why the network could not answer. Never carries credentials.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// No answer: the connection failed, or the node is not ready.
    #[error("chain node unavailable: {0}")]
    Unavailable(String),
    /// An answer of another form than the node's protocol has.
    #[error("chain node answered nonsense: {0}")]
    Malformed(String),
}

/// A chain's network side: untrusted I/O, only in the transactions service. Every answer is
/// hostile: nothing of it reaches a transaction but through the facts table and the codec.
pub trait ChainGateway: Send + Sync {
    /// The newest block and fees, and what these addresses hold. Complete for the addresses asked
    /// for, in no particular order.
    ///
    /// # Errors
    /// [`GatewayError`]; the caller keeps what it knows and asks again.
    fn facts(&self, addresses: &[String]) -> Result<Vec<Fact>, GatewayError>;

    /// Offers network bytes.
    ///
    /// # Errors
    /// [`GatewayError`]; whether the bytes were taken is unknown then.
    fn broadcast(&self, signed: &[u8]) -> Result<Broadcast, GatewayError>;

    /// Progress of a transaction.
    ///
    /// # Errors
    /// [`GatewayError`].
    fn standing(&self, transaction_id: &str) -> Result<Standing, GatewayError>;
}
