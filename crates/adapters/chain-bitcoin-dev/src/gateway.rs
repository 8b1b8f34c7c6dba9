//! The gateway port on the development chain.

use crate::chain::{DevChain, NETWORK};
use crate::ledger;
use strongroom_chain_bitcoin::FeeRate;
use strongroom_ports::chain::{Broadcast, ChainGateway, CoinFact, Fact, GatewayError, Standing};
use strongroom_types::{AssetId, ConflictKey};

/// Fee rate that the chain always reports: 2 000 satoshi per 1 000 virtual bytes.
pub const FEE_RATE: FeeRate = FeeRate(2_000);

fn unavailable(error: rusqlite::Error) -> GatewayError {
    GatewayError::Unavailable(error.to_string())
}

impl DevChain {
    /// Height of the newest block.
    ///
    /// # Errors
    /// [`GatewayError::Unavailable`] when the store fails.
    pub fn height(&self) -> Result<u32, GatewayError> {
        ledger::meta(&self.db(), "height").map_err(unavailable)
    }

    /// Confirmed, unspent outputs of these addresses.
    ///
    /// # Errors
    /// [`GatewayError::Unavailable`] when the store fails.
    pub fn coins(&self, addresses: &[String]) -> Result<Vec<CoinFact>, GatewayError> {
        let db = self.db();
        let asset: AssetId = NETWORK
            .native_asset()
            .parse()
            .map_err(|e| GatewayError::Malformed(format!("{e}")))?;

        let mut coins = Vec::new();

        // Outputs without an address are stored under an empty one, which is skipped: they belong
        // to no vault.
        for address in addresses.iter().filter(|address| !address.is_empty()) {
            let unspent = ledger::unspent(&db, address).map_err(unavailable)?;
            coins.extend(unspent.into_iter().map(|output| CoinFact {
                key: ConflictKey::Coin(output.outpoint),
                address: output.address,
                asset: asset.clone(),
                amount: output.amount.into(),
                height: Some(output.height.into()),
            }));
        }
        Ok(coins)
    }
}

impl ChainGateway for DevChain {
    fn facts(&self, addresses: &[String]) -> Result<Vec<Fact>, GatewayError> {
        let head = Fact::Head {
            height: self.height()?.into(),
        };
        let coins = self.coins(addresses)?.into_iter().map(Fact::Coin);

        let known = [head, Fact::Fees(FEE_RATE.to_bytes())];
        Ok(known.into_iter().chain(coins).collect())
    }

    fn broadcast(&self, signed: &[u8]) -> Result<Broadcast, GatewayError> {
        self.offer(signed).map_err(unavailable)
    }

    fn standing(&self, transaction_id: &str) -> Result<Standing, GatewayError> {
        let db = self.db();
        let tip = ledger::meta(&db, "height").map_err(unavailable)?;
        let known = ledger::find_transaction(&db, transaction_id).map_err(unavailable)?;

        Ok(match known.map(|known| known.height) {
            None => Standing::Unknown,
            Some(None) => Standing::Pending,
            Some(Some(height)) => Standing::Confirmed(confirmations(tip, height)),
        })
    }
}

/// Blocks from `height` to the newest one, both counted.
fn confirmations(tip: u32, height: u32) -> u32 {
    tip.saturating_sub(height).saturating_add(1)
}
