//! What a build reads: the account, its balance, and the numbers that are not free.

use crate::address;
use crate::form::conflict_key;
use borsh::{BorshDeserialize, BorshSerialize};
use strongroom_ports::chain::{Fact, Facts, Holding, OwnAccount, OwnPath, VaultKey};
use strongroom_types::{AssetId, Code, ConflictKey, MinorUnits, Refusal};

/// First bytes of a view.
const TAG: [u8; 8] = *b"probe/1\0";
/// Numbers that other intents may hold before no further one is built.
const PENDING_MAX: u64 = 1_024;
/// Highest number and height that are believed.
const COUNT_MAX: u64 = 1 << 48;

/// A decoded view.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct View {
    tag: [u8; 8],
    /// Newest known height.
    pub height: u64,
    /// Price of one payment, base units.
    pub price: u64,
    /// The account, when it is known.
    pub account: Option<Account>,
}

/// The account that pays.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Account {
    /// Own address.
    pub path: OwnPath,
    /// Next number of the network.
    pub next: u64,
    /// Conflict keys that are taken, ascending.
    pub taken: Vec<ConflictKey>,
    /// Balance, base units.
    pub amount: MinorUnits,
}

fn malformed(detail: &str) -> Refusal {
    Refusal::new(Code::Malformed, detail)
}

/// Whether the network may say this.
///
/// # Errors
/// `malformed`, `unknown_asset`, `address_invalid`.
pub fn check_fact(native: &AssetId, fact: &Fact) -> Result<(), Refusal> {
    match fact {
        Fact::Head { height } => count(*height),
        Fact::Fees(bytes) => price(bytes).map(drop),
        Fact::Coin(_) => Err(malformed("the probe chain has no coins")),
        Fact::Account(account) => {
            address::parse(&account.address)?;
            count(account.next)?;
            if account.asset != *native {
                return Err(Refusal::new(Code::UnknownAsset, &account.asset));
            }
            Ok(())
        }
    }
}

fn count(number: u64) -> Result<(), Refusal> {
    if number > COUNT_MAX {
        return Err(malformed("a number that no chain reaches"));
    }
    Ok(())
}

/// The price of one payment: 8 bytes, big-endian, below 2^48.
fn price(bytes: &[u8]) -> Result<u64, Refusal> {
    let bytes = bytes
        .try_into()
        .map_err(|_| malformed("a price has 8 bytes"))?;
    let price = u64::from_be_bytes(bytes);
    count(price).map(|()| price)
}

/// The view of a table's rows: the first account pays.
///
/// # Errors
/// `malformed`.
pub fn make(facts: &Facts<'_>) -> Result<Vec<u8>, Refusal> {
    count(facts.height)?;
    let account = match facts.holdings.first() {
        None => None,
        Some(Holding::Coin(_)) => return Err(malformed("the probe chain has no coins")),
        Some(Holding::Account(OwnAccount {
            path, next, amount, ..
        })) => {
            count(*next)?;
            let mut taken: Vec<_> = facts.taken.to_vec();
            taken.sort();
            Some(Account {
                path: *path,
                next: *next,
                taken,
                amount: *amount,
            })
        }
    };
    let view = View {
        tag: TAG,
        height: facts.height,
        price: price(facts.fees)?,
        account,
    };
    borsh::to_vec(&view).map_err(|e| Refusal::new(Code::Internal, e))
}

impl View {
    /// Reads strictly.
    ///
    /// # Errors
    /// `malformed`.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        let view = Self::try_from_slice(bytes).map_err(|_| malformed("not a view"))?;
        if view.tag != TAG {
            return Err(malformed("not a view of the probe chain"));
        }
        count(view.height)?;
        count(view.price)?;
        view.account
            .as_ref()
            .map_or(Ok(()), |account| count(account.next))?;
        Ok(view)
    }
}

impl Account {
    /// Key of the account and its lowest free number: the network takes numbers in order, so a gap
    /// holds up everything behind it.
    ///
    /// # Errors
    /// `quota_exceeded` when too many are pending; what the key's derivation refuses.
    pub fn next_free(&self, vault: &VaultKey) -> Result<([u8; 32], u64), Refusal> {
        let key = address::own_key(vault, self.path)?;
        let numbers = self.next..self.next.saturating_add(PENDING_MAX);
        let free = |number: &u64| !self.taken.contains(&conflict_key(&key, *number));
        let number = numbers.into_iter().find(free);
        let number = number
            .ok_or_else(|| Refusal::new(Code::QuotaExceeded, "too many pending transactions"))?;
        Ok((key, number))
    }
}
