//! Long runs in slices, each with its result line in a file.

use crate::{Arguments, many};
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use strongroom_sim::{Settings, Summary};

/// Runs what the file does not have yet of the seeds that are asked for; gives the sum of all.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> io::Result<Summary> {
    let Some(path) = &arguments.resume else {
        return Ok(many(arguments, settings, (arguments.from, arguments.seeds)));
    };

    let kept = kept(path)?;
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
                append(&mut file, &summary, from)?;
                summary
            }
        };
        sum.merge(summary);
    }
    Ok(sum)
}

/// The lines of an earlier run; none when there is no file. One that was cut off is run again.
fn kept(path: &Path) -> io::Result<Vec<Value>> {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let lines = text.lines().map(serde_json::from_str);
            Ok(lines.filter_map(Result::ok).collect())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn append(file: &mut File, summary: &Summary, from: u64) -> io::Result<()> {
    // Synced: an interrupted run goes on after its last slice, and the machine may be what stops.
    writeln!(file, "{}", summary.to_json(from))?;
    file.sync_data()
}
