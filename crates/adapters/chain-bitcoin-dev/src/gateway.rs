//! The chain behind the gateway port.

use crate::chain::DevChain;
use crate::ledger;
use strongroom_ports::chain::{Broadcast, ChainCoin, ChainGateway, GatewayError, Standing};
use strongroom_types::ConflictKey;

/// Satoshi per 1 000 virtual bytes, always.
pub const FEE_RATE: u64 = 2_000;

fn unavailable(error: rusqlite::Error) -> GatewayError {
    GatewayError::Unavailable(error.to_string())
}

impl ChainGateway for DevChain {
    fn coins(&self, addresses: &[String]) -> Result<Vec<ChainCoin>, GatewayError> {
        let db = self.db();
        let tip = ledger::meta(&db, "height").map_err(unavailable)?;
        let mut coins = Vec::new();
        for address in addresses.iter().filter(|address| !address.is_empty()) {
            let unspent = ledger::unspent(&db, address).map_err(unavailable)?;
            coins.extend(unspent.into_iter().map(|output| ChainCoin {
                key: ConflictKey(output.outpoint),
                amount: output.amount.into(),
                address: output.address,
                confirmations: confirmations(tip, output.height),
            }));
        }
        Ok(coins)
    }

    fn fee_rate(&self) -> Result<u64, GatewayError> {
        Ok(FEE_RATE)
    }

    fn height(&self) -> Result<u32, GatewayError> {
        ledger::meta(&self.db(), "height").map_err(unavailable)
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

fn confirmations(tip: u32, height: u32) -> u32 {
    tip.saturating_sub(height).saturating_add(1)
}
