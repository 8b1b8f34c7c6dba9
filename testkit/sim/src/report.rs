//! Many seeds, and the summary over them.

use crate::kinds::{Fault, Hostile, WritePoint};
use crate::properties::Property;
use crate::run::Outcome;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// From this many seeds on, every kind must have been hit.
pub const SEEDS_FOR_ALL: u64 = 200;

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
            ("accepted", outcome.accepted),
            ("signed", outcome.signed),
            ("shares", outcome.shares),
            ("entries", outcome.entries),
            ("turns", outcome.turns),
            ("events", outcome.events),
            ("dead_letters", outcome.counts.dead_letters),
            ("virtual_s", outcome.virtual_ms / 1000),
        ];
        for (name, count) in totals {
            *self.totals.entry(name).or_default() += count;
        }
        add(&mut self.faults, &outcome.counts.faults);
        add(&mut self.points, &outcome.counts.points);
        add(&mut self.hostile, &outcome.counts.hostile);
        add(&mut self.refused, &outcome.counts.refused);
        add(&mut self.submissions, &outcome.counts.submissions);
        add(&mut self.ended, &outcome.counts.ended);
        add(&mut self.unsigned, &outcome.unsigned);
    }

    /// Kinds that never happened.
    #[must_use]
    pub fn never(&self) -> Vec<&str> {
        let all = self.faults.iter().chain(&self.points).chain(&self.hostile);
        all.filter(|(_, count)| **count == 0)
            .map(|(name, _)| name.as_str())
            .collect()
    }

    /// Whether nothing is wrong: no violation, and enough seeds hit every kind.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.violations.is_empty() && (self.seeds < SEEDS_FOR_ALL || self.never().is_empty())
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
            "refused": object(&self.refused),
            "refused_by_api": object(&self.submissions),
            "unsigned": object(&self.unsigned),
            "faults": object(&self.faults),
            "crash_points": object(&self.points),
            "hostile": object(&self.hostile),
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
