//! Arguments of `./x fuzz`.

use crate::targets::{Target, all};
use clap::{ArgGroup, Parser};
use std::path::PathBuf;

/// Longest campaign, minutes: a week.
const MINUTES_MAX: u64 = 7 * 24 * 60;

/// Every decoder of bytes from outside under libFuzzer, two processes at a time. A second campaign
/// goes on with the corpora of the first.
#[derive(Parser, Clone, Debug)]
#[command(name = "./x fuzz", override_usage = "./x fuzz --help shows every form")]
#[command(group = ArgGroup::new("instead").args(["list", "report", "replay", "self_test"]))]
pub struct Options {
    /// Minutes for all chosen targets together; each gets at least five seconds
    #[arg(
        long,
        value_name = "N",
        default_value_t = 10,
        conflicts_with = "instead"
    )]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=MINUTES_MAX))]
    pub minutes: u64,

    /// Only this target; may be given again
    #[arg(long = "target", value_name = "T")]
    pub targets: Vec<String>,

    /// One line of JSON per target, and a last one that adds them up
    #[arg(long)]
    pub json: bool,

    /// Afterwards choose a small corpus by coverage and write it to testkit/fuzz/corpus
    #[arg(long, conflicts_with = "instead")]
    pub keep: bool,

    /// Print the names of all targets, run nothing
    #[arg(long)]
    pub list: bool,

    /// Print what all campaigns of this build came to, run nothing
    #[arg(long)]
    pub report: bool,

    /// Run one target on one input, which a failure has named
    #[arg(long, value_name = "FILE", requires = "targets")]
    pub replay: Option<PathBuf>,

    /// Run the targets that are broken on purpose: each must be found
    #[arg(long)]
    pub self_test: bool,

    /// Folder of corpora, logs and results
    #[arg(long, value_name = "DIR", hide = true)]
    pub work: PathBuf,

    /// Root of the repository
    #[arg(long, value_name = "DIR", hide = true)]
    pub repository: PathBuf,

    /// Commit that is checked out
    #[arg(long, value_name = "ID", hide = true, default_value = "unknown")]
    pub commit: String,
}

/// A target that is not there, with the names of those that are.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownTarget(pub String);

impl Options {
    /// The chosen targets, all of them when none is named, in the order of the list.
    ///
    /// # Errors
    /// [`UnknownTarget`].
    pub fn chosen(&self) -> Result<Vec<Target>, UnknownTarget> {
        let mut targets = all();
        let is_known = |name: &&String| targets.iter().any(|target| target.name == **name);
        if let Some(unknown) = self.targets.iter().find(|name| !is_known(name)) {
            let names: Vec<&str> = targets.iter().map(|target| target.name).collect();
            return Err(UnknownTarget(format!(
                "unknown target `{unknown}`; the targets are: {}",
                names.join(", ")
            )));
        }
        if !self.targets.is_empty() {
            targets.retain(|target| self.targets.iter().any(|name| name == target.name));
        }
        Ok(targets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Options, clap::Error> {
        let hidden = ["./x fuzz", "--work", "w", "--repository", "."];
        Options::try_parse_from(hidden.iter().chain(arguments))
    }

    #[test]
    fn minutes_are_a_number_and_at_least_one() {
        for wrong in ["0", "-1", "1.5", "ten", "", "10081"] {
            let error = parsed(&["--minutes", wrong]).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{wrong}");
        }
        assert_eq!(parsed(&["--minutes", "600"]).unwrap().minutes, 600);
        assert_eq!(parsed(&[]).unwrap().minutes, 10);
    }

    #[test]
    fn an_unknown_target_is_refused_with_the_names_of_all() {
        let wrong = parsed(&["--target", "json", "--target", "no_such"]).unwrap();
        let UnknownTarget(text) = wrong.chosen().err().unwrap();
        assert!(text.contains("`no_such`") && text.contains("envelope"));

        let two = parsed(&["--target", "genesis", "--target", "json"]).unwrap();
        let names: Vec<_> = two.chosen().unwrap().iter().map(|t| t.name).collect();
        assert_eq!(names, ["json", "genesis"]);
        assert_eq!(parsed(&[]).unwrap().chosen().unwrap().len(), all().len());
    }

    #[test]
    fn one_thing_is_done_at_a_time() {
        for wrong in [
            &["--list", "--report"][..],
            &["--keep", "--list"],
            &["--minutes", "1", "--self-test"],
            &["--replay", "file"],
        ] {
            assert_eq!(parsed(wrong).unwrap_err().exit_code(), 2, "{wrong:?}");
        }
        let replay = ["--target", "json", "--replay", "file"];
        assert!(parsed(&replay).unwrap().replay.is_some());
        assert!(parsed(&["--report", "--json", "--target", "json"]).is_ok());
    }
}
