//! Keys of the ordered map: a tag byte, then the tenant where there is one, then the id; where
//! several records have one id, a mark last says which of them it is.

use strongroom_types::credential::PublicKey;
use strongroom_types::{
    AllowListId, ApprovalNonce, AssetId, ChainId, ConflictKey, CredentialId, Digest, GroupId,
    KeyId, Name, Scope, TenantId, UnixMs, UserId, VaultId, digest,
};
use strongroom_wire::encode;

/// A key of the map.
pub type Key = Vec<u8>;

// Tags are in the root of the state: one is never given a second meaning.
const PROPOSAL: u8 = 11;
const INTENT: u8 = 15;
const CONFLICT: u8 = 17;
const EXPIRY: u8 = 20;
const PLATFORM_EXPIRY: u8 = 29;
const ENDED: u8 = 22;

// Marks stand last, after tag, tenant and digest, and are numbered with the tags. Records of one
// digest are written together and stand side by side by them: digests are spread over the whole map,
// and a store writes whole pages.
const ANCHOR: u8 = 17;
const OPEN_INTENT: u8 = 23;
const HELD: u8 = 30;
const HOLDER: u8 = 31;
/// Place of the mark.
const ID_LEN: usize = 1 + 16 + 32;

fn key(tag: u8, parts: &[&[u8]]) -> Key {
    // Parts have fixed lengths or stand last, else two different lists could give one key.
    let mut key = Vec::with_capacity(1 + parts.iter().map(|part| part.len()).sum::<usize>());
    key.push(tag);
    parts.iter().for_each(|part| key.extend_from_slice(part));
    key
}

/// A key of a record that tenants and the platform have, with a tag for each.
fn scoped(scope: Scope, (of_tenant, of_platform): (u8, u8), parts: &[&[u8]]) -> Key {
    // Each has a tag of its own: a record of the platform must never be read as a tenant's.
    match scope {
        Scope::Tenant(t) => key(of_tenant, &[&[&t.0[..]], parts].concat()),
        Scope::Platform => key(of_platform, parts),
    }
}

/// Length of a text that stands before something else, so that no two keys run together.
fn len(value: &str) -> [u8; 4] {
    // Texts are bounded far below 2^32, so the fallback never merges two of them.
    u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes()
}

/// Next position and last time of the journal.
#[must_use]
pub fn position() -> Key {
    key(0, &[])
}

/// The platform's sub-state.
#[must_use]
pub fn platform() -> Key {
    key(1, &[])
}

/// A used act of a scope, by the digest of its text.
#[must_use]
pub fn used_act(scope: impl Into<Scope>, act: &Digest) -> Key {
    // The key is not the id in the act, which its maker chooses: under the id of an act that waits
    // for its entry, another act would use that one up.
    scoped(scope.into(), (3, 2), &[&act.0])
}

/// Record of a tenant: its boards, delays and policy.
#[must_use]
pub fn tenant(t: TenantId) -> Key {
    key(4, &[&t.0])
}

/// Record of a user, within the scope.
#[must_use]
pub fn user(scope: impl Into<Scope>, id: UserId) -> Key {
    scoped(scope.into(), (5, 26), &[&id.0])
}

/// A credential of a tenant, or of a platform admin.
#[must_use]
pub fn credential(scope: impl Into<Scope>, id: CredentialId) -> Key {
    scoped(scope.into(), (6, 21), &[&id.0])
}

/// Record of a group, within the tenant.
#[must_use]
pub fn group(t: TenantId, id: GroupId) -> Key {
    key(7, &[&t.0, &id.0])
}

/// An allow-list entry by destination.
#[must_use]
pub fn listed(t: TenantId, chain: &ChainId, address: &str) -> Key {
    // The key is the destination and not the id: rules ask for an address, and one address is
    // listed once.
    key(
        8,
        &[
            &t.0,
            &len(chain.as_str()),
            chain.as_str().as_bytes(),
            address.as_bytes(),
        ],
    )
}

/// The destination of an allow-list entry.
#[must_use]
pub fn allow_list(t: TenantId, id: AllowListId) -> Key {
    key(9, &[&t.0, &id.0])
}

