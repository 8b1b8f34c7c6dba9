//! Relaying key generations: the journal says which, the signers decide, everybody's messages pass
//! by here.

use std::collections::BTreeMap;
use strongroom_journal::entry::{Body, Finished};
use strongroom_journal::model::KeyRecord;
use strongroom_types::{Digest, KeyId, TenantId, UnixMs};

/// A run without result is started anew after this time.
const RUN_MS: u64 = 15_000;
/// Signers take no more runs of one ceremony.
const RUNS_MAX: u32 = 16;

/// One key generation under way.
pub(crate) struct Ceremony {
    pub(crate) tenant: TenantId,
    pub(crate) roster: Vec<u16>,
    pub(crate) run: u32,
    until: UnixMs,
    submitted: bool,
    certificates: BTreeMap<(Digest, Vec<u8>), BTreeMap<u16, [u8; 64]>>,
}

impl Ceremony {
    pub(crate) fn new(tenant: TenantId, key: &KeyRecord) -> Self {
        Self {
            tenant,
            roster: key.plan.roster.clone(),
            run: 0,
            until: UnixMs(0),
            submitted: false,
            certificates: BTreeMap::new(),
        }
    }

    /// Starts the next run when the last one gave nothing in time.
    pub(crate) fn due(&mut self, now: UnixMs) -> Option<u32> {
        if now < self.until || self.run >= RUNS_MAX {
            return None;
        }
        self.run += 1;
        self.submitted = false;
        self.until = now.plus(RUN_MS);
        Some(self.run)
    }

    /// A participant said no: try again soon.
    pub(crate) fn refused(&mut self, now: UnixMs) {
        self.until = self.until.min(now.plus(500));
    }

    /// Takes a certificate; gives the entry to submit once all n agree on one result.
    pub(crate) fn certified(
        &mut self,
        key: KeyId,
        signer: u16,
        signature: [u8; 64],
        transcript: Digest,
        public: Vec<u8>,
    ) -> Option<Body> {
        if !self.roster.contains(&signer) || self.submitted {
            return None;
        }
        // One result a signer: a later run's certificate replaces the earlier one.
        self.certificates.retain(|_, by| {
            by.remove(&signer);
            !by.is_empty()
        });
        let by = self
            .certificates
            .entry((transcript, public.clone()))
            .or_default();
        by.insert(signer, signature);
        if by.len() < self.roster.len() {
            return None;
        }
        let certificates = by
            .iter()
            .map(|(index, signature)| (*index, *signature))
            .collect();
        self.submitted = true;
        Some(Body::Finished(Box::new(Finished {
            key,
            transcript,
            public,
            certificates,
        })))
    }
}
