//! `file-sizes`: Rust files past the length where one idea usually has become two.

use std::path::{Path, PathBuf};

use anyhow::Context;

const LINES_MAX: usize = 500;
const FOLDERS: [&str; 3] = ["crates", "testkit", "xtask"];

/// Prints each file over the limit, longest first.
pub fn report(root: &Path) -> anyhow::Result<()> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        collect(&root.join(folder), &mut files)?;
    }
    let count = files.len();
    let mut long: Vec<(usize, PathBuf)> = files
        .into_iter()
        .filter(|(lines, _)| *lines > LINES_MAX)
        .collect();
    long.sort_by(|a, b| b.cmp(a));
    for (lines, path) in &long {
        println!(
            "warning: {} has {lines} lines",
            path.strip_prefix(root).unwrap_or(path).display()
        );
    }
    println!(
        "file sizes: {count} Rust files, {} over {LINES_MAX} lines",
        long.len()
    );
    Ok(())
}

/// Adds (lines, path) of every Rust file below `folder`.
fn collect(folder: &Path, files: &mut Vec<(usize, PathBuf)>) -> anyhow::Result<()> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let path = entry
            .with_context(|| format!("cannot list {}", folder.display()))?
            .path();
        if path.is_dir() {
            if !path.ends_with("target") {
                collect(&path, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            files.push((text.lines().count(), path));
        }
    }
    Ok(())
}
