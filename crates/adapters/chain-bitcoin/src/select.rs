//! Choice of the coins that pay: branch and bound over the coins nearest to the amount; if that
//! finds none, the largest coins first.

use crate::fee::Fees;
use bdk_coin_select::float::Ordf32;
use bdk_coin_select::{BnbMetric, Candidate, CoinSelector};
use bitcoin::OutPoint;
use strongroom_ports::chain::OwnPath;
use strongroom_types::{Code, Refusal};

/// Number of coins that branch and bound considers; up to half of them are at least as large as the
/// payment.
const POOL_MAX: usize = 48;
/// Largest number of rounds of branch and bound, which take some milliseconds.
const ROUNDS_MAX: usize = 1_000;
/// Smallest change, satoshi: Bitcoin Core's dust limit for P2TR.
pub const CHANGE_MIN: u64 = 330;

/// A spendable output of the vault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Coin {
    /// Transaction id and output index.
    pub outpoint: OutPoint,
    /// Amount, satoshi.
    pub amount: u64,
    /// Path of the vault's address that holds it.
    pub path: OwnPath,
}

/// Amount and fee that the coins must cover.
#[derive(Clone, Copy, Debug)]
pub struct Goal {
    /// Sum of the payments, satoshi.
    pub paid: u64,
    /// Rate and outputs from which the fee follows.
    pub fees: Fees,
    /// Whether there must be change (a transaction that makes no payment).
    pub must_change: bool,
    /// Largest fee, satoshi. Small change is given to the fee only up to it.
    pub fee_max: u64,
    /// Most coins: each is a conflict key of the attempt and a slot of its signing request.
    pub inputs_max: usize,
}

/// Fee and change of a set of coins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settlement {
    /// Fee, satoshi.
    pub fee: u64,
    /// Change to the vault, satoshi; `None` when there is no change output.
    pub change: Option<u64>,
}

impl Goal {
    /// Fee and change for this number of coins with a total of `value` satoshi; `None` if the total
    /// is too small.
    pub fn settle(&self, coins: usize, value: u64) -> Option<Settlement> {
        let with = self.fees.fee(coins, true);
        let change = value
            .checked_sub(self.paid.saturating_add(with))
            // Nodes do not relay a transaction with an output below the dust limit.
            .filter(|rest| *rest >= CHANGE_MIN);

        // Without a change output the rest is the fee. A transaction without payments needs that
        // output, as it has no other.
        let plain = self.fees.fee(coins, false);
        let given_away = value
            .checked_sub(self.paid)
            .filter(|fee| *fee >= plain && !self.must_change);

        // Change that would later cost more to spend than it is worth goes to the fee, if the cap
        // allows it.
        match (change, given_away) {
            (Some(rest), Some(fee)) if rest < self.fees.input_cost() && fee <= self.fee_max => {
                Some(Settlement { fee, change: None })
            }
            (Some(rest), _) => Some(Settlement {
                fee: with,
                change: Some(rest),
            }),
            (None, Some(fee)) => Some(Settlement { fee, change: None }),
            (None, None) => None,
        }
    }
}

/// Chooses from `coins` (distinct, in any fixed order) so that all `must` are among them.
///
/// # Errors
/// `insufficient_balance` when no permitted set of coins covers the goal.
pub fn select(
    goal: &Goal,
    must: &[Coin],
    coins: &[Coin],
) -> Result<(Vec<Coin>, Settlement), Refusal> {
    let mut rest: Vec<Coin> = coins
        .iter()
        .filter(|coin| !must.contains(coin))
        .copied()
        .collect();

    rest.sort_by_key(|coin| (std::cmp::Reverse(coin.amount), coin.outpoint));

    // Branch and bound is tried first: it can find a set that needs no change, which is cheaper and
    // leaves no small coin.
    let chosen = branch_and_bound(goal, must, &rest)
        .filter(|chosen| chosen.len() <= goal.inputs_max)
        .or_else(|| largest_first(goal, must, &rest));

    let settled = chosen.and_then(|chosen| {
        let settlement = goal.settle(chosen.len(), value(&chosen))?;
        Some((chosen, settlement))
    });
    settled.ok_or_else(|| {
        let have = value(must).saturating_add(value(&rest));
        let detail = format!(
            "{have} satoshi in {} coins do not cover {} and the fee",
            coins.len(),
            goal.paid
        );
        Refusal::new(Code::InsufficientBalance, detail)
    })
}

