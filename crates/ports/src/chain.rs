//! The two ports of a chain: the pure codec that signers link, and the gateway to its network.
//!
//! One file per concern: [`codec`] (the pure port), [`effects`] (effects of a transaction, and the
//! rule that compares them with the approved ones), [`plan`] (request and result of a build),
//! [`facts`] (statements of the network, and those that a service keeps), [`gateway`] (the network
//! port), [`manifest`] (facts about a codec, amounts for people), [`vault`] (keys and paths).

pub mod codec;
pub mod effects;
pub mod facts;
pub mod gateway;
pub mod manifest;
pub mod plan;
pub mod vault;

pub use codec::ChainCodec;
pub use effects::{Authority, AuthorityKind, Effects, Expiry, Inspection, Move, within};
pub use facts::{AccountFact, CoinFact, Fact, Facts, Holding, OwnAccount, OwnCoin};
pub use gateway::{ANSWER_MAX, Broadcast, ChainGateway, GatewayError, Standing};
pub use manifest::{AddressFacts, Display, Manifest};
pub use plan::{Built, Plan};
/// One signature that a transaction needs. The type is in `strongroom_types`, because crates
/// without chains use it too.
pub use strongroom_types::Slot;
pub use vault::{NoRegistry, OwnPath, Registry, VaultKey};
