//! State: a typed view over one ordered map key → bytes, with its Merkle root.

use crate::genesis::{Genesis, Registered};
use crate::keyspace::{self as ks, Key};
use crate::known::Known;
use crate::model::{
    CredentialRecord, GroupRecord, IntentRecord, JournalEnd, KeyRecord, ListedRecord,
    PlatformRecord, ProposalRecord, TenantRecord, UserRecord, VaultRecord, WaitingRecord,
};
use crate::root::Root;
use borsh::BorshDeserialize;
use ed25519_dalek::VerifyingKey;
use std::collections::{BTreeMap, BTreeSet};
use std::mem::take;
use std::sync::{Arc, Mutex, PoisonError};
use strongroom_guard::{G, guard};
use strongroom_policy::Policy;
use strongroom_types::proof::verify_with;
use strongroom_types::{
    AllowListId, ChainId, Code, Credential, CredentialId, Digest, GroupId, KeyId, Proof, Refusal,
    Scope, TenantId, UserId, VaultId,
};

/// Change of the map: new values, or `None` to remove. Applied all or not at all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Delta {
    /// Changes in key order.
    pub changes: BTreeMap<Key, Option<Vec<u8>>>,
}

/// Reading the map at one moment.
pub trait View {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Option<&[u8]>;

    /// The Ed25519 key of these bytes, if they are one. A view may remember what it decoded.
    fn public_key(&self, bytes: &[u8; 32]) -> Option<VerifyingKey> {
        VerifyingKey::from_bytes(bytes).ok()
    }

    /// The policy of this digest, which `text` is. A view may remember what it parsed.
    ///
    /// # Errors
    /// `internal` when the text is not a policy: only policies that load are put in force.
    fn parsed_policy(&self, digest: &Digest, text: &[u8]) -> Result<Arc<Policy>, Refusal> {
        let _ = digest;
        parse_policy(text)
    }
}

fn parse_policy(text: &[u8]) -> Result<Arc<Policy>, Refusal> {
    let text = std::str::from_utf8(text)
        .map_err(|e| Refusal::new(Code::Internal, format!("stored policy: {e}")))?;
    Ok(Arc::new(Policy::load(text)?.0))
}

/// The whole state of the journal at one position.
#[derive(Debug)]
pub struct State {
    map: BTreeMap<Key, Vec<u8>>,
    trie: Mutex<Trie>,
    genesis: Arc<Genesis>,
    registered: Arc<Registered>,
    policies: Known<Digest, Arc<Policy>>,
    public_keys: Known<[u8; 32], VerifyingKey>,
}

/// A key whose time to be forgotten has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Due<'a> {
    /// Key of the marker that says so, made by [`ks::expiry`].
    pub marker: &'a Key,
    /// Key to forget.
    pub key: Key,
}

/// Decoded credential keys kept: those of busy clients, some 230 bytes each.
const PUBLIC_KEYS_MAX: usize = 4096;

/// Parsed policies kept: those of busy tenants, up to a megabyte each.
const POLICIES_MAX: usize = 256;

/// The Merkle trie, and the keys whose values it has not followed yet: most of a batch's entries
/// change the same counters, and only the last value of each is hashed.
#[derive(Clone, Debug, Default)]
struct Trie {
    root: Root,
    behind: BTreeSet<Key>,
}

impl Clone for State {
    fn clone(&self) -> Self {
        Self {
            map: self.map.clone(),
            trie: Mutex::new(
                self.trie
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clone(),
            ),
            genesis: Arc::clone(&self.genesis),
            registered: Arc::clone(&self.registered),
            policies: Known::new(POLICIES_MAX),
            public_keys: Known::new(PUBLIC_KEYS_MAX),
        }
    }
}

impl View for State {
    fn get(&self, key: &[u8]) -> Option<&[u8]> {
        self.map.get(key).map(Vec::as_slice)
    }

    fn public_key(&self, bytes: &[u8; 32]) -> Option<VerifyingKey> {
        // Decompressing a point costs as much as half a verification; a client's key comes back
        // with each of its intents.
        let known = self
            .public_keys
            .get(bytes, || VerifyingKey::from_bytes(bytes));
        known.ok()
    }

    fn parsed_policy(&self, digest: &Digest, text: &[u8]) -> Result<Arc<Policy>, Refusal> {
        self.policies.get(digest, || parse_policy(text))
    }
}

impl State {
    /// The state before entry 0.
    #[must_use]
    pub fn new(genesis: Arc<Genesis>) -> Self {
        Self::from_map(genesis, BTreeMap::new())
    }

