//! The ids of the attacks: each stands on the pages once, as a row that is run, as one that waits
//! for a part, or as one that is stopped elsewhere.

use crate::rows::{ALL, STANDING};
use crate::unmade::{ELSEWHERE, NEEDS};
use anyhow::ensure;
use std::collections::BTreeSet;

/// Ids of all attacks that are listed.
pub fn listed() -> impl Iterator<Item = String> {
    let rows = (1..=53).chain([60]).map(|number: u32| number.to_string());
    rows.chain((1..=32).map(|number: u32| format!("C{number}")))
}

/// Ids by where they stand.
pub struct Ids<'a> {
    /// Of the rows that are run.
    pub run: Vec<&'a str>,
    /// Of what is stopped elsewhere.
    pub elsewhere: Vec<&'a str>,
    /// Of rows, and of halves of rows, that wait for a part.
    pub needs: Vec<&'a str>,
}

impl Ids<'static> {
    /// Those of this suite.
    pub fn of_suite() -> Self {
        let guarded = ALL.iter().map(|row| row.id);
        let standing = STANDING.iter().map(|row| row.id);
        Self {
            run: guarded.chain(standing).collect(),
            elsewhere: ELSEWHERE.iter().map(|(id, _, _)| *id).collect(),
            needs: NEEDS.iter().map(|(id, _, _)| *id).collect(),
        }
    }
}

impl Ids<'_> {
    /// Number of ids that wait wholly: what waits of a row that is run is not counted.
    pub fn waiting(&self) -> usize {
        let waits = self.needs.iter().filter(|id| !self.run.contains(id));
        waits.count()
    }

    /// Compares with the list.
    ///
    /// # Errors
    /// An id that is missing, that stands twice, or that no one knows.
    pub fn check(&self) -> anyhow::Result<()> {
        let mut seen = BTreeSet::new();
        let waits = self.needs.iter().filter(|id| !self.run.contains(id));
        for id in self.run.iter().chain(&self.elsewhere).chain(waits) {
            ensure!(seen.insert((*id).to_owned()), "attack {id} stands twice");
        }
        let mut halves = BTreeSet::new();
        for id in &self.needs {
            ensure!(halves.insert(*id), "attack {id} waits twice");
        }

        let listed: BTreeSet<String> = listed().collect();
        let missing: Vec<&String> = listed.difference(&seen).collect();
        ensure!(missing.is_empty(), "attacks are missing: {missing:?}");
        let unknown: Vec<&String> = seen.difference(&listed).collect();
        ensure!(
            unknown.is_empty(),
            "attacks that are not listed: {unknown:?}"
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_attack_stands_once() {
        Ids::of_suite().check().unwrap();
    }

    #[test]
    fn a_missing_a_doubled_and_an_unknown_id_are_named() {
        /// Spoils the list.
        type Change = fn(&mut Ids<'static>);
        let cases: [(Change, &str); 5] = [
            (|ids| ids.run.retain(|id| *id != "29"), "missing: [\"29\"]"),
            (|ids| ids.run.push("29"), "attack 29 stands twice"),
            (|ids| ids.elsewhere.push("29"), "attack 29 stands twice"),
            (|ids| ids.needs.push("17"), "attack 17"),
            (|ids| ids.run.push("99"), "not listed: [\"99\"]"),
        ];
        for (change, wanted) in cases {
            let mut ids = Ids::of_suite();
            change(&mut ids);
            let error = ids.check().unwrap_err().to_string();
            assert!(error.contains(wanted), "{wanted}: {error}");
        }
    }

    #[test]
    fn half_of_a_row_that_is_run_does_not_wait() {
        let mut ids = Ids::of_suite();
        let before = ids.waiting();
        assert!(before > 0);
        ids.needs.push("29");
        assert_eq!(ids.waiting(), before);
        ids.check().unwrap();
    }
}
