//! Long runs in slices, each with its result line in a file.

use crate::{Arguments, many};
use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use strongroom_sim::{Settings, Summary};
use strongroom_types::digest;

/// Runs what the file does not have yet of the seeds that are asked for; gives the sum of all.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> io::Result<Summary> {
    let Some(path) = &arguments.resume else {
        return Ok(many(arguments, settings, (arguments.from, arguments.seeds)));
    };

    let origin = Origin::new(settings)?;
    let kept = origin.kept(path)?;
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    let mut sum = Summary::new();
    let slice = arguments.slice.max(1);
    for first in (0..arguments.seeds).step_by(usize::try_from(slice).unwrap_or(usize::MAX)) {
        let (from, seeds) = (arguments.from + first, slice.min(arguments.seeds - first));

        // Both numbers: a slice of another length began elsewhere next time.
        let is_same = |line: &&Value| line["from"] == from && line["seeds"] == seeds;
        let known = kept.iter().find(is_same).and_then(Summary::from_json);
        let summary = match known {
            Some(summary) => summary,
            None => {
                let summary = many(arguments, settings, (from, seeds));
                append(&mut file, &origin.mark(summary.to_json(from)))?;
                summary
            }
        };
        sum.merge(summary);
    }
    Ok(sum)
}

/// What a line comes of beside its seeds: lines of two builds together say nothing about either.
pub(crate) struct Origin {
    /// Digest of the executable, which is as it was built: its commit would not name local changes.
    build: String,
    intents: usize,
}

impl Origin {
    pub(crate) fn new(settings: &Settings) -> io::Result<Self> {
        let executable = std::fs::read(std::env::current_exe()?)?;
        Ok(Self {
            build: digest("strongroom/sim-build/v1", &[&executable]).to_string(),
            intents: settings.intents,
        })
    }

    /// A line that says where it comes from.
    pub(crate) fn mark(&self, mut line: Value) -> Value {
        if let Some(members) = line.as_object_mut() {
            members.insert("build".to_owned(), json!(self.build));
            members.insert("intents".to_owned(), json!(self.intents));
        }
        line
    }

    fn is_of(&self, line: &Value) -> bool {
        line["build"] == self.build && line["intents"] == self.intents
    }

    /// The lines of an earlier run of the same build; empty without a file. The slice of a line that
    /// was cut off is run again.
    pub(crate) fn kept(&self, path: &Path) -> io::Result<Vec<Value>> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let lines = text.lines().map(serde_json::from_str);
        let (kept, others): (Vec<Value>, Vec<Value>) = lines
            .filter_map(Result::ok)
            .partition(|line| self.is_of(line));

        if !others.is_empty() {
            let count = others.len();
            eprintln!(
                "{count} lines of another build or of other --intents do not count: those seeds are run again"
            );
        }
        Ok(kept)
    }
}

pub(crate) fn append(file: &mut File, line: &Value) -> io::Result<()> {
    // Synced: an interrupted run goes on after its last slice, and the machine may be what stops.
    writeln!(file, "{line}")?;
    file.sync_data()
}