    /// The state of a stored map; the root is computed again from all of it.
    #[must_use]
    pub fn from_map(genesis: Arc<Genesis>, map: BTreeMap<Key, Vec<u8>>) -> Self {
        // The root is computed from the map: one that was changed on disk must give another.
        let registered = Arc::new(Registered::of(&genesis));
        let trie = Mutex::new(Trie {
            root: Root::of(&map),
            behind: BTreeSet::new(),
        });
        Self {
            map,
            trie,
            genesis,
            registered,
            policies: Known::new(POLICIES_MAX),
            public_keys: Known::new(PUBLIC_KEYS_MAX),
        }
    }

    /// Genesis of this journal.
    #[must_use]
    pub fn genesis(&self) -> &Arc<Genesis> {
        &self.genesis
    }

    /// Registered senders of this journal.
    #[must_use]
    pub fn registered(&self) -> &Arc<Registered> {
        &self.registered
    }

    /// Merkle root of the map; hashes what changed since it was last asked for.
    #[must_use]
    pub fn root(&self) -> Digest {
        let mut trie = self.trie.lock().unwrap_or_else(PoisonError::into_inner);
        for key in take(&mut trie.behind) {
            trie.root.set(&key, self.get(&key));
        }
        trie.root.digest()
    }

    /// The map, for persistence and comparison.
    #[must_use]
    pub fn map(&self) -> &BTreeMap<Key, Vec<u8>> {
        &self.map
    }

    /// Puts a delta in force and gives back what undoes it.
    pub fn commit(&mut self, delta: &Delta) -> Delta {
        let mut undo = Delta::default();
        self.commit_after(delta, &mut undo);
        undo
    }

    /// As [`Self::commit`], for a delta that follows others: `undo` takes back all of them.
    pub(crate) fn commit_after(&mut self, delta: &Delta, undo: &mut Delta) {
        let trie = self.trie.get_mut().unwrap_or_else(PoisonError::into_inner);
        for (key, value) in &delta.changes {
            let old = match value {
                Some(value) => self.map.insert(key.clone(), value.clone()),
                None => self.map.remove(key),
            };

            // The oldest value of a key is the one that undoes all of them.
            if !undo.changes.contains_key(key) {
                undo.changes.insert(key.clone(), old);
            }

            // The trie follows when its root is asked for, which is once per batch and not per
            // entry.
            if !trie.behind.contains(key) {
                trie.behind.insert(key.clone());
            }
        }
    }

    /// Keys of a scope to forget by `at`, oldest first.
    pub fn expired(
        &self,
        scope: Scope,
        at: strongroom_types::UnixMs,
    ) -> impl Iterator<Item = Due<'_>> {
        let prefix = ks::expiry_prefix(scope);
        let markers = self.map.range(prefix.clone()..);
        markers
            .take_while(move |(marker, _)| marker.starts_with(&prefix))
            .map_while(move |(marker, _)| {
                let (when, key) = ks::read_expiry(marker)?;
                (when <= at).then_some(Due { marker, key })
            })
    }

    /// All records under a prefix, in key order.
    pub fn under<'a>(&'a self, prefix: &'a [u8]) -> impl Iterator<Item = (&'a Key, &'a Vec<u8>)> {
        self.map
            .range(prefix.to_vec()..)
            .take_while(move |(key, _)| key.starts_with(prefix))
    }

    /// Ids of all tenants, ascending.
    #[must_use]
    pub fn tenants(&self) -> Vec<TenantId> {
        let id = |key: &Key| {
            key.get(1..17)
                .and_then(|id| id.try_into().ok())
                .map(TenantId)
        };
        self.under(&[ks::TENANTS])
            .filter_map(|(key, _)| id(key))
            .collect()
    }

    /// All vaults of a tenant.
    #[must_use]
    pub fn vaults(&self, tenant: TenantId) -> Vec<VaultRecord> {
        self.under(&ks::vaults_prefix(tenant))
            .filter_map(|(_, value)| read(value).ok())
            .collect()
    }

    /// All keys of a tenant with their records.
    #[must_use]
    pub fn keys(&self, tenant: TenantId) -> Vec<KeyRecord> {
        self.under(&ks::threshold_keys_prefix(tenant))
            .filter_map(|(_, value)| read(value).ok())
            .collect()
    }
}

/// Decodes a stored value; what does not decode is a broken store or build, never "absent".
pub fn read<T: BorshDeserialize>(bytes: &[u8]) -> Result<T, Refusal> {
    T::try_from_slice(bytes)
        .map_err(|e| Refusal::new(Code::Internal, format!("stored record: {e}")))
}

/// Typed reading over any view.
pub trait Lookup: View {
    /// Reads a typed record.
    fn record<T: BorshDeserialize>(&self, key: &[u8]) -> Result<Option<T>, Refusal> {
        self.get(key).map(read).transpose()
    }

    /// Next position and last time of the journal.
    fn position(&self) -> Result<JournalEnd, Refusal> {
        Ok(self.record(&ks::position())?.unwrap_or_default())
    }

