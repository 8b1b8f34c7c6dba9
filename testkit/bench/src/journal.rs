//! The journal at full load: a writer that orders pre-signed payments, three replaying signers and
//! a witness, each with a replica on an SQLite file of its own (`synchronous=FULL`), on two
//! threads.
//!
//! Every node does what it does in the product, with the same code: opens signed envelopes, applies
//! each entry with all its rules, compares tree and state root with the signed checkpoint, stores,
//! cosigns and counts the quorum.

mod crew;
mod load;
mod node;
mod parts;

use crate::measure::{cpu, median, ratio, tenth, us};
use crew::Crew;
use load::Load;
use node::{Spent, Tally};
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

/// Options of a measurement.
pub struct Plan {
    /// Pre-signed payments in each round.
    pub entries: u32,
    /// Rounds, each on new databases.
    pub rounds: u32,
    /// Worker threads.
    pub threads: u32,
    /// Policy guards over a day's sum.
    pub ceilings: u32,
}

/// One round.
struct Round {
    entries_per_s: f64,
    cpu_us: f64,
    witnessed_ms: f64,
    tally: Tally,
    spent: Spent,
}

pub fn run(plan: &Plan) -> anyhow::Result<Value> {
    let load = Load::new(plan);
    let (apply_us, root_us) = parts::measure(&load)?;
    let mut rounds = Vec::new();
    for _ in 0..plan.rounds {
        rounds.push(round(&load, plan)?);
    }
    let middle = |of: fn(&Round) -> f64| median(rounds.iter().map(of).collect());
    let (folder, verify) = (tempfile::tempdir()?, crate::core::dalek()?.verify);
    let cpu_us = middle(|round| round.cpu_us);
    let Some(last) = rounds.last() else {
        anyhow::bail!("no round")
    };
    let (tally, spent) = (&last.tally, &last.spent);
    let each = |time: std::time::Duration| tenth(us(time) / f64::from(plan.entries));
    Ok(json!({
        "entries": plan.entries,
        "rounds": plan.rounds,
        "threads": plan.threads,
        "entries_per_s": middle(|round| round.entries_per_s),
        "cpu_us_per_entry": cpu_us,
        "verify_us": verify,
        "cpu_ratio_to_verify": ratio(cpu_us, verify),
        "witnessed_ms": middle(|round| round.witnessed_ms),
        "checks": tally.checks,
        "fsyncs": tally.fsyncs,
        "batches": tally.batches,
        "batch_bytes": tally.bytes,
        "apply_us": apply_us,
        "state_root_us": root_us,
        "disk_sync_us": disk_sync(folder.path())?,
        "all_nodes_us_per_entry": {
            "open": each(spent.open),
            "order": each(spent.order),
            "append": each(spent.append),
            "commit": each(spent.commit),
            "cosign": each(spent.cosign),
            "hear": each(spent.hear),
        },
    }))
}

fn round(load: &Load, plan: &Plan) -> anyhow::Result<Round> {
    let folder = tempfile::tempdir()?;
    let mut crew = Crew::new(load, folder.path())?;
    let (start, cpu_before) = (Instant::now(), cpu());
    crew.work(plan.threads)?;
    let (elapsed, cpu_used) = (start.elapsed(), cpu() - cpu_before);
    let (tally, spent, witnessed_ms) = crew.finish(load)?;
    let entries = f64::from(plan.entries);
    Ok(Round {
        entries_per_s: (entries / elapsed.as_secs_f64()).round(),
        cpu_us: us(cpu_used) / entries,
        witnessed_ms,
        tally,
        spent,
    })
}

/// Time of one small durable write on this disk, the least that a commit can take.
fn disk_sync(folder: &Path) -> anyhow::Result<f64> {
    let mut file = std::fs::File::create(folder.join("sync"))?;
    crate::measure::median_us(50, |_| {
        file.write_all(&[7; 4096])?;
        Ok(file.sync_data()?)
    })
}
