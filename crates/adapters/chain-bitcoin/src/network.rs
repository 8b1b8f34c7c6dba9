//! The networks for which a codec can be made.

use bitcoin::blockdata::constants::genesis_block;

/// A Bitcoin network.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Network {
    /// The main network, whose coins have value.
    Mainnet,
    /// Testnet 4 (BIP-94).
    Testnet4,
    /// A private network of one operator; the development chain is one.
    Regtest,
}

impl Network {
    /// All networks of this crate.
    pub const ALL: [Self; 3] = [Self::Mainnet, Self::Testnet4, Self::Regtest];

    /// Name in configuration files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mainnet => "mainnet",
            Self::Testnet4 => "testnet4",
            Self::Regtest => "regtest",
        }
    }

    /// The network with this name in configuration files.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|network| network.name() == name)
    }

    /// CAIP-2 id: `bip122:` and the first 32 hex digits of the genesis block's hash.
    #[must_use]
    pub fn chain_id(self) -> String {
        let hash = genesis_block(self.params()).block_hash().to_string();
        format!("bip122:{}", hash.get(..32).unwrap_or_default())
    }

    /// SLIP-44 coin type of the derivation path and the native asset: 0, or 1 for every test
    /// network.
    #[must_use]
    pub fn coin_type(self) -> u32 {
        match self {
            Self::Mainnet => 0,
            Self::Testnet4 | Self::Regtest => 1,
        }
    }

    /// CAIP-19 id of the native asset.
    #[must_use]
    pub fn native_asset(self) -> String {
        format!("{}/slip44:{}", self.chain_id(), self.coin_type())
    }

    /// The four bytes that start every message on the network; they bind the unsigned form to it.
    #[must_use]
    pub fn magic(self) -> [u8; 4] {
        self.params().magic().to_bytes()
    }

    /// The same network as the `bitcoin` crate names it.
    #[must_use]
    pub fn params(self) -> bitcoin::Network {
        match self {
            Self::Mainnet => bitcoin::Network::Bitcoin,
            Self::Testnet4 => bitcoin::Network::Testnet4,
            Self::Regtest => bitcoin::Network::Regtest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chain_ids_do_not_change() {
        assert_eq!(
            Network::Mainnet.chain_id(),
            "bip122:000000000019d6689c085ae165831e93"
        );
        assert_eq!(
            Network::Testnet4.chain_id(),
            "bip122:00000000da84f2bafbbc53dee25a72ae"
        );
        assert_eq!(
            Network::Regtest.native_asset(),
            "bip122:0f9188f13cb7b2c71f2a335e3a4fc328/slip44:1"
        );
        assert_eq!(Network::Mainnet.magic(), [0xf9, 0xbe, 0xb4, 0xd9]);
    }
}
