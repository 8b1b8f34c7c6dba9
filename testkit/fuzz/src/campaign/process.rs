//! One target in a process of its own, under libFuzzer.

use super::log;
use crate::generate_seeds;
use crate::targets::Target;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Environment variable that makes the program a target's process: the target's name.
pub const TARGET: &str = "STRONGROOM_FUZZ_TARGET";
/// Shortest bound on the length of an input that libFuzzer makes, bytes; a target with longer seeds
/// has a longer one.
const INPUT_BYTES: usize = 4 * 1024;
/// Most resident memory of one process, MiB.
const PROCESS_MIB_MAX: u32 = 2 * 1024;

/// Longest run on one input, seconds.
#[derive(Clone, Copy, Debug)]
pub struct InputSeconds(pub u32);

/// Where things are.
#[derive(Clone, Debug)]
pub struct Places {
    /// The program itself, which is started again.
    pub program: PathBuf,
    /// Folder of working corpora, logs and results.
    pub work: PathBuf,
    /// Folder of committed corpora.
    pub committed: PathBuf,
}

impl Places {
    /// Working corpus of a target.
    #[must_use]
    pub fn corpus(&self, target: &str) -> PathBuf {
        self.work.join(target).join("corpus")
    }

    /// Folder to which failing inputs of a target are written.
    #[must_use]
    pub fn failures(&self, target: &str) -> PathBuf {
        self.work.join(target).join("failures")
    }
}

/// Reason for which a run failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// In words.
    pub why: String,
    /// File with the input, if one input is the reason.
    pub input: Option<PathBuf>,
}

/// End of a run.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Seconds that it took.
    pub seconds: u64,
    /// Figures of its log.
    pub figures: log::Figures,
    /// Set when the target is wrong.
    pub failure: Option<Failure>,
}

/// Runs a target for some seconds, from the corpus that is there.
///
/// # Errors
/// The process cannot be started, or a file not be written.
pub fn run(
    target: &Target,
    seconds: u64,
    input: InputSeconds,
    places: &Places,
) -> io::Result<Finished> {
    let (corpus, failures) = (places.corpus(target.name), places.failures(target.name));
    std::fs::create_dir_all(&corpus)?;
    std::fs::create_dir_all(&failures)?;
    let longest = write_seeds(target, &corpus)?;

    // The first folder is the one to which libFuzzer writes.
    let mut arguments = vec![
        format!("-max_total_time={seconds}"),
        "-print_final_stats=1".to_owned(),
        format!("-max_len={}", INPUT_BYTES.max(2 * longest)),
        format!("-timeout={}", input.0),
        format!("-rss_limit_mb={PROCESS_MIB_MAX}"),
        format!("-artifact_prefix={}/", failures.display()),
        corpus.display().to_string(),
    ];
    let committed = places.committed.join(target.name);
    if committed.is_dir() {
        arguments.push(committed.display().to_string());
    }

    let log_file = places.work.join(target.name).join("log.txt");
    let (start, code) = (
        Instant::now(),
        start(target, &arguments, &log_file, places)?,
    );
    let log = read_log(&log_file)?;
    let figures = log::figures(&log);
    Ok(Finished {
        seconds: rounded(start.elapsed()),
        figures,
        failure: failure(code, figures, &log),
    })
}

/// Starts the process and waits for its end; its exit code, none when a signal ended it.
pub(super) fn start(
    target: &Target,
    arguments: &[String],
    log: &Path,
    places: &Places,
) -> io::Result<Option<i32>> {
    let output = std::fs::File::create(log)?;
    let status = Command::new(&places.program)
        .args(arguments)
        .env(TARGET, target.name)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .status()?;
    Ok(status.code())
}

/// A log may hold parts of an input.
fn read_log(path: &Path) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&std::fs::read(path)?).into_owned())
}

fn rounded(took: Duration) -> u64 {
    (took + Duration::from_millis(500)).as_secs()
}

/// What libFuzzer's exit code says, and the one thing that it does not look at.
fn failure(code: Option<i32>, figures: log::Figures, log: &str) -> Option<Failure> {
    let input = log::failing_input(log).map(PathBuf::from);
    let why = match code {
        // Inputs that are all refused show nothing of what the decoder takes for valid.
        Some(0) if figures.accepted == 0 => "accepted no input at all".to_owned(),
        Some(0) => return None,
        Some(70) => "takes too long on one input".to_owned(),
        Some(71) => "its process took too much memory".to_owned(),
        code => {
            let panic = log::panic_message(log);
            let code = code.map_or("a signal".to_owned(), |code| format!("exit code {code}"));
            if panic.is_empty() { code } else { panic }
        }
    };
    Some(Failure { why, input })
}

/// Puts the target's own valid inputs into its corpus; the length of the longest, bytes.
fn write_seeds(target: &Target, corpus: &Path) -> io::Result<usize> {
    let seeds = generate_seeds(target);
    for (number, seed) in seeds.iter().enumerate() {
        std::fs::write(corpus.join(format!("seed-{number:03}")), seed)?;
    }
    Ok(seeds.iter().map(Vec::len).max().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(accepted: u64) -> log::Figures {
        log::Figures {
            accepted,
            ..log::Figures::default()
        }
    }

    #[test]
    fn a_run_fails_by_its_exit_code_or_when_nothing_was_accepted() {
        let why = |code, count, log: &str| failure(code, accepted(count), log).map(|f| f.why);
        assert_eq!(why(Some(0), 1, ""), None);
        let none = why(Some(0), 0, "");
        assert_eq!(none.as_deref(), Some("accepted no input at all"));
        for (code, word) in [(70, "long"), (71, "memory"), (1, "exit code 1")] {
            assert!(why(Some(code), 1, "").unwrap().contains(word), "{code}");
        }
        assert_eq!(why(None, 1, "").as_deref(), Some("a signal"));
        let log = "thread 'main' panicked at a.rs:1:2:\nboom\nTest unit written to a/crash-1\n";
        let failure = failure(Some(77), accepted(1), log).unwrap();
        assert_eq!(failure.why, "thread 'main' panicked at a.rs:1:2: boom");
        assert_eq!(failure.input, Some(PathBuf::from("a/crash-1")));
    }
}