fn value(coins: &[Coin]) -> u64 {
    coins
        .iter()
        .fold(0, |sum, coin| coin.amount.saturating_add(sum))
}

fn largest_first(goal: &Goal, must: &[Coin], rest: &[Coin]) -> Option<Vec<Coin>> {
    let mut chosen = must.to_vec();
    let mut more = rest.iter();
    while chosen.is_empty() || goal.settle(chosen.len(), value(&chosen)).is_none() {
        if chosen.len() >= goal.inputs_max {
            return None;
        }
        chosen.push(*more.next()?);
    }
    Some(chosen)
}

/// The smallest coins that suffice alone and the largest that do not, largest first.
fn pool<'a>(goal: &Goal, rest: &'a [Coin]) -> &'a [Coin] {
    // The search grows exponentially with the number of candidates, so only the coins nearest to
    // the amount are taken: they are the likeliest to need no change.
    let enough = rest.partition_point(|coin| coin.amount >= goal.paid);
    let first = enough.saturating_sub(POOL_MAX / 2);
    rest.get(first..rest.len().min(first + POOL_MAX))
        .unwrap_or_default()
}

fn branch_and_bound(goal: &Goal, must: &[Coin], rest: &[Coin]) -> Option<Vec<Coin>> {
    let coins: Vec<Coin> = must.iter().chain(pool(goal, rest)).copied().collect();
    let candidates: Vec<_> = coins
        .iter()
        .map(|coin| Candidate::new_tr_keyspend(coin.amount))
        .collect();

    let mut selector = CoinSelector::new(&candidates);

    // These coins are selected before the search, so that no branch leaves the anchor out.
    for index in 0..must.len() {
        selector.select(index);
    }

    selector.run_bnb(LeastCost(goal), ROUNDS_MAX).ok()?;

    let chosen: Vec<Coin> = selector.apply_selection(&coins).copied().collect();
    (!chosen.is_empty()).then_some(chosen)
}

/// The metric of the search: the fee now, and the later cost of spending the change. It is computed
/// in integers; only the comparison is in floats.
struct LeastCost<'a>(&'a Goal);

impl BnbMetric for LeastCost<'_> {
    fn score(&mut self, selector: &CoinSelector<'_>) -> Option<Ordf32> {
        let coins = selector.selected().len();
        let value = selector
            .selected()
            .fold(0u64, |sum, (_, coin)| sum.saturating_add(coin.value));

        let settlement = self.0.settle(coins, value).filter(|_| coins > 0)?;
        let later = settlement.change.map_or(0, |_| self.0.fees.input_cost());
        Some(cost(settlement.fee.saturating_add(later)))
    }

    /// Lower bound of a branch. No selection in it has fewer coins than the largest ones that
    /// suffice.
    fn bound(&mut self, selector: &CoinSelector<'_>) -> Option<Ordf32> {
        let mut coins = selector.selected().len();
        let mut value = selector
            .selected()
            .fold(0u64, |sum, (_, coin)| sum.saturating_add(coin.value));

        let mut more = selector.unselected();
        while coins == 0 || self.0.settle(coins, value).is_none() {
            value = value.saturating_add(more.next()?.1.value);
            coins += 1;
        }

        Some(cost(self.0.fees.fee(coins, self.0.must_change)))
    }

    fn requires_ordering_by_descending_value_pwu(&self) -> bool {
        true
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "an order of candidates, not an amount"
)]
fn cost(satoshi: u64) -> Ordf32 {
    Ordf32(satoshi as f32)
}
