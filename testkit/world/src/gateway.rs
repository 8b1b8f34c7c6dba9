//! A chain's network by script: answers what a test wrote down, records what it was asked.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use strongroom_ports::chain::{Broadcast, ChainCoin, ChainGateway, GatewayError, Standing};
use strongroom_types::ConflictKey;

/// Fee rate until a test sets another, satoshi per 1 000 virtual bytes.
const FEE_RATE: u64 = 2_000;
/// Height until a test sets another.
const HEIGHT: u32 = 100;

/// One question that was put to the gateway.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Asked {
    /// Coins of these addresses.
    Coins(Vec<String>),
    /// The fee rate.
    FeeRate,
    /// The height.
    Height,
    /// These network bytes were offered.
    Broadcast(Vec<u8>),
    /// Where this transaction is.
    Standing(String),
}

/// A [`ChainGateway`] that has no network. Clones share one script.
#[derive(Clone, Debug, Default)]
pub struct Gateway(Arc<Mutex<Script>>);

#[derive(Debug)]
struct Script {
    /// Coins of an honest node: reported to a question about their address.
    coins: Vec<ChainCoin>,
    /// Coins reported to every question.
    claimed: Vec<ChainCoin>,
    fee_rate: u64,
    height: u32,
    /// Answers to the next broadcasts; after them every broadcast is accepted.
    broadcasts: VecDeque<Result<Broadcast, String>>,
    standings: BTreeMap<String, Standing>,
    down: bool,
    asked: Vec<Asked>,
    funded: u64,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            coins: Vec::new(),
            claimed: Vec::new(),
            fee_rate: FEE_RATE,
            height: HEIGHT,
            broadcasts: VecDeque::new(),
            standings: BTreeMap::new(),
            down: false,
            asked: Vec::new(),
            funded: 0,
        }
    }
}

impl Gateway {
    /// No coins, height 100, 2 satoshi per virtual byte, every broadcast accepted.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a coin of `amount` satoshi with six confirmations; gives its name.
    pub fn fund(&self, address: &str, amount: u64) -> ConflictKey {
        let mut script = self.script();
        script.funded += 1;
        let key = ConflictKey(format!("{:064x}:0", script.funded));
        script.coins.push(ChainCoin {
            key: key.clone(),
            amount: amount.into(),
            address: address.to_owned(),
            confirmations: 6,
        });
        key
    }

    /// Adds a coin that is reported to every question: unconfirmed, too large, of an address that
    /// is not asked for, as a lying node would.
    pub fn claim_coin(&self, coin: ChainCoin) {
        self.script().claimed.push(coin);
    }

    /// The network no longer reports a coin.
    pub fn remove_coin(&self, key: &ConflictKey) {
        let mut script = self.script();
        script.coins.retain(|coin| coin.key != *key);
        script.claimed.retain(|coin| coin.key != *key);
    }

    /// Sets the fee rate, satoshi per 1 000 virtual bytes.
    pub fn set_fee_rate(&self, fee_rate: u64) {
        self.script().fee_rate = fee_rate;
    }

    /// Sets the height.
    pub fn set_height(&self, height: u32) {
        self.script().height = height;
    }

    /// Sets where a transaction is; unknown until then.
    pub fn set_standing(&self, transaction: &str, standing: Standing) {
        self.script()
            .standings
            .insert(transaction.to_owned(), standing);
    }

    /// The answer to one broadcast, after those that were set before.
    pub fn push_broadcast(&self, answer: Broadcast) {
        self.script().broadcasts.push_back(Ok(answer));
    }

    /// One broadcast fails with unknown outcome, after those that were set before.
    pub fn push_broadcast_failure(&self, why: &str) {
        self.script().broadcasts.push_back(Err(why.to_owned()));
    }

    /// Whether the node answers at all.
    pub fn set_down(&self, down: bool) {
        self.script().down = down;
    }

    /// Everything asked so far, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.script().asked.clone()
    }

    /// Everything offered to the network so far, in order.
    #[must_use]
    pub fn broadcasts(&self) -> Vec<Vec<u8>> {
        let offered = |asked: &Asked| match asked {
            Asked::Broadcast(bytes) => Some(bytes.clone()),
            Asked::Coins(_) | Asked::FeeRate | Asked::Height | Asked::Standing(_) => None,
        };
        self.script().asked.iter().filter_map(offered).collect()
    }

    /// Records a question; an error while the node is down.
    fn ask(&self, question: Asked) -> Result<MutexGuard<'_, Script>, GatewayError> {
        let mut script = self.script();
        script.asked.push(question);
        if script.down {
            return Err(GatewayError::Unavailable("the script says so".to_owned()));
        }
        Ok(script)
    }
}

impl ChainGateway for Gateway {
    fn coins(&self, addresses: &[String]) -> Result<Vec<ChainCoin>, GatewayError> {
        let script = self.ask(Asked::Coins(addresses.to_vec()))?;
        let of_these = |coin: &&ChainCoin| addresses.contains(&coin.address);
        let honest = script.coins.iter().filter(of_these);
        Ok(honest.chain(&script.claimed).cloned().collect())
    }

    fn fee_rate(&self) -> Result<u64, GatewayError> {
        Ok(self.ask(Asked::FeeRate)?.fee_rate)
    }

    fn height(&self) -> Result<u32, GatewayError> {
        Ok(self.ask(Asked::Height)?.height)
    }

    fn broadcast(&self, signed: &[u8]) -> Result<Broadcast, GatewayError> {
        let mut script = self.ask(Asked::Broadcast(signed.to_vec()))?;
        match script.broadcasts.pop_front() {
            None => Ok(Broadcast::Accepted),
            Some(answer) => answer.map_err(GatewayError::Unavailable),
        }
    }

    fn standing(&self, transaction_id: &str) -> Result<Standing, GatewayError> {
        let script = self.ask(Asked::Standing(transaction_id.to_owned()))?;
        let standing = script.standings.get(transaction_id).copied();
        Ok(standing.unwrap_or(Standing::Unknown))
    }
}
