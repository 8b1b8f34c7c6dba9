//! Acts: who must have signed, single use, scope version, expiry.

use super::change::Change;
use super::{count_for, platform_scope, record, tighten};
use crate::entry::Entry;
use crate::keyspace as ks;
use crate::model::{CredentialRecord, TenantRecord};
use crate::state::Lookup as _;
use std::collections::BTreeSet;
use strongroom_types::charter::{Board, Charter};
use strongroom_types::signed::verify_digest;
use strongroom_types::{
    Act, ActBody, Code, Credential, CredentialId, Digest, Document as _, Refusal, Scope, Signed,
    TenantId, UserId,
};

/// Longest life of an act: used ids are remembered until it ends.
const ACT_LIFE_MS: u64 = 32 * 24 * crate::genesis::HOUR_MS;

/// An act with verified signatures.
pub(super) struct Opened {
    pub(super) act: Act,
    pub(super) digest: Digest,
    pub(super) signers: BTreeSet<CredentialId>,
    pub(super) users: BTreeSet<UserId>,
}

impl Opened {
    /// At least the board's quorum of its members signed.
    pub(super) fn need(&self, board: &Board) -> Result<(), Refusal> {
        let signed = board
            .members
            .iter()
            .filter(|member| self.signers.contains(member))
            .count();
        if signed >= board.quorum as usize {
            Ok(())
        } else {
            Err(Refusal::new(
                Code::QuorumMissing,
                format!("{signed} of {} signatures", board.quorum),
            ))
        }
    }

    /// At least one member of the board signed.
    pub(super) fn need_one(&self, board: &Board) -> Result<(), Refusal> {
        self.need(&Board {
            members: board.members.clone(),
            quorum: 1,
        })
    }
}

pub(super) fn apply(
    change: &mut Change<'_>,
    entry: &Entry,
    signed: &Signed,
) -> Result<(), Refusal> {
    let (act, digest) = signed.open::<Act>()?;
    if act.platform != change.state().genesis().platform || act.scope != entry.scope {
        return Err(Code::WrongScope.into());
    }
    if entry.at >= act.expires || act.expires.since(entry.at) > ACT_LIFE_MS {
        return Err(Refusal::new(
            Code::AuthorityExpired,
            format!("expires {}", act.expires),
        ));
    }
    let charter = match &act.body {
        ActBody::CreateTenant { charter, .. } => Some(charter.as_ref()),
        ActBody::Put(_) | ActBody::Release(_) | ActBody::Resume | ActBody::Tighten(_) => None,
    };
    // Else a charter could name a platform admin's credential with a key of its own, and sign for
    // him.
    let charter_credentials = charter.iter().flat_map(|charter| &charter.credentials);
    for credential in charter_credentials {
        if change.has(&ks::platform_credential(credential.id)) {
            return Err(Refusal::new(Code::AlreadyExists, credential.id));
        }
    }
    let (signers, users) = verify(change, &act, digest, signed, charter)?;
    let opened = Opened {
        act,
        digest,
        signers,
        users,
    };
    match opened.act.scope {
        Scope::Platform => platform_act(change, entry, &opened),
        Scope::Tenant(tenant) => tenant_act(change, entry, tenant, &opened),
    }
}

/// Every signature on the act must verify under a credential in force.
fn verify(
    change: &Change<'_>,
    act: &Act,
    digest: Digest,
    signed: &Signed,
    charter: Option<&Charter>,
) -> Result<(BTreeSet<CredentialId>, BTreeSet<UserId>), Refusal> {
    let find = |id: CredentialId| -> Result<Credential, Refusal> {
        if let Some(known) = charter.and_then(|c| c.credentials.iter().find(|known| known.id == id))
        {
            return Ok(known.clone());
        }
        match act.scope {
            Scope::Tenant(tenant) => change
                .credential(tenant, id)
                .map(|record| record.credential),
            Scope::Platform => {
                let record: Option<CredentialRecord> =
                    change.record(&ks::platform_credential(id))?;
                record
                    .map(|r| r.credential)
                    .ok_or_else(|| Refusal::new(Code::UnknownCredential, id))
            }
        }
    };
    let (mut signers, mut users) = (BTreeSet::new(), BTreeSet::new());
    for endorsement in &signed.endorsements {
        let credential = find(endorsement.credential)?;
        if !verify_digest(&credential.public_key, &digest, &endorsement.signature) {
            return Err(Refusal::new(Code::BadSignature, endorsement.credential));
        }
        signers.insert(credential.id);
        users.insert(credential.user);
    }
    Ok((signers, users))
}

/// An exact version for loosenings and configuration, a minimum for tightenings.
fn version(act: &Act, current: u64) -> Result<(), Refusal> {
    let fits = if act.is_tightening() {
        act.version <= current
    } else {
        act.version == current
    };
    if fits {
        Ok(())
    } else {
        let detail = format!(
            "made for version {}, the scope is at {current}",
            act.version
        );
        Err(Refusal::new(Code::WrongScopeVersion, detail))
    }
}

