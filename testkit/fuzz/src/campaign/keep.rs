//! The committed corpora: `testkit/fuzz/corpus/TARGET/`, small, chosen by coverage, replayed by
//! every `cargo test`.

use super::cover::{Candidate, INPUT_BYTES_MAX, choose, read_control};
use super::process::{Places, start};
use crate::targets::Target;
use sha2::{Digest as _, Sha256};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Beginning of the name of an input that a person put there: one that once failed. It stays.
pub const BY_HAND: &str = "found-";

/// Chooses the corpus of a target and writes it in place of the one before; number of its inputs.
///
/// # Errors
/// The process cannot be started, or a file not be read or written.
pub fn keep(target: &Target, places: &Places) -> io::Result<usize> {
    let merged = places.work.join(target.name).join("merge");
    let (from, into) = (merged.join("from"), merged.join("into"));
    remove(&merged)?;
    std::fs::create_dir_all(&from)?;
    std::fs::create_dir_all(&into)?;

    // Longer inputs are left out before: libFuzzer would cut them, and cover something else.
    let committed = places.committed.join(target.name);
    for folder in [places.corpus(target.name), committed.clone()] {
        for bytes in inputs(&folder)?.into_iter().map(|(_, bytes)| bytes) {
            if bytes.len() <= INPUT_BYTES_MAX {
                std::fs::write(from.join(name(&bytes)), bytes)?;
            }
        }
    }

    let control = merged.join("control");
    let arguments = [
        "-merge=1".to_owned(),
        "-set_cover_merge=1".to_owned(),
        format!("-merge_control_file={}", control.display()),
        format!("-max_len={INPUT_BYTES_MAX}"),
        into.display().to_string(),
        from.display().to_string(),
    ];
    let code = start(target, &arguments, &merged.join("log.txt"), places)?;
    if code != Some(0) {
        let log = merged.join("log.txt");
        let what = format!("the merge of {} failed: {}", target.name, log.display());
        return Err(io::Error::other(what));
    }

    let chosen = choose(candidates(target, &std::fs::read_to_string(control)?)?);
    replace(&committed, &chosen)?;
    remove(&merged)?;
    Ok(chosen.len())
}

/// Every file of the merge that was run to its end.
fn candidates(target: &Target, control: &str) -> io::Result<Vec<Candidate>> {
    let mut candidates = Vec::new();
    for (file, features) in read_control(control) {
        let bytes = std::fs::read(file)?;
        // An input that fails would fail every test until its decoder is mended.
        let verdict = catch_unwind(AssertUnwindSafe(|| (target.run)(&bytes)));
        if let Ok(accepted) = verdict {
            candidates.push(Candidate {
                bytes,
                features,
                accepted,
            });
        }
    }
    Ok(candidates)
}

/// Writes the inputs, and removes every other one that no person put there.
fn replace(folder: &Path, chosen: &[Vec<u8>]) -> io::Result<()> {
    for (path, _) in inputs(folder)? {
        let is_by_hand = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(BY_HAND));
        if !is_by_hand {
            std::fs::remove_file(path)?;
        }
    }
    std::fs::create_dir_all(folder)?;
    for bytes in chosen {
        std::fs::write(folder.join(name(bytes)), bytes)?;
    }
    Ok(())
}

/// Files of a folder with their bytes, ascending by name; empty without the folder.
///
/// # Errors
/// The folder or a file of it cannot be read.
pub fn inputs(folder: &Path) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            paths.push(entry.path());
        }
    }
    paths.sort();
    let read = |path: PathBuf| std::fs::read(&path).map(|bytes| (path, bytes));
    paths.into_iter().map(read).collect()
}

/// Name of an input: half of its digest, so that one input has one file.
fn name(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    hex::encode(digest.get(..16).unwrap_or_default())
}

fn remove(folder: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_corpus_replaces_the_old_one_but_not_what_a_person_put_there() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("json");
        replace(&folder, &[b"old".to_vec()]).unwrap();
        std::fs::write(folder.join("found-1"), b"crash").unwrap();
        replace(&folder, &[b"new".to_vec(), b"new".to_vec()]).unwrap();

        let found: Vec<_> = inputs(&folder).unwrap().into_iter().map(|f| f.1).collect();
        assert_eq!(found.len(), 2);
        assert!(found.contains(&b"crash".to_vec()) && found.contains(&b"new".to_vec()));
    }
}
