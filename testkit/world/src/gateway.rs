//! A chain's network by script: answers what a test wrote down, records what it was asked.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use strongroom_ports::chain::{Broadcast, ChainGateway, CoinFact, Fact, GatewayError, Standing};
use strongroom_ports::host::Clock;
use strongroom_types::{ConflictKey, digest};

use crate::world::native;

/// Fee rate until a test sets another, satoshi per 1 000 virtual bytes.
const FEE_RATE: u64 = 2_000;
/// Height until a test sets another.
const HEIGHT: u64 = 100;
/// Height of the blocks that include funding.
const FUNDED_AT: u64 = 95;

/// One question that was put to the gateway.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Asked {
    /// Head, fees and holdings of these addresses were asked for.
    Facts(Vec<String>),
    /// These network bytes were offered for broadcast.
    Broadcast(Vec<u8>),
    /// The standing of this transaction was asked for.
    Standing(String),
}

/// A [`ChainGateway`] that has no network. Clones share one script.
#[derive(Clone, Debug, Default)]
pub struct Gateway(Arc<Mutex<Script>>);

#[derive(Debug)]
struct Script {
    /// Coins of an honest node: reported to a question about their address.
    coins: Vec<CoinFact>,
    /// Facts reported to every question.
    claimed: Vec<Fact>,
    /// The same, before those of an honest node.
    claimed_first: Vec<Fact>,
    fee_rate: u64,
    height: u64,
    /// Answers to the next broadcasts; after them every broadcast is accepted.
    broadcasts: VecDeque<Result<Broadcast, String>>,
    standings: BTreeMap<String, Standing>,
    down: bool,
    /// Duration of each answer, milliseconds.
    slow_ms: u64,
    /// Duration of all answers so far, milliseconds.
    waited_ms: u64,
    /// Questions about facts alone get no answer.
    facts_down: bool,
    /// Amount that every address asked for is said to hold.
    everywhere: Option<u64>,
    asked: Vec<Asked>,
    funded: u64,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            coins: Vec::new(),
            claimed: Vec::new(),
            claimed_first: Vec::new(),
            fee_rate: FEE_RATE,
            height: HEIGHT,
            broadcasts: VecDeque::new(),
            standings: BTreeMap::new(),
            down: false,
            slow_ms: 0,
            waited_ms: 0,
            facts_down: false,
            everywhere: None,
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
        let key = ConflictKey::Coin(format!("{:064x}:0", script.funded));
        script.coins.push(CoinFact {
            key: key.clone(),
            address: address.to_owned(),
            asset: native(),
            amount: amount.into(),
            height: Some(FUNDED_AT),
        });
        key
    }

    /// Adds a fact that is reported to every question: an unconfirmed coin, a larger one than there
    /// is money, one of an address that was not asked for, as a lying node would.
    pub fn claim(&self, fact: Fact) {
        self.script().claimed.push(fact);
    }

    /// Adds a fact that is reported before all others.
    pub fn claim_first(&self, fact: Fact) {
        self.script().claimed_first.push(fact);
    }

    /// Makes the network report a coin no longer.
    pub fn remove_coin(&self, key: &ConflictKey) {
        let mut script = self.script();
        script.coins.retain(|coin| coin.key != *key);
        script
            .claimed
            .retain(|fact| !matches!(fact, Fact::Coin(coin) if coin.key == *key));
    }

    /// Sets the fee rate, satoshi per 1 000 virtual bytes.
    pub fn set_fee_rate(&self, fee_rate: u64) {
        self.script().fee_rate = fee_rate;
    }

    /// Sets the height.
    pub fn set_height(&self, height: u64) {
        self.script().height = height;
    }

    /// Sets the standing of a transaction, which is unknown until then.
    pub fn set_standing(&self, transaction: &str, standing: Standing) {
        self.script()
            .standings
            .insert(transaction.to_owned(), standing);
    }

    /// The answer to one broadcast, after those that were set before.
    pub fn push_broadcast(&self, answer: Broadcast) {
        self.script().broadcasts.push_back(Ok(answer));
    }

    /// Drops the answers that were set, so that broadcasts are accepted again.
    pub fn forget_broadcasts(&self) {
        self.script().broadcasts.clear();
    }

    /// One broadcast fails with unknown outcome, after those that were set before.
    pub fn push_broadcast_failure(&self, why: &str) {
        self.script().broadcasts.push_back(Err(why.to_owned()));
    }

    /// Whether the node has no answer about facts, while it takes transactions.
    pub fn set_facts_down(&self, down: bool) {
        self.script().facts_down = down;
    }

    /// From now on every address that is asked for is said to hold a coin of `amount` satoshi.
    pub fn claim_everywhere(&self, amount: u64) {
        self.script().everywhere = Some(amount);
    }

    /// Whether the node answers at all.
    pub fn set_down(&self, down: bool) {
        self.script().down = down;
    }

    /// From now on each answer takes this long by the gateway's own clock.
    pub fn set_slow(&self, slow_ms: u64) {
        self.script().slow_ms = slow_ms;
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
            Asked::Facts(_) | Asked::Standing(_) => None,
        };
        self.script().asked.iter().filter_map(offered).collect()
    }

    /// Records a question; an error while the node is down.
    fn ask(&self, question: Asked) -> Result<MutexGuard<'_, Script>, GatewayError> {
        let mut script = self.script();
        script.asked.push(question);
        script.waited_ms += script.slow_ms;
        if script.down {
            return Err(GatewayError::Unavailable("the script says so".to_owned()));
        }
        Ok(script)
    }
}

/// A clock that stands still but while the node is asked.
impl Clock for Gateway {
    fn now_ms(&self) -> u64 {
        self.script().waited_ms
    }
}

impl ChainGateway for Gateway {
    fn facts(&self, addresses: &[String]) -> Result<Vec<Fact>, GatewayError> {
        let script = self.ask(Asked::Facts(addresses.to_vec()))?;
        if script.facts_down {
            return Err(GatewayError::Unavailable("no facts by script".to_owned()));
        }
        let height = script.height;
        let mut facts = script.claimed_first.clone();
        facts.push(Fact::Head { height });
        facts.push(Fact::Fees(script.fee_rate.to_le_bytes().to_vec()));
        let of_these = |coin: &&CoinFact| addresses.contains(&coin.address);
        let honest = script.coins.iter().filter(of_these);
        facts.extend(honest.cloned().map(Fact::Coin));
        facts.extend(script.claimed.iter().cloned());

        if let Some(amount) = script.everywhere {
            let invented = addresses.iter().map(|address| CoinFact {
                key: ConflictKey::Coin(format!("{}:0", digest("invented", &[address.as_bytes()]))),
                address: address.clone(),
                asset: native(),
                amount: amount.into(),
                height: Some(FUNDED_AT),
            });
            facts.extend(invented.map(Fact::Coin));
        }
        Ok(facts)
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
