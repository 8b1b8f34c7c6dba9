//! The demo: a whole platform from nothing to signed transfers, and hostile variants that the
//! signers refuse.

pub mod hostile;
pub mod people;
pub mod phases;
pub mod record;
pub mod stand;
pub mod tamper;
mod theft;
pub mod writer;

use anyhow::bail;
use serde_json::Value;
use std::path::{Path, PathBuf};
use strongroom_client::verify::{Report, verify_dir};

/// DemoOptions of the `demo` command.
pub struct DemoOptions {
    /// Exit when done, with 0 only if everything held.
    pub check: bool,
    /// Where artefacts and installation go; must be empty or absent.
    pub out: PathBuf,
    /// Automatic transfers that are measured.
    pub transfers: u32,
    /// Port of the API on loopback, 0 for any.
    pub port: u16,
}

/// Runs the demo.
///
/// # Errors
/// The first thing that did not hold.
pub fn run(options: &DemoOptions) -> anyhow::Result<()> {
    let mut stand = stand::Stand::create(&options.out, options.port)?;

    // The attacks come before the approval: a hostile service has the pending intent and no yes.
    phases::separate_processes(&stand)?;
    phases::bring_up(&mut stand)?;
    let pending = phases::ask_for_approval(&mut stand)?;
    phases::attacks(&mut stand, &pending)?;

    // What is left honest is then shown to work, to be measured and to outlive losses.
    phases::approved_transfer(&mut stand, &pending)?;
    phases::interpreter(&stand)?;
    phases::automatic_transfers(&mut stand, options.transfers)?;
    phases::killed_signer(&mut stand)?;
    phases::services_lost(&mut stand)?;

    // Nothing that was printed so far counts: the claim is what the files prove.
    stand.finish_artefacts()?;
    let report = verify(&options.out)?;
    let line = summary(&report)?;

    println!(
        "\n■ These were a few attacks. All {} rows of docs/attacks.md: ./x attack",
        attack_rows(ATTACKS)
    );
    if options.check {
        stand.stop();
    } else {
        stand.leave_up()?;
    }

    // The last line, where `./x demo` and CI look for it.
    println!("{line}");
    Ok(())
}

/// The attacks that `./x attack` makes.
const ATTACKS: &str = include_str!("../../../docs/attacks.md");

/// Everything claimed is recomputed from the files, from the pinned genesis on.
fn verify(dir: &Path) -> anyhow::Result<Report> {
    println!(
        "\n■ Recomputing every claim from {} (the same as: strongroom verify {0})",
        dir.display()
    );

    let report = verify_dir(dir, strongroom_chains::all()?)?;
    if !report.problems.is_empty() {
        bail!(
            "verification found problems:\n  {}",
            report.problems.join("\n  ")
        );
    }

    // The layers' times are measured by the services, the total by the client: unless they agree,
    // one of them leaves something out, and the figures say nothing.
    let cover = report
        .figures
        .as_ref()
        .map_or(1000, |figures| figures.layers_cover_permille);
    if !(900..=1100).contains(&cover) {
        bail!(
            "the layers add up to {cover} per thousand of the client's totals, not to within 10 %"
        );
    }
    Ok(report)
}

/// Number of attacks that the page says are made: a heading each, or a line of the table of those
/// that no guard stops.
fn attack_rows(page: &str) -> usize {
    let (mut rows, mut is_standing) = (0, false);
    for line in page.lines() {
        if let Some(title) = line.strip_prefix("# ") {
            is_standing = title == "Attacks that no condition of ours stops";
        }
        let is_row = line.starts_with("| ") && !line.starts_with("| id ");
        rows += usize::from(line.starts_with("## ") || (is_standing && is_row));
    }
    rows
}

fn summary(report: &Report) -> anyhow::Result<Value> {
    Ok(serde_json::from_str(&report.to_json())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_and_what_waits_is_not() {
        let page = "# Attacks that must fail\n\n## 1\n\n| guard | red |\n|---|---|\n| A | b |\n\n## 2\n\n\
            # Attacks that no condition of ours stops\n\n| id | attack |\n|---|---|\n| C4 | a |\n| C5 | b |\n\n\
            # Attacks that wait for a part\n\n| id | attack |\n|---|---|\n| 5 | c |\n";
        assert_eq!(attack_rows(page), 4);
        assert!(attack_rows(ATTACKS) > 50);
    }
}
