//! `guard-names`: nothing by which a guard could be switched off, or named, is in the programs that
//! ship.
//!
//! The bytes of each program are searched for the switch's environment variable, for what a node
//! with the switch says in its status, and for the guards' claims. A guard's name alone is a word
//! that any program may have; its claim is a sentence that none has by chance.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

/// Where the switch is declared, and what stands before its name.
const SWITCH: (&str, &str) = ("crates/guard/src/switch.rs", "pub const OFF: &str = \"");
/// Where a node with the switch answers its operator.
const STATUS: &str = "crates/strongroom-signer/src/run.rs";
/// What it says there.
const STATUS_KEYS: [&str; 2] = ["guard_off", "guard_passed"];
/// Where the guards are declared, and what stands before the first.
const NAMES: (&str, &str) = ("crates/guard/src/names.rs", "\nguards! {\n");
/// Shortest line of a claim that is looked for, bytes.
const CLAIM_LEN_MIN: usize = 16;
/// First bytes of a program.
const ELF: &[u8] = b"\x7fELF";
/// What each of our programs has in it: the beginning of every digest's domain.
const OURS: &str = "strongroom/";
/// A needle is found by its first bytes, so each has as many.
const HEAD: usize = 8;

/// Searches the programs.
pub fn check(root: &Path, programs: &[PathBuf]) -> anyhow::Result<()> {
    let needles = needles(root)?;

    // A search that finds nothing anywhere would call every program clean.
    let all = needles.join("\0");
    ensure!(
        found(all.as_bytes(), &needles).len() == needles.len(),
        "the search does not find what is there"
    );

    ensure!(!programs.is_empty(), "no program to look at");
    for path in programs {
        let program = std::fs::read(path);
        let program = program.with_context(|| format!("cannot read {}", path.display()))?;
        clean(&program, &needles).with_context(|| path.display().to_string())?;
    }
    println!(
        "guard names: {} texts, none of them in {} programs",
        needles.len(),
        programs.len()
    );
    Ok(())
}

/// Whether a program of ours has none of the needles.
fn clean(program: &[u8], needles: &[String]) -> anyhow::Result<()> {
    let ours = OURS.to_owned();
    ensure!(
        program.starts_with(ELF) && !found(program, &[ours]).is_empty(),
        "not a program of this workspace"
    );
    let found = found(program, needles);
    ensure!(
        found.is_empty(),
        "a build in which guards can be switched off: {}",
        found.join(", ")
    );
    Ok(())
}

/// The needles that stand anywhere in these bytes.
fn found<'a>(bytes: &[u8], needles: &'a [String]) -> Vec<&'a str> {
    // One pass: most positions are dismissed by their first byte.
    let mut heads: BTreeMap<&[u8], Vec<&str>> = BTreeMap::new();
    let mut is_first = [false; 256];
    for needle in needles {
        let head = needle.as_bytes().get(..HEAD).unwrap_or_default();
        heads.entry(head).or_default().push(needle);
        if let Some(first) = head.first().and_then(|b| is_first.get_mut(usize::from(*b))) {
            *first = true;
        }
    }

    let mut found = Vec::new();
    for (at, window) in bytes.windows(HEAD).enumerate() {
        let first = window.first().map(|byte| usize::from(*byte));
        if first.is_none_or(|first| is_first.get(first) != Some(&true)) {
            continue;
        }
        let rest = bytes.get(at..).unwrap_or_default();
        for needle in heads.get(window).into_iter().flatten() {
            if rest.starts_with(needle.as_bytes()) && !found.contains(needle) {
                found.push(*needle);
            }
        }
    }
    found
}

/// What no shipped program may have, as the sources of this tree have it.
fn needles(root: &Path) -> anyhow::Result<Vec<String>> {
    let read = |file: &str| {
        let text = std::fs::read_to_string(root.join(file));
        text.with_context(|| format!("cannot read {file}"))
    };

    let (file, before) = SWITCH;
    let mut needles = vec![switch(&read(file)?).with_context(|| format!("{file}: {before}"))?];
    let status = read(STATUS)?;
    for key in STATUS_KEYS {
        ensure!(
            status.contains(&format!("{key}: {{")),
            "{STATUS} does not say {key} any more"
        );
        needles.push(key.to_owned());
    }
    needles.extend(claims(&read(NAMES.0)?)?);
    Ok(needles)
}

/// Name of the environment variable.
fn switch(source: &str) -> Option<String> {
    let (_, rest) = source.split_once(SWITCH.1)?;
    let (name, _) = rest.split_once('"')?;
    (name.len() >= HEAD).then(|| name.to_owned())
}

/// The claims of the guards, line by line.
fn claims(source: &str) -> anyhow::Result<Vec<String>> {
    let (_, declared) = source
        .split_once(NAMES.1)
        .with_context(|| format!("{} declares no guards", NAMES.0))?;
    let guards = declared.matches(" =>").count();
    let lines = declared.lines().filter_map(|line| {
        let line = line.trim().strip_prefix("/// ")?;
        (line.len() >= CLAIM_LEN_MIN).then(|| line.to_owned())
    });
    let claims: Vec<String> = lines.collect();

    // A guard whose claim is not read here would not be looked for.
    ensure!(
        guards > 0 && claims.len() >= guards,
        "{guards} guards and {} claims: the declaration is written in another way by now",
        claims.len()
    );
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECLARED: &str = "macro\nguards! {\n    // Genesis.\n    /// A node starts only with its pin.\n    \
        GenesisPin => \"a b\",\n    /// A quorum is the one at which two quorums\n    /// share an honest witness.\n    \
        QuorumSize =>\n        \"c d\",\n}\n";

    fn texts() -> Vec<String> {
        let mut texts = claims(DECLARED).unwrap();
        texts.push(switch("    pub const OFF: &str = \"STRONGROOM_GUARD_OFF\";").unwrap());
        texts.extend(STATUS_KEYS.map(str::to_owned));
        texts
    }

    fn program(holds: &str) -> Vec<u8> {
        let noise: Vec<u8> = (0..=255).cycle().take(5_000).collect();
        [ELF, &noise, b"strongroom/digest", holds.as_bytes(), &noise].concat()
    }

    #[test]
    fn a_program_with_any_of_the_texts_is_found() {
        let texts = texts();
        assert_eq!(texts.len(), 6);
        assert!(clean(&program("guard, GenesisPin"), &texts).is_ok());
        for text in &texts {
            let error = clean(&program(text), &texts).unwrap_err().to_string();
            assert!(error.contains(text.as_str()), "{text}: {error}");
        }
    }

    #[test]
    fn another_file_than_our_programs_is_not_clean() {
        let texts = texts();
        assert!(clean(b"", &texts).is_err());
        assert!(clean(&program("")[4..], &texts).is_err());
        assert!(clean(b"\x7fELF another program", &texts).is_err());
    }

    #[test]
    fn a_declaration_that_is_written_in_another_way_is_noticed() {
        assert!(claims("guards declared elsewhere").is_err());
        assert!(claims(&DECLARED.replace("///", "//")).is_err());
        assert_eq!(switch("pub const OFF: &str = NAME;"), None);
    }

    #[test]
    fn the_texts_are_those_of_this_tree() {
        let root = crate::workspace_root().unwrap();
        let needles = needles(&root).unwrap();
        assert!(needles.len() > 100, "{}", needles.len());
        assert_eq!(needles[0], "STRONGROOM_GUARD_OFF");
        assert!(needles.iter().all(|needle| needle.len() >= HEAD));
    }
}
