//! The session: collects each round, checks it, and yields the work that follows from it.

use super::certificate::verify_certificate;
use super::message::{Message, MessageBody, Round1, Round2};
use super::parameters::DkgParameters;
use super::rounds::{self, Rounds, ShareBytes};
use super::transcript::{self, is_key_of, transcript_hash};
use super::{DkgEffect, DkgFault, DkgInput, DkgOutcome, Ignored};
use crate::seal::{self, SealingSecret};
use crate::{KeyShareRecord, PublicKeyRecord};
use rand_core::CryptoRngCore;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use zeroize::Zeroizing;

/// One signer's side of one key generation. Memory only: a restart before [`DkgEffect::Persist`]
/// loses it and the ceremony expires; after it, [`DkgSession::resume`] certifies again.
pub struct DkgSession {
    parameters: DkgParameters,
    context: [u8; 32],
    me: u16,
    sealing: SealingSecret,
    inbox: Received,
    phase: Phase,
    certificates: BTreeMap<u16, [u8; 64]>,
}

/// Messages of all rounds; a fast peer may be a round ahead.
#[derive(Default)]
struct Received {
    round1: BTreeMap<u16, Round1>,
    echoes: BTreeMap<u16, [u8; 32]>,
    round2: BTreeMap<u16, Round2>,
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

/// Bodies of all round-2 messages, by sender.
#[derive(Default)]
struct OpenedRound2 {
    shares: BTreeMap<u16, ShareBytes>,
    /// Chain-code contributions, 32 bytes each.
    contributions: BTreeMap<u16, [u8; 32]>,
}

/// Set that must be complete before the next step.
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

        // Shares sealed to the roster's key would not open, and their senders would seem
        // to be at fault.
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

        // The commitment hides this contribution until every signer has committed: none can choose
        // its own so that the chain code becomes a known one.
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

        // A signature on the transcript of another ceremony would certify a share that this one
        // lacks.
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

    /// Takes one input; the effects are to be done in order.
    ///
    /// # Errors
    /// The fault that ended the session; every later call returns it again. Secrets are dropped
    /// with it.
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

