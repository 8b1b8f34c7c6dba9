//! [`BitcoinCodec`], the port's codec for Bitcoin.

use crate::{Network, address, assemble, build, expected, inspect, view, wallet::Wallet};
use bitcoin::secp256k1::{Secp256k1, VerifyOnly};
use std::sync::Arc;
use strongroom_ports::chain::{
    AddressFacts, Built, ChainCodec, Display, Effects, Fact, Facts, Inspection, Manifest, OwnPath,
    Plan, Registry, VaultKey,
};
use strongroom_types::caip::NotACaip;
use strongroom_types::{Code, Intent, Refusal, Suite};

/// Name and version of this decoder, part of every decision core.
pub const DECODER: &str = "bitcoin/1";

/// The codec of one Bitcoin network.
pub struct BitcoinCodec {
    pub(crate) network: Network,
    pub(crate) secp: Secp256k1<VerifyOnly>,
    pub(crate) manifest: Manifest,
}

/// One codec for each network of this crate, for the list of chains.
///
/// # Errors
/// As [`BitcoinCodec::new`].
pub fn codecs() -> Result<Vec<Arc<dyn ChainCodec>>, NotACaip> {
    let codec = |network| Ok(Arc::new(BitcoinCodec::new(network)?) as Arc<dyn ChainCodec>);
    Network::ALL.into_iter().map(codec).collect()
}

impl BitcoinCodec {
    /// A codec that reads this network and no other.
    ///
    /// # Errors
    /// Never in practice: the ids of all networks are CAIP ids, which a test shows.
    pub fn new(network: Network) -> Result<Self, NotACaip> {
        // The ids are parsed here and not at each use, so that a wrong one stops the start and not
        // a payment.
        let manifest = Manifest {
            chain: network.chain_id().parse()?,
            native: network.native_asset().parse()?,
            decoder: DECODER,
            network: network.name(),
            // BIP-341 key path: no other suite makes signatures that can spend these outputs.
            suites: &[Suite::FrostSecp256k1Tr],
            display: Display {
                symbol: "BTC",
                minor: "sat",
                decimals: 8,
            },
        };
        Ok(Self {
            network,
            // The context can only verify: this code never holds a secret.
            secp: Secp256k1::verification_only(),
            manifest,
        })
    }

    /// The one network that this codec reads.
    #[must_use]
    pub fn network(&self) -> Network {
        self.network
    }

    pub(crate) fn wallet(&self, vault: &VaultKey) -> Result<Wallet<'_>, Refusal> {
        Wallet::new(&self.secp, self.network, vault)
    }

    fn address(&self, wallet: &Wallet<'_>, path: OwnPath) -> Result<String, Refusal> {
        // Every Taproot output has an address. If this one has none, the wallet is wrong, and no
        // address must be shown to people.
        address::of_script(&wallet.script(path)?, self.network)
            .ok_or_else(|| Refusal::new(Code::Internal, "a script of this vault has no address"))
    }
}

impl ChainCodec for BitcoinCodec {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn parse_address(&self, text: &str) -> Result<AddressFacts, Refusal> {
        // An address of another network is refused, even where its script would be the same.
        let script = address::parse(text, self.network)?;
        let kind = address::kind(&script);
        Ok(AddressFacts { kind })
    }

    fn derive_address(&self, vault: &VaultKey, path: OwnPath) -> Result<String, Refusal> {
        self.address(&self.wallet(vault)?, path)
    }

    fn derive_addresses(
        &self,
        vault: &VaultKey,
        paths: &[OwnPath],
    ) -> Result<Vec<String>, Refusal> {
        // Five of the seven curve operations of an address lead to the vault's branches, which all
        // its addresses share.
        let wallet = self.wallet(vault)?;
        let derived = paths.iter().map(|path| self.address(&wallet, *path));
        derived.collect()
    }

    fn expected(&self, intent: &Intent, registry: &dyn Registry) -> Result<Effects, Refusal> {
        expected::expected(self, intent, registry)
    }

    fn check_fact(&self, fact: &Fact) -> Result<(), Refusal> {
        view::check_fact(self, fact)
    }

    fn view(&self, facts: &Facts<'_>) -> Result<Vec<u8>, Refusal> {
        view::make(self, facts)
    }

    fn build(&self, plan: &Plan<'_>, view: &[u8]) -> Result<Built, Refusal> {
        build::build(self, plan, view)
    }

    /// The bytes alone say what a Bitcoin transaction does, so the registry is not asked.
    fn inspect(
        &self,
        unsigned: &[u8],
        vault: &VaultKey,
        _registry: &dyn Registry,
    ) -> Result<Inspection, Refusal> {
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

    fn verify_signed(
        &self,
        unsigned: &[u8],
        signed: &[u8],
        vault: &VaultKey,
    ) -> Result<String, Refusal> {
        assemble::verify_signed(self, unsigned, signed, vault)
    }

    fn transaction_id(&self, signed: &[u8]) -> Result<String, Refusal> {
        // The id does not cover the witnesses (BIP-141), so a signature cannot change it.
        let transaction = assemble::decode(signed)?;
        Ok(transaction.compute_txid().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_has_a_codec() {
        for network in Network::ALL {
            let codec = BitcoinCodec::new(network).unwrap();
            assert_eq!(codec.manifest().native.chain(), codec.manifest().chain);
            assert_eq!(codec.manifest().decoder, "bitcoin/1");
            assert_eq!(Network::from_name(codec.manifest().network), Some(network));
        }
    }
}
