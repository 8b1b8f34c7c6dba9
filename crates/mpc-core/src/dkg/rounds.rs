//! frost's three parts for one ciphersuite, behind an interface of plain bytes.
//!
//! Steps are numbered as in KeyGen of the FROST paper (eprint 2020/852, Figure 1), which frost-core
//! quotes.

use super::DkgFault;
use super::message::Round1;
use crate::StepError;
use crate::suite::{Suite, SuiteId, identifier, with_suite};
use frost_core::keys::dkg::{part1, part2, part3, round1, round2};
use frost_core::keys::{PublicKeyPackage, SigningShare, VerifyingShare};
use frost_core::{Error, Identifier};
use rand_core::CryptoRngCore;
use std::collections::BTreeMap;
use strongroom_guard::{G, guard};
use zeroize::Zeroizing;

/// A signing share in the group's scalar encoding, 32 bytes.
pub(super) type ShareBytes = Zeroizing<[u8; 32]>;

/// Key that part 3 makes, serialized.
pub(super) struct KeyMaterial {
    /// This party's signing share.
    pub secret: ShareBytes,
    /// Group public key in the suite's element encoding.
    pub group_key: Vec<u8>,
    /// Verifying share of each party by roster index, in the same encoding.
    pub verifying_shares: BTreeMap<u16, Vec<u8>>,
}

/// One party's frost state between the parts; each part is taken once.
pub(super) trait Rounds: Send + Sync {
    /// Checks all peers' round-1 packages (round 1, step 5). Returns the share for each peer (round
    /// 2, step 1).
    fn part2(
        &mut self,
        round1: &BTreeMap<u16, Round1>,
    ) -> Result<BTreeMap<u16, ShareBytes>, DkgFault>;
    /// Checks all peers' shares (round 2, step 2). Returns the key (steps 3 and 4).
    fn part3(&mut self, shares: &BTreeMap<u16, ShareBytes>) -> Result<KeyMaterial, DkgFault>;
}

/// Starts frost's key generation. Returns the state and the serialized round-1 package.
pub(super) fn start(
    suite: SuiteId,
    me: u16,
    indices: &[u16],
    min_signers: u16,
    rng: &mut dyn CryptoRngCore,
) -> Result<(Box<dyn Rounds>, Vec<u8>), DkgFault> {
    with_suite!(suite, C => FrostRounds::<C>::start(me, indices, min_signers, rng))
}

/// Progress of one party. Every secret is moved out when its part begins, so none is used twice.
enum RoundState<C: Suite> {
    Part1(round1::SecretPackage<C>),
    Part2(
        round2::SecretPackage<C>,
        BTreeMap<Identifier<C>, round1::Package<C>>,
    ),
    Spent,
}

struct FrostRounds<C: Suite> {
    me: u16,
    min_signers: u16,
    indices: BTreeMap<u16, Identifier<C>>,
    state: RoundState<C>,
}

