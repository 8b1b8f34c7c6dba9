//! Figures of one run, read from what libFuzzer printed.

/// How a target's process says how many inputs were accepted, at its end: `ACCEPTED NUMBER`.
pub const ACCEPTED: &str = "strongroom-fuzz accepted:";
/// The same for the most memory that one input took, bytes.
pub const MEMORY: &str = "strongroom-fuzz memory:";

/// Figures of one run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Figures {
    /// Inputs that were run.
    pub executions: u64,
    /// Inputs that the decoder accepted.
    pub accepted: u64,
    /// Edges of the control flow that the corpus covers.
    pub edges: u64,
    /// Features that it covers: edges with counts, and compared values.
    pub features: u64,
    /// Inputs of the corpus.
    pub corpus: u64,
    /// Most memory that one input took, bytes.
    pub memory: u64,
}

/// Reads a log. Where a figure is printed again and again, the last one counts.
#[must_use]
pub fn figures(log: &str) -> Figures {
    let mut figures = Figures::default();
    for line in log.lines() {
        if line.starts_with('#') {
            status(line, &mut figures);
        }
        let set = |name: &str, value: &mut u64| {
            if let Some(number) = line.strip_prefix(name).and_then(first_number) {
                *value = number;
            }
        };
        set("stat::number_of_executed_units:", &mut figures.executions);
        set(ACCEPTED, &mut figures.accepted);
        set(MEMORY, &mut figures.memory);
    }
    figures
}

/// `#2097152 pulse  cov: 153 ft: 402 corp: 61/1240b lim: 4096 …`.
fn status(line: &str, figures: &mut Figures) {
    let mut words = line.split_whitespace();
    while let Some(word) = words.next() {
        let value = match word {
            "cov:" => &mut figures.edges,
            "ft:" => &mut figures.features,
            "corp:" => &mut figures.corpus,
            _ => continue,
        };
        if let Some(number) = words.next().and_then(first_number) {
            *value = number;
        }
    }
}

fn first_number(text: &str) -> Option<u64> {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_ascii_digit());
    text.get(..end.unwrap_or(text.len()))?.parse().ok()
}

/// File to which libFuzzer wrote the input that failed.
#[must_use]
pub fn failing_input(log: &str) -> Option<&str> {
    let mut lines = log.lines().filter_map(|line| {
        let (_, file) = line.split_once("Test unit written to ")?;
        Some(file.trim())
    });
    lines.next_back()
}

/// The panic's own words, for the summary; empty when the process did not panic.
#[must_use]
pub fn panic_message(log: &str) -> String {
    let mut lines = log.lines().skip_while(|line| !line.contains("panicked at"));
    let place = lines.next().unwrap_or_default();
    let what = lines.next().unwrap_or_default();
    format!("{place} {what}").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "INFO: Seed: 3978093405
#2\tINITED cov: 7 ft: 7 corp: 2/6b exec/s: 0 rss: 27Mb
#1645\tNEW    cov: 8 ft: 9 corp: 3/12b lim: 17 exec/s: 0 rss: 27Mb L: 6/6 MS: 3 ChangeByte-
#400182\tDONE   cov: 16 ft: 18 corp: 5/21b lim: 64 exec/s: 66697 rss: 27Mb
Done 400182 runs in 6 second(s)
stat::number_of_executed_units: 400182
stat::peak_rss_mb:              27
strongroom-fuzz accepted: 2744
strongroom-fuzz memory: 65536
";

    #[test]
    fn figures_are_the_last_ones_of_the_log() {
        let wanted = Figures {
            executions: 400_182,
            accepted: 2_744,
            edges: 16,
            features: 18,
            corpus: 5,
            memory: 65_536,
        };
        assert_eq!(figures(LOG), wanted);
        assert_eq!(figures("no log of a run"), Figures::default());
        assert_eq!(failing_input(LOG), None);
        assert_eq!(panic_message(LOG), "");
    }

    #[test]
    fn a_failing_input_and_its_panic_are_found() {
        let log = "thread 'main' panicked at src/codec.rs:13:108:\nboom\n==25228== ERROR: libFuzzer\n\
                   artifact_prefix='a/'; Test unit written to a/crash-95409eee\nBase64: YWIyMzQ=\n";
        assert_eq!(failing_input(log), Some("a/crash-95409eee"));
        assert_eq!(
            panic_message(log),
            "thread 'main' panicked at src/codec.rs:13:108: boom"
        );
    }
}