/// The text of a policy.
#[must_use]
pub fn policy(t: TenantId, digest: &Digest) -> Key {
    key(10, &[&t.0, &digest.0])
}

/// A proposal by the digest of its act.
#[must_use]
pub fn proposal(t: TenantId, act: &Digest) -> Key {
    key(PROPOSAL, &[&t.0, &act.0])
}

/// Record of a vault, within the tenant.
#[must_use]
pub fn vault(t: TenantId, id: VaultId) -> Key {
    key(12, &[&t.0, &id.0])
}

/// Record of a threshold key or of its ceremony, within the tenant.
#[must_use]
pub fn threshold_key(t: TenantId, id: KeyId) -> Key {
    key(13, &[&t.0, &id.0])
}

/// Which vault has an account of a key.
#[must_use]
pub fn account(t: TenantId, id: KeyId, account: u32) -> Key {
    key(14, &[&t.0, &id.0, &account.to_be_bytes()])
}

/// Record of an authorized intent, by the digest of its text.
#[must_use]
pub fn intent(t: TenantId, digest: &Digest) -> Key {
    key(INTENT, &[&t.0, &digest.0])
}

/// The conflict keys that an intent holds.
#[must_use]
pub fn holder(t: TenantId, intent: &Digest) -> Key {
    key(INTENT, &[&t.0, &intent.0, &[HOLDER]])
}

/// A used external id.
#[must_use]
pub fn external_id(t: TenantId, id: &Name) -> Key {
    key(16, &[&t.0, id.as_str().as_bytes()])
}

/// Id of a conflict key: `digest("strongroom/state-conflict/v1", [vault, chain, borsh])`.
///
/// Conflict keys are held per vault. Signers let a vault spend nothing but its own coins, so a key
/// that another vault's attempts name can never be this one's, and must not be taken from it.
#[must_use]
pub fn conflict(vault: VaultId, chain: &ChainId, conflict: &ConflictKey) -> Digest {
    let fields: [&[u8]; 3] = [&vault.0, chain.as_str().as_bytes(), &encode(conflict)];
    digest("strongroom/state-conflict/v1", &fields)
}

/// Which intent has an anchor, by the id of [`conflict`].
#[must_use]
pub fn anchor(t: TenantId, conflict: &Digest) -> Key {
    key(CONFLICT, &[&t.0, &conflict.0, &[ANCHOR]])
}

/// Which intent holds a conflict key, by the id of [`conflict`].
#[must_use]
pub fn held(t: TenantId, conflict: &Digest) -> Key {
    key(CONFLICT, &[&t.0, &conflict.0, &[HELD]])
}

/// Prefix of all anchors and held conflict keys of a tenant.
#[must_use]
pub fn conflicts_prefix(t: TenantId) -> Key {
    key(CONFLICT, &[&t.0])
}

/// Whether a key is one of [`held`].
#[must_use]
pub fn is_held(key: &[u8]) -> bool {
    key.first() == Some(&CONFLICT) && key.get(ID_LEN) == Some(&HELD)
}

/// A used approval of an approver.
#[must_use]
pub fn approval(t: TenantId, approver: CredentialId, nonce: ApprovalNonce) -> Key {
    // The approver is in the key, because they choose the nonce and show it to all others: one of
    // those could else use it up first.
    key(18, &[&t.0, &approver.0, &nonce.0])
}

/// A bucket of a velocity window: scope is kind ‖ id, level 0 minutes, 1 hours, 2 days.
#[must_use]
pub fn bucket(t: TenantId, scope: &[u8; 17], asset: &AssetId, level: u8, number: u64) -> Key {
    // The number is big-endian and last, so that the buckets of a window are one range.
    key(
        19,
        &[
            &t.0,
            scope,
            &len(asset.as_str()),
            asset.as_str().as_bytes(),
            &[level],
            &number.to_be_bytes(),
        ],
    )
}

/// A key of this scope to forget at a time.
#[must_use]
pub fn expiry(scope: impl Into<Scope>, at: UnixMs, forget: &[u8]) -> Key {
    // The time comes first and is big-endian, so that what is due is at the begin of the range and
    // found without a scan.
    let parts: [&[u8]; 2] = [&at.0.to_be_bytes(), forget];
    scoped(scope.into(), (EXPIRY, PLATFORM_EXPIRY), &parts)
}