        // With the phase go frost's secrets: a share received in a failed ceremony is never used.
        if let Err(fault) = &result {
            self.phase = Phase::Failed(fault.clone());
            self.inbox = Received::default();
        }
        result
    }

    fn on_message(
        &mut self,
        from: u16,
        bytes: &[u8],
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Vec<DkgEffect>, DkgFault> {
        match self.insert_message(from, bytes) {
            Ok(()) => self.advance(rng),
            Err(NotInserted::Ignored(reason)) => Ok(vec![DkgEffect::Ignored(reason)]),
            Err(NotInserted::Fault(fault)) => Err(fault),
        }
    }

    /// Puts a message into the inbox.
    fn insert_message(&mut self, from: u16, bytes: &[u8]) -> Result<(), NotInserted> {
        // A refusal here is never a fault: else one forged message could end the ceremony.
        if self.parameters.member(from).is_none() {
            return Err(Ignored::UnknownSender.into());
        }
        if from == self.me {
            return Err(Ignored::OwnMessage.into());
        }

        let body = Message::decode(bytes, &self.parameters.session, &self.context)?;
        // A round that is certified cannot change any more.
        if !matches!(self.phase, Phase::Rounds { .. } | Phase::Persisting(_)) {
            return Err(Ignored::Closed.into());
        }

        match body {
            MessageBody::Round1(message) => insert_once(&mut self.inbox.round1, from, message),
            MessageBody::Echo(hash) => insert_once(&mut self.inbox.echoes, from, hash),
            MessageBody::Round2(message) if message.to == self.me => {
                insert_once(&mut self.inbox.round2, from, message)
            }
            MessageBody::Round2(_) => Err(Ignored::OtherRecipient.into()),
        }
    }

    /// Takes as many steps as complete rounds allow.
    fn advance(&mut self, rng: &mut dyn CryptoRngCore) -> Result<Vec<DkgEffect>, DkgFault> {
        let mut effects = Vec::new();
        let n = self.parameters.roster.len();
        while let Phase::Rounds { next, .. } = &self.phase {
            match *next {
                Next::AllRound1 if self.inbox.round1.len() == n => {
                    effects.push(self.publish_echo())
                }
                Next::AllEchoes { round1_hash } => {
                    // Equivocation: two signers saw different commitments of one peer, and would
                    // end with different keys. This signer has sent no share yet.
                    if self.inbox.echoes.values().any(|echo| *echo != round1_hash) {
                        return Err(DkgFault::Equivocation {
                            culprits: Vec::new(),
                        });
                    }

                    if self.inbox.echoes.len() < n {
                        break;
                    }
                    effects.extend(self.send_shares(round1_hash, rng)?);
                }
                Next::AllRound2 { round1_hash } if self.inbox.round2.len() == n - 1 => {
                    effects.push(self.make_key(round1_hash)?);
                }
                Next::AllRound1 | Next::AllRound2 { .. } => break,
            }
        }
        Ok(effects)
    }

    /// Publishes the hash of all round-1 messages.
    fn publish_echo(&mut self) -> DkgEffect {
        let round1_hash = transcript::round1_hash(&self.context, &self.inbox.round1);
        self.inbox.echoes.insert(self.me, round1_hash);

        if let Phase::Rounds { next, .. } = &mut self.phase {
            *next = Next::AllEchoes { round1_hash };
        }

        DkgEffect::Broadcast(self.message(MessageBody::Echo(round1_hash)))
    }

    /// KeyGen round 2, step 1: sends its share to each peer, once all saw the same round 1.
    fn send_shares(
        &mut self,
        round1_hash: [u8; 32],
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Vec<DkgEffect>, DkgFault> {
        let Phase::Rounds {
            frost,
            contribution,
            next,
        } = &mut self.phase
        else {
            return Err(DkgFault::Failed("shares out of order"));
        };

        // Round 1, step 5: all proofs of knowledge verify, else nothing is sent.
        let shares = frost.part2(&self.inbox.round1)?;
        *next = Next::AllRound2 { round1_hash };

        let mut effects = Vec::new();
        for (to, share) in &shares {
            // Full size at once: growing would leave copies of the share behind.
            let mut plaintext = Zeroizing::new(Vec::with_capacity(64));
            plaintext.extend_from_slice(share.as_ref());
            plaintext.extend_from_slice(contribution.as_ref());

            let info = self.parameters.seal_info(self.me, *to);
            let recipient = self
                .parameters
                .member(*to)
                .ok_or(DkgFault::Failed("share for a signer outside the roster"))?;
            let sealed = seal::seal(&recipient.sealing_key, &info, &plaintext, rng)
                .map_err(|_| DkgFault::Failed("sealing"))?;

            let body = MessageBody::Round2(Round2 { to: *to, sealed });
            let bytes = Message::encode(self.parameters.session, self.context, body);
            effects.push(DkgEffect::Send { to: *to, bytes });
        }
        Ok(effects)
    }

    /// KeyGen round 2, steps 2 to 4: checks the shares and makes the key.
    fn make_key(&mut self, round1_hash: [u8; 32]) -> Result<DkgEffect, DkgFault> {
        // The transcript names the round 1 that was echoed; the key must come from the same
        // messages.
        if transcript::round1_hash(&self.context, &self.inbox.round1) != round1_hash {
            return Err(DkgFault::Failed("round 1 changed after its echo"));
        }

        let OpenedRound2 {
            shares,
            mut contributions,
        } = self.open_round2()?;

        let Phase::Rounds {
            frost,
            contribution,
            ..
        } = &mut self.phase
        else {
            return Err(DkgFault::Failed("key out of order"));
        };

        contributions.insert(self.me, **contribution);
        let material = frost.part3(&shares)?;

        let public = PublicKeyRecord {
            suite: self.parameters.suite,
            key_id: self.parameters.key_id.clone(),
            epoch: self.parameters.epoch,
            min_signers: self.parameters.min_signers,
            group_key: material.group_key,
            verifying_shares: material.verifying_shares,
            chain_code: transcript::chain_code(&self.context, &contributions),
        };

        let transcript = transcript_hash(&self.parameters, &round1_hash, &public);
        let record = KeyShareRecord::new(
            self.me,
            material.secret,
            public.clone(),
            transcript,
            round1_hash,
        )
        .map_err(|_| DkgFault::Failed("the made share does not check"))?;

        // Persisted before it is certified: a certificate promises a share that survives a restart.
        self.phase = Phase::Persisting(outcome(transcript, round1_hash, public));
        Ok(DkgEffect::Persist(Box::new(record)))
    }

    /// Opens every sealed message and checks the chain-code openings.
    fn open_round2(&self) -> Result<OpenedRound2, DkgFault> {
        let mut opened = OpenedRound2::default();
        for (from, message) in &self.inbox.round2 {
            let fault = DkgFault::Unsealable { culprit: *from };
            let info = self.parameters.seal_info(*from, self.me);
            let plaintext =
                seal::open(&self.sealing, &info, &message.sealed).map_err(|_| fault.clone())?;

            let Some((share, contribution)) = plaintext.split_first_chunk::<32>() else {
                return Err(fault);
            };
            let contribution: [u8; 32] = contribution.try_into().map_err(|_| fault)?;

            // An opening chosen after seeing the others' would let its sender choose the chain
            // code.
            let committed = self
                .inbox
                .round1
                .get(from)
                .map(|message| message.chain_code_commitment);
            let expected = transcript::chain_code_commitment(&self.context, *from, &contribution);
            if committed != Some(expected) {
                return Err(DkgFault::ChainCodeOpening { culprit: *from });
            }

            opened.shares.insert(*from, Zeroizing::new(*share));
            opened.contributions.insert(*from, contribution);
        }

        Ok(opened)
    }

    fn on_persisted(&mut self) -> Vec<DkgEffect> {
        match std::mem::replace(&mut self.phase, Phase::Finished) {
            Phase::Persisting(outcome) => {
                let transcript = outcome.transcript;
                self.phase = Phase::Certifying(outcome);
                // The shares in it are no longer needed, and what is gone cannot leak.
                self.inbox = Received::default();

                // Certificates of faster peers could not be checked before the transcript was
                // known.
                self.certificates.retain(|index, signature| {
                    let member = self
                        .parameters
                        .roster
                        .iter()
                        .find(|member| member.index == *index);
                    member
                        .is_some_and(|m| verify_certificate(&m.signing_key, &transcript, signature))
                });

                let mut effects = vec![DkgEffect::Done { transcript }];
                effects.extend(self.finish());
                effects
            }
            other => {
                self.phase = other;
                vec![DkgEffect::Ignored(Ignored::NothingToPersist)]
            }
        }
    }

    fn on_certificate(&mut self, from: u16, signature: [u8; 64]) -> Vec<DkgEffect> {
        let Some(member) = self.parameters.member(from) else {
            return vec![DkgEffect::Ignored(Ignored::UnknownSender)];
        };

        match &self.phase {
            Phase::Rounds { .. } | Phase::Persisting(_) => {
                // Kept unchecked; at most one per member, so memory stays bounded.
                self.certificates.insert(from, signature);
                Vec::new()
            }
            Phase::Certifying(outcome) => {
                if !verify_certificate(&member.signing_key, &outcome.transcript, &signature) {
                    return vec![DkgEffect::Ignored(Ignored::BadCertificate)];
                }

                if self.certificates.insert(from, signature).is_some() {
                    return vec![DkgEffect::Ignored(Ignored::Duplicate)];
                }

                self.finish().into_iter().collect()
            }
            Phase::Finished | Phase::Failed(_) => vec![DkgEffect::Ignored(Ignored::Closed)],
        }
    }

    /// Finishes when all n certificates are here.
    fn finish(&mut self) -> Option<DkgEffect> {
        // All n: a key that receives funds before every share is durable can lose them.
        if self.certificates.len() != self.parameters.roster.len() {
            return None;
        }

        match std::mem::replace(&mut self.phase, Phase::Finished) {
            Phase::Certifying(mut outcome) => {
                outcome.certificates = std::mem::take(&mut self.certificates);
                Some(DkgEffect::Finished(outcome))
            }
            other => {
                self.phase = other;
                None
            }
        }
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

/// An outcome without certificates.
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

/// A message that was not put into the inbox: without consequence, or as a proof of misbehaviour.
enum NotInserted {
    Ignored(Ignored),
    Fault(DkgFault),
}

impl From<Ignored> for NotInserted {
    fn from(reason: Ignored) -> Self {
        Self::Ignored(reason)
    }
}

/// Inserts the first message of a sender. A different second one proves equivocation: the envelope
/// of each is signed.
fn insert_once<T: PartialEq>(
    round: &mut BTreeMap<u16, T>,
    from: u16,
    message: T,
) -> Result<(), NotInserted> {
    match round.entry(from) {
        Entry::Vacant(vacant) => {
            vacant.insert(message);
            Ok(())
        }
        Entry::Occupied(known) if *known.get() == message => Err(Ignored::Duplicate.into()),
        Entry::Occupied(_) => Err(NotInserted::Fault(DkgFault::Equivocation {
            culprits: vec![from],
        })),
    }
}
