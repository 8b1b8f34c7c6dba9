//! The delta under construction: reads see what was written before.

use crate::keyspace::{self as ks, Key};
use crate::model::EndedRecord;
use crate::state::{Delta, Lookup as _, State, View};
use borsh::BorshSerialize;
use ed25519_dalek::VerifyingKey;
use std::collections::BTreeMap;
use strongroom_types::{Refusal, TenantId, UnixMs};
use strongroom_wire::encode;

const PROPOSAL_TAG: u8 = 11;
const OPEN_INTENT_TAG: u8 = 23;
const ENDED_TAG: u8 = 22;

pub(super) struct Change<'a> {
    state: &'a State,
    changes: BTreeMap<Key, Option<Vec<u8>>>,
}

impl View for Change<'_> {
    fn get(&self, key: &[u8]) -> Option<&[u8]> {
        match self.changes.get(key) {
            Some(changed) => changed.as_deref(),
            None => self.state.get(key),
        }
    }

    fn public_key(&self, bytes: &[u8; 32]) -> Option<VerifyingKey> {
        self.state.public_key(bytes)
    }
}

impl<'a> Change<'a> {
    pub(super) fn new(state: &'a State) -> Self {
        Self {
            state,
            changes: BTreeMap::new(),
        }
    }

    pub(super) fn state(&self) -> &'a State {
        self.state
    }

    pub(super) fn has(&self, key: &[u8]) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn put(&mut self, key: Key, value: &impl BorshSerialize) {
        self.changes.insert(key, Some(encode(value)));
    }

    pub(super) fn put_bytes(&mut self, key: Key, value: Vec<u8>) {
        self.changes.insert(key, Some(value));
    }

    pub(super) fn remove(&mut self, key: Key) {
        self.changes.insert(key, None);
    }

    /// Remembers to forget `key` at `at`.
    pub(super) fn expire(&mut self, tenant: TenantId, at: UnixMs, key: &[u8]) {
        self.changes
            .insert(ks::expiry(tenant, at, key), Some(Vec::new()));
    }

    /// Forgets what is due, oldest first, keeping the tenant's counters right.
    pub(super) fn forget_expired(
        &mut self,
        tenant: TenantId,
        at: UnixMs,
        max: usize,
    ) -> Result<(), Refusal> {
        for (marker, forget) in self.state.expired(tenant, at, max) {
            self.remove(marker);
            if !self.has(&forget) {
                continue;
            }
            let tag = forget.first().copied();
            if tag == Some(ENDED_TAG) && self.ended_until(&forget)? > at {
                continue;
            }
            if tag == Some(PROPOSAL_TAG) || tag == Some(OPEN_INTENT_TAG) {
                let mut record = self.tenant(tenant)?;
                let counter = if tag == Some(PROPOSAL_TAG) {
                    &mut record.proposals_open
                } else {
                    &mut record.intents_open
                };
                *counter = counter.saturating_sub(1);
                self.put(ks::tenant(tenant), &record);
            }
            self.remove(forget);
        }
        Ok(())
    }

    /// An intent can be ended several times: the earlier marker must not forget the later word.
    fn ended_until(&self, key: &[u8]) -> Result<UnixMs, Refusal> {
        let ended: Option<EndedRecord> = self.record(key)?;
        Ok(ended.unwrap_or_default().until)
    }

    /// The changes that differ from the state.
    pub(super) fn finish(self) -> Delta {
        let Self { state, mut changes } = self;
        changes.retain(|key, value| state.get(key) != value.as_deref());
        Delta { changes }
    }
}
