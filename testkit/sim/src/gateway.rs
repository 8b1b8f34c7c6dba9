//! The chain's node, as the transactions service asks it: it refuses a broadcast at times.

use crate::dice::Dice;
use crate::kinds::Fault;
use std::sync::Arc;
use strongroom_chain_bitcoin_dev::DevChain;
use strongroom_ports::chain::{Broadcast, ChainGateway, Fact, GatewayError, Standing};

/// A node of the chain whose pool is full now and then.
pub(crate) struct SimNode {
    pub(crate) chain: Arc<DevChain>,
    pub(crate) dice: Dice,
}

impl ChainGateway for SimNode {
    fn facts(&self, addresses: &[String]) -> Result<Vec<Fact>, GatewayError> {
        self.chain.facts(addresses)
    }

    fn broadcast(&self, signed: &[u8]) -> Result<Broadcast, GatewayError> {
        if self.dice.strikes(Fault::NodeRejects) {
            return Ok(Broadcast::Rejected("mempool full".to_owned()));
        }
        self.chain.broadcast(signed)
    }

    fn standing(&self, transaction_id: &str) -> Result<Standing, GatewayError> {
        self.chain.standing(transaction_id)
    }
}
