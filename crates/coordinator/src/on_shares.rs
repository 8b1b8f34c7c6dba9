//! A signer's shares: kept until those of the whole quorum are there, then added up.

use crate::quorum::SignerIndex;
use crate::run::{Run, RunEvent, RunName};
use crate::stage::{CoordinatorStage, Records, SignerContext};
use crate::stock::KeyName;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use strongroom_journal::model::KeyRecord;
use strongroom_mpc_core::PublicKeyRecord;
use strongroom_mpc_core::signing::PublicKeys;
use strongroom_signing::{aggregate, packages, request_digest, slots_from_wire};
use strongroom_types::{Digest, TenantId};
use strongroom_wire::Outcome;

/// Result of adding up the shares of a whole quorum.
enum Aggregation {
    /// One verified signature per slot.
    Signatures(Vec<Vec<u8>>),
    /// No signature; roster indices of the signers whose shares are wrong, where that is known.
    Invalid(Vec<u16>),
}

impl CoordinatorStage {
    pub(crate) fn on_shares(
        &mut self,
        from: SignerContext<'_>,
        request: Digest,
        shares: Vec<Vec<u8>>,
        covered_us: u64,
    ) -> Records {
        // An answer to an earlier try, or to a request that was never made, fits no run.
        let Some(name) = self.run_asked(request) else {
            return Ok(Vec::new());
        };

        // A signer outside of the quorum must not make it complete.
        let signer = from.signer;
        let Some(run) = self.runs.get_mut(&name).filter(|run| run.is_asked(signer)) else {
            return Ok(Vec::new());
        };

        run.apply(RunEvent::SharesReceived {
            signer,
            shares,
            covered_us,
        })?;

        // RFC 9591 §5.3 wants the shares of all participants in the package: t, and exactly these.
        if run.current_try().is_some_and(|asked| asked.is_complete()) {
            self.on_quorum_complete(from, name)
        } else {
            Ok(Vec::new())
        }
    }

    fn on_quorum_complete(&mut self, from: SignerContext<'_>, name: RunName) -> Records {
        match self.aggregate_shares(name) {
            Aggregation::Signatures(signatures) => {
                self.finish(from.now, name, Outcome::Signed(signatures))
            }
            Aggregation::Invalid(culprits) => {
                tracing::warn!(?culprits, "invalid signature shares");
                self.exclude_and_retry(from, name, culprits)
            }
        }
    }

    /// Another quorum, without the signers that sent wrong shares.
    fn exclude_and_retry(
        &mut self,
        from: SignerContext<'_>,
        name: RunName,
        culprits: Vec<u16>,
    ) -> Records {
        if let Some(run) = self.runs.get_mut(&name) {
            let culprits = culprits.into_iter().map(SignerIndex);
            run.excluded.extend(culprits);

            // These culprits are named by verification (RFC 9591 §5.4), so they stay out of this
            // run.
            run.apply(RunEvent::SharesInvalid {
                not_before: from.now,
            })?;
        }
        self.advance(from.now, name)
    }

    /// Adds the quorum's shares up (RFC 9591 §5.3). The packages come from the slots that the
    /// transactions service named: if the signers decoded something else, no signature comes out.
    fn aggregate_shares(&mut self, name: RunName) -> Aggregation {
        let unknown = Aggregation::Invalid(Vec::new());
        let Some(run) = self.runs.get(&name) else {
            return unknown;
        };
        let Some(asked) = run.current_try() else {
            return unknown;
        };
        let Some(key) = self.key(run.request.tenant, run.request.key) else {
            return unknown;
        };

        let slots = slots_from_wire(&run.request.slots, key.plan.suite);
        let Ok(packages) = packages(&asked.request, &slots, &key) else {
            return unknown;
        };

        let shares: BTreeMap<u16, Vec<Vec<u8>>> = asked
            .shares
            .iter()
            .map(|(signer, shares)| (signer.0, shares.clone()))
            .collect();
        let Some(keys) = opened(&mut self.keys, run.request.tenant, &key) else {
            return unknown;
        };

        // Verifies the signature, and the shares one by one only when it is wrong.
        match aggregate(keys, &packages, &shares) {
            Ok(signatures) => Aggregation::Signatures(signatures),
            Err(fault) => Aggregation::Invalid(fault.culprits()),
        }
    }

    /// The run whose present request has this digest.
    pub(crate) fn run_asked(&self, request: Digest) -> Option<RunName> {
        let is_present = |run: &Run| {
            run.current_try()
                .is_some_and(|asked| request_digest(&asked.request) == request)
        };
        self.runs
            .iter()
            .find(|(_, run)| is_present(run))
            .map(|(name, _)| *name)
    }
}

/// The public side of a key, opened once: decoding its points is most of the cost.
fn opened<'a>(
    keys: &'a mut BTreeMap<KeyName, PublicKeys>,
    tenant: TenantId,
    key: &KeyRecord,
) -> Option<&'a mut PublicKeys> {
    match keys.entry((tenant, key.plan.key)) {
        Entry::Occupied(known) => Some(known.into_mut()),
        Entry::Vacant(new) => {
            let record = PublicKeyRecord::from_bytes(&key.public.as_ref()?.record).ok()?;
            Some(new.insert(PublicKeys::open(record).ok()?))
        }
    }
}
