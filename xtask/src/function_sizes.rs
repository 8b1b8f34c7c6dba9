//! `file-sizes`, second part: functions that a reader cannot see at once.

use std::path::Path;

use anyhow::ensure;

use crate::prose::items::functions;
use crate::prose::source::{Source, sources_below};

/// Lines from the `fn` to the brace that closes its body, comments and blanks included.
const LINES_MAX: usize = 70;

/// Functions that may be longer: file, name and the reason. One that fits by now is refused, so that
/// the list stays as short as it can be.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    (
        "crates/journal/src/witness/ended.rs",
        "duty_after",
        "a line per refusal code",
    ),
    (
        "testkit/journal-model/src/scenarios/failover.rs",
        "scenarios",
        "a row per scenario",
    ),
    (
        "testkit/journal-model/src/scenarios/payments.rs",
        "quorums",
        "a row per scenario",
    ),
    (
        "testkit/journal-model/src/scenarios/payments.rs",
        "rules",
        "a row per scenario",
    ),
    (
        "testkit/journal-model/src/scenarios/tightenings.rs",
        "heads",
        "a row per scenario",
    ),
    (
        "testkit/sim/src/plan.rs",
        "new",
        "a line per member of a plan",
    ),
    (
        "testkit/sim/src/properties.rs",
        "observe",
        "an arm per observation",
    ),
];

/// Refuses a function over the limit that is not an exception, and an exception that is not needed.
pub fn check(root: &Path, folders: &[&str]) -> anyhow::Result<()> {
    let mut sources = Vec::new();
    for folder in folders {
        sources.extend(sources_below(root, folder)?);
    }
    let count = compare(&sources, EXCEPTIONS)?;
    println!(
        "functions: {count}, none over {LINES_MAX} lines but {} with a reason",
        EXCEPTIONS.len()
    );
    Ok(())
}

/// Number of functions.
fn compare(sources: &[Source], exceptions: &[(&str, &str, &str)]) -> anyhow::Result<usize> {
    let mut unused = exceptions.to_vec();
    let (mut count, mut long) = (0, Vec::new());
    for source in sources {
        let path = source.path.to_string_lossy();
        for function in functions(&source.tokens) {
            count += 1;
            let (name, start) = (&function.name, function.line);
            let lines = function.body.map_or(0, |(_, end)| end + 1 - start);
            if lines <= LINES_MAX {
                continue;
            }

            // Each exception is for one function: a second one of that name is not excepted.
            let is_it =
                |(file, excepted, _): &(&str, &str, &str)| *file == path && excepted == name;
            match unused.iter().position(is_it) {
                Some(at) => drop(unused.remove(at)),
                None => long.push(format!("  {path}:{start}: {name} has {lines} lines")),
            }
        }
    }

    // No function at all would mean that the tool no longer reads the sources.
    ensure!(count > 0, "no function found");
    ensure!(
        long.is_empty(),
        "functions over {LINES_MAX} lines, to be split by what they do:\n{}",
        long.join("\n")
    );
    ensure!(
        unused.is_empty(),
        "exceptions that are not needed, to be removed from xtask/src/function_sizes.rs: {unused:#?}"
    );
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A function of this many lines, with its `fn` on the second line of the file.
    fn source(lines: usize) -> Source {
        let body = "    a();\n".repeat(lines - 2);
        let text = format!("\nfn long() {{\n{body}}}\n#[cfg(test)]\nmod tests {{\n{body}}}\n");
        Source::new("demo", Path::new("crates/demo/src/a.rs"), &text)
    }

    fn refused(lines: usize, exceptions: &[(&str, &str, &str)]) -> Option<String> {
        let compared = compare(&[source(lines)], exceptions);
        compared.err().map(|error| error.to_string())
    }

    #[test]
    fn a_function_over_the_limit_is_refused_and_named() {
        assert_eq!(refused(70, &[]), None);
        let text = refused(71, &[]).unwrap_or_default();
        assert!(
            text.contains("crates/demo/src/a.rs:2: long has 71 lines"),
            "{text}"
        );
    }

    #[test]
    fn an_exception_is_for_one_function_and_only_while_it_is_needed() {
        let this = ("crates/demo/src/a.rs", "long", "a table");
        assert_eq!(refused(71, &[this]), None);
        for other in [
            ("crates/demo/src/a.rs", "short", "a table"),
            ("crates/demo/src/b.rs", "long", "a table"),
        ] {
            assert!(refused(71, &[other]).is_some());
        }
        let text = refused(70, &[this]).unwrap_or_default();
        assert!(text.contains("not needed"), "{text}");
    }

    #[test]
    fn a_tree_without_functions_is_not_one() {
        assert!(compare(&[], &[]).is_err());
    }
}
