//! The codecs that one installation uses.

use std::fmt;
use std::sync::Arc;
use strongroom_journal::genesis::ChainSeat;
use strongroom_ports::chain::ChainCodec;
use strongroom_types::ChainId;

/// The codecs of the chains that a genesis names, in its order, and the chains that this build
/// cannot read. A request about such a chain is refused with `unknown_chain`.
#[derive(Clone)]
pub struct Codecs {
    known: Vec<Arc<dyn ChainCodec>>,
    unknown: Vec<ChainId>,
}

impl fmt::Debug for Codecs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Codecs have no `Debug`, so the name of the network is printed.
        let known: Vec<_> = self
            .known
            .iter()
            .map(|codec| codec.manifest().network)
            .collect();

        f.debug_struct("Codecs")
            .field("known", &known)
            .field("unknown", &self.unknown)
            .finish()
    }
}

impl Codecs {
    pub(crate) fn of_seats(seats: &[ChainSeat], linked: &[Arc<dyn ChainCodec>]) -> Self {
        // Genesis decides which codecs are used, not the build: a linked codec whose chain has no
        // seat must not decode anything.
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for seat in seats {
            match linked
                .iter()
                .find(|codec| codec.manifest().chain == seat.chain)
            {
                Some(codec) => known.push(Arc::clone(codec)),
                None => unknown.push(seat.chain.clone()),
            }
        }

        Self { known, unknown }
    }

    /// The codecs, in the order of genesis.
    #[must_use]
    pub fn known(&self) -> &[Arc<dyn ChainCodec>] {
        &self.known
    }

    /// Chains of genesis that this build cannot read.
    #[must_use]
    pub fn unknown(&self) -> &[ChainId] {
        &self.unknown
    }

    /// The codec of a chain, when genesis names it and this build reads it.
    #[must_use]
    pub fn of(&self, chain: &ChainId) -> Option<&Arc<dyn ChainCodec>> {
        self.known
            .iter()
            .find(|codec| codec.manifest().chain == *chain)
    }

    /// The codec of the network with this name in configuration files.
    #[must_use]
    pub fn named(&self, network: &str) -> Option<&Arc<dyn ChainCodec>> {
        self.known
            .iter()
            .find(|codec| codec.manifest().network == network)
    }
}
