//! One signing run: a request, the quorum asked, what came back.

use std::collections::{BTreeMap, BTreeSet};
use strongroom_journal::model::KeyRecord;
use strongroom_mpc_core::signing::PublicKeys;
use strongroom_signing::{aggregate, packages, slots_from_wire};
use strongroom_stage::post::Cause;
use strongroom_types::{Code, SessionId, UnixMs, digest};
use strongroom_wire::{NonceCommitment, SignerRefusal, SigningRequest, SigningRequested};

/// A signing run.
pub(crate) struct Run {
    pub(crate) request: SigningRequested,
    pub(crate) cause: Cause,
    pub(crate) started: UnixMs,
    /// Next try not before.
    pub(crate) not_before: UnixMs,
    pub(crate) tries: u32,
    pub(crate) excluded: BTreeSet<u16>,
    pub(crate) refusals: BTreeMap<u16, SignerRefusal>,
    pub(crate) asked: Option<Asked>,
}

/// The quorum of one try.
pub(crate) struct Asked {
    pub(crate) session: SessionId,
    pub(crate) quorum: Vec<u16>,
    pub(crate) request: SigningRequest,
    pub(crate) sent: UnixMs,
    pub(crate) shares: BTreeMap<u16, Vec<Vec<u8>>>,
    pub(crate) covered_us: u64,
}

impl Run {
    pub(crate) fn new(request: SigningRequested, cause: Cause, now: UnixMs) -> Self {
        Self {
            request,
            cause,
            started: now,
            not_before: now,
            tries: 0,
            excluded: BTreeSet::new(),
            refusals: BTreeMap::new(),
            asked: None,
        }
    }

    /// The request for a quorum, with one commitment a slot and participant from `take`.
    pub(crate) fn ask(
        &mut self,
        quorum: Vec<u16>,
        now: UnixMs,
        mut take: impl FnMut(u16) -> Option<NonceCommitment>,
    ) -> Option<&Asked> {
        self.tries += 1;
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
        let session = SessionId(strongroom_stage::post::first_half(seed));
        let mut commitments = Vec::new();
        for _ in &self.request.slots {
            let slot: Option<Vec<_>> = quorum
                .iter()
                .map(|signer| take(*signer).map(|c| (*signer, c)))
                .collect();
            commitments.push(slot?);
        }
        let request = SigningRequest {
            session,
            tenant: self.request.tenant,
            intent: attempt.intent,
            attempt: attempt.number,
            key: self.request.key,
            unsigned: self.request.unsigned.clone(),
            commitments,
        };
        self.asked = Some(Asked {
            session,
            quorum,
            request,
            sent: now,
            shares: BTreeMap::new(),
            covered_us: 0,
        });
        self.asked.as_ref()
    }

    /// One signature per slot, once every share is there; or the signers whose shares are wrong.
    pub(crate) fn aggregate(
        &self,
        key: &KeyRecord,
        keys: &mut PublicKeys,
    ) -> Result<Vec<Vec<u8>>, Vec<u16>> {
        let asked = self.asked.as_ref().ok_or_else(Vec::new)?;
        let slots = slots_from_wire(&self.request.slots, key.plan.suite);
        let packages = packages(&asked.request, &slots, key).map_err(|_| Vec::new())?;
        aggregate(keys, &packages, &asked.shares).map_err(|fault| fault.culprits())
    }
}

/// Refusals that may pass: the head is on its way, the lock opens, the signer restarted.
pub(crate) const fn may_pass(code: Code) -> bool {
    matches!(
        code,
        Code::AttemptUnknown
            | Code::JournalStale
            | Code::ClockSkew
            | Code::HeadBelowFloor
            | Code::TimeLocked
            | Code::Paused
            | Code::NotReady
            | Code::CommitmentUnknown
            | Code::NonceUsed
            | Code::DeadlineExpired
    )
}
