//! The life cycle of a key generation, as the coordinator drives it.

use strongroom_stage::life_cycle::IllegalTransition;
use strongroom_types::{Digest, UnixMs};

/// Name of the life cycle in errors and logs.
pub(crate) const LIFE_CYCLE: &str = "ceremony";

/// State of a ceremony.
#[derive(Debug)]
pub(crate) enum CeremonyState {
    /// The journal has released it, and no run was started from here.
    Released,
    /// Signers run the protocol.
    Running(ProtocolRun),
    /// All of them certified one result, and it was offered to the journal.
    Submitted(ProtocolRun),
    /// The journal has the key.
    Finished,
    /// The journal can never take a result: its life has ended, or a member of its roster is in
    /// quarantine. The committee asks for another key.
    GivenUp,
}

/// One run of the protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ProtocolRun {
    /// Number from 1.
    pub(crate) number: u32,
    /// Time from which the next run may start, unless the journal has the key.
    pub(crate) until: UnixMs,
    /// Digest of the message that started it, by which a refusal names it.
    pub(crate) request: Digest,
}

/// Event that moves a ceremony.
#[derive(Debug)]
pub(crate) enum CeremonyEvent {
    /// The next run was started.
    RunStarted(ProtocolRun),
    /// A participant refused the run, or could not end it: the next one starts soon.
    RunRefused { retry_at: UnixMs },
    /// Every participant certified the same result.
    Certified,
    /// The journal has the key.
    KeyAppeared,
    /// The journal takes no result any more.
    Ended,
}

impl CeremonyState {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Released => "released",
            Self::Running(_) => "running",
            Self::Submitted(_) => "submitted",
            Self::Finished => "finished",
            Self::GivenUp => "given_up",
        }
    }

    /// The state after an event. Total: what is not a transition is an error by name.
    pub(crate) fn apply(self, event: CeremonyEvent) -> Result<Self, IllegalTransition> {
        let illegal = IllegalTransition {
            life_cycle: LIFE_CYCLE,
            state: self.name(),
            event: event.name().into(),
        };
        match (self, event) {
            (
                Self::Released | Self::Running(_) | Self::Submitted(_),
                CeremonyEvent::RunStarted(run),
            ) => Ok(Self::Running(run)),
            (Self::Running(run), CeremonyEvent::RunRefused { retry_at }) => {
                Ok(Self::Running(run.cut_short(retry_at)))
            }
            // The journal may refuse what was offered: then the next run is due soon, too.
            (Self::Submitted(run), CeremonyEvent::RunRefused { retry_at }) => {
                Ok(Self::Submitted(run.cut_short(retry_at)))
            }
            (Self::Running(run), CeremonyEvent::Certified) => Ok(Self::Submitted(run)),
            (
                // This holds for one that was given up as well: what the journal says counts, not
                // what was expected of it.
                Self::Released | Self::Running(_) | Self::Submitted(_) | Self::GivenUp,
                CeremonyEvent::KeyAppeared,
            ) => Ok(Self::Finished),
            (Self::Released | Self::Running(_) | Self::Submitted(_), CeremonyEvent::Ended) => {
                Ok(Self::GivenUp)
            }
            // One result per run is submitted, because the journal would refuse a second one.
            (Self::Released, CeremonyEvent::RunRefused { .. } | CeremonyEvent::Certified)
            | (Self::Submitted(_), CeremonyEvent::Certified)
            | (
                Self::Finished,
                CeremonyEvent::RunStarted(_)
                | CeremonyEvent::RunRefused { .. }
                | CeremonyEvent::Certified
                | CeremonyEvent::KeyAppeared
                | CeremonyEvent::Ended,
            )
            | (
                Self::GivenUp,
                CeremonyEvent::RunStarted(_)
                | CeremonyEvent::RunRefused { .. }
                | CeremonyEvent::Certified
                | CeremonyEvent::Ended,
            ) => Err(illegal),
        }
    }
}

impl ProtocolRun {
    fn cut_short(mut self, retry_at: UnixMs) -> Self {
        self.until = self.until.min(retry_at);
        self
    }
}

impl CeremonyEvent {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::RunStarted(_) => "run_started",
            Self::RunRefused { .. } => "run_refused",
            Self::Certified => "certified",
            Self::KeyAppeared => "key_appeared",
            Self::Ended => "ended",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strongroom_matrix::every;

    const RUN: ProtocolRun = ProtocolRun {
        number: 1,
        until: UnixMs(9),
        request: Digest([1; 32]),
    };

    #[test]
    fn the_life_cycle_of_a_ceremony_is_the_reviewed_one() {
        let states = every!(CeremonyState {
            CeremonyState::Released => || CeremonyState::Released,
            CeremonyState::Running(_) => || CeremonyState::Running(RUN),
            CeremonyState::Submitted(_) => || CeremonyState::Submitted(RUN),
            CeremonyState::Finished => || CeremonyState::Finished,
            CeremonyState::GivenUp => || CeremonyState::GivenUp,
        });
        let events = every!(CeremonyEvent {
            CeremonyEvent::RunStarted(_) => || CeremonyEvent::RunStarted(RUN),
            CeremonyEvent::RunRefused { .. } => || CeremonyEvent::RunRefused {
                retry_at: UnixMs(5),
            },
            CeremonyEvent::Certified => || CeremonyEvent::Certified,
            CeremonyEvent::KeyAppeared => || CeremonyEvent::KeyAppeared,
            CeremonyEvent::Ended => || CeremonyEvent::Ended,
        });
        let table = strongroom_golden::life_cycle::table(
            &states.map(|state| state().name()),
            &events.map(|event| event().name()),
            |state, event| {
                let next = states[state]().apply(events[event]());
                next.ok().map(|next| next.name().to_owned())
            },
        );
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/ceremony/life-cycle.txt");
        strongroom_golden::snapshot(path, &table);
    }
}
