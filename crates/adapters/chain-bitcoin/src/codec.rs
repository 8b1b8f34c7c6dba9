//! The codec behind the port.

use crate::{Network, address, assemble, build, expected, inspect, replace, wallet::Wallet};
use bitcoin::consensus::encode;
use bitcoin::secp256k1::{Secp256k1, VerifyOnly};
use strongroom_ports::chain::{
    BuildRequest, Built, ChainCodec, Effects, Inspection, Manifest, OwnPath, VaultKey, VaultKeys,
};
use strongroom_types::caip::NotACaip;
use strongroom_types::{AttemptKind, Code, Intent, Refusal};

/// Name and version of this decoder, part of every decision core.
pub const DECODER: &str = "bitcoin/1";

/// The Bitcoin codec of one network.
pub struct BitcoinCodec {
    pub(crate) network: Network,
    pub(crate) secp: Secp256k1<VerifyOnly>,
    pub(crate) manifest: Manifest,
}

impl BitcoinCodec {
    /// A codec that reads this network and no other.
    ///
    /// # Errors
    /// Never in practice: the ids of all networks are CAIP ids, which a test shows.
    pub fn new(network: Network) -> Result<Self, NotACaip> {
        let manifest = Manifest {
            chain: network.chain_id().parse()?,
            native: network.native_asset().parse()?,
            decoder: DECODER,
        };
        Ok(Self {
            network,
            secp: Secp256k1::verification_only(),
            manifest,
        })
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> Network {
        self.network
    }

    pub(crate) fn wallet(&self, vault: &VaultKey) -> Result<Wallet<'_>, Refusal> {
        Wallet::new(&self.secp, self.network, vault)
    }
}

impl ChainCodec for BitcoinCodec {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn parse_address(&self, text: &str) -> Result<(), Refusal> {
        address::parse(text, self.network).map(|_| ())
    }

    fn derive_address(&self, vault: &VaultKey, path: OwnPath) -> Result<String, Refusal> {
        let script = self.wallet(vault)?.script(path)?;
        address::of_script(&script, self.network)
            .ok_or_else(|| Refusal::new(Code::Internal, "an own script has no address"))
    }

    fn expected(&self, intent: &Intent, vaults: &dyn VaultKeys) -> Result<Effects, Refusal> {
        expected::expected(self, intent, vaults)
    }

    fn build(&self, request: &BuildRequest<'_>) -> Result<Built, Refusal> {
        build::build(self, request)
    }

    fn replace(
        &self,
        kind: AttemptKind,
        previous: &[u8],
        request: &BuildRequest<'_>,
    ) -> Result<Built, Refusal> {
        replace::replace(self, kind, previous, request)
    }

    fn inspect(&self, unsigned: &[u8], vault: &VaultKey) -> Result<Inspection, Refusal> {
        inspect::inspect(self, unsigned, vault).map(|reading| reading.inspection)
    }

    fn assemble(
        &self,
        unsigned: &[u8],
        signatures: &[Vec<u8>],
        vault: &VaultKey,
    ) -> Result<Vec<u8>, Refusal> {
        assemble::assemble(self, unsigned, signatures, vault)
    }

    fn transaction_id(&self, signed: &[u8]) -> Result<String, Refusal> {
        let malformed = |detail: &str| Refusal::new(Code::Malformed, detail);
        let transaction: bitcoin::Transaction =
            encode::deserialize(signed).map_err(|_| malformed("not a Bitcoin transaction"))?;
        // The decoder is strict today; the comparison keeps it so when the library changes.
        if encode::serialize(&transaction) != signed {
            return Err(malformed("the transaction is not in its one encoding"));
        }
        Ok(transaction.compute_txid().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_has_a_codec() {
        for network in [Network::Mainnet, Network::Testnet4, Network::Regtest] {
            let codec = BitcoinCodec::new(network).unwrap();
            assert_eq!(codec.manifest().native.chain(), codec.manifest().chain);
            assert_eq!(codec.manifest().decoder, "bitcoin/1");
        }
    }
}