    /// Record of what binds every tenant; the default before any platform act.
    fn platform(&self) -> Result<PlatformRecord, Refusal> {
        Ok(self.record(&ks::platform())?.unwrap_or_default())
    }

    /// Items that wait until witnesses have vouched for their entries.
    fn waiting(&self) -> Result<WaitingRecord, Refusal> {
        Ok(self.record(&ks::waiting())?.unwrap_or_default())
    }

    /// A tenant, or `unknown_tenant`.
    fn tenant(&self, t: TenantId) -> Result<TenantRecord, Refusal> {
        self.record(&ks::tenant(t))?
            .ok_or_else(|| Refusal::new(Code::UnknownTenant, t))
    }

    /// The policy of a tenant's record, which must be of the same view.
    fn policy(&self, t: TenantId, record: &TenantRecord) -> Result<Arc<Policy>, Refusal> {
        // A tenant without its policy is a broken store, never "no rules".
        let text = self
            .get(&ks::policy(t, &record.policy))
            .ok_or(Code::Internal)?;
        self.parsed_policy(&record.policy, text)
    }

    /// A user who is in force, or `unknown_user`.
    fn user(&self, scope: impl Into<Scope>, id: UserId) -> Result<UserRecord, Refusal> {
        // A revoked user is answered like an unknown one: neither may sign for anything.
        let user: Option<UserRecord> = self.record(&ks::user(scope, id))?;
        user.filter(|user| !user.revoked)
            .ok_or_else(|| Refusal::new(Code::UnknownUser, id))
    }

    /// A credential in force whose user is in force, or `unknown_credential` /
    /// `credential_revoked`.
    fn credential(
        &self,
        scope: impl Into<Scope>,
        id: CredentialId,
    ) -> Result<CredentialRecord, Refusal> {
        let scope = scope.into();
        let found: Option<CredentialRecord> = self.record(&ks::credential(scope, id))?;
        let found = found.ok_or_else(|| Refusal::new(Code::UnknownCredential, id))?;

        // A revoked user takes all their credentials along, also those enrolled under other names.
        let user = found.credential.user;
        let is_user_revoked = user.is_some_and(|user| self.user(scope, user).is_err());
        if guard(G::CredentialInForce, found.revoked || is_user_revoked) {
            return Err(Refusal::new(Code::CredentialRevoked, id));
        }
        Ok(found)
    }

    /// Whether a proof is the credential's signature over a digest.
    fn verify(&self, credential: &Credential, digest: &Digest, proof: &Proof) -> bool {
        verify_with(credential, digest, proof, |bytes| self.public_key(bytes))
    }

    /// A group, with those who left it.
    fn group(&self, t: TenantId, id: GroupId) -> Result<Option<GroupRecord>, Refusal> {
        self.record(&ks::group(t, id))
    }

    /// Whether a user is a member of a group.
    fn in_group(&self, t: TenantId, group: GroupId, user: UserId) -> Result<bool, Refusal> {
        let known = self.group(t, group)?;
        Ok(known.is_some_and(|known| known.group.members.contains(&user)))
    }

    /// An allow-list entry by destination, also one that was removed.
    fn listed(
        &self,
        t: TenantId,
        chain: &ChainId,
        address: &str,
    ) -> Result<Option<ListedRecord>, Refusal> {
        self.record(&ks::listed(t, chain, address))
    }

    /// An allow-list entry by id.
    fn allow_list(&self, t: TenantId, id: AllowListId) -> Result<Option<ListedRecord>, Refusal> {
        self.get(&ks::allow_list(t, id))
            .map_or(Ok(None), |key| self.record(key))
    }

    /// A proposal by the digest of its act.
    fn proposal(&self, t: TenantId, act: &Digest) -> Result<Option<ProposalRecord>, Refusal> {
        self.record(&ks::proposal(t, act))
    }

    /// A vault, or `unknown_vault`.
    fn vault(&self, t: TenantId, id: VaultId) -> Result<VaultRecord, Refusal> {
        self.record(&ks::vault(t, id))?
            .ok_or_else(|| Refusal::new(Code::UnknownVault, id))
    }

    /// A key, or `unknown_key`.
    fn threshold_key(&self, t: TenantId, id: KeyId) -> Result<KeyRecord, Refusal> {
        self.record(&ks::threshold_key(t, id))?
            .ok_or_else(|| Refusal::new(Code::UnknownKey, id))
    }

    /// An intent, if the journal knows it.
    fn intent(&self, t: TenantId, digest: &Digest) -> Result<Option<IntentRecord>, Refusal> {
        self.record(&ks::intent(t, digest))
    }
}

impl<V: View + ?Sized> Lookup for V {}
