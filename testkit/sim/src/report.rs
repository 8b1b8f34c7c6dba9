//! Many seeds, and the summary over them.

use crate::kinds::{Fault, Hostile, Situation, WritePoint};
use crate::properties::Property;
use crate::run::Outcome;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// From this many seeds on, every kind must have been hit.
pub const SEEDS_FOR_ALL: u64 = 200;
/// From this many seeds on, every kind must have been hit [`HITS_LEAST`] times, and in longer runs
/// in proportion. Rates are set so that each is expected 60 times; a third of that is not an
/// accident. In shorter runs it could be one, so that only a kind without any hit counts.
pub const SEEDS_FOR_RATES: u64 = 1_000;
/// Fewest hits of a kind in [`SEEDS_FOR_RATES`] seeds.
pub const HITS_LEAST: u64 = 20;

/// Names of the totals.
const TOTALS: [&str; 8] = [
    "accepted",
    "signed",
    "shares",
    "entries",
    "turns",
    "events",
    "dead_letters",
    "virtual_s",
];

/// Sums over seeds.
#[derive(Default, Debug)]
pub struct Summary {
    /// Seeds run.
    pub seeds: u64,
    /// Violated property by seed.
    pub violations: BTreeMap<u64, Property>,
    /// Intents accepted and signed, shares, journal entries, turns, events, dead letters, virtual
    /// seconds.
    pub totals: BTreeMap<&'static str, u64>,
    faults: BTreeMap<String, u64>,
    points: BTreeMap<String, u64>,
    hostile: BTreeMap<String, u64>,
    situations: BTreeMap<String, u64>,
    refused: BTreeMap<String, u64>,
    submissions: BTreeMap<String, u64>,
    ended: BTreeMap<String, u64>,
    unsigned: BTreeMap<String, u64>,
}

fn add<K: ToString>(sums: &mut BTreeMap<String, u64>, counts: &BTreeMap<K, u64>) {
    for (name, count) in counts {
        *sums.entry(name.to_string()).or_default() += count;
    }
}

fn object(counts: &BTreeMap<String, u64>) -> Value {
    Value::Object(
        counts
            .iter()
            .map(|(name, count)| (name.clone(), json!(count)))
            .collect::<Map<_, _>>(),
    )
}

impl Summary {
    /// Nothing yet; every kind is listed with 0.
    #[must_use]
    pub fn new() -> Self {
        let zero =
            |names: Vec<&'static str>| names.into_iter().map(|name| (name.to_owned(), 0)).collect();
        Self {
            faults: zero(Fault::ALL.iter().map(|kind| kind.name()).collect()),
            points: zero(WritePoint::ALL.iter().map(|kind| kind.name()).collect()),
            hostile: zero(Hostile::ALL.iter().map(|kind| kind.name()).collect()),
            situations: zero(Situation::ALL.iter().map(|kind| kind.name()).collect()),
            ..Self::default()
        }
    }

    /// Adds a seed.
    pub fn add(&mut self, outcome: &Outcome) {
        self.seeds += 1;
        if let Some((violation, _)) = &outcome.violation {
            self.violations.insert(outcome.seed, violation.property);
        }
        let totals = [
            outcome.accepted,
            outcome.signed,
            outcome.shares,
            outcome.entries,
            outcome.turns,
            outcome.events,
            outcome.counts.dead_letters,
            outcome.virtual_ms / 1000,
        ];
        for (name, count) in TOTALS.into_iter().zip(totals) {
            *self.totals.entry(name).or_default() += count;
        }
        add(&mut self.faults, &outcome.counts.faults);
        add(&mut self.points, &outcome.counts.points);
        add(&mut self.hostile, &outcome.counts.hostile);
        add(&mut self.situations, &outcome.counts.situations);
        add(&mut self.refused, &outcome.counts.refused);
        add(&mut self.submissions, &outcome.counts.submissions);
        add(&mut self.ended, &outcome.counts.ended);
        add(&mut self.unsigned, &outcome.unsigned);
    }

    fn kinds(&self) -> impl Iterator<Item = (&str, u64)> {
        let all = self.faults.iter().chain(&self.points).chain(&self.hostile);
        all.chain(&self.situations)
            .map(|(name, count)| (name.as_str(), *count))
    }

    /// Kinds that never happened.
    #[must_use]
    pub fn never(&self) -> Vec<&str> {
        let never = self.kinds().filter(|(_, count)| *count == 0);
        never.map(|(name, _)| name).collect()
    }

    /// Kinds that happened too seldom to say anything about them, in a run long enough to tell.
    #[must_use]
    pub fn rare(&self) -> Vec<&str> {
        // In a short run a kind may be missed by accident.
        if self.seeds < SEEDS_FOR_RATES {
            return Vec::new();
        }

        let least = HITS_LEAST * self.seeds / SEEDS_FOR_RATES;
        let rare = self.kinds().filter(|(_, count)| *count < least);
        rare.map(|(name, _)| name).collect()
    }

