//! The list of the chains that this build decodes.
//!
//! Both programs, the command line, the verifier's callers and the fuzz targets read it and name no
//! chain; the conformance suite takes one codec. A new chain is a crate under `crates/adapters`, a
//! line in the workspace's manifest, a line in this crate's manifest, and a line in
//! [`codecs_of_this_build`] (ADR 0011).

mod codecs;

pub use codecs::Codecs;

use std::sync::{Arc, OnceLock};
use strongroom_journal::Genesis;
use strongroom_journal::genesis::ChainSeat;
use strongroom_ports::chain::{ChainCodec, Manifest};
use strongroom_types::caip::NotACaip;
use strongroom_types::{ChainId, Digest, Refusal, digest};

/// Mistake in the codecs of this build, or contradiction between them and a genesis.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainsError {
    /// The chain or asset id of a codec is not a CAIP id.
    #[error("a codec of this build names its chain wrongly")]
    Id(#[source] NotACaip),
    /// Two codecs read one network, so that their order would decide which one reads a transaction.
    #[error("two codecs of this build read {0}")]
    Twice(ChainId),
    /// Two networks have one name, so that a configuration file could mean either.
    #[error("two codecs of this build are called `{0}`")]
    Name(&'static str),
    /// Genesis describes a chain otherwise than this build reads it (`unsupported`).
    #[error("a chain of genesis")]
    Seat(#[source] Refusal),
}

/// Every codec that is linked, one per network.
fn codecs_of_this_build() -> Result<Vec<Arc<dyn ChainCodec>>, NotACaip> {
    let mut codecs = Vec::new();
    codecs.extend(strongroom_chain_bitcoin::codecs()?);
    Ok(codecs)
}

/// Every codec of this build, in the order of the list.
///
/// # Errors
/// [`ChainsError`] when the list of the build has a mistake; a test of this crate shows that it has
/// none.
pub fn all() -> Result<&'static [Arc<dyn ChainCodec>], ChainsError> {
    static ALL: OnceLock<Result<Vec<Arc<dyn ChainCodec>>, ChainsError>> = OnceLock::new();

    // The list of a build cannot change, so it is made and checked once per process.
    let all = ALL.get_or_init(|| {
        let all = codecs_of_this_build().map_err(ChainsError::Id)?;
        distinct(&all)?;

        Ok(all)
    });

    all.as_deref().map_err(Clone::clone)
}

/// Checks that each network has one codec and each name one network.
fn distinct(codecs: &[Arc<dyn ChainCodec>]) -> Result<(), ChainsError> {
    for (at, codec) in codecs.iter().enumerate() {
        let (one, others) = (codec.manifest(), codecs.iter().skip(at + 1));
        for other in others.map(|other| other.manifest()) {
            // With two codecs of one chain, signers whose lists have other orders would read other
            // effects from the same bytes.
            if one.chain == other.chain {
                return Err(ChainsError::Twice(one.chain.clone()));
            }
            if one.network == other.network {
                return Err(ChainsError::Name(one.network));
            }
        }
    }
    Ok(())
}

/// The codecs of the chains that a genesis names and this build knows.
///
/// # Errors
/// As [`all`]; [`ChainsError::Seat`] when this build reads a chain by another row than genesis has.
pub fn codecs(genesis: &Genesis) -> Result<Codecs, ChainsError> {
    codecs_with(genesis, Vec::new())
}

/// As [`codecs()`], from this build's list and `extra` codecs. Tests and development parts add chains
/// by it that no shipped program links.
///
/// # Errors
/// As [`codecs()`]; [`ChainsError::Twice`] when an extra codec reads a chain of the list.
pub fn codecs_with(
    genesis: &Genesis,
    extra: Vec<Arc<dyn ChainCodec>>,
) -> Result<Codecs, ChainsError> {
    // All codecs are checked together, so that an extra codec cannot take the place of one that
    // ships.
    let linked: Vec<_> = all()?.iter().cloned().chain(extra).collect();
    distinct(&linked)?;

    Codecs::of_seats(&genesis.chains, &linked).map_err(ChainsError::Seat)
}

/// The codec of the network with this name in configuration files.
///
/// # Errors
/// As [`all`].
pub fn network(name: &str) -> Result<Option<Arc<dyn ChainCodec>>, ChainsError> {
    let named = |codec: &&Arc<dyn ChainCodec>| codec.manifest().network == name;
    Ok(all()?.iter().find(named).cloned())
}

/// The codec of a chain.
///
/// # Errors
/// As [`all`].
pub fn chain(id: &ChainId) -> Result<Option<Arc<dyn ChainCodec>>, ChainsError> {
    let reads = |codec: &&Arc<dyn ChainCodec>| codec.manifest().chain == *id;
    Ok(all()?.iter().find(reads).cloned())
}

/// The names of all networks, for messages: `mainnet, testnet4, regtest`.
///
/// # Errors
/// As [`all`].
pub fn names() -> Result<String, ChainsError> {
    let names: Vec<_> = all()?
        .iter()
        .map(|codec| codec.manifest().network)
        .collect();
    Ok(names.join(", "))
}

/// The seat of a codec's chain in a new genesis.
#[must_use]
pub fn seat(codec: &dyn ChainCodec) -> ChainSeat {
    let manifest = codec.manifest();
    ChainSeat {
        chain: manifest.chain.clone(),
        native: manifest.native.clone(),
        decoder: manifest.decoder.to_owned(),
        row: row(manifest),
    }
}

/// Digest of a network's row: every part of its manifest that affects how intents are read and keys
/// are made. The display of amounts is not part of it.
#[must_use]
pub fn row(manifest: &Manifest) -> Digest {
    let suites: Vec<u8> = manifest.suites.iter().map(|suite| *suite as u8).collect();
    digest(
        "strongroom/chain-row/v1",
        &[
            manifest.chain.as_str().as_bytes(),
            manifest.native.as_str().as_bytes(),
            manifest.decoder.as_bytes(),
            manifest.network.as_bytes(),
            &suites,
        ],
    )
}