fn platform_act(change: &mut Change<'_>, entry: &Entry, opened: &Opened) -> Result<(), Refusal> {
    platform_scope(entry)?;
    let key = ks::used_act(None, opened.act.id);
    if change.has(&key) {
        return Err(Refusal::new(Code::UsedAuthority, opened.act.id));
    }
    let mut platform = change.platform()?;
    opened.need(&change.state().genesis().admins)?;
    match &opened.act.body {
        // Acts at once, once per tenant id; creating one tenant does not change the platform's own
        // scope.
        ActBody::CreateTenant { tenant, charter } => {
            version(&opened.act, 0)?;
            if platform.stopped {
                return Err(Code::PlatformStopped.into());
            }
            create_tenant(change, entry, *tenant, charter, opened)?;
        }
        ActBody::Resume => {
            version(&opened.act, platform.version)?;
            if !std::mem::replace(&mut platform.stopped, false) {
                return Err(Code::NotStopped.into());
            }
            platform.version += 1;
        }
        ActBody::Tighten(what) => {
            version(&opened.act, platform.version)?;
            tighten::platform(&mut platform, what, change.state().genesis())?;
            platform.version += 1;
        }
        ActBody::Put(_) | ActBody::Release(_) => return Err(Code::WrongScope.into()),
    }
    change.put(ks::platform(), &platform);
    change.put_bytes(key, Vec::new());
    Ok(())
}

fn tenant_act(
    change: &mut Change<'_>,
    entry: &Entry,
    tenant: TenantId,
    opened: &Opened,
) -> Result<(), Refusal> {
    let key = ks::used_act(Some(tenant), opened.act.id);
    if change.has(&key) {
        return Err(Refusal::new(Code::UsedAuthority, opened.act.id));
    }
    if !opened.act.is_tightening() {
        count_for(change, tenant, entry.at)?;
    }
    let current = change.tenant(tenant)?;
    version(&opened.act, current.version)?;
    match &opened.act.body {
        ActBody::Put(put) => record::put(change, tenant, entry.at, put, opened)?,
        ActBody::Release(proposal) => record::release(change, tenant, entry.at, proposal, opened)?,
        ActBody::Resume => resume(change, tenant, opened)?,
        ActBody::Tighten(what) => tighten::tenant(change, tenant, entry.at, what, opened)?,
        ActBody::CreateTenant { .. } => return Err(Code::WrongScope.into()),
    }
    let mut record = change.tenant(tenant)?;
    record.version += 1;
    change.put(ks::tenant(tenant), &record);
    change.expire(tenant, opened.act.expires, &key);
    change.put_bytes(key, Vec::new());
    Ok(())
}

fn resume(change: &mut Change<'_>, tenant: TenantId, opened: &Opened) -> Result<(), Refusal> {
    let mut record = change.tenant(tenant)?;
    opened.need(&record.admins)?;
    if !std::mem::replace(&mut record.stopped, false) {
        return Err(Code::NotStopped.into());
    }
    change.put(ks::tenant(tenant), &record);
    Ok(())
}

/// The platform's quorum signed, and every admin of the charter countersigned.
fn create_tenant(
    change: &mut Change<'_>,
    entry: &Entry,
    tenant: TenantId,
    charter: &Charter,
    opened: &Opened,
) -> Result<(), Refusal> {
    if change.has(&ks::tenant(tenant)) {
        return Err(Refusal::new(Code::AlreadyExists, tenant));
    }
    if !charter
        .admins
        .members
        .iter()
        .all(|admin| opened.signers.contains(admin))
    {
        return Err(Refusal::new(
            Code::QuorumMissing,
            "every admin of the charter must sign",
        ));
    }
    let bounds = &change.state().genesis().bounds;
    if charter.loosen_delay_ms < bounds.loosen_delay_ms
        || charter.ceremony_delay_ms < bounds.ceremony_delay_ms
    {
        return Err(Refusal::new(
            Code::InvalidReference,
            "a delay is below the platform's bound",
        ));
    }
    let (_, policy) = strongroom_policy::Policy::load(&charter.policy)?;
    let first = TenantRecord {
        name: charter.name.clone(),
        version: 1,
        admins: charter.admins.clone(),
        committee: charter.committee.clone(),
        policy,
        loosen_delay_ms: charter.loosen_delay_ms,
        ceremony_delay_ms: charter.ceremony_delay_ms,
        stopped: false,
        paused_until: strongroom_types::UnixMs(0),
        pauses: Vec::new(),
        minute: (0, 0),
        intents_open: 0,
        proposals_open: 0,
    };
    change.put(ks::tenant(tenant), &first);
    change.put_bytes(
        ks::policy(tenant, &policy),
        charter.policy.as_bytes().to_vec(),
    );
    record::put_charter(change, tenant, entry.at, charter)
}

/// The digest under which a proposal, release or veto names an act.
#[must_use]
pub fn act_digest(signed: &Signed) -> Digest {
    Act::digest_of(&signed.text)
}
