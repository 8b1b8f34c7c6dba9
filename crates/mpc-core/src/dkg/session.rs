//! One signer's session, from its parameters to its end. The modules below handle the inputs.

mod certify;
mod inbox;
mod keygen;

use self::inbox::Received;
use super::message::{Message, MessageBody, Round1};
use super::parameters::DkgParameters;
use super::rounds::{self, Rounds};
use super::transcript::{self, is_key_of, transcript_hash};
use super::{DkgEffect, DkgFault, DkgInput, DkgOutcome};
use crate::seal::SealingSecret;
use crate::{KeyShareRecord, PublicKeyRecord};
use rand_core::CryptoRngCore;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// One signer's side of one key generation. It is in memory only: a restart before
/// [`DkgEffect::Persist`] is done loses the session, and the ceremony expires. After it,
/// [`DkgSession::resume`] certifies again.
pub struct DkgSession {
    parameters: DkgParameters,
    context: [u8; 32],
    me: u16,
    sealing: SealingSecret,
    inbox: Received,
    phase: Phase,
    certificates: BTreeMap<u16, [u8; 64]>,
}

/// Progress of the session.
enum Phase {
    Rounds {
        frost: Box<dyn Rounds>,
        contribution: Zeroizing<[u8; 32]>,
        next: Next,
    },
    Persisting(Box<DkgOutcome>),
    Certifying(Box<DkgOutcome>),
    Finished,
    Failed(DkgFault),
}

/// Set of messages that must be complete before the next step.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    AllRound1,
    AllEchoes { round1_hash: [u8; 32] },
    AllRound2 { round1_hash: [u8; 32] },
}

impl DkgSession {
    /// Checks the parameters and starts round 1.
    ///
    /// # Errors
    /// [`DkgFault::Parameters`] before anything is sent.
    pub fn start(
        parameters: DkgParameters,
        me: u16,
        sealing: SealingSecret,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<(Self, Vec<DkgEffect>), DkgFault> {
        parameters.check(me)?;

        // The secret must fit the roster's key: otherwise peers' shares would not open, and their
        // senders would seem to be at fault.
        let mine = parameters.member(me).map(|member| &member.sealing_key);
        if sealing.public_key().ok().as_ref() != mine {
            return Err(DkgFault::Parameters(
                "the sealing secret is not the roster's",
            ));
        }

        let indices: Vec<u16> = parameters
            .roster
            .iter()
            .map(|member| member.index)
            .collect();
        let (frost, package) =
            rounds::start(parameters.suite, me, &indices, parameters.min_signers, rng)?;

        // The commitment hides this contribution until every signer has committed. So no signer can
        // choose its contribution such that the chain code becomes a known value.
        let mut contribution = Zeroizing::new([0; 32]);
        rng.fill_bytes(contribution.as_mut());
        let context = parameters.context();

        let round1 = Round1 {
            package,
            chain_code_commitment: transcript::chain_code_commitment(&context, me, &contribution),
        };

        let mut inbox = Received::default();
        inbox.round1.insert(me, round1.clone());
        let phase = Phase::Rounds {
            frost,
            contribution,
            next: Next::AllRound1,
        };

        let session = Self {
            parameters,
            context,
            me,
            sealing,
            inbox,
            phase,
            certificates: BTreeMap::new(),
        };

        let effects = vec![DkgEffect::Broadcast(
            session.message(MessageBody::Round1(round1)),
        )];
        Ok((session, effects))
    }

    /// Continues after a restart from the persisted share: certifies again and collects
    /// certificates.
    ///
    /// # Errors
    /// [`DkgFault::Parameters`] when the record is not of these parameters.
    pub fn resume(
        parameters: DkgParameters,
        sealing: SealingSecret,
        record: &KeyShareRecord,
    ) -> Result<(Self, Vec<DkgEffect>), DkgFault> {
        parameters.check(record.index())?;

        // The stored share must be of these parameters: a certificate over another ceremony's
        // transcript would promise a share that this ceremony does not have.
        let transcript = *record.transcript();
        let public = record.public();
        if !is_key_of(&parameters, public)
            || transcript_hash(&parameters, record.round1_hash(), public) != transcript
        {
            return Err(DkgFault::Parameters(
                "the stored share is of another ceremony",
            ));
        }

        let outcome = outcome(transcript, *record.round1_hash(), public.clone());
        let context = parameters.context();
        let session = Self {
            me: record.index(),
            context,
            parameters,
            sealing,
            inbox: Received::default(),
            phase: Phase::Certifying(outcome),
            certificates: BTreeMap::new(),
        };
        Ok((session, vec![DkgEffect::Done { transcript }]))
    }

    /// Takes one input. The caller must do the effects in order.
    ///
    /// # Errors
    /// The fault that ended the session; every later call returns it again. The session's secrets
    /// are dropped at the fault.
    pub fn step(
        &mut self,
        input: DkgInput,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Vec<DkgEffect>, DkgFault> {
        if let Phase::Failed(fault) = &self.phase {
            return Err(fault.clone());
        }

        let result = match input {
            DkgInput::Received { from, bytes } => self.on_message(from, &bytes, rng),
            DkgInput::Persisted => Ok(self.on_persisted()),
            DkgInput::Certificate { from, signature } => Ok(self.on_certificate(from, signature)),
        };

        // The old phase is dropped with frost's secrets, so that a share of a failed ceremony is
        // never used.
        if let Err(fault) = &result {
            self.phase = Phase::Failed(fault.clone());
            self.inbox = Received::default();
        }
        result
    }

    fn message(&self, body: MessageBody) -> Vec<u8> {
        Message::encode(self.parameters.session, self.context, body)
    }
}

impl std::fmt::Debug for DkgSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DkgSession(..)")
    }
}

/// An outcome whose certificates are still to come.
fn outcome(
    transcript: [u8; 32],
    round1_hash: [u8; 32],
    public: PublicKeyRecord,
) -> Box<DkgOutcome> {
    Box::new(DkgOutcome {
        transcript,
        round1_hash,
        public,
        certificates: BTreeMap::new(),
    })
}
