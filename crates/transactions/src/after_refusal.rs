//! The step after a refusal, by its code. `snapshots/cures.txt` has a line for every code, so that
//! a new one ends no payment before its line was read.
//!
//! A refusal of the signers has no list here: whatever its code, it is shown and changes nothing.

use crate::facts::FactsAge;
use strongroom_types::{Code, Cure};

/// Step after the writer refused a submission that the journal does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum AfterWriter {
    /// Nothing is done: if it is so, the journal itself shows it.
    Ignore,
    /// Another transaction is built, once the fresh head gives the anchor to another intent. Until
    /// then the refusal is shown.
    Rebuild,
    /// The refusal is shown to the client, and the attempt is submitted again; or the payment goes
    /// back to its approvers, once the fresh head needs other approvals.
    Show,
}

impl AfterWriter {
    /// The writer's word alone ends nothing, whatever the cure: it can append tomorrow what it
    /// refuses today.
    pub(crate) const fn of(code: Code) -> Self {
        match code.cure() {
            Cure::Rebuild if matches!(code, Code::AnchorTaken) => Self::Rebuild,
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
    /// The payment waits for the next round; nothing is shown.
    Postpone,
    /// It waits and shows why. Its end is that of its intent, by the fresh head.
    Show,
    /// It ends, unless the journal holds an attempt of it: nothing of it was offered.
    End,
}

impl AfterBuild {
    /// After a refusal of the intent itself, before any fact of the chain was looked at.
    pub(crate) fn of_intent(code: Code) -> Self {
        // Approvals evaluated this intent, so its vault exists: this service's replica is behind.
        if code == Code::UnknownVault {
            return Self::Postpone;
        }

        // Every signer asks the same of the intent, and refuses for as long as it lives.
        let is_lasting = matches!(
            code,
            Code::AddressInvalid
                | Code::AddressWrongNetwork
                | Code::Dust
                | Code::EffectsMismatch
                | Code::UnknownAsset
                | Code::UnknownChain
                | Code::Unsupported
        );
        if is_lasting { Self::End } else { Self::Show }
    }

    /// After a refusal upon the facts of a node, of this `age`. Facts change, and a node may lie: no
    /// code ends a payment here. Until the intent's end any submitter can have it authorized, once
    /// a deposit is there or fees have fallen.
    pub(crate) fn of_facts(code: Code, age: FactsAge) -> Self {
        // A deposit may have arrived since the facts were read: one fresh look decides.
        if code == Code::InsufficientBalance && age == FactsAge::Kept {
            Self::Postpone
        } else {
            Self::Show
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payment::{PaymentState, Waiting};
    use strongroom_wire::{Who, ended_as};

    fn after_writer(code: Code) -> &'static str {
        match AfterWriter::of(code) {
            AfterWriter::Ignore => "ignore",
            AfterWriter::Rebuild => "rebuild",
            AfterWriter::Show => "show",
        }
    }

    fn after_build(after: AfterBuild, code: Code) -> String {
        match after {
            AfterBuild::Postpone => "postpone".to_owned(),
            AfterBuild::Show => "show".to_owned(),
            AfterBuild::End => format!("end({})", ended_as(code, Who::Builder).name()),
        }
    }

    fn shown_while_waiting(code: Code) -> &'static str {
        let waiting = Waiting {
            reason: Some(code),
            ..Waiting::default()
        };
        PaymentState::Building(waiting).shown().name()
    }

    /// What a node says can be false or pass: whatever the code, no payment ends with it.
    #[test]
    fn hole_no_refusal_upon_facts_ends_a_payment() {
        for code in Code::ALL {
            for age in [FactsAge::Kept, FactsAge::Fresh] {
                assert_ne!(AfterBuild::of_facts(*code, age), AfterBuild::End, "{code}");
            }
        }
    }

    /// Each code, its cure, and the step after it: of the writer, and of the builder about the
    /// intent, about facts of the last round, and about facts of a moment ago; and the state that is
    /// shown while the payment waits because of it.
    #[test]
    fn every_cure_has_its_step() {
        let line = |cells: [&str; 7]| {
            let [code, cure, writer, intent, kept, fresh, shown] = cells;
            let steps = format!("{writer:<9}{intent:<13}{kept:<10}{fresh:<14}");
            format!("{code:<30}{cure:<14}{steps}{shown}\n")
        };
        let mut table = line([
            "code",
            "cure",
            "writer",
            "intent",
            "facts",
            "facts(fresh)",
            "shown",
        ]);
        for code in Code::ALL {
            table += &line([
                code.as_str(),
                code.cure().name(),
                after_writer(*code),
                &after_build(AfterBuild::of_intent(*code), *code),
                &after_build(AfterBuild::of_facts(*code, FactsAge::Kept), *code),
                &after_build(AfterBuild::of_facts(*code, FactsAge::Fresh), *code),
                shown_while_waiting(*code),
            ]);
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/cures.txt");
        strongroom_golden::snapshot(path, &table);
    }
}
