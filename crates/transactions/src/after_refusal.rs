//! What follows a refusal, by its code. `snapshots/cures.txt` has a line for every code, so that a
//! new one ends no payment before its line was read.
//!
//! A refusal of the signers has no list here: whatever its code, it is shown and changes nothing.

use crate::facts::FactsAge;
use strongroom_types::{Code, Cure};

/// Step after the writer refused a submission that the journal does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum AfterWriter {
    /// Nothing: the journal itself says so, when it is so.
    Ignore,
    /// Another transaction, once the fresh head gives the anchor to another intent; shown before.
    Rebuild,
    /// Back to its approvers, once the fresh head has another decision; shown before.
    Return,
    /// Shown to the client, and submitted again.
    Show,
}

impl AfterWriter {
    /// The writer's word alone ends nothing, whatever the cure: it can append tomorrow what it
    /// refuses today.
    pub(crate) const fn of(code: Code) -> Self {
        match code.cure() {
            Cure::Rebuild if matches!(code, Code::AnchorTaken) => Self::Rebuild,
            Cure::Approve if matches!(code, Code::DecisionChanged) => Self::Return,
            Cure::Never if matches!(code, Code::IntentAlreadyAuthorized | Code::IntentExpired) => {
                Self::Ignore
            }
            Cure::Wait | Cure::Approve | Cure::Rebuild | Cure::OtherSigner | Cure::Never => {
                Self::Show
            }
        }
    }
}

/// Step after a transaction could not be built.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum AfterBuild {
    /// The payment waits for the next round.
    Postpone,
    /// The payment ends: nothing of it was offered.
    End,
}

impl AfterBuild {
    /// `age`: how old the facts were that the build read.
    pub(crate) fn of(code: Code, age: FactsAge) -> Self {
        match code.cure() {
            // A deposit may have arrived since the facts were read; one fresh look decides.
            Cure::Wait if code == Code::InsufficientBalance && age == FactsAge::Kept => {
                Self::Postpone
            }
            // Approvals evaluated this intent, so its vault exists: this service's replica is
            // behind.
            Cure::Never if code == Code::UnknownVault => Self::Postpone,
            Cure::Wait | Cure::Approve | Cure::Rebuild | Cure::OtherSigner | Cure::Never => {
                Self::End
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strongroom_wire::{Who, ended_as};

    fn after_writer(code: Code) -> &'static str {
        match AfterWriter::of(code) {
            AfterWriter::Ignore => "ignore",
            AfterWriter::Rebuild => "rebuild",
            AfterWriter::Return => "return",
            AfterWriter::Show => "show",
        }
    }

    fn after_build(code: Code, age: FactsAge) -> String {
        match AfterBuild::of(code, age) {
            AfterBuild::Postpone => "postpone".to_owned(),
            AfterBuild::End => format!("end({})", ended_as(code, Who::Builder).name()),
        }
    }

    /// Each code, its cure, and the step after it by writer and builder. The builder's word counts
    /// twice: about facts of the last round, and about facts of a moment ago.
    #[test]
    fn every_cure_has_its_step() {
        let line = |cells: [&str; 5]| {
            let [code, cure, writer, kept, fresh] = cells;
            format!("{code:<30}{cure:<14}{writer:<9}{kept:<17}{fresh}\n")
        };
        let mut table = line(["code", "cure", "writer", "build", "build(fresh)"]);
        for code in Code::ALL {
            table += &line([
                code.as_str(),
                code.cure().name(),
                after_writer(*code),
                &after_build(*code, FactsAge::Kept),
                &after_build(*code, FactsAge::Fresh),
            ]);
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/cures.txt");
        strongroom_golden::snapshot(path, &table);
    }
}
