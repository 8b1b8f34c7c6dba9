//! Unused nonces of one key share, in memory only.

use super::Tweak;
use super::fault::SignFault;
use super::package::{Commitment, SigningPackage};
use super::{CHILD_KEYS_MAX, children};
use crate::StepError;
use crate::bounded::BoundedMap;
use crate::hd::ChildPath;
use crate::record::RecordError;
use crate::suite::{Suite, with_suite};
use crate::{KeyShareRecord, PublicKeyRecord};
use frost_core::keys::KeyPackage;
use frost_core::round1::{SigningNonces, commit};
use rand_core::CryptoRngCore;
use std::collections::BTreeMap;
use strongroom_guard::{G, kept};

/// The part of a key share that depends on the curve, behind an interface of plain bytes.
pub(super) trait NonceStock: Send + Sync {
    /// Makes nonce `number`. Returns the encoded hiding and binding commitments.
    fn prepare(&mut self, number: u64, rng: &mut dyn CryptoRngCore) -> Option<(Vec<u8>, Vec<u8>)>;
    /// Number of unused nonces.
    fn len(&self) -> usize;
    /// Signs every package with the nonce of its number, or none: all packages are opened before
    /// the first nonce is touched. A nonce that is touched is destroyed, whatever the result.
    fn sign(
        &mut self,
        key: &PublicKeyRecord,
        packages: &[(u64, &SigningPackage)],
    ) -> Result<Vec<[u8; 32]>, SignFault>;
}

/// An empty stock for the record's suite.
pub(super) fn open(record: &KeyShareRecord) -> Result<Box<dyn NonceStock>, RecordError> {
    with_suite!(record.public().suite, C => {
        let (root, _) = record.open::<C>()?;
        Ok(Box::new(SuiteStock::<C> {
            index: record.index(),
            root,
            nonces: BTreeMap::new(),
            children: BoundedMap::new(CHILD_KEYS_MAX),
        }))
    })
}

struct SuiteStock<C: Suite> {
    index: u16,
    root: KeyPackage<C>,
    nonces: BTreeMap<u64, SigningNonces<C>>,
    children: BoundedMap<(ChildPath, Tweak), KeyPackage<C>>,
}

impl<C: Suite> SuiteStock<C> {
    /// Checks one package without touching its nonce.
    fn open(
        &self,
        key: &PublicKeyRecord,
        number: u64,
        package: &SigningPackage,
    ) -> Result<frost_core::SigningPackage<C>, SignFault> {
        let nonces = self.nonces.get(&number).ok_or(SignFault::NonceUsed)?;

        let published = nonces.commitments();
        let mine = package
            .commitments
            .get(&self.index)
            .ok_or(SignFault::NotParticipant)?;
        let Commitment {
            hiding, binding, ..
        } = mine;

        let same = published.hiding().serialize().ok().as_ref() == Some(hiding)
            && published.binding().serialize().ok().as_ref() == Some(binding);

        // RFC 9591 §5.2: a signer finds its own commitment in the list. With another commitment in
        // its place, the coordinator could choose the binding factor with which this nonce is used.
        if !same {
            return Err(SignFault::CommitmentMismatch);
        }

        Ok(package.open::<C>(key, Some((self.index, *published)))?)
    }

    /// RFC 9591 §5.2: makes one signature share.
    fn sign_one(
        &mut self,
        key: &PublicKeyRecord,
        number: u64,
        package: &SigningPackage,
        opened: &frost_core::SigningPackage<C>,
    ) -> Result<[u8; 32], SignFault> {
        // The nonce is taken out by value, so it cannot be used again. It is dropped, and so wiped,
        // at the end of this call.
        let nonces = kept!(
            G::NonceOnce,
            self.nonces.remove(&number),
            instead self.nonces.get(&number).cloned(),
        );
        let nonces = nonces.ok_or(SignFault::NonceUsed)?;

        let child = self.child(key, &package.path, package.tweak)?;
        let share = frost_core::round2::sign(opened, &nonces, child)
            .map_err(|e| SignFault::Failed(e.into()))?;

        let bytes = share.serialize();
        bytes
            .as_slice()
            .try_into()
            .map_err(|_| SignFault::Failed(StepError::ScalarLength(bytes.len())))
    }

    /// Share of the child key, from the cache or derived.
    fn child(
        &mut self,
        key: &PublicKeyRecord,
        path: &ChildPath,
        tweak: Tweak,
    ) -> Result<&KeyPackage<C>, SignFault> {
        let name = (path.clone(), tweak);
        if self.children.get(&name).is_none() {
            let child = children::child_share(key, &self.root, path, tweak)?;
            self.children.insert(name.clone(), child);
        }

        self.children
            .get(&name)
            .ok_or(SignFault::Failed(StepError::Missing("the child key")))
    }
}

impl<C: Suite> NonceStock for SuiteStock<C> {
    fn prepare(
        &mut self,
        number: u64,
        mut rng: &mut dyn CryptoRngCore,
    ) -> Option<(Vec<u8>, Vec<u8>)> {
        // RFC 9591 §4.1: the nonce also depends on the signing share, so that a weak random source
        // alone does not make it predictable.
        let (nonces, commitments) = commit::<C, _>(self.root.signing_share(), &mut rng);

        let published = (
            commitments.hiding().serialize().ok()?,
            commitments.binding().serialize().ok()?,
        );

        self.nonces.insert(number, nonces);
        Some(published)
    }

    fn len(&self) -> usize {
        self.nonces.len()
    }

    fn sign(
        &mut self,
        key: &PublicKeyRecord,
        packages: &[(u64, &SigningPackage)],
    ) -> Result<Vec<[u8; 32]>, SignFault> {
        // Every package is opened before one is signed: a transaction with some inputs signed is
        // useless, and its nonces would be lost.
        let mut opened = Vec::with_capacity(packages.len());
        for (number, package) in packages {
            opened.push(self.open(key, *number, package)?);
            self.child(key, &package.path, package.tweak)?;
        }

        let all = packages.iter().zip(&opened);
        all.map(|((number, package), opened)| self.sign_one(key, *number, package, opened))
            .collect()
    }
}
