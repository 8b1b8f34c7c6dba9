//! The network side of a chain, which only the transactions service has.

use super::Fact;
use std::time::Duration;

/// Answer of the network to a broadcast.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Broadcast {
    /// The node accepted it into its pool.
    Accepted,
    /// The node knew it already.
    AlreadyKnown,
    /// The node refused it, with this reason.
    Rejected(String),
}

/// Progress of a transaction towards the chain, as one node reports it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// The node does not know it.
    Unknown,
    /// It waits for a block.
    Pending,
    /// It is in a block, with this number of confirmations: 1 in the newest block.
    Confirmed(u32),
}

/// Reason for which the network gave no answer. The texts are the adapter's and name the causes,
/// because most nodes answer with text and not with an error that could be a source. They never
/// contain credentials.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// There was no answer: the connection failed, or the node is not ready.
    #[error("chain node unavailable: {0}")]
    Unavailable(String),
    /// The answer is not of the form of the node's protocol.
    #[error("chain node answered nonsense: {0}")]
    Malformed(String),
}

/// Longest time that a call of a gateway takes, name resolution and connection included.
pub const ANSWER_MAX: Duration = Duration::from_secs(2);

/// A chain's network side: untrusted I/O, only in the transactions service. Every answer may be
/// hostile: it reaches a transaction only through the facts table and the codec.
///
/// Every call ends within [`ANSWER_MAX`], with [`GatewayError::Unavailable`] if need be: the adapter
/// sets that limit, because its caller holds a database transaction and cannot interrupt it.
pub trait ChainGateway: Send + Sync {
    /// The newest block, the fees, and the coins and balances of these addresses, complete and in
    /// no particular order.
    ///
    /// # Errors
    /// [`GatewayError`]; the caller keeps the facts that it has and asks again.
    fn facts(&self, addresses: &[String]) -> Result<Vec<Fact>, GatewayError>;

    /// Offers the network bytes of a signed transaction to the network.
    ///
    /// # Errors
    /// [`GatewayError`]; it is then unknown whether the node accepted the bytes.
    fn broadcast(&self, signed: &[u8]) -> Result<Broadcast, GatewayError>;

    /// Progress of a transaction, by its id on the network.
    ///
    /// # Errors
    /// [`GatewayError`].
    fn standing(&self, transaction_id: &str) -> Result<Standing, GatewayError>;
}
