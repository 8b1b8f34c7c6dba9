//! What all runs together came to: a file with one line of JSON per target and build.

use super::log::Figures;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

/// Everything that one build ran of one target.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Row {
    /// Name of the target.
    pub target: String,
    /// Digest of the program that ran, first 16 hex digits.
    pub build: String,
    /// Commit that was checked out at the last run, for people.
    pub commit: String,
    /// Seconds of all runs.
    pub seconds: u64,
    /// Inputs of all runs.
    pub executions: u64,
    /// Accepted inputs of all runs.
    pub accepted: u64,
    /// Edges that the corpus covered after the last run.
    pub edges: u64,
    /// Features that it covered then.
    pub features: u64,
    /// Inputs in it.
    pub corpus: u64,
    /// Most memory that one input took, bytes.
    pub memory: u64,
    /// Runs that failed.
    pub failed: u64,
}

/// One finished run.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// Name of the target.
    pub target: &'a str,
    /// Seconds that it took.
    pub seconds: u64,
    /// Figures of its log.
    pub figures: Figures,
    /// Whether it failed.
    pub failed: bool,
}

/// The file, read whole.
#[derive(Debug)]
pub struct Results {
    path: PathBuf,
    build: String,
    commit: String,
    rows: Vec<Row>,
}

impl Results {
    /// The results at `path` for runs of this build; empty without the file.
    ///
    /// # Errors
    /// The file cannot be read, or has a line that is not a row: it is then not written over.
    pub fn open(path: &Path, build: &str, commit: &str) -> io::Result<Self> {
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read?,
        };
        let rows = text.lines().map(serde_json::from_str);
        Ok(Self {
            path: path.to_owned(),
            build: build.to_owned(),
            commit: commit.to_owned(),
            rows: rows.collect::<Result<_, _>>()?,
        })
    }

    /// What this build ran of a target: nothing yet, or its row.
    #[must_use]
    pub fn of_build(&self, target: &str) -> Row {
        let at = self.place(target);
        let row = at.and_then(|at| self.rows.get(at)).cloned();
        row.unwrap_or_else(|| Row {
            target: target.to_owned(),
            build: self.build.clone(),
            commit: self.commit.clone(),
            ..Row::default()
        })
    }

    fn place(&self, target: &str) -> Option<usize> {
        let mut rows = self.rows.iter();
        rows.position(|row| row.target == target && row.build == self.build)
    }

    /// Seconds that all builds ran a target.
    #[must_use]
    pub fn seconds_of_all_builds(&self, target: &str) -> u64 {
        let rows = self.rows.iter().filter(|row| row.target == target);
        rows.fold(0, |sum, row| sum.saturating_add(row.seconds))
    }

    /// Adds a run and writes the file, whole or not at all: a campaign that is interrupted keeps
    /// what it had.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn add(&mut self, run: Run<'_>) -> io::Result<()> {
        let mut row = self.of_build(run.target);
        if let Some(at) = self.place(run.target) {
            self.rows.swap_remove(at);
        }

        row.commit.clone_from(&self.commit);
        row.seconds += run.seconds;
        row.executions += run.figures.executions;
        row.accepted += run.figures.accepted;
        row.edges = run.figures.edges;
        row.features = run.figures.features;
        row.corpus = run.figures.corpus;
        row.memory = row.memory.max(run.figures.memory);
        row.failed += u64::from(run.failed);
        self.rows.push(row);
        self.rows
            .sort_by(|a, b| (&a.target, &a.build).cmp(&(&b.target, &b.build)));
        self.write()
    }

    fn write(&self) -> io::Result<()> {
        let mut text = String::new();
        for row in &self.rows {
            text.push_str(&serde_json::to_string(row)?);
            text.push('\n');
        }
        let next = self.path.with_extension("new");
        std::fs::write(&next, text)?;
        std::fs::rename(next, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(target: &str, executions: u64) -> Run<'_> {
        let figures = Figures {
            executions,
            accepted: 1,
            edges: executions,
            ..Figures::default()
        };
        Run {
            target,
            seconds: 5,
            figures,
            failed: false,
        }
    }

    #[test]
    fn runs_of_one_build_add_up_and_another_build_begins_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("results.jsonl");
        let mut first = Results::open(&path, "one", "c1").unwrap();
        for executions in [10, 20] {
            first.add(run("json", executions)).unwrap();
        }
        first.add(run("act", 1)).unwrap();

        let mut again = Results::open(&path, "one", "c2").unwrap();
        again.add(run("json", 30)).unwrap();
        let row = again.of_build("json");
        assert_eq!((row.seconds, row.executions, row.accepted), (15, 60, 3));
        assert_eq!((row.edges, row.commit.as_str()), (30, "c2"));

        let other = Results::open(&path, "two", "c2").unwrap();
        assert_eq!(other.of_build("json").seconds, 0);
        assert_eq!(other.seconds_of_all_builds("json"), 15);
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 2);
    }

    #[test]
    fn a_file_that_is_not_of_results_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("results.jsonl");
        std::fs::write(&path, "{\"target\":\"json\"}\n").unwrap();
        assert!(Results::open(&path, "one", "c1").is_err());
    }
}
