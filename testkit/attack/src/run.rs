//! Running attacks: on what is shipped, and with the one guard off.

use crate::evidence::{self, SignedPayment};
use crate::ground::{Ground, Prepared, Program};
use crate::row::{Case, Outcome};
use crate::rows;
use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What one attack is run with.
pub struct Setting<'a> {
    /// The signer's program.
    pub program: &'a Program,
    /// The ready installation that it happens on.
    pub prepared: &'a Prepared,
    /// A folder of its own, for sockets and databases.
    pub folder: &'a Path,
    /// Where evidence is kept.
    pub evidence: &'a Path,
}

/// What was seen in one run.
pub struct Seen {
    /// What came of the attempt.
    pub outcome: Outcome,
    /// What guards did, by the programs' own word; empty for what is shipped.
    pub guards: Option<Guards>,
}

/// What the guards of all processes did.
#[derive(Default)]
pub struct Guards {
    /// The guards that are off, each with the number of processes that say so.
    pub off: BTreeMap<String, u32>,
    /// How often they let something through.
    pub passed: u64,
}

/// Makes one attempt: the honest run first, then the attack.
///
/// # Errors
/// Ground that does not stand, an honest payment that is not signed, an attempt that could not be
/// made.
pub fn attempt(case: &Case, setting: &Setting<'_>) -> anyhow::Result<Seen> {
    let mut ground = setting
        .prepared
        .open(setting.folder, setting.program)
        .context("the platform did not start")?;
    let honest = rows::honest(&mut ground).context("the honest payment")?;
    let outcome = (case.run)(&mut ground).context("the attempt")?;
    let guards = guards(&mut ground)?;

    let name = format!("{}/{}", case.id, case.name);
    let mut signed: Vec<&SignedPayment> = vec![&honest];
    signed.extend(&outcome.stolen);
    evidence::keep(setting.evidence, &name, &ground, &signed, &outcome.refused)?;
    Ok(Seen { outcome, guards })
}

impl Guards {
    /// Adds what the nodes of an installation say.
    fn add(&mut self, ground: &mut Ground) -> anyhow::Result<()> {
        for seat in ground.seats() {
            // A node that an attack ended says nothing; the others do.
            let Ok(status) = ground.node(seat)?.status() else {
                continue;
            };
            let Some(off) = status.get("guard_off") else {
                continue;
            };
            *self.off.entry(off.clone()).or_default() += 1;
            let passed = status.get("guard_passed").map_or("0", String::as_str);
            self.passed += passed.parse::<u64>().context("guard_passed")?;
        }
        Ok(())
    }
}

/// What the processes and this one say of their guards.
fn guards(ground: &mut Ground) -> anyhow::Result<Option<Guards>> {
    let mut guards = Guards::default();
    guards.add(ground)?;
    if let Some(beside) = ground.beside.as_deref_mut() {
        guards.add(beside)?;
    }
    if guards.off.is_empty() {
        return Ok(None);
    }
    #[cfg(mutants)]
    {
        guards.passed += strongroom_guard::report().passed;
    }
    Ok(Some(guards))
}

/// Judges a run of what is shipped: the attack fails, by the code that its row names.
///
/// # Errors
/// What is not so.
pub fn judge_defended(case: &Case, seen: &Seen) -> anyhow::Result<()> {
    if let Some(harm) = &seen.outcome.harm {
        bail!("THE ATTACK SUCCEEDED: {harm}");
    }
    if seen.guards.is_some() {
        bail!("this build can switch guards off: it is not what is shipped");
    }
    if !seen.outcome.is_refused_by(case.code) {
        let signers = seen.outcome.refused.iter();
        let signers = signers.map(|refused| refused.refusal.code);
        let codes: Vec<_> = signers.chain(seen.outcome.codes.iter().copied()).collect();
        bail!("refused by {codes:?} and not by {}", case.code);
    }
    Ok(())
}

/// Judges a run with the guard off: the harm is there, and nothing else was off.
///
/// # Errors
/// What is not so.
pub fn judge_red(case: &Case, seen: &Seen) -> anyhow::Result<String> {
    let guards = seen.guards.as_ref();
    let guards = guards.context("this build cannot switch guards off")?;
    let off: Vec<&String> = guards.off.keys().collect();
    if off != [case.name] {
        bail!("off are {off:?}, wanted {}", case.name);
    }
    if guards.passed == 0 {
        bail!("the attack never reached the guard");
    }
    let harm = seen.outcome.harm.clone();
    harm.context("no harm without the guard: another one stops the attack as well")
}

/// A line of the results.
#[must_use]
pub fn line(case: &Case, what: &str, result: &anyhow::Result<String>, took: Duration) -> Value {
    let mut line = json!({
        "row": case.id,
        "guard": case.name,
        "run": what,
        "code": case.code.as_str(),
        "ok": result.is_ok(),
        "seconds": took.as_secs_f64(),
    });
    if let Some(members) = line.as_object_mut() {
        match result {
            Ok(said) => members.insert("seen".to_owned(), said.as_str().into()),
            Err(error) => members.insert("error".to_owned(), format!("{error:#}").into()),
        };
    }
    line
}

/// The folder of one attack's evidence.
#[must_use]
pub fn evidence_folder(out: &Path, case: &Case, what: &str) -> PathBuf {
    out.join(format!("{}-{}", case.id, case.name)).join(what)
}
