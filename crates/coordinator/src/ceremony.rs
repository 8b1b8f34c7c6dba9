//! One key generation: the journal names it, the signers decide, and the coordinator carries their
//! messages.

mod state;

pub(crate) use state::{CeremonyEvent, CeremonyState, ProtocolRun};

use crate::life_cycle::illegal;
use crate::quorum::{SignerIndex, roster};
use std::collections::BTreeMap;
use strongroom_journal::entry::Finished;
use strongroom_journal::model::KeyRecord;
use strongroom_signing::runs::RUNS_MAX;
use strongroom_stage::StageError;
use strongroom_stage::life_cycle::Transition;
use strongroom_types::{Digest, KeyId, TenantId, UnixMs};

/// One key generation under way.
pub(crate) struct Ceremony {
    pub(crate) tenant: TenantId,
    pub(crate) key: KeyId,
    pub(crate) roster: Vec<SignerIndex>,
    /// Written by [`Self::apply`] alone.
    state: CeremonyState,
    /// Whether no further run can be started, and that was logged.
    is_used_up: bool,
    /// Signatures by signer, for each result that was certified.
    certificates: BTreeMap<CertifiedResult, BTreeMap<SignerIndex, [u8; 64]>>,
}

/// A signer's certificate of one result.
pub(crate) struct Certificate {
    /// Ed25519 over the certificate digest, 64 bytes when well formed.
    pub(crate) signature: Vec<u8>,
    pub(crate) result: CertifiedResult,
}

/// A result as signers certify it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CertifiedResult {
    pub(crate) transcript: Digest,
    /// Borsh of the public key record.
    pub(crate) public: Vec<u8>,
}

impl Ceremony {
    pub(crate) fn new(tenant: TenantId, key: &KeyRecord) -> Self {
        Self {
            tenant,
            key: key.plan.key,
            roster: roster(key),
            state: CeremonyState::Released,
            is_used_up: false,
            certificates: BTreeMap::new(),
        }
    }

    /// Takes an event. After an error the ceremony is over, so that it cannot go on in a guessed
    /// state.
    pub(crate) fn apply(&mut self, event: CeremonyEvent) -> Result<(), StageError> {
        // The state is set to "finished" first, so that an illegal event leaves no guessed state
        // behind.
        let state = std::mem::replace(&mut self.state, CeremonyState::Finished);
        let (from, event_name) = (state.name(), event.name());
        self.state = state.apply(event).map_err(illegal)?;

        let transition = Transition {
            life_cycle: state::LIFE_CYCLE,
            from,
            event: event_name.into(),
            to: self.state.name(),
        };
        transition.log(&self.key);
        Ok(())
    }

    /// Whether a result may still come of it.
    pub(crate) const fn is_open(&self) -> bool {
        match self.state {
            CeremonyState::Released | CeremonyState::Running(_) | CeremonyState::Submitted(_) => {
                true
            }
            CeremonyState::Finished | CeremonyState::GivenUp => false,
        }
    }

    /// Number of the run to start now, if one is due.
    pub(crate) fn due(&self, now: UnixMs) -> Option<u32> {
        match &self.state {
            CeremonyState::Released => Some(1),
            CeremonyState::Running(run) | CeremonyState::Submitted(run) => {
                (now >= run.until && run.number < RUNS_MAX).then_some(run.number + 1)
            }
            CeremonyState::Finished | CeremonyState::GivenUp => None,
        }
    }

    /// Whether the last run is over without a result; true once.
    pub(crate) fn set_used_up(&mut self, now: UnixMs) -> bool {
        let is_over = match &self.state {
            CeremonyState::Running(run) | CeremonyState::Submitted(run) => {
                now >= run.until && run.number >= RUNS_MAX
            }
            CeremonyState::Released | CeremonyState::Finished | CeremonyState::GivenUp => false,
        };
        is_over && !std::mem::replace(&mut self.is_used_up, true)
    }

    /// Number of the present run, if this message started it.
    pub(crate) fn started_by(&self, request: Digest) -> Option<u32> {
        match &self.state {
            CeremonyState::Running(run) | CeremonyState::Submitted(run) => {
                (run.request == request).then_some(run.number)
            }
            CeremonyState::Released | CeremonyState::Finished | CeremonyState::GivenUp => None,
        }
    }

    /// Keeps a certificate; returns the result to submit once all n agree on one result.
    pub(crate) fn take_certificate(
        &mut self,
        signer: SignerIndex,
        signature: [u8; 64],
        result: CertifiedResult,
    ) -> Option<Finished> {
        // A stranger's certificate must not count as the missing one of the roster.
        let is_running = matches!(self.state, CeremonyState::Running(_));
        if !is_running || !self.roster.contains(&signer) {
            return None;
        }

        // Each signer has one result: a later run's certificate replaces the earlier one.
        self.certificates.retain(|_, by| {
            by.remove(&signer);
            !by.is_empty()
        });
        let by = self.certificates.entry(result.clone()).or_default();
        by.insert(signer, signature);

        // All n must certify: a signer that did not certify may hold no share of this key.
        if by.len() < self.roster.len() {
            return None;
        }

        let certificates = by
            .iter()
            .map(|(signer, signature)| (signer.0, *signature))
            .collect();
        Some(Finished {
            key: self.key,
            transcript: result.transcript,
            public: result.public,
            certificates,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running(number: u32) -> Ceremony {
        let run = ProtocolRun {
            number,
            until: UnixMs(9),
            request: Digest([1; 32]),
        };
        Ceremony {
            tenant: TenantId([1; 16]),
            key: KeyId([2; 16]),
            roster: vec![SignerIndex(1), SignerIndex(2)],
            state: CeremonyState::Running(run),
            is_used_up: false,
            certificates: BTreeMap::new(),
        }
    }

    #[test]
    fn a_signer_that_certifies_many_results_fills_no_memory() {
        let mut ceremony = running(1);
        for n in 0..9 {
            let result = CertifiedResult {
                transcript: Digest([n; 32]),
                public: vec![],
            };
            let taken = ceremony.take_certificate(SignerIndex(1), [0; 64], result);
            assert!(taken.is_none());
        }
        assert_eq!(ceremony.certificates.len(), 1);
    }

    #[test]
    fn the_end_of_the_last_run_is_said_once() {
        assert!(!running(RUNS_MAX - 1).set_used_up(UnixMs(9)));
        let mut last = running(RUNS_MAX);
        let said = [8, 9, 10].map(|now| last.set_used_up(UnixMs(now)));
        assert_eq!(said, [false, true, false]);
    }
}