    /// Whether nothing is wrong: no violation, and enough seeds hit every kind.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let is_short = self.seeds < SEEDS_FOR_ALL;
        self.violations.is_empty()
            && (is_short || self.never().is_empty())
            && self.rare().is_empty()
    }

    /// One line of JSON.
    #[must_use]
    pub fn to_json(&self, from: u64) -> Value {
        let mut out = json!({
            "seeds": self.seeds,
            "violations": self.violations.len(),
            "from": from,
            "violating_seeds": self.violations.iter().map(|(seed, property)| json!([seed, property.name()])).collect::<Vec<_>>(),
            "never_hit": self.never(),
            "rare": self.rare(),
            "refused": object(&self.refused),
            "refused_by_api": object(&self.submissions),
            "unsigned": object(&self.unsigned),
            "faults": object(&self.faults),
            "crash_points": object(&self.points),
            "hostile": object(&self.hostile),
            "situations": object(&self.situations),
            "ended": object(&self.ended),
        });

        if let Some(members) = out.as_object_mut() {
            members.extend(
                self.totals
                    .iter()
                    .map(|(name, count)| ((*name).to_owned(), json!(count))),
            );
        }
        out
    }

    /// The summary of a line that was kept; none when it is not one.
    #[must_use]
    pub fn from_json(line: &Value) -> Option<Self> {
        let mut summary = Self::new();

        // Every member must be there: a line of another version would be summed wrongly.
        summary.seeds = line.get("seeds")?.as_u64()?;
        for pair in line.get("violating_seeds")?.as_array()? {
            let name = pair.get(1)?.as_str()?;
            let property = Property::ALL.iter().find(|p| p.name() == name)?;
            summary.violations.insert(pair.get(0)?.as_u64()?, *property);
        }

        for name in TOTALS {
            summary.totals.insert(name, line.get(name)?.as_u64()?);
        }
        for (name, counts) in summary.tables() {
            for (kind, count) in line.get(name)?.as_object()? {
                counts.insert(kind.clone(), count.as_u64()?);
            }
        }
        Some(summary)
    }

    /// The tables by the names that they have in JSON.
    fn tables(&mut self) -> [(&'static str, &mut BTreeMap<String, u64>); 8] {
        [
            ("faults", &mut self.faults),
            ("crash_points", &mut self.points),
            ("hostile", &mut self.hostile),
            ("situations", &mut self.situations),
            ("refused", &mut self.refused),
            ("refused_by_api", &mut self.submissions),
            ("unsigned", &mut self.unsigned),
            ("ended", &mut self.ended),
        ]
    }

    /// Adds the seeds of another summary.
    pub fn merge(&mut self, mut other: Self) {
        self.seeds += other.seeds;
        self.violations.append(&mut other.violations);
        for (name, count) in &other.totals {
            *self.totals.entry(name).or_default() += count;
        }
        let theirs = other.tables();
        for ((_, sums), (_, counts)) in self.tables().into_iter().zip(theirs) {
            add(sums, counts);
        }
    }

    /// For people.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!(
            "{} seeds, {} violations\n",
            self.seeds,
            self.violations.len()
        );
        for (name, count) in &self.totals {
            text.push_str(&format!("  {name:<28} {count}\n"));
        }

        let tables = [
            ("faults", &self.faults),
            ("write points where a process died", &self.points),
            ("hostile acts", &self.hostile),
            ("situations", &self.situations),
            ("signers' refusals", &self.refused),
            ("the API's refusals", &self.submissions),
            ("intents without a signature, by reason", &self.unsigned),
            ("processes that ended or did not start", &self.ended),
        ];
        for (title, counts) in tables {
            text.push_str(&format!("{title}\n"));
            for (name, count) in counts {
                text.push_str(&format!("  {name:<28} {count}\n"));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many seeds in which each kind was hit so often.
    fn summary(seeds: u64, hits: u64) -> Summary {
        let mut summary = Summary::new();
        summary.seeds = seeds;
        for (_, counts) in summary.tables() {
            counts.values_mut().for_each(|count| *count = hits);
        }
        summary
    }

    /// The same with one kind of each table hit so often instead, by turns.
    fn with_one(seeds: u64, others: u64, hits: u64) -> Vec<(String, Summary)> {
        let kinds = ["faults", "crash_points", "hostile", "situations"];
        let one = |table: &&str| {
            let mut summary = summary(seeds, others);
            let tables = summary.tables();
            let (_, counts) = tables.into_iter().find(|(name, _)| name == table).unwrap();
            let kind = counts.keys().next().unwrap().clone();
            counts.insert(kind.clone(), hits);
            (kind, summary)
        };
        kinds.iter().map(one).collect()
    }

    #[test]
    fn a_kind_without_any_hit_counts_from_200_seeds_on() {
        for (kind, summary) in with_one(200, 1, 0) {
            assert_eq!(summary.never(), [kind.as_str()]);
            assert!(!summary.is_good(), "{kind}");
        }
        for (kind, summary) in with_one(199, 1, 0) {
            assert!(summary.is_good(), "{kind}");
        }
        assert!(summary(200, 1).is_good());
    }

    #[test]
    fn a_rare_kind_counts_from_1000_seeds_on() {
        for (kind, summary) in with_one(1_000, 20, 19) {
            assert_eq!(summary.rare(), [kind.as_str()]);
            assert!(!summary.is_good(), "{kind}");
        }
        assert!(summary(1_000, 20).is_good());
        assert!(summary(999, 1).is_good());
    }

    #[test]
    fn in_longer_runs_a_kind_is_rare_in_proportion() {
        for (kind, summary) in with_one(20_000, 400, 399) {
            assert_eq!(summary.rare(), [kind.as_str()]);
            assert!(!summary.is_good(), "{kind}");
        }
        assert!(summary(20_000, 400).is_good());
    }

    #[test]
    fn a_violation_is_never_good() {
        for (seeds, hits) in [(1, 0), (199, 0), (200, 1), (1_000, 20), (20_000, 1_000)] {
            let mut summary = summary(seeds, hits);
            assert!(summary.is_good(), "{seeds}");
            summary.violations.insert(7, Property::ALL[0]);
            assert!(!summary.is_good(), "{seeds}");
        }
    }
}
