//! The Bitcoin codec: pure, deterministic, no I/O. Signers link it, so it treats everything that it
//! reads as hostile.
//!
//! Only Taproot key-path spends of the vault's own addresses are built and signed (BIP-341, BIP-86
//! without hardening). One file per concern: [`network`] (the networks), `wallet` (scripts of the
//! vault), [`address`] (scripts of others), [`encode`] (the unsigned form), `expected` (effects of
//! an intent), [`view`] (input of a build), `fee` and `select` (choice of coins), `build` and
//! `replace` (building), `inspect` and `sighash` (strict reading), `assemble` (putting signatures
//! in).

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
