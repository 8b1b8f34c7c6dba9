//! One signing run: its request, the signers that are left out, and its state.

mod state;

pub(crate) use state::{RunEvent, RunState, Try};

use crate::life_cycle::illegal;
use crate::quorum::SignerIndex;
use std::collections::{BTreeMap, BTreeSet};
use strongroom_stage::StageError;
use strongroom_stage::life_cycle::Transition;
use strongroom_stage::post::{Cause, id_from};
use strongroom_types::{Digest, SessionId, UnixMs, digest};
use strongroom_wire::{NonceCommitment, SignerRefusal, SigningRequest, SigningRequested};

/// The attempt that a run signs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct RunName {
    pub(crate) intent: Digest,
    pub(crate) attempt: u32,
}

/// A signing run.
pub(crate) struct Run {
    pub(crate) request: SigningRequested,
    pub(crate) cause: Cause,
    pub(crate) started: UnixMs,
    /// Number of quorums asked so far.
    pub(crate) tries: u32,
    /// Signers that are not asked again in this run.
    pub(crate) excluded: BTreeSet<SignerIndex>,
    /// Each signer's last refusal.
    pub(crate) refusals: BTreeMap<SignerIndex, SignerRefusal>,
    /// Written by [`Self::apply`] alone.
    state: RunState,
}

impl Run {
    pub(crate) fn new(request: SigningRequested, cause: Cause, now: UnixMs) -> Self {
        Self {
            request,
            cause,
            started: now,
            tries: 0,
            excluded: BTreeSet::new(),
            refusals: BTreeMap::new(),
            state: RunState::Waiting { not_before: now },
        }
    }

    pub(crate) fn name(&self) -> RunName {
        RunName {
            intent: self.request.attempt.intent,
            attempt: self.request.attempt.number,
        }
    }

    /// Takes an event. After an error the run is over, so that it cannot go on in a guessed state.
    pub(crate) fn apply(&mut self, event: RunEvent) -> Result<(), StageError> {
        // The state is set to "finished" first, so that an illegal event leaves no guessed state
        // behind.
        let state = std::mem::replace(&mut self.state, RunState::Finished);
        let (from, event_name) = (state.name(), event.name());
        self.state = state.apply(event).map_err(illegal)?;

        let transition = Transition {
            life_cycle: state::LIFE_CYCLE,
            from,
            event: event_name.into(),
            to: self.state.name(),
        };
        transition.log(&self.request.attempt.intent);
        Ok(())
    }

    /// The try under way.
    pub(crate) fn current_try(&self) -> Option<&Try> {
        match &self.state {
            RunState::Asked(asked) => Some(asked),
            RunState::Waiting { .. } | RunState::Finished => None,
        }
    }

    /// Whether this signer is in the quorum that is asked.
    pub(crate) fn is_asked(&self, signer: SignerIndex) -> bool {
        self.current_try()
            .is_some_and(|asked| asked.quorum.contains(&signer))
    }

    pub(crate) fn is_finished(&self) -> bool {
        matches!(self.state, RunState::Finished)
    }

    /// Whether a quorum may be asked now.
    pub(crate) fn may_ask(&self, now: UnixMs) -> bool {
        match &self.state {
            RunState::Waiting { not_before } => now >= *not_before,
            RunState::Asked(_) | RunState::Finished => false,
        }
    }

    /// The next try: a request to this quorum, with one commitment per slot and participant from
    /// `take`. None when a commitment is missing.
    pub(crate) fn next_try(
        &mut self,
        quorum: Vec<SignerIndex>,
        now: UnixMs,
        mut take: impl FnMut(SignerIndex) -> Option<NonceCommitment>,
    ) -> Option<Try> {
        // The try is counted even when it fails: a session name must never be used for two
        // requests.
        self.tries += 1;
        let mut commitments = Vec::with_capacity(self.request.slots.len());
        for _ in &self.request.slots {
            let of_slot: Option<Vec<_>> = quorum
                .iter()
                .map(|signer| take(*signer).map(|commitment| (signer.0, commitment)))
                .collect();
            commitments.push(of_slot?);
        }

        let request = SigningRequest {
            session: self.session(),
            tenant: self.request.tenant,
            intent: self.request.attempt.intent,
            attempt: self.request.attempt.number,
            key: self.request.key,
            unsigned: self.request.unsigned.clone(),
            commitments,
        };

        Some(Try {
            request,
            quorum,
            sent: now,
            shares: BTreeMap::new(),
            covered_us: 0,
        })
    }

    /// Session of the present try: the same request of the transactions service, replayed after a
    /// restart, leads to the same sessions.
    fn session(&self) -> SessionId {
        let attempt = &self.request.attempt;
        let seed = digest(
            "strongroom/signing-session/v1",
            &[
                &attempt.intent.0,
                &attempt.number.to_be_bytes(),
                &self.cause.msg_id,
                &self.tries.to_be_bytes(),
            ],
        );
        SessionId(id_from(seed))
    }
}
