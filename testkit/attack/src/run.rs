//! Running attacks: on what is shipped, and with the one guard off.

use crate::evidence::{self, SignedPayment};
use crate::ground::{Ground, Prepared, Program};
use crate::row::{Case, Outcome};
use crate::rows;
use anyhow::{Context as _, bail};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

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
    /// `defended` or `guard off`.
    pub what: &'a str,
}

/// What was seen in one run.
pub struct Seen {
    /// The honest payment's signed transaction, bytes.
    pub honest_len: usize,
    /// What came of the attempt.
    pub outcome: Outcome,
    /// What guards did, by the programs' own word; none for what is shipped.
    pub guards: Option<Guards>,
}

/// What the guards of all processes did.
#[derive(Default)]
pub struct Guards {
    /// The guards that are off, each with the number of processes that say so.
    pub off: BTreeMap<String, u32>,
    /// Running processes that say nothing of guards.
    pub silent: u32,
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
    ground.begin_attempt();
    let outcome = (case.run)(&mut ground).context("the attempt")?;
    let guards = guards(&mut ground)?;

    let mut signed: Vec<&SignedPayment> = vec![&honest];
    signed.extend(&outcome.stolen);
    let run = evidence::Run {
        case,
        what: setting.what,
        signed: &signed,
        outcome: &outcome,
    };
    evidence::keep(setting.evidence, &ground, &run)?;
    Ok(Seen {
        honest_len: honest.signed.len(),
        outcome,
        guards,
    })
}

/// Makes an attempt on what is shipped: the attack fails by the code that its row names, and the
/// folder that it leaves shows so to anyone.
///
/// # Errors
/// What is not so.
pub fn defended(case: &Case, setting: &Setting<'_>) -> anyhow::Result<Seen> {
    let seen = attempt(case, setting)?;
    judge_defended(case, &seen)?;
    evidence::complete(setting.evidence)?;
    evidence::recomputes(setting.evidence, setting.prepared.genesis())?;
    Ok(seen)
}

impl Guards {
    /// Adds what the nodes of an installation say.
    fn add(&mut self, ground: &mut Ground) -> anyhow::Result<()> {
        for seat in ground.seats() {
            // A node that an attack ended says nothing; the others do.
            let Ok(status) = ground.node(seat)?.status() else {
                continue;
            };
            self.add_status(&status)?;
        }
        Ok(())
    }

    /// Adds what one node says.
    fn add_status(&mut self, status: &BTreeMap<String, String>) -> anyhow::Result<()> {
        let Some(off) = status.get("guard_off") else {
            self.silent += 1;
            return Ok(());
        };
        *self.off.entry(off.clone()).or_default() += 1;
        let passed = status.get("guard_passed").map_or("0", String::as_str);
        self.passed += passed.parse::<u64>().context("guard_passed")?;
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
    if !seen.outcome.codes.is_empty() && seen.outcome.by.is_none() {
        bail!("no one is named who refused");
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
        bail!("off are {off:?}, wanted {} alone", case.name);
    }
    if guards.silent > 0 {
        bail!("{} nodes do not say which guard is off", guards.silent);
    }
    if guards.passed == 0 {
        bail!("the attack never reached the guard");
    }
    let harm = seen.outcome.harm.clone();
    harm.context("no harm without the guard: another one stops the attack as well")
}

/// The folder of one attack's evidence.
#[must_use]
pub fn evidence_folder(out: &Path, case: &Case, what: &str) -> PathBuf {
    out.join(format!("{}-{}", case.id, case.name)).join(what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::Elsewhere;
    use std::os::unix::fs::PermissionsExt as _;
    use strongroom_types::Code;
    use strongroom_world::WorldOptions;

    /// An attack of a row, whichever.
    fn case() -> Case {
        let cases = rows::cases(&["29".to_owned()]).unwrap();
        cases.into_iter().next().unwrap()
    }

    /// A run in which the nodes say this of their guards, and in which the harm was there.
    fn red(says: &[Option<&str>], passed: &str) -> Result<String, String> {
        let mut guards = Guards::default();
        for off in says {
            let members = off.map(|off| ("guard_off".to_owned(), off.to_owned()));
            let mut status: BTreeMap<String, String> = members.into_iter().collect();
            status.insert("guard_passed".to_owned(), passed.to_owned());
            guards.add_status(&status).unwrap();
        }
        let seen = Seen {
            honest_len: 1,
            outcome: Outcome {
                harm: Some("signed".to_owned()),
                ..Outcome::default()
            },
            guards: Some(guards),
        };
        judge_red(&case(), &seen).map_err(|error| error.to_string())
    }

    #[test]
    fn a_mutant_that_switches_off_more_or_less_than_its_name_is_not_red() {
        let name = Some(case().name);
        assert_eq!(red(&[name, name], "1"), Ok("signed".to_owned()));

        for (says, passed, wanted) in [
            (vec![name, Some("Window")], "1", "off are"),
            (vec![Some("Window")], "1", "off are"),
            (vec![Some("none")], "1", "off are"),
            (vec![name, None], "1", "do not say"),
            (vec![name], "0", "never reached the guard"),
        ] {
            let error = red(&says, passed).unwrap_err();
            assert!(error.contains(wanted), "{says:?}: {error}");
        }
    }

    #[test]
    fn a_defended_run_is_refused_by_the_code_of_its_row_alone() {
        let judged = |outcome: Outcome| {
            let seen = Seen {
                honest_len: 1,
                outcome,
                guards: None,
            };
            judge_defended(&case(), &seen).map_err(|error| error.to_string())
        };
        let refused = |codes: Vec<Code>| Outcome {
            codes,
            by: Some(Elsewhere::Journal),
            ..Outcome::default()
        };
        let code = case().code;
        let by_no_one = judged(Outcome {
            by: None,
            ..refused(vec![code])
        });
        assert!(by_no_one.unwrap_err().contains("no one is named"));
        assert_eq!(judged(refused(vec![code])), Ok(()));
        for codes in [vec![], vec![code, Code::Conflict]] {
            let error = judged(refused(codes)).unwrap_err();
            assert!(error.contains("and not by"), "{error}");
        }
        let stolen = judged(Outcome {
            harm: Some("signed".to_owned()),
            ..refused(vec![code])
        });
        assert!(stolen.unwrap_err().contains("THE ATTACK SUCCEEDED"));
    }

    #[test]
    fn a_platform_that_does_not_start_fails_its_row_and_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("strongroom-signer");
        std::fs::write(&path, "#!/bin/sh\necho 'no disk'\nexit 3\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        let program = Program::beside(&dir.path().join("strongroom-attack")).unwrap();

        let made = dir.path().join("made");
        std::fs::create_dir_all(&made).unwrap();
        let prepared = Prepared::unmade(&made, WorldOptions::default());
        let setting = Setting {
            program: &program,
            prepared: &prepared,
            folder: &dir.path().join("w"),
            evidence: &dir.path().join("out"),
            what: "defended",
        };
        let error = defended(&case(), &setting).err().unwrap();
        let error = format!("{error:#}");
        assert!(error.starts_with("the platform did not start: the node in seat "));
        assert!(error.ends_with(" ended by 3: no disk"), "{error}");
        assert!(!dir.path().join("out").exists());
    }
}
