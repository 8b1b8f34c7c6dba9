//! What the last run of each attack showed, kept in the tree: docs/claims.md says it.

use crate::row::Case;
use crate::rows;
use crate::tell::Became;
use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::path::Path;
use strongroom_guard::G;

/// A line a run.
const FILE: &str = "testkit/attack/results.jsonl";

/// What one run showed, as it must be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// The attack's row.
    pub row: String,
    /// The guard's name, or the kind of what stops it.
    pub guard: String,
    /// Whether the guard was off.
    pub is_mutant: bool,
    /// Who refused and how; with the guard off the harm.
    pub seen: String,
    /// Commit that was attacked, and the day.
    pub of: String,
}

impl Kept {
    /// The line of a run of `of`.
    pub fn of(case: &Case, became: &Became, of: &str) -> Self {
        let (is_mutant, seen) = match became {
            Became::Refused(refusals) => {
                let code = case.code.as_str();
                (false, format!("{code}: {}", refusals.by()))
            }
            Became::Harm(harm) => (true, harm.clone()),
        };
        Self {
            row: case.id.to_owned(),
            guard: case.name.to_owned(),
            is_mutant,
            seen,
            of: of.to_owned(),
        }
    }

    fn is_of(&self, case: &Case, is_mutant: bool) -> bool {
        (self.row.as_str(), self.guard.as_str(), self.is_mutant) == (case.id, case.name, is_mutant)
    }
}

/// The kept lines of the tree at `root`.
///
/// # Errors
/// A file that cannot be read or has another form.
pub fn read(root: &Path) -> anyhow::Result<Vec<Kept>> {
    let text = std::fs::read_to_string(root.join(FILE)).context(FILE)?;
    text.lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("{FILE}: {line}")))
        .collect()
}

/// Keeps these lines in the place of older ones of the same runs, in the order of the rows, and
/// forgets attacks that are no longer made.
///
/// # Errors
/// A file that cannot be read or written, a list of rows that cannot be made.
pub fn keep(root: &Path, new: &[Kept]) -> anyhow::Result<()> {
    let old = read(root)?;
    let mut text = String::new();
    let cases = rows::cases(&[]).map_err(anyhow::Error::msg)?;
    for case in cases {
        for is_mutant in [false, true] {
            let mut both = new.iter().chain(&old);
            if let Some(line) = both.find(|line| line.is_of(&case, is_mutant)) {
                text.push_str(&serde_json::to_string(line)?);
                text.push('\n');
            }
        }
    }
    Ok(std::fs::write(root.join(FILE), text)?)
}

/// In how many attacks this guard held, in how many the harm was there without it, and on which
/// commits.
pub fn of_guard(kept: &[Kept], guard: G) -> String {
    let own: Vec<&Kept> = kept.iter().filter(|k| k.guard == guard.name()).collect();
    let red = own.iter().filter(|k| k.is_mutant).count();
    let refused = own.len() - red;
    let mut of: Vec<&str> = own.iter().map(|k| k.of.as_str()).collect();
    of.sort_unstable();
    of.dedup();
    match of.as_slice() {
        [] => "not run".to_owned(),
        of => format!("{refused} refused, {red} red ({})", of.join("; ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tell::Refusals;

    fn line(case: &Case, is_mutant: bool, of: &str) -> Kept {
        let became = if is_mutant {
            Became::Harm("a signature".to_owned())
        } else {
            Became::Refused(Refusals::default())
        };
        Kept::of(case, &became, of)
    }

    #[test]
    fn a_new_run_takes_the_place_of_its_own_older_one_alone() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("testkit/attack")).unwrap();
        std::fs::write(dir.path().join(FILE), "").unwrap();
        let cases = rows::cases(&["29".to_owned()]).unwrap();
        let [first, second] = [cases[0], cases[1]];
        let old = [
            line(&second, true, "old"),
            line(&first, true, "old"),
            line(&first, false, "old"),
            Kept {
                row: "999".to_owned(),
                ..line(&first, true, "old")
            },
        ];
        keep(dir.path(), &old).unwrap();
        keep(dir.path(), &[line(&first, true, "new")]).unwrap();

        let kept = read(dir.path()).unwrap();
        let wanted = [
            line(&first, false, "old"),
            line(&first, true, "new"),
            line(&second, true, "old"),
        ];
        assert_eq!(kept, wanted);
        assert_eq!(
            of_guard(&kept, first.guard.unwrap()),
            "1 refused, 1 red (new; old)"
        );
    }

    #[test]
    fn every_attack_has_its_kept_runs_and_no_other_is_kept() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let kept = read(&root).unwrap();
        let mut runs = 0;
        for case in rows::cases(&[]).unwrap() {
            for is_mutant in [false, true] {
                if is_mutant && case.guard.is_none() {
                    continue;
                }
                let count = kept.iter().filter(|k| k.is_of(&case, is_mutant)).count();
                let (id, name) = (case.id, case.name);
                assert_eq!(count, 1, "./x attack {id} --keep: {name}, {is_mutant}");
                runs += 1;
            }
        }
        assert_eq!(kept.len(), runs, "a run of an attack that is not made");
    }
}
