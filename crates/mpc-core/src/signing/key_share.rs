//! A signer's working key share: its nonce stock and the answers it has given.

use super::fault::{PrepareFault, SignFault};
use super::package::{Commitment, SignatureShare, SigningPackage};
use super::stock::{self, NonceStock};
use super::{ANSWERS_MAX, NONCES_MAX};
use crate::bounded::BoundedMap;
use crate::{KeyShareRecord, PublicKeyRecord, RecordError, StepError};
use rand_core::CryptoRngCore;
use std::collections::BTreeMap;
use strongroom_guard::{G, guard};

/// One key share that one run of a process uses. It is not `Clone`, because a copy could use the
/// same nonce a second time.
pub struct KeyShare {
    index: u16,
    public: PublicKeyRecord,
    boot_id: [u8; 16],
    next_number: u64,
    stock: Box<dyn NonceStock>,
    answers: BoundedMap<u64, GivenShare>,
}

/// Share that was given for a nonce, with the digest of the package that it answers.
struct GivenShare {
    package: [u8; 32],
    share: SignatureShare,
}

impl KeyShare {
    /// Opens a stored share for this run of the process; `boot_id` is random per start. The nonces
    /// of an earlier run no longer exist; the id tells their commitments from new ones.
    ///
    /// # Errors
    /// [`RecordError`] when the share does not match its public side.
    pub fn open(record: &KeyShareRecord, boot_id: [u8; 16]) -> Result<Self, RecordError> {
        Ok(Self {
            index: record.index(),
            public: record.public().clone(),
            boot_id,
            next_number: 0,
            stock: stock::open(record)?,
            answers: BoundedMap::new(ANSWERS_MAX),
        })
    }

    /// Roster index of the signer, not 0.
    #[must_use]
    pub fn index(&self) -> u16 {
        self.index
    }

    /// The public side of the key.
    #[must_use]
    pub fn public(&self) -> &PublicKeyRecord {
        &self.public
    }

    /// Number of prepared nonces that are unused.
    #[must_use]
    pub fn stock_len(&self) -> usize {
        self.stock.len()
    }

    /// RFC 9591 §5.1, before the message is known: makes `count` nonces and returns the commitments
    /// to publish.
    ///
    /// # Errors
    /// [`PrepareFault::StockFull`] beyond [`NONCES_MAX`] unused nonces.
    pub fn prepare(
        &mut self,
        count: u16,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Vec<Commitment>, PrepareFault> {
        let stock_len = self.stock.len() + usize::from(count);
        if guard(G::StockBound, stock_len > NONCES_MAX) {
            return Err(PrepareFault::StockFull);
        }

        let mut commitments = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            let number = self.next_number;
            // The number is used up before the nonce is made, so that two nonces never have the
            // same number.
            self.next_number = number.checked_add(1).ok_or(PrepareFault::Failed)?;

            let (hiding, binding) = self
                .stock
                .prepare(number, rng)
                .ok_or(PrepareFault::Failed)?;

            commitments.push(Commitment {
                boot_id: self.boot_id,
                number,
                hiding,
                binding,
            });
        }

        Ok(commitments)
    }

    /// RFC 9591 §5.2: signs a package and consumes its nonce. The same package again is answered
    /// with the stored share.
    ///
    /// The caller must have decided that the message may be signed. Only the cryptography is
    /// checked here.
    ///
    /// # Errors
    /// See [`SignFault`]. A refusal other than [`SignFault::Failed`] leaves the nonce unused.
    pub fn sign(&mut self, package: &SigningPackage) -> Result<SignatureShare, SignFault> {
        let shares = self.sign_all(std::slice::from_ref(package))?;
        shares.first().copied().ok_or_else(missing)
    }

    /// Signs all packages of one request (one per transaction input), or none: every package is
    /// checked before the first nonce is touched. Packages that were answered before get their
    /// stored share.
    ///
    /// # Errors
    /// The first [`SignFault`].
    pub fn sign_all(
        &mut self,
        packages: &[SigningPackage],
    ) -> Result<Vec<SignatureShare>, SignFault> {
        let mut shares: BTreeMap<u64, Option<SignatureShare>> = BTreeMap::new();
        let (mut order, mut fresh, mut digests) = (Vec::new(), Vec::new(), Vec::new());

        for package in packages {
            let (number, digest) = (self.own_number(package)?, package.digest());

            // Each further package with one nonce is another linear equation in the nonce and the
            // signing share: a few of them reveal the share (RFC 9591 §7.3).
            let answer = self.answers.get(&number);
            let known = answer.filter(|answer| answer.package == digest);
            let known = known.map(|answer| answer.share);
            if guard(G::NonceOnce, answer.is_some() && known.is_none()) {
                return Err(SignFault::NonceUsed);
            }
            if known.is_none() {
                fresh.push((number, package));
                digests.push(digest);
            }

            // Two packages of one request must not name the same nonce, for the same reason: each
            // transaction input has a nonce of its own.
            order.push(number);
            let is_second = shares.insert(number, known).is_some();
            if guard(G::NonceOnce, is_second) {
                return Err(SignFault::NonceUsed);
            }
        }

        let made = self.stock.sign(&self.public, &fresh)?;

        // The answers are kept, so that a retry after a lost answer gets the same shares. The
        // nonces are destroyed.
        for (((number, _), digest), share) in fresh.iter().zip(digests).zip(made) {
            let share = SignatureShare {
                index: self.index,
                share,
            };

            self.answers.insert(
                *number,
                GivenShare {
                    package: digest,
                    share,
                },
            );
            shares.insert(*number, Some(share));
        }

        order
            .iter()
            .map(|number| shares.get(number).copied().flatten().ok_or_else(missing))
            .collect()
    }

    /// The number of this signer's nonce in the package, if this run of the process published it.
    fn own_number(&self, package: &SigningPackage) -> Result<u64, SignFault> {
        let mine = package
            .commitments
            .get(&self.index)
            .ok_or(SignFault::NotParticipant)?;

        // A commitment of another run, or one that was never published, is refused: its nonce is
        // not in memory, and a nonce made for a number that the coordinator chose could be used
        // twice.
        if mine.boot_id != self.boot_id || mine.number >= self.next_number {
            return Err(SignFault::CommitmentUnknown);
        }

        Ok(mine.number)
    }
}

fn missing() -> SignFault {
    SignFault::Failed(StepError::Missing("a signature share"))
}

impl std::fmt::Debug for KeyShare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyShare(..)")
    }
}