impl<C: Suite> FrostRounds<C> {
    fn start(
        me: u16,
        indices: &[u16],
        min_signers: u16,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<(Box<dyn Rounds>, Vec<u8>), DkgFault> {
        let indices: Option<BTreeMap<_, _>> = indices
            .iter()
            .map(|index| identifier::<C>(*index).map(|id| (*index, id)))
            .collect();
        let indices = indices.ok_or(DkgFault::Parameters("index 0"))?;

        let mine = *indices
            .get(&me)
            .ok_or(DkgFault::Parameters("not a member of the roster"))?;
        let n =
            u16::try_from(indices.len()).map_err(|_| DkgFault::Parameters("roster too large"))?;

        // Round 1, steps 1 to 4 make the polynomial, the proof of knowledge and the commitments.
        // The proof stops a rogue key: a commitment that is chosen after the others so that it
        // cancels them.
        let (secret, package) =
            part1::<C, _>(mine, n, min_signers, rng).map_err(DkgFault::failed_by("part 1"))?;
        let package = package.serialize().map_err(DkgFault::failed_by("part 1"))?;

        Ok((
            Box::new(Self {
                me,
                min_signers,
                indices,
                state: RoundState::Part1(secret),
            }),
            package,
        ))
    }

    fn index_of(&self, identifier: &Identifier<C>) -> Option<u16> {
        self.indices
            .iter()
            .find(|(_, id)| *id == identifier)
            .map(|(index, _)| *index)
    }

    /// Decodes a peer's round-1 package.
    fn decode(&self, index: u16, message: &Round1) -> Result<round1::Package<C>, DkgFault> {
        let fault = DkgFault::InvalidPackage { culprit: index };
        let package =
            round1::Package::<C>::deserialize(&message.package).map_err(|_| fault.clone())?;

        // The echo covers the bytes, but frost checks the decoded value. Only the one encoding of a
        // value is accepted, so that both are about the same package.
        let canonical = package
            .serialize()
            .is_ok_and(|bytes| bytes == message.package);

        // A longer commitment is a polynomial of higher degree: t shares would no longer make a
        // signature, and funds received by the key would be lost.
        let coefficients = package.commitment().coefficients().len();
        let is_of_plan = coefficients == usize::from(self.min_signers);

        if guard(G::StrictCodec, !canonical) || guard(G::Degree, !is_of_plan) {
            Err(fault)
        } else {
            Ok(package)
        }
    }

    /// Names the culprit of a library error, if a peer's message proves it.
    fn fault(&self, error: Error<C>, otherwise: &'static str) -> DkgFault {
        let culprit = error.culprits().first().and_then(|id| self.index_of(id));

        match (&error, culprit) {
            (Error::InvalidProofOfKnowledge { .. }, Some(culprit)) => {
                DkgFault::InvalidProofOfKnowledge { culprit }
            }
            (Error::InvalidSecretShare { .. }, Some(culprit)) => {
                DkgFault::InvalidSigningShare { culprit }
            }
            _ => DkgFault::failed_by(otherwise)(error),
        }
    }

    /// Serializes the key after a check that its secret and public sides agree.
    fn material(
        &self,
        key: &frost_core::keys::KeyPackage<C>,
        public: &PublicKeyPackage<C>,
    ) -> Result<KeyMaterial, DkgFault> {
        let inconsistent = "part 3 yields an inconsistent key";
        let share = key.signing_share();

        // The key is persisted and certified next. A key that cannot sign must fail here, before it
        // gets an address.
        let is_of_plan = public.min_signers() == Some(self.min_signers);
        if guard(G::Degree, !is_of_plan)
            || public.verifying_shares().len() != self.indices.len()
            || public.verifying_shares().get(key.identifier())
                != Some(&VerifyingShare::from(*share))
        {
            return Err(DkgFault::failed(inconsistent));
        }

        let bytes = Zeroizing::new(share.serialize());
        let secret = Zeroizing::new(scalar(&bytes).map_err(DkgFault::failed_by(inconsistent))?);

        let verifying_shares: Option<BTreeMap<_, _>> = self
            .indices
            .iter()
            .map(|(index, id)| Some((*index, public.verifying_shares().get(id)?.serialize().ok()?)))
            .collect();

        Ok(KeyMaterial {
            secret,
            group_key: public
                .verifying_key()
                .serialize()
                .map_err(DkgFault::failed_by(inconsistent))?,
            verifying_shares: verifying_shares.ok_or(DkgFault::failed(inconsistent))?,
        })
    }
}

/// The 32 bytes of a scalar's encoding.
fn scalar(bytes: &[u8]) -> Result<[u8; 32], StepError> {
    let length = bytes.len();
    bytes
        .try_into()
        .map_err(|_| StepError::ScalarLength(length))
}

impl<C: Suite> Rounds for FrostRounds<C> {
    fn part2(
        &mut self,
        round1: &BTreeMap<u16, Round1>,
    ) -> Result<BTreeMap<u16, ShareBytes>, DkgFault> {
        let RoundState::Part1(secret) = std::mem::replace(&mut self.state, RoundState::Spent)
        else {
            return Err(DkgFault::failed("part 2 out of order"));
        };

        let mut packages = BTreeMap::new();
        for (index, message) in round1.iter().filter(|(index, _)| **index != self.me) {
            let id = *self
                .indices
                .get(index)
                .ok_or(DkgFault::failed("unknown index"))?;
            packages.insert(id, self.decode(*index, message)?);
        }

        // Round 1, step 5 verifies each proof of knowledge; round 2, step 1 evaluates the
        // polynomial for each peer.
        let (secret, shares) =
            part2(secret, &packages).map_err(|error| self.fault(error, "part 2"))?;

        let mut bytes = BTreeMap::new();
        for (id, package) in &shares {
            let index = self.index_of(id).ok_or(DkgFault::failed("unknown index"))?;
            let share = Zeroizing::new(package.signing_share().serialize());
            let share = scalar(&share).map_err(DkgFault::failed_by("part 2"))?;
            bytes.insert(index, Zeroizing::new(share));
        }

        // The packages that part 2 checked are kept for part 3. With other packages part 3 would
        // accept a longer commitment.
        self.state = RoundState::Part2(secret, packages);
        Ok(bytes)
    }

    fn part3(&mut self, shares: &BTreeMap<u16, ShareBytes>) -> Result<KeyMaterial, DkgFault> {
        let RoundState::Part2(secret, packages) =
            std::mem::replace(&mut self.state, RoundState::Spent)
        else {
            return Err(DkgFault::failed("part 3 out of order"));
        };

        let mut round2 = BTreeMap::new();
        for (index, share) in shares {
            let id = *self
                .indices
                .get(index)
                .ok_or(DkgFault::failed("unknown index"))?;
            let share = SigningShare::<C>::deserialize(share.as_ref())
                .map_err(|_| DkgFault::InvalidSigningShare { culprit: *index })?;
            round2.insert(id, round2::Package::new(share));
        }

        // Round 2, step 2 checks that each share is on its sender's polynomial; a wrong share
        // proves its sender's fault. Steps 3 and 4 sum the shares and make the public ones.
        let (key, public) =
            part3(&secret, &packages, &round2).map_err(|error| self.fault(error, "part 3"))?;

        self.material(&key, &public)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use rand_core::SeedableRng as _;
    use std::error::Error as _;

    #[test]
    fn frosts_refusal_is_the_source_of_a_failed_part() {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
        let Err(fault) = start(SuiteId::FrostEd25519, 1, &[1, 2], 1, &mut rng) else {
            panic!("a quorum of one was accepted");
        };
        assert_eq!(fault.to_string(), "key generation failed: part 1");
        let source = fault.source().unwrap().to_string();
        assert!(
            source.starts_with("min_signers must be at least 2"),
            "{source}"
        );
    }
}
