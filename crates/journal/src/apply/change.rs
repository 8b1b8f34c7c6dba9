//! The delta under construction: reads see what was written before.

use crate::keyspace::{self as ks, Key};
use crate::model::{
    ActStanding, CredentialRecord, EndedRecord, HeldRecord, HolderRecord, IntentRecord, UserRecord,
    WaitingChange,
};
use crate::state::{Delta, Due, Lookup as _, State, View};
use borsh::BorshSerialize;
use ed25519_dalek::VerifyingKey;
use std::collections::BTreeMap;
use std::sync::Arc;
use strongroom_policy::Policy;
use strongroom_types::{CredentialId, Digest, Refusal, Scope, TenantId, UnixMs, UserId};
use strongroom_wire::encode;

/// Records of a scope forgotten with each of its entries, at least: as a rule several times what an
/// entry adds, so that memory of the past stays bounded by retention.
pub(super) const FORGET_MAX: usize = 16;
/// Due keys among which a rule that is about to refuse looks for its own. A bound, since a refused
/// entry forgets nothing and may come again at once.
const LOOK_MAX: usize = 1 << 16;

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
    /// Values before each write of the open [`Self::attempt`].
    undo: Option<Vec<Undo>>,
}

/// A key with the change that a write replaced, if there was one.
type Undo = (Key, Option<Option<Vec<u8>>>);

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

    fn parsed_policy(&self, digest: &Digest, text: &[u8]) -> Result<Arc<Policy>, Refusal> {
        self.state.parsed_policy(digest, text)
    }
}

impl<'a> Change<'a> {
    pub(super) fn new(state: &'a State) -> Self {
        Self {
            state,
            changes: BTreeMap::new(),
            undo: None,
        }
    }

