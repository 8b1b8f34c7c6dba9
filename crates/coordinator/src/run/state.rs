//! The life cycle of a signing run.

use crate::quorum::SignerIndex;
use std::collections::BTreeMap;
use strongroom_stage::life_cycle::IllegalTransition;
use strongroom_types::UnixMs;
use strongroom_wire::SigningRequest;

/// Name of the life cycle in errors and logs.
pub(crate) const LIFE_CYCLE: &str = "signing run";

/// State of a signing run.
#[derive(Debug)]
pub(crate) enum RunState {
    /// No quorum is asked. One may be, from `not_before` on.
    Waiting { not_before: UnixMs },
    /// A quorum is asked, and its answers arrive.
    Asked(Try),
    /// Nothing more happens: the outcome is published, or its time is over.
    Finished,
}

/// One try: a quorum and what it has answered.
#[derive(Debug)]
pub(crate) struct Try {
    pub(crate) request: SigningRequest,
    /// Roster indices of the quorum's signers, ascending.
    pub(crate) quorum: Vec<SignerIndex>,
    pub(crate) sent: UnixMs,
    /// Each signer's shares, one per slot.
    pub(crate) shares: BTreeMap<SignerIndex, Vec<Vec<u8>>>,
    /// Latest time at which a signer's head covered the attempt, Unix microseconds; for the
    /// timeline only.
    pub(crate) covered_us: u64,
}

/// Event that moves a signing run.
#[derive(Debug)]
pub(crate) enum RunEvent {
    /// A quorum was asked.
    QuorumAsked(Try),
    /// A signer of the quorum sent its shares.
    SharesReceived {
        signer: SignerIndex,
        shares: Vec<Vec<u8>>,
        covered_us: u64,
    },
    /// Shares of the whole quorum add up.
    SharesValid,
    /// They do not: the culprits are left out, and another quorum may be asked.
    SharesInvalid { not_before: UnixMs },
    /// A signer refused for now: a quorum may be asked again after a pause.
    RefusedForNow { not_before: UnixMs },
    /// A signer refused, and enough others are left.
    RefusedByOne { not_before: UnixMs },
    /// So many signers refused that no quorum is left.
    RefusedByTooMany,
    /// The quorum did not answer in time.
    QuorumSilent { not_before: UnixMs },
    /// The run's own time is over: its requester asks again, or no longer wants it.
    TimeOver,
}

impl RunState {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Waiting { .. } => "waiting",
            Self::Asked(_) => "asked",
            Self::Finished => "finished",
        }
    }

    /// The state after an event. Total: what is not a transition is an error by name.
    pub(crate) fn apply(self, event: RunEvent) -> Result<Self, IllegalTransition> {
        let illegal = IllegalTransition {
            life_cycle: LIFE_CYCLE,
            state: self.name(),
            event: event.name().into(),
        };
        match self {
            Self::Waiting { .. } => Self::from_waiting(event).ok_or(illegal),
            Self::Asked(asked) => asked.apply(event).ok_or(illegal),
            // What is published is never taken back.
            Self::Finished => Err(illegal),
        }
    }

    fn from_waiting(event: RunEvent) -> Option<Self> {
        match event {
            RunEvent::QuorumAsked(asked) => Some(Self::Asked(asked)),
            RunEvent::TimeOver => Some(Self::Finished),
            // Answers belong to a try; between two tries there is none.
            RunEvent::SharesReceived { .. }
            | RunEvent::SharesValid
            | RunEvent::SharesInvalid { .. }
            | RunEvent::RefusedForNow { .. }
            | RunEvent::RefusedByOne { .. }
            | RunEvent::RefusedByTooMany
            | RunEvent::QuorumSilent { .. } => None,
        }
    }
}

impl Try {
    fn apply(mut self, event: RunEvent) -> Option<RunState> {
        match event {
            RunEvent::SharesReceived {
                signer,
                shares,
                covered_us,
            } => {
                self.shares.insert(signer, shares);
                self.covered_us = self.covered_us.max(covered_us);
                Some(RunState::Asked(self))
            }
            RunEvent::SharesInvalid { not_before }
            | RunEvent::RefusedForNow { not_before }
            | RunEvent::RefusedByOne { not_before }
            | RunEvent::QuorumSilent { not_before } => Some(RunState::Waiting { not_before }),
            RunEvent::SharesValid | RunEvent::RefusedByTooMany | RunEvent::TimeOver => {
                Some(RunState::Finished)
            }
            // A second quorum at the same time could lead to two signatures of one attempt.
            RunEvent::QuorumAsked(_) => None,
        }
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.shares.len() == self.quorum.len()
    }
}

impl RunEvent {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::QuorumAsked(_) => "quorum_asked",
            Self::SharesReceived { .. } => "shares_received",
            Self::SharesValid => "shares_valid",
            Self::SharesInvalid { .. } => "shares_invalid",
            Self::RefusedForNow { .. } => "refused_for_now",
            Self::RefusedByOne { .. } => "refused_by_one",
            Self::RefusedByTooMany => "refused_by_too_many",
            Self::QuorumSilent { .. } => "quorum_silent",
            Self::TimeOver => "time_over",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strongroom_matrix::every;
    use strongroom_types::{Digest, KeyId, SessionId, TenantId};

    const NOW: UnixMs = UnixMs(1);

    fn asked() -> Try {
        Try {
            request: SigningRequest {
                session: SessionId([1; 16]),
                tenant: TenantId([2; 16]),
                intent: Digest([3; 32]),
                attempt: 1,
                key: KeyId([4; 16]),
                unsigned: vec![],
                commitments: vec![],
            },
            quorum: vec![SignerIndex(1), SignerIndex(2)],
            sent: NOW,
            shares: BTreeMap::new(),
            covered_us: 0,
        }
    }

    #[test]
    fn the_life_cycle_of_a_run_is_the_reviewed_one() {
        let states = every!(RunState {
            RunState::Waiting { .. } => || RunState::Waiting { not_before: NOW },
            RunState::Asked(_) => || RunState::Asked(asked()),
            RunState::Finished => || RunState::Finished,
        });
        let events = every!(RunEvent {
            RunEvent::QuorumAsked(_) => || RunEvent::QuorumAsked(asked()),
            RunEvent::SharesReceived { .. } => || RunEvent::SharesReceived {
                signer: SignerIndex(1),
                shares: vec![],
                covered_us: 1,
            },
            RunEvent::SharesValid => || RunEvent::SharesValid,
            RunEvent::SharesInvalid { .. } => || RunEvent::SharesInvalid { not_before: NOW },
            RunEvent::RefusedForNow { .. } => || RunEvent::RefusedForNow { not_before: NOW },
            RunEvent::RefusedByOne { .. } => || RunEvent::RefusedByOne { not_before: NOW },
            RunEvent::RefusedByTooMany => || RunEvent::RefusedByTooMany,
            RunEvent::QuorumSilent { .. } => || RunEvent::QuorumSilent { not_before: NOW },
            RunEvent::TimeOver => || RunEvent::TimeOver,
        });
        let table = strongroom_golden::life_cycle::table(
            &states.map(|state| state().name()),
            &events.map(|event| event().name()),
            |state, event| {
                let next = states[state]().apply(events[event]());
                next.ok().map(|next| next.name().to_owned())
            },
        );
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/run/life-cycle.txt");
        strongroom_golden::snapshot(path, &table);
    }
}
