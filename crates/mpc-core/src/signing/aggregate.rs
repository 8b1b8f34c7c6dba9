//! Aggregation (RFC 9591 §5.3). One verification is enough when every share is right; if it fails,
//! each wrong share is found (§5.4).

use super::Tweak;
use super::package::{PackageFault, SignatureShare, SigningPackage};
use super::{CHILD_KEYS_MAX, children};
use crate::PublicKeyRecord;
use crate::bounded::BoundedMap;
use crate::hd::{ChildPath, HdError};
use crate::record::RecordError;
use crate::suite::{Suite, identifier, with_suite};
use crate::verify::verify_signature;
use frost_core::keys::PublicKeyPackage;
use frost_core::{
    CheaterDetection, Error, Field, Group, Identifier, Signature, aggregate_custom,
    compute_binding_factor_list, compute_group_commitment, round2,
};
use std::collections::BTreeMap;
use strongroom_guard::{G, guard};

/// Reason for which shares make no signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AggregateFault {
    /// The package is wrong.
    #[error(transparent)]
    Package(#[from] PackageFault),
    /// The path cannot be derived.
    #[error(transparent)]
    Path(#[from] HdError),
    /// A participant's share is missing.
    #[error("share of participant {0} is missing")]
    Missing(u16),
    /// A share of a signer that is not a participant, or a second one of a participant.
    #[error("unexpected share of {0}")]
    Unexpected(u16),
    /// These participants' shares are wrong for this package.
    #[error("invalid signature shares")]
    InvalidShares {
        /// Roster index of every signer whose share is wrong.
        culprits: Vec<u16>,
    },
    /// Every share verifies but the signature does not, or the library refused.
    #[error("aggregation failed")]
    Failed,
}

impl AggregateFault {
    /// Roster indices whose shares are proven wrong.
    #[must_use]
    pub fn culprits(&self) -> Vec<u16> {
        match self {
            Self::InvalidShares { culprits } => culprits.clone(),
            Self::Unexpected(index) => vec![*index],
            Self::Package(_) | Self::Path(_) | Self::Missing(_) | Self::Failed => Vec::new(),
        }
    }
}

/// A key's public side, opened for aggregation (points decoded, child keys kept).
pub struct PublicKeys {
    record: PublicKeyRecord,
    group: Box<dyn Aggregate>,
}

impl PublicKeys {
    /// Opens a record: decodes its points.
    ///
    /// # Errors
    /// Any [`RecordError`] of a public record.
    pub fn open(record: PublicKeyRecord) -> Result<Self, RecordError> {
        let group: Box<dyn Aggregate> = with_suite!(record.suite, C => Box::new(GroupKeys::<C> {
            root: record.open::<C>()?,
            children: BoundedMap::new(CHILD_KEYS_MAX),
        }));
        Ok(Self { record, group })
    }

    /// Public record that was opened.
    #[must_use]
    pub fn record(&self) -> &PublicKeyRecord {
        &self.record
    }

    /// Adds up the participants' shares (RFC 9591 §5.3) and verifies the signature with
    /// [`verify_signature`].
    ///
    /// Returns 64 bytes (BIP-340 or Ed25519) or 65 bytes (RFC 9591 secp256k1). Shares are verified
    /// one by one only when the signature is wrong.
    ///
    /// # Errors
    /// See [`AggregateFault`]; [`AggregateFault::culprits`] names every culprit.
    pub fn aggregate(
        &mut self,
        package: &SigningPackage,
        shares: &[SignatureShare],
    ) -> Result<Vec<u8>, AggregateFault> {
        // A second share of one participant is refused: it could replace a right one, and its
        // signer would be blamed.
        let mut by_index = BTreeMap::new();
        for share in shares {
            let participant = package.commitments.contains_key(&share.index);
            if !participant || by_index.insert(share.index, share.share).is_some() {
                return Err(AggregateFault::Unexpected(share.index));
            }
        }

        if let Some(index) = package
            .commitments
            .keys()
            .find(|index| !by_index.contains_key(index))
        {
            return Err(AggregateFault::Missing(*index));
        }

        self.group.aggregate(&self.record, package, &by_index)
    }
}

impl std::fmt::Debug for PublicKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("PublicKeys").field(&self.record).finish()
    }
}

/// Aggregation for one ciphersuite, behind an interface of plain bytes.
trait Aggregate: Send + Sync {
    fn aggregate(
        &mut self,
        key: &PublicKeyRecord,
        package: &SigningPackage,
        shares: &BTreeMap<u16, [u8; 32]>,
    ) -> Result<Vec<u8>, AggregateFault>;
}

