//! The Bitcoin codec: pure, deterministic, no I/O. Signers link it, so everything it reads is
//! hostile.
//!
//! Only Taproot key-path spends of the vault's own addresses are built and signed (BIP-341, BIP-86
//! without hardening). One file per concern: [`network`] (which chain), `wallet` (own scripts),
//! [`address`] (foreign ones), [`encode`] (the unsigned form), `expected` (what an intent will do),
//! [`view`] (what a build reads), `fee` and `select` (coins), `build` and `replace` (making),
//! `inspect` and `sighash` (reading), `assemble` (signatures in).

pub mod address;
mod assemble;
mod build;
mod codec;
pub mod encode;
mod expected;
mod fee;
mod inspect;
pub mod network;
mod replace;
mod select;
mod sighash;
pub mod view;
mod wallet;

pub use codec::{BitcoinCodec, codecs};
pub use network::Network;
pub use view::FeeRate;