/// Prefix of [`expiry`] keys of one scope.
#[must_use]
pub fn expiry_prefix(scope: impl Into<Scope>) -> Key {
    scoped(scope.into(), (EXPIRY, PLATFORM_EXPIRY), &[])
}

/// An intent that ended before it was authorized.
#[must_use]
pub fn ended(t: TenantId, digest: &Digest) -> Key {
    key(ENDED, &[&t.0, &digest.0])
}

/// The open part of an authorized intent, until it ends or expires.
#[must_use]
pub fn open_intent(t: TenantId, digest: &Digest) -> Key {
    key(INTENT, &[&t.0, &digest.0, &[OPEN_INTENT]])
}

/// Credential that has a public key, in force or not: never removed.
#[must_use]
pub fn public_key(scope: impl Into<Scope>, public_key: &PublicKey) -> Key {
    // The algorithm is part of the key: equal bytes of two algorithms are two public keys.
    let (algorithm, bytes): (u8, &[u8]) = match public_key {
        PublicKey::Ed25519(bytes) => (0, bytes),
        PublicKey::P256(bytes) => (1, bytes),
    };
    scoped(scope.into(), (24, 27), &[&[algorithm], bytes])
}

/// Open proposals of the platform, all in one record.
#[must_use]
pub fn platform_proposals() -> Key {
    key(28, &[])
}

/// The list of items that wait until witnesses have vouched for their entries.
#[must_use]
pub fn waiting() -> Key {
    key(25, &[])
}

/// The tag under which all tenants stand, for listing.
pub const TENANTS: u8 = 4;
/// Prefix of all vaults of a tenant, for listing.
#[must_use]
pub fn vaults_prefix(t: TenantId) -> Key {
    key(12, &[&t.0])
}

/// Prefix of all keys of a tenant, for listing.
#[must_use]
pub fn threshold_keys_prefix(t: TenantId) -> Key {
    key(13, &[&t.0])
}

/// Records whose removal also changes a counter or another key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// An open proposal: counted in its tenant.
    Proposal,
    /// An intent that has neither ended nor expired: counted in its tenant.
    OpenIntent,
    /// An authorized intent: its external id and anchor go with it.
    Intent,
    /// The conflict keys of an intent, each under a key of its own.
    Holder,
    /// An end, which may be renewed.
    Ended,
    /// A record on which nothing else depends.
    Other,
}

/// Kind of the record under a key.
#[must_use]
pub fn kind(key: &[u8]) -> Kind {
    // The key alone decides: forgetting it must not depend on decoding its record.
    match key.first() {
        Some(&PROPOSAL) => Kind::Proposal,
        Some(&INTENT) => match key.get(ID_LEN) {
            Some(&OPEN_INTENT) => Kind::OpenIntent,
            Some(&HOLDER) => Kind::Holder,
            None => Kind::Intent,
            // A record that a later version puts beside an intent is not an intent: if it were
            // decoded as one when it is forgotten, the error would refuse each entry of its tenant.
            Some(_) => Kind::Other,
        },
        Some(&ENDED) => Kind::Ended,
        Some(_) | None => Kind::Other,
    }
}

/// Digest of the proposing act in a key of [`proposal`].
#[must_use]
pub fn read_proposal(key: &[u8]) -> Option<Digest> {
    // One tag byte and 16 of the tenant come before it.
    Some(Digest(key.get(17..)?.try_into().ok()?))
}

/// Splits an expiry key of [`expiry`] into its time and the key to forget.
#[must_use]
pub fn read_expiry(bytes: &[u8]) -> Option<(UnixMs, Key)> {
    // The tag comes before the time, and a tenant's 16 bytes.
    let rest = match *bytes.first()? {
        EXPIRY => bytes.get(17..)?,
        PLATFORM_EXPIRY => bytes.get(1..)?,
        _ => return None,
    };
    let (at, forget) = rest.split_first_chunk::<8>()?;
    Some((UnixMs(u64::from_be_bytes(*at)), forget.to_vec()))
}