struct GroupKeys<C: Suite> {
    root: PublicKeyPackage<C>,
    /// Cached child keys, without verifying shares: only the search for culprits needs those.
    children: BoundedMap<(ChildPath, Tweak), PublicKeyPackage<C>>,
}

type Shares<C> = BTreeMap<Identifier<C>, round2::SignatureShare<C>>;

impl<C: Suite> GroupKeys<C> {
    /// Public key of the child, from the cache or derived.
    fn child(
        &mut self,
        key: &PublicKeyRecord,
        path: &ChildPath,
        tweak: Tweak,
    ) -> Result<&PublicKeyPackage<C>, AggregateFault> {
        let name = (path.clone(), tweak);
        if self.children.get(&name).is_none() {
            let child = children::child_public(key, &self.root, false, path, tweak)?;
            self.children.insert(name.clone(), child);
        }

        self.children.get(&name).ok_or(AggregateFault::Failed)
    }

    /// RFC 9591 §5.4: verifies each share and names every signer of a wrong one.
    fn find_culprits(
        &self,
        key: &PublicKeyRecord,
        package: &SigningPackage,
        opened: &frost_core::SigningPackage<C>,
        shares: &Shares<C>,
    ) -> AggregateFault {
        let public =
            match children::child_public(key, &self.root, true, &package.path, package.tweak) {
                Ok(public) => public,
                Err(error) => return error.into(),
            };

        // Every culprit is named at once: with one per round, t hostile signers would cost t
        // rounds.
        match aggregate_custom(opened, shares, &public, CheaterDetection::AllCheaters) {
            Err(Error::InvalidSignatureShare { culprits }) => {
                let is_culprit =
                    |index: &u16| identifier::<C>(*index).is_some_and(|id| culprits.contains(&id));
                let culprits = package
                    .commitments
                    .keys()
                    .copied()
                    .filter(is_culprit)
                    .collect();
                AggregateFault::InvalidShares { culprits }
            }
            Ok(_) | Err(_) => AggregateFault::Failed,
        }
    }
}

impl<C: Suite> Aggregate for GroupKeys<C> {
    fn aggregate(
        &mut self,
        key: &PublicKeyRecord,
        package: &SigningPackage,
        shares: &BTreeMap<u16, [u8; 32]>,
    ) -> Result<Vec<u8>, AggregateFault> {
        let opened = package.open::<C>(key, None)?;

        let mut decoded = Shares::<C>::new();
        let mut malformed = Vec::new();
        for (index, bytes) in shares {
            match (
                identifier::<C>(*index),
                round2::SignatureShare::deserialize(bytes),
            ) {
                (Some(id), Ok(share)) => drop(decoded.insert(id, share)),
                // A share that is not a scalar below the group order is wrong by itself, so its
                // sender is a culprit.
                _ => malformed.push(*index),
            }
        }

        if !malformed.is_empty() {
            return Err(AggregateFault::InvalidShares {
                culprits: malformed,
            });
        }

        let child = self.child(key, &package.path, package.tweak)?;
        let (signature, child_key) = sum(&opened, &decoded, child).ok_or(AggregateFault::Failed)?;

        // The finished signature is verified once. Single shares are verified only when that fails.
        let is_valid = verify_signature(C::SUITE, &child_key, &package.message, &signature);
        if guard(G::SignatureVerified, !is_valid) {
            Err(self.find_culprits(key, package, &opened, &decoded))
        } else {
            Ok(signature)
        }
    }
}

/// RFC 9591 §5.3 without its verification of shares. Returns the signature and the key under which
/// it should verify.
fn sum<C: Suite>(
    package: &frost_core::SigningPackage<C>,
    shares: &Shares<C>,
    child: &PublicKeyPackage<C>,
) -> Option<(Vec<u8>, Vec<u8>)> {
    // BIP-340 uses the form of a Taproot key that has an even Y; this converts package, shares and
    // key to it.
    let (package, shares, child) = C::pre_aggregate(package, shares, child).ok()?;

    // RFC 9591 §4.4 and §4.5. The binding factors tie each share to this message and quorum:
    // without them parallel sessions could be combined into a forgery (Drijvers et al., ROS).
    let factors = compute_binding_factor_list(&package, child.verifying_key(), &[]).ok()?;
    let commitment = compute_group_commitment(&package, &factors).ok()?;

    // RFC 9591 §5.3: z is the sum of all z_i.
    let zero = <<C::Group as Group>::Field as Field>::zero();
    let z = shares
        .values()
        .fold(zero, |sum, share| sum + share.share().0);

    let signature = Signature::<C>::new(commitment.to_element(), z)
        .serialize()
        .ok()?;
    Some((signature, child.verifying_key().serialize().ok()?))
}
