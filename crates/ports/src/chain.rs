//! The two ports of a chain: the pure codec that signers link, and the gateway to its network.
//!
//! One file per concern: [`codec`] (the pure port), [`effects`] (what a transaction does, and the
//! rule that compares it with what was approved), [`plan`] (what a build is asked for and gives),
//! [`facts`] (what the network says, and what a service keeps of it), [`gateway`] (the network
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
pub use gateway::{Broadcast, ChainGateway, GatewayError, Standing};
pub use manifest::{AddressFacts, Display, Manifest};
pub use plan::{Built, Plan};
/// One signature that a transaction needs: a plain value, which the pure crates read as well.
pub use strongroom_types::Slot;
pub use vault::{NoRegistry, OwnPath, Registry, VaultKey};