    pub(super) fn state(&self) -> &'a State {
        self.state
    }

    pub(super) fn has(&self, key: &[u8]) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn put(&mut self, key: Key, value: &impl BorshSerialize) {
        self.set(key, Some(encode(value)));
    }

    pub(super) fn put_bytes(&mut self, key: Key, value: Vec<u8>) {
        self.set(key, Some(value));
    }

    pub(super) fn remove(&mut self, key: Key) {
        self.set(key, None);
    }

    fn set(&mut self, key: Key, value: Option<Vec<u8>>) {
        match &mut self.undo {
            Some(undo) => {
                let old = self.changes.insert(key.clone(), value);
                undo.push((key, old));
            }
            None => {
                self.changes.insert(key, value);
            }
        }
    }

    /// Does all of `work`, or nothing of it if it fails.
    pub(super) fn attempt<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let outer = self.undo.replace(Vec::new());
        let result = work(self);
        let undo = std::mem::replace(&mut self.undo, outer).unwrap_or_default();
        match (&result, &mut self.undo) {
            (Ok(_), Some(outer)) => outer.extend(undo),
            (Ok(_), None) => {}
            (Err(_), _) => self.roll_back(undo),
        }
        result
    }

    /// Does `work`; whether any record is another one by it.
    pub(super) fn compare(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<(), Refusal>,
    ) -> Result<bool, Refusal> {
        let outer = self.undo.replace(Vec::new());
        let result = work(self);
        let undo = std::mem::replace(&mut self.undo, outer).unwrap_or_default();
        result?;

        // The first of several writes of a key tells what was there before.
        let mut before = BTreeMap::new();
        for (key, old) in &undo {
            before.entry(key).or_insert(old);
        }
        let is_changed = before.into_iter().any(|(key, old)| {
            let old = old.as_ref().map_or(self.state.get(key), Option::as_deref);
            old != self.get(key)
        });
        if let Some(outer) = &mut self.undo {
            outer.extend(undo);
        }
        Ok(is_changed)
    }

    /// Tries whether `work` could be done, and does nothing of it.
    pub(super) fn trial(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let outer = self.undo.replace(Vec::new());
        let result = work(self);
        let undo = std::mem::replace(&mut self.undo, outer).unwrap_or_default();
        self.roll_back(undo);
        result
    }

    fn roll_back(&mut self, undo: Vec<Undo>) {
        for (key, old) in undo.into_iter().rev() {
            match old {
                Some(old) => self.changes.insert(key, old),
                None => self.changes.remove(&key),
            };
        }
    }

    /// Sets how an act of a scope stands from now on; does nothing once the act has been forgotten.
    pub(super) fn set_standing(
        &mut self,
        scope: impl Into<Scope>,
        act: &Digest,
        standing: ActStanding,
    ) {
        let key = ks::used_act(scope, act);
        if self.has(&key) {
            self.put(key, &standing);
        }
    }

    /// Marks `key` to be forgotten at `at`.
    pub(super) fn expire(&mut self, scope: impl Into<Scope>, at: UnixMs, key: &[u8]) {
        let marker = ks::expiry(scope, at, key);

        // A used act may be marked by this entry already, and charged. It is marked here at its first
        // use only, and no other charged record is, so the state need not be asked.
        if !matches!(self.changes.get(&marker), Some(Some(_))) {
            self.set(marker, Some(Vec::new()));
        }
    }

    /// Sets a marker as [`Self::expire`] does; until its time the record is charged to a credential,
    /// or an open intent to a user, whose id the marker has.
    pub(super) fn expire_charged(&mut self, marker: Key, id: [u8; 16]) {
        // Two acts of one millisecond can have one marker, which then names those of both.
        let mut charged = self.get(&marker).map_or_else(Vec::new, <[u8]>::to_vec);
        charged.extend_from_slice(&id);
        self.set(marker, Some(charged));
    }

    /// Forgets the open part of an intent that has ended before it expires.
    pub(super) fn close_intent(
        &mut self,
        tenant: TenantId,
        intent: &Digest,
        expires: UnixMs,
    ) -> Result<(), Refusal> {
        let key = ks::open_intent(tenant, intent);
        let marker = &ks::expiry(tenant, expires, &key);
        self.forget(tenant.into(), expires, Due { marker, key })?;
        Ok(())
    }

    /// Forgets what is due, oldest first, until `max` records are forgotten, and keeps the scope's
    /// counters right.
    pub(super) fn forget_expired(
        &mut self,
        scope: Scope,
        at: UnixMs,
        max: usize,
    ) -> Result<(), Refusal> {
        let mut left = max;
        for due in self.state.expired(scope, at) {
            if left == 0 {
                break;
            }
            // Conflict keys count beside markers. An intent frees up to 256 of them at once, so
            // that a few markers would make one delta as long as thousands.
            left = left.saturating_sub(self.forget(scope, at, due)?);
        }
        Ok(())
    }

    /// As [`Self::forget_expired`], of one kind alone: for a rule that is about to refuse because too
    /// many of that kind are there. `counts` reads the due key and the value of its marker.
    pub(super) fn forget_counted(
        &mut self,
        scope: Scope,
        at: UnixMs,
        counts: impl Fn(&[u8], &[u8]) -> bool,
    ) -> Result<(), Refusal> {
        let state = self.state;
        let due = state.expired(scope, at).take(LOOK_MAX);
        let counted = due.filter(|due| {
            let charged = state.get(due.marker).unwrap_or_default();
            counts(&due.key, charged)
        });
        for due in counted.take(FORGET_MAX) {
            self.forget(scope, at, due)?;
        }
        Ok(())
    }

    /// Forgets as many due records as this entry brings markers and conflict keys, and as many
    /// again: else a scope whose every entry brings more than [`FORGET_MAX`] would grow without end.
    pub(super) fn forget_more(&mut self, scope: Scope, at: UnixMs) -> Result<(), Refusal> {
        let mut added = self.count_put(&ks::expiry_prefix(scope), |_| true);
        if let Scope::Tenant(tenant) = scope {
            added += self.count_put(&ks::conflicts_prefix(tenant), ks::is_held);
        }
        if 2 * added > FORGET_MAX {
            self.forget_expired(scope, at, 2 * added)?;
        }
        Ok(())
    }

    /// Number of such keys under a prefix to which this entry has given a value.
    fn count_put(&self, prefix: &[u8], is_counted: impl Fn(&[u8]) -> bool) -> usize {
        let written = self.changes.range(prefix.to_vec()..);
        let under = written.take_while(|(key, _)| key.starts_with(prefix));
        under
            .filter(|(key, value)| value.is_some() && is_counted(key))
            .count()
    }

    /// Forgets one key that is due, unless this entry did so before. Gives the number of records
    /// looked at for it.
    fn forget(&mut self, scope: Scope, at: UnixMs, due: Due<'_>) -> Result<usize, Refusal> {
        let Due { marker, key: due } = due;

        // A proposal stays while its release waits, however late that is witnessed.
        let stays = ks::kind(&due) == ks::Kind::Proposal && self.is_released(scope, &due)?;
        if stays {
            return Ok(1);
        }

        // What is due was listed from the state before this entry, which may have written the same
        // key again: the same nonce in another approval. If the old marker forgot the key a second
        // time, the new record would be lost, and what it keeps out could be used again.
        if !self.has(marker) {
            return Ok(1);
        }
        self.give_back(scope, marker, ks::kind(&due))?;
        self.remove(marker.to_vec());
        if !self.has(&due) {
            return Ok(1);
        }

        match (ks::kind(&due), scope) {
            // The intent was ended twice: the marker of the first end must not forget the later
            // one.
            (ks::Kind::Ended, _) if self.ended_until(&due)? > at => return Ok(1),
            (ks::Kind::Proposal, Scope::Tenant(tenant)) => {
                let mut record = self.tenant(tenant)?;
                record.proposals_open = record.proposals_open.saturating_sub(1);
                self.put(ks::tenant(tenant), &record);
                self.set_ended(tenant, &due);
            }
            (ks::Kind::OpenIntent, Scope::Tenant(tenant)) => {
                let mut record = self.tenant(tenant)?;
                record.intents_open = record.intents_open.saturating_sub(1);
                self.put(ks::tenant(tenant), &record);
            }
            (ks::Kind::Intent, Scope::Tenant(tenant)) => self.forget_uses(tenant, &due)?,
            (ks::Kind::Holder, Scope::Tenant(tenant)) => {
                return Ok(1 + self.free_held(tenant, &due, at)?);
            }
            // The platform's scope has no other records that markers forget than used acts.
            (
                ks::Kind::Proposal | ks::Kind::OpenIntent | ks::Kind::Intent | ks::Kind::Holder,
                Scope::Platform,
            )
            | (ks::Kind::Ended | ks::Kind::Other, _) => {}
        }
        self.remove(due);
        Ok(1)
    }

    /// Gives those whom a marker names their room back.
    fn give_back(&mut self, scope: Scope, marker: &[u8], kind: ks::Kind) -> Result<(), Refusal> {
        let charged = self.get(marker).unwrap_or_default().to_vec();
        for id in charged.as_chunks().0 {
            if kind == ks::Kind::OpenIntent {
                let key = ks::user(scope, UserId(*id));
                if let Some(mut record) = self.record::<UserRecord>(&key)? {
                    record.intents_open = record.intents_open.saturating_sub(1);
                    self.put(key, &record);
                }
                continue;
            }
            let key = ks::credential(scope, CredentialId(*id));
            if let Some(mut record) = self.record::<CredentialRecord>(&key)? {
                record.kept = record.kept.saturating_sub(1);
                self.put(key, &record);
            }
        }
        Ok(())
    }

    /// Frees what the intent under this key has used up: its external id and its anchor live as
    /// long as it does, so one marker ends all three.
    fn forget_uses(&mut self, tenant: TenantId, key: &[u8]) -> Result<(), Refusal> {
        if let Some(intent) = self.record::<IntentRecord>(key)? {
            self.remove(ks::external_id(tenant, &intent.external_id));
            let anchor = ks::conflict(intent.vault, &intent.chain, &intent.anchor);
            self.remove(ks::anchor(tenant, &anchor));
        }
        Ok(())
    }

    /// Frees the conflict keys of the holder under this key whose time is over, and the holder with
    /// the last of them. Gives their number.
    fn free_held(&mut self, tenant: TenantId, key: &[u8], at: UnixMs) -> Result<usize, Refusal> {
        let Some(mut holder) = self.record::<HolderRecord>(key)? else {
            return Ok(0);
        };
        let looked_at = holder.keys.len();
        let mut kept = Vec::new();
        for conflict in holder.keys {
            let held = ks::held(tenant, &conflict);

            // The key may be another intent's by now: it is free from its time on, and not only
            // when it is forgotten.
            let record: Option<HeldRecord> = self.record(&held)?;
            let ours = record.filter(|record| ks::holder(tenant, &record.intent) == key);
            match ours {
                Some(ours) if ours.until > at => kept.push(conflict),
                Some(_) => self.remove(held),
                None => {}
            }
        }

        // A cancel keeps its keys for longer, and has a marker of its own.
        holder.keys = kept;
        if holder.keys.is_empty() {
            self.remove(key.to_vec());
        } else {
            self.put(key.to_vec(), &holder);
        }
        Ok(looked_at)
    }

    /// Whether a release waits that names the proposal under this key.
    fn is_released(&self, scope: Scope, key: &[u8]) -> Result<bool, Refusal> {
        let Scope::Tenant(tenant) = scope else {
            return Ok(false);
        };
        let waiting = self.tenant(tenant)?.waiting;
        Ok(waiting.is_some_and(|act| match &act.effect {
            WaitingChange::Release(proposal) => ks::proposal(tenant, proposal) == key,
            WaitingChange::Resume | WaitingChange::Vault(_) => false,
        }))
    }

    /// Sets the act that proposed the record under this key as ended, if it is still remembered.
    fn set_ended(&mut self, tenant: TenantId, key: &[u8]) {
        if let Some(act) = ks::read_proposal(key) {
            self.set_standing(tenant, &act, ActStanding::Ended);
        }
    }

    fn ended_until(&self, key: &[u8]) -> Result<UnixMs, Refusal> {
        let ended: Option<EndedRecord> = self.record(key)?;
        Ok(ended.unwrap_or_default().until)
    }

    /// The changes that differ from the state. A key that was put and is equal again would
    /// otherwise change the delta, though not the state, between two builds.
    pub(super) fn finish(self) -> Delta {
        let Self {
            state, mut changes, ..
        } = self;
        changes.retain(|key, value| state.get(key) != value.as_deref());
        Delta { changes }
    }
}
