//! Which coins pay: branch and bound over the coins nearest to the amount, else the largest first.

use crate::encode::INPUTS_MAX;
use crate::fee::Fees;
use bdk_coin_select::float::Ordf32;
use bdk_coin_select::{BnbMetric, Candidate, CoinSelector};
use bitcoin::OutPoint;
use strongroom_ports::chain::OwnPath;
use strongroom_types::{Code, Refusal};

/// Coins considered by branch and bound, half of them at least as large as the payment.
const POOL_MAX: usize = 48;
/// Rounds of branch and bound: some milliseconds.
const ROUNDS_MAX: usize = 1_000;
/// Bitcoin Core's dust limit for P2TR.
pub const CHANGE_MIN: u64 = 330;

/// A spendable output of the vault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Coin {
    /// Its name.
    pub outpoint: OutPoint,
    /// Satoshi.
    pub amount: u64,
    /// The vault's address that holds it.
    pub path: OwnPath,
}

/// Amount and fee that the coins must cover.
#[derive(Clone, Copy, Debug)]
pub struct Goal {
    /// Sum of the payments.
    pub paid: u64,
    /// How fees follow from size.
    pub fees: Fees,
    /// Whether there must be change (a transaction that makes no payment).
    pub must_change: bool,
    /// Most fee; above it, small change is kept rather than given away.
    pub fee_max: u64,
}

/// Fee and change of a set of coins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settlement {
    /// Satoshi.
    pub fee: u64,
    /// Satoshi back to the vault; `None` when it is not worth an output.
    pub change: Option<u64>,
}

impl Goal {
    /// Fee and change for this many coins of that total; `None` if the total is too small.
    pub fn settle(&self, coins: usize, value: u64) -> Option<Settlement> {
        let with = self.fees.fee(coins, true);
        let change = value
            .checked_sub(self.paid.saturating_add(with))
            // Nodes do not relay a transaction with an output below the dust limit.
            .filter(|rest| *rest >= CHANGE_MIN);

        // Without change the rest is fee; a transaction that only returns value needs its output.
        let plain = self.fees.fee(coins, false);
        let given_away = value
            .checked_sub(self.paid)
            .filter(|fee| *fee >= plain && !self.must_change);

        // Change that costs more to spend later than it is worth goes to the fee, as long as the
        // cap allows it.
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
/// `insufficient_balance`.
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

    // A selection without change is tried first: it is cheaper now and leaves no small coin behind.
    let chosen = branch_and_bound(goal, must, &rest).or_else(|| largest_first(goal, must, &rest));
    let chosen = chosen.filter(|chosen| chosen.len() <= INPUTS_MAX);

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
        // Each input is a conflict key of the attempt, and those are bounded.
        if chosen.len() >= INPUTS_MAX {
            return None;
        }
        chosen.push(*more.next()?);
    }
    Some(chosen)
}

/// The pool is the smallest coins that suffice alone and the largest that do not, largest first.
fn pool<'a>(goal: &Goal, rest: &'a [Coin]) -> &'a [Coin] {
    // The search grows exponentially with its candidates: those nearest to the amount are the
    // likeliest to need no change.
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

    // Selected before the search, so that no branch leaves the anchor out.
    for index in 0..must.len() {
        selector.select(index);
    }

    selector.run_bnb(LeastCost(goal), ROUNDS_MAX).ok()?;

    let chosen: Vec<Coin> = selector.apply_selection(&coins).copied().collect();
    (!chosen.is_empty()).then_some(chosen)
}

/// Fee now and the later cost of spending the change. Computed in integers; only the order is in
/// floats.
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

    /// No selection below this branch has fewer coins than the largest ones that suffice.
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
