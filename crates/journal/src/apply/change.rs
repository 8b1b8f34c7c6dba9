//! The delta under construction: reads see what was written before.

use crate::keyspace::{self as ks, Key};
use crate::model::EndedRecord;
use crate::state::{Delta, Lookup as _, State, View};
use borsh::BorshSerialize;
use ed25519_dalek::VerifyingKey;
use std::collections::BTreeMap;
use strongroom_types::{Refusal, TenantId, UnixMs};
use strongroom_wire::encode;

/// Position at which a tenant's entry takes effect.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) tenant: TenantId,
    /// Position of the entry.
    pub(super) seq: u64,
    /// Journal time of the entry.
    pub(super) at: UnixMs,
}

/// The state with the changes of one entry so far.
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

    /// Marks `key` to be forgotten at `at`.
    pub(super) fn expire(&mut self, tenant: TenantId, at: UnixMs, key: &[u8]) {
        let marker = ks::expiry(tenant, at, key);
        self.changes.insert(marker, Some(Vec::new()));
    }

    /// Forgets what is due, oldest first, and keeps the tenant's counters right.
    pub(super) fn forget_expired(
        &mut self,
        tenant: TenantId,
        at: UnixMs,
        max: usize,
    ) -> Result<(), Refusal> {
        for (marker, due) in self.state.expired(tenant, at, max) {
            self.remove(marker);
            if !self.has(&due) {
                continue;
            }

            match ks::kind(&due) {
                // Ended twice: the marker of the first end must not forget the later one.
                ks::Kind::Ended if self.ended_until(&due)? > at => continue,
                ks::Kind::Proposal => {
                    let mut record = self.tenant(tenant)?;
                    record.proposals_open = record.proposals_open.saturating_sub(1);
                    self.put(ks::tenant(tenant), &record);
                }
                ks::Kind::OpenIntent => {
                    let mut record = self.tenant(tenant)?;
                    record.intents_open = record.intents_open.saturating_sub(1);
                    self.put(ks::tenant(tenant), &record);
                }
                ks::Kind::Ended | ks::Kind::Other => {}
            }
            self.remove(due);
        }
        Ok(())
    }

    fn ended_until(&self, key: &[u8]) -> Result<UnixMs, Refusal> {
        let ended: Option<EndedRecord> = self.record(key)?;
        Ok(ended.unwrap_or_default().until)
    }

    /// The changes that differ from the state. A key that was put and is equal again would
    /// otherwise change the delta, though not the state, between two builds.
    pub(super) fn finish(self) -> Delta {
        let Self { state, mut changes } = self;
        changes.retain(|key, value| state.get(key) != value.as_deref());
        Delta { changes }
    }
}
