//! One signing run: a request, the quorum asked, what came back.

use std::collections::{BTreeMap, BTreeSet};
use strongroom_journal::apply::ceremony::{key_name, suite_id};
use strongroom_journal::model::KeyRecord;
use strongroom_mpc_core::ChildPath;
use strongroom_mpc_core::signing::{Commitment, PublicKeys, SignatureShare, SigningPackage, Tweak};
use strongroom_stage::post::Cause;
use strongroom_types::{Code, SessionId, UnixMs, digest};
use strongroom_wire::{NonceCommitment, SignerRefusal, SigningRequest, SigningRequested, encode};

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

    /// One signature a slot, once every share is there; or whose shares are wrong.
    pub(crate) fn aggregate(
        &self,
        key: &KeyRecord,
        keys: &mut PublicKeys,
    ) -> Result<Vec<Vec<u8>>, Vec<u16>> {
        let Some(asked) = &self.asked else {
            return Err(Vec::new());
        };
        let mut signatures = Vec::new();
        for (index, slot) in self.request.slots.iter().enumerate() {
            let package = self.package(key, asked, index, slot).ok_or_else(Vec::new)?;
            let share = |signer: &u16| {
                let bytes = asked
                    .shares
                    .get(signer)
                    .and_then(|shares| shares.get(index));
                let share = bytes.and_then(|bytes| bytes.as_slice().try_into().ok());
                share
                    .map(|share| SignatureShare {
                        index: *signer,
                        share,
                    })
                    .ok_or_else(|| vec![*signer])
            };
            let shares: Vec<SignatureShare> =
                asked.quorum.iter().map(share).collect::<Result<_, _>>()?;
            signatures.push(
                keys.aggregate(&package, &shares)
                    .map_err(|fault| fault.culprits())?,
            );
        }
        Ok(signatures)
    }

    fn package(
        &self,
        key: &KeyRecord,
        asked: &Asked,
        index: usize,
        slot: &strongroom_wire::SigningSlot,
    ) -> Option<SigningPackage> {
        let commitments = asked.request.commitments.get(index)?;
        Some(SigningPackage {
            suite: suite_id(key.plan.suite),
            key_id: key_name(self.request.tenant, self.request.key),
            epoch: key.epoch,
            message: slot.message.clone(),
            commitments: commitments
                .iter()
                .map(|(signer, c)| (*signer, self::commitment(c)))
                .collect(),
            path: ChildPath::new(slot.path.clone()).ok()?,
            tweak: if slot.taproot_tweak {
                Tweak::Bip341
            } else {
                Tweak::None
            },
        })
    }

    /// The digest by which shares and refusals name what they answer.
    pub(crate) fn request_digest(asked: &Asked) -> strongroom_types::Digest {
        digest("strongroom/signing-request/v1", &[&encode(&asked.request)])
    }
}

/// A commitment in `mpc_core`'s words: on the wire it is `hiding ‖ binding`, each half.
#[must_use]
pub fn commitment(commitment: &NonceCommitment) -> Commitment {
    let (hiding, binding) = commitment
        .commitment
        .split_at(commitment.commitment.len() / 2);
    Commitment {
        boot_id: commitment.boot,
        number: commitment.number,
        hiding: hiding.to_vec(),
        binding: binding.to_vec(),
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
