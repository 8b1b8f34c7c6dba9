//! `file-sizes`: Rust files past the length where one idea usually has become two.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::function_sizes;

/// Lines of code, comments and blanks together; beyond it a file is split by what it is about.
const LINES_MAX: usize = 500;
/// Every folder with Rust of ours.
const FOLDERS: [&str; 3] = ["crates", "testkit", "xtask"];

/// A Rust file, with its path from the workspace's root.
struct File {
    path: PathBuf,
    lines: usize,
}

/// Refuses a tree with a file over the limit. There is no list of exceptions: no file needs one.
pub fn check(root: &Path) -> anyhow::Result<()> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        collect(root, &root.join(folder), &mut files)?;
    }
    refuse_long(&files)?;

    println!(
        "file sizes: {} Rust files, none over {LINES_MAX} lines",
        files.len()
    );
    function_sizes::check(root, &FOLDERS)
}

/// Refuses files over the limit and names them, longest first.
fn refuse_long(files: &[File]) -> anyhow::Result<()> {
    let mut long: Vec<&File> = files.iter().filter(|file| file.lines > LINES_MAX).collect();
    if long.is_empty() {
        return Ok(());
    }

    long.sort_by_key(|file| std::cmp::Reverse(file.lines));
    let names: Vec<String> = long
        .iter()
        .map(|file| format!("  {}: {} lines", file.path.display(), file.lines))
        .collect();
    bail!(
        "files over {LINES_MAX} lines, to be split by subject:\n{}",
        names.join("\n")
    )
}

/// Adds every Rust file below `folder`.
fn collect(root: &Path, folder: &Path, files: &mut Vec<File>) -> anyhow::Result<()> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;

    for entry in entries {
        let path = entry
            .with_context(|| format!("cannot list {}", folder.display()))?
            .path();

        if path.is_dir() {
            // What Cargo built there is not ours.
            if !path.ends_with("target") {
                collect(root, &path, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            files.push(File {
                path: path.strip_prefix(root).unwrap_or(&path).to_owned(),
                lines: text.lines().count(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    fn file(name: &str, lines: usize) -> File {
        let path = PathBuf::from(name);
        File { path, lines }
    }

    #[test]
    fn a_file_over_the_limit_is_refused_and_named_longest_first() {
        let files = [
            file("fits.rs", 500),
            file("long.rs", 501),
            file("longer.rs", 900),
        ];
        assert!(refuse_long(&files[..1]).is_ok());
        let refusal = refuse_long(&files).unwrap_err().to_string();
        let lines: Vec<&str> = refusal.lines().skip(1).collect();
        assert_eq!(lines, ["  longer.rs: 900 lines", "  long.rs: 501 lines"]);
    }

    /// The tool finds files where they are: a folder that moved would be a check of nothing.
    #[test]
    fn files_of_every_folder_are_counted() {
        let root = &crate::workspace_root().unwrap();
        for folder in FOLDERS {
            let mut files = Vec::new();
            collect(root, &root.join(folder), &mut files).unwrap();
            assert!(files.iter().any(|file| file.lines > 1), "{folder}");
        }
    }
}
