//! The rounds of KeyGen: from complete round-1 messages to the share that is to be persisted.

use super::{DkgSession, Next, Phase, outcome};
use crate::dkg::message::{Message, MessageBody, Round2};
use crate::dkg::rounds::ShareBytes;
use crate::dkg::transcript::{self, transcript_hash};
use crate::dkg::{DkgEffect, DkgFault};
use crate::seal;
use crate::{KeyShareRecord, PublicKeyRecord};
use rand_core::CryptoRngCore;
use std::collections::BTreeMap;
use strongroom_guard::{G, guard};
use zeroize::Zeroizing;

/// Bodies of all round-2 messages, by sender.
#[derive(Default)]
struct OpenedRound2 {
    shares: BTreeMap<u16, ShareBytes>,
    /// Chain-code contributions, 32 bytes each.
    contributions: BTreeMap<u16, [u8; 32]>,
}

impl DkgSession {
    /// Takes steps until a round is incomplete.
    pub(super) fn advance(
        &mut self,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Vec<DkgEffect>, DkgFault> {
        let mut effects = Vec::new();
        let n = self.parameters.roster.len();
        while let Phase::Rounds { next, .. } = &self.phase {
            match *next {
                Next::AllRound1 if self.inbox.round1.len() == n => {
                    effects.push(self.publish_echo())
                }
                Next::AllEchoes { round1_hash } => {
                    // A different echo proves equivocation: two signers saw different commitments
                    // of one peer and would end with different keys. The session stops before this
                    // signer has sent a share.
                    let differs = self.inbox.echoes.values().any(|echo| *echo != round1_hash);
                    if guard(G::Echo, differs) {
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

    /// KeyGen round 2, step 1: sends each peer its share, after all signers have seen the same
    /// round 1.
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
            return Err(DkgFault::failed("shares out of order"));
        };

        // Round 1, step 5: part 2 verifies all proofs of knowledge. If one is wrong, no share is
        // sent.
        let shares = frost.part2(&self.inbox.round1)?;
        *next = Next::AllRound2 { round1_hash };

        let mut effects = Vec::new();
        for (to, share) in &shares {
            // The vector is allocated at full size, because growing it would leave copies of the
            // share in memory.
            let mut plaintext = Zeroizing::new(Vec::with_capacity(64));
            plaintext.extend_from_slice(share.as_ref());
            plaintext.extend_from_slice(contribution.as_ref());

            let info = self.parameters.seal_info(self.me, *to);
            let recipient = self
                .parameters
                .member(*to)
                .ok_or(DkgFault::failed("share for a signer outside the roster"))?;
            let sealed = seal::seal(&recipient.sealing_key, &info, &plaintext, rng)
                .map_err(DkgFault::failed_by("sealing"))?;

            let body = MessageBody::Round2(Round2 { to: *to, sealed });
            let bytes = Message::encode(self.parameters.session, self.context, body);
            effects.push(DkgEffect::Send { to: *to, bytes });
        }
        Ok(effects)
    }

    /// KeyGen round 2, steps 2 to 4: checks the shares and makes the key.
    fn make_key(&mut self, round1_hash: [u8; 32]) -> Result<DkgEffect, DkgFault> {
        // The transcript names the round 1 that was echoed, so the key must be made from the same
        // messages.
        if transcript::round1_hash(&self.context, &self.inbox.round1) != round1_hash {
            return Err(DkgFault::failed("round 1 changed after its echo"));
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
            return Err(DkgFault::failed("key out of order"));
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
        .map_err(DkgFault::failed_by("the made share does not check"))?;

        // The share is persisted before it is certified, because a certificate promises a share
        // that survives a restart.
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

            // The opening must match its commitment of round 1: a signer that chose it after the
            // others' openings could choose the chain code.
            let committed = self
                .inbox
                .round1
                .get(from)
                .map(|message| message.chain_code_commitment);
            let expected = transcript::chain_code_commitment(&self.context, *from, &contribution);
            if guard(G::ChainCodeOpening, committed != Some(expected)) {
                return Err(DkgFault::ChainCodeOpening { culprit: *from });
            }

            opened.shares.insert(*from, Zeroizing::new(*share));
            opened.contributions.insert(*from, contribution);
        }

        Ok(opened)
    }
}
