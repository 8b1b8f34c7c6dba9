//! A rule's match in 48 bytes, so that most rules of a long table are excluded without a cache
//! miss.
//!
//! A probe may pass a rule that does not match, which is then compared in full; it never excludes
//! one that does. It changes no decision: [`crate::explain`] uses no probes, and tests compare the
//! two.

use crate::condition::{DestinationType, Destinations, Initiators, Sources};
use crate::facts::{DestinationStanding, IntentFacts};
use crate::rule::{Match, Rule};
use std::ops::Deref;
use strongroom_types::{AssetId, MinorUnits};

/// The rules of a policy in order. It dereferences to a slice, is made from a `Vec`, and can only
/// be replaced as a whole, so that probes and rules agree.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
    probes: Vec<Probe>,
}

impl From<Vec<Rule>> for Rules {
    fn from(rules: Vec<Rule>) -> Self {
        let probes = rules.iter().map(|rule| Probe::of(&rule.matches)).collect();
        Self { rules, probes }
    }
}

impl Deref for Rules {
    type Target = [Rule];

    fn deref(&self) -> &[Rule] {
        &self.rules
    }
}

impl Rules {
    /// Each rule with its probe, in table order.
    pub(crate) fn probed(&self) -> impl Iterator<Item = (&Rule, &Probe)> {
        self.rules.iter().zip(&self.probes)
    }
}

/// The set that has every value.
const ANY: u64 = u64::MAX;

/// Conditions that are compared in a few instructions. A set is 64 bits; a value has one bit and
/// shares it with others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Probe {
    amount_min: u64,
    amount_max: u64,
    vaults: u64,
    assets: u64,
    users: u64,
    places: u8,
}

/// The facts of an intent that a [`Probe`] is compared with.
pub(crate) struct Sample {
    amount: u64,
    vault: u64,
    asset: u64,
    user: u64,
    places: u8,
}

const INTERNAL: u8 = 1;
const LISTED: u8 = 2;
const UNKNOWN: u8 = 4;

/// Bit of a value: a hash modulo 64.
fn bit(bytes: &[u8]) -> u64 {
    1 << (bytes
        .iter()
        .fold(0u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(*byte))
        & 63)
}

fn set<T>(values: &[T], bit: impl Fn(&T) -> u64) -> u64 {
    values.iter().fold(0, |set, value| set | bit(value))
}

/// Amount saturated to 64 bits. Monotonic, so a comparison that fails on saturated values fails on
/// the full ones.
fn low(amount: MinorUnits) -> u64 {
    amount.to_u64().unwrap_or(u64::MAX)
}

impl Probe {
    fn of(wanted: &Match) -> Self {
        let amount = wanted.amount.as_deref();
        Self {
            // `amount > gt` implies `low(amount) >= low(gt)`.
            amount_min: amount.and_then(|range| range.gt).map_or(0, low),
            amount_max: amount.and_then(|range| range.lte).map_or(u64::MAX, low),
            vaults: wanted.sources.as_deref().map_or(ANY, vaults),
            assets: wanted
                .assets
                .as_deref()
                .map_or(ANY, |assets| set(assets, asset_bit)),
            users: wanted.initiators.as_deref().map_or(ANY, users),
            places: wanted.destinations.as_deref().map_or(u8::MAX, places),
        }
    }

    /// Whether the rule certainly does not match, for a reason other than destinations.
    pub(crate) fn excludes(&self, sample: &Sample) -> bool {
        sample.amount > self.amount_max
            || sample.amount < self.amount_min
            || self.vaults & sample.vault == 0
            || self.assets & sample.asset == 0
            || self.users & sample.user == 0
    }

    /// Whether the rule certainly does not match, because of its destinations.
    pub(crate) fn excludes_places(&self, sample: &Sample) -> bool {
        sample.places & !self.places != 0
    }

    /// Whether the rule accepts addresses that are not listed.
    pub(crate) fn accepts_unknown(&self) -> bool {
        self.places & UNKNOWN != 0
    }
}

fn vaults(sources: &Sources) -> u64 {
    match (&sources.vaults, &sources.tags) {
        (Some(vaults), None) => set(vaults, |id| bit(&id.0)),
        // A tag can match any vault, so no vault can be excluded.
        (_, Some(_)) | (None, None) => ANY,
    }
}

fn users(initiators: &Initiators) -> u64 {
    match (&initiators.users, &initiators.groups) {
        (Some(users), None) => set(users, |id| bit(&id.0)),
        // A group can contain any user, so no user can be excluded.
        (_, Some(_)) | (None, None) => ANY,
    }
}

fn asset_bit(asset: &AssetId) -> u64 {
    bit(asset.as_str().as_bytes())
}

fn places(destinations: &Destinations) -> u8 {
    let place = |wanted: &DestinationType| match wanted {
        // A probe does not compare age and label; the full comparison does.
        DestinationType::AllowListed | DestinationType::AllowListedNew => LISTED,
        DestinationType::Internal => INTERNAL,
        DestinationType::Unknown => UNKNOWN,
    };

    destinations
        .types
        .iter()
        .fold(0, |set, wanted| set | place(wanted))
}

impl Sample {
    pub(crate) fn of(facts: &IntentFacts<'_>) -> Self {
        let place = |place: &DestinationStanding| match place {
            DestinationStanding::Internal => INTERNAL,
            DestinationStanding::Listed { .. } => LISTED,
            DestinationStanding::Unknown => UNKNOWN,
        };

        Self {
            amount: low(facts.amount),
            vault: bit(&facts.vault.id.0),
            asset: asset_bit(facts.asset),
            user: bit(&facts.initiator.0),
            places: facts.places.iter().fold(0, |set, one| set | place(one)),
        }
    }
}
