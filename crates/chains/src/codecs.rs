//! The codecs that one installation uses.

use std::fmt;
use std::sync::Arc;
use strongroom_journal::genesis::ChainSeat;
use strongroom_ports::chain::ChainCodec;
use strongroom_types::{ChainId, Code, Refusal};

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
    pub(crate) fn of_seats(
        seats: &[ChainSeat],
        linked: &[Arc<dyn ChainCodec>],
    ) -> Result<Self, Refusal> {
        // Genesis decides which codecs are used, not the build: a linked codec whose chain has no
        // seat must not decode anything.
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for seat in seats {
            match linked
                .iter()
                .find(|codec| codec.manifest().chain == seat.chain)
            {
                Some(codec) => {
                    check_seat(seat, codec.as_ref())?;
                    known.push(Arc::clone(codec));
                }
                None => unknown.push(seat.chain.clone()),
            }
        }

        Ok(Self { known, unknown })
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

/// Refuses a codec that is not the one for which genesis was made: with other suites or another
/// decoder this program would make other keys, or read other effects, than its peers do.
fn check_seat(seat: &ChainSeat, codec: &dyn ChainCodec) -> Result<(), Refusal> {
    if crate::seat(codec) == *seat {
        return Ok(());
    }
    let (chain, network) = (&seat.chain, codec.manifest().network);
    let detail = format!(
        "this build's row of {chain} (`{network}`) is not the one that genesis has: run a build \
         whose row it is, as the other operators do, or make genesis with this one"
    );
    Err(Refusal::new(Code::Unsupported, detail))
}
