//! Acts: who must have signed, single use, scope version.

use super::change::Change;
use super::opened::VerifiedAct;
use super::{platform, policies, proposal, put, quota, record, tighten, waiting};
use crate::entry::Entry;
use crate::keyspace as ks;
use crate::model::{
    ActStanding, MinuteCount, PlatformRecord, TenantRecord, WaitingAct, WaitingChange, WaitingOf,
};
use crate::state::Lookup as _;
use strongroom_guard::{G, guard, kept};
use strongroom_types::charter::Charter;
use strongroom_types::{
    Act, ActBody, Code, Digest, Document as _, Refusal, Scope, Signed, TenantId, Tighten, UnixMs,
};

/// The digest under which a proposal, release or veto names an act.
#[must_use]
pub fn act_digest(signed: &Signed) -> Digest {
    Act::digest_of(&signed.text)
}

pub(super) fn apply(
    change: &mut Change<'_>,
    entry: &Entry,
    signed: &Signed,
) -> Result<(), Refusal> {
    let opened = VerifiedAct::open(change, entry, signed)?;
    if opened.act.is_tightening() {
        opened.need_human()?;
    }
    match opened.act.scope {
        Scope::Platform => platform_act(change, &opened)?,
        Scope::Tenant(tenant) => tenant_act(change, entry, tenant, &opened)?,
    }
    if opened.act.is_tightening() {
        quota::charge_tightening(change, &opened)?;
    }
    Ok(())
}

/// Requires an exact scope version for loosenings and configuration, a minimum for tightenings: a
/// loosening signed before the last change was signed without knowing of it.
fn check_version(act: &Act, current: u64) -> Result<(), Refusal> {
    let is_minimum = kept!(
        G::Reject,
        act.is_tightening(),
        instead act.is_tightening() && !matches!(act.body, ActBody::Tighten(Tighten::Reject(_)))
    );
    let is_refused = if is_minimum {
        act.version > current
    } else {
        guard(G::ScopeVersion, act.version != current)
    };
    if !is_refused {
        return Ok(());
    }
    let detail = format!(
        "made for version {}, the scope is at {current}",
        act.version
    );
    Err(Refusal::new(Code::WrongScopeVersion, detail))
}

fn platform_act(change: &mut Change<'_>, opened: &VerifiedAct) -> Result<(), Refusal> {
    // An act is used once: a stored one must not be applied a second time.
    let key = ks::used_act(Scope::Platform, &opened.digest);
    if guard(G::ActOnce, change.has(&key)) {
        return Err(Refusal::new(Code::UsedAuthority, opened.digest));
    }

    let mut current = change.platform()?;
    platform::check_signed(opened, &current)?;
    let standing = change_platform(change, &mut current, opened)?;
    change.put(ks::platform(), &current);

    // The standing of a proposal is kept for as long as it can be released, vetoed or expire.
    let kept_until = match standing {
        ActStanding::Proposed => {
            let delay_ms = change.state().genesis().bounds.platform_delay_ms;
            proposal::standing_kept_until(opened, delay_ms)
        }
        ActStanding::InForce | ActStanding::Released | ActStanding::Void | ActStanding::Ended => {
            opened.used_until()
        }
    };
    change.expire(Scope::Platform, kept_until, &key);
    change.put(key, &standing);
    Ok(())
}

/// Makes the change of a platform act that was signed by enough admins; gives the act's standing.
fn change_platform(
    change: &mut Change<'_>,
    current: &mut PlatformRecord,
    opened: &VerifiedAct,
) -> Result<ActStanding, Refusal> {
    // Creating a tenant does not change the platform's own scope, so it names version 0.
    let version = match opened.act.body {
        ActBody::CreateTenant { .. } => 0,
        ActBody::Put(_) | ActBody::Release(_) | ActBody::Resume | ActBody::Tighten(_) => {
            current.version
        }
    };
    check_version(&opened.act, version)?;

    match &opened.act.body {
        // The tenant exists at once. Its id is used once, so that a stored act cannot create it
        // again.
        ActBody::CreateTenant { tenant, charter } => {
            if guard(G::NotHeld, current.stopped) {
                return Err(Code::PlatformStopped.into());
            }
            create_tenant(change, *tenant, charter, opened)?;
            Ok(ActStanding::InForce)
        }
        ActBody::Resume => {
            waiting::check_none(current.waiting.as_ref())?;
            if !current.stopped {
                return Err(Code::NotStopped.into());
            }
            platform::wait(change, current, opened, WaitingChange::Resume)
        }
        ActBody::Tighten(tightening) => {
            let before = current.clone();
            let is_changed =
                change.compare(|change| tighten::platform(change, current, tightening, opened))?;
            if !is_changed && *current == before {
                charge_repeated(change, opened, current.waiting.as_ref(), current.version)?;
            }
            current.version += u64::from(changes_version(&opened.act.body));
            Ok(ActStanding::InForce)
        }
        // The platform's quorum never touches a tenant's users, policies, lists, vaults or keys.
        ActBody::Put(record) => platform::put(change, current, record, opened),
        ActBody::Release(act) => platform::release(change, current, act, opened),
    }
}

fn tenant_act(
    change: &mut Change<'_>,
    entry: &Entry,
    tenant: TenantId,
    opened: &VerifiedAct,
) -> Result<(), Refusal> {
    // An act is used once, as for the platform. Only some tightenings count again, under signatures
    // that do more.
    let key = ks::used_act(tenant, &opened.digest);
    let is_used = change.has(&key);
    if is_used && guard(G::ActOnce, !tighten::does_more(change, tenant, opened)?) {
        return Err(Refusal::new(Code::UsedAuthority, opened.digest));
    }

    // A tightening must get in even when the minute's quota is used up, perhaps by an intruder.
    if !opened.act.is_tightening() {
        quota::count_entry(change, entry)?;
    }
    check_version(&opened.act, change.tenant(tenant)?.version)?;

    let standing = match &opened.act.body {
        ActBody::Put(record) => put::put(change, tenant, record, opened)?,
        ActBody::Release(act) => proposal::release(change, tenant, act, opened)?,
        ActBody::Resume => resume(change, tenant, opened)?,
        ActBody::Tighten(tightening) => {
            if !change.compare(|change| tighten::tenant(change, tenant, tightening, opened))? {
                let record = change.tenant(tenant)?;
                charge_repeated(change, opened, record.waiting.as_ref(), record.version)?;
            }
            ActStanding::InForce
        }
        ActBody::CreateTenant { .. } => return Err(Code::WrongScope.into()),
    };

    // The record is read again, because the act itself may have changed it.
    if changes_version(&opened.act.body) {
        let mut record = change.tenant(tenant)?;
        record.version += 1;
        change.put(ks::tenant(tenant), &record);
    }
    // The standing of a proposal is kept for as long as it can be released, vetoed or expire.
    let kept_until = match standing {
        ActStanding::Proposed => {
            let proposal = proposal::find(change, tenant, &opened.digest)?;
            proposal::standing_kept_until(opened, proposal.delay_ms)
        }
        ActStanding::InForce | ActStanding::Released | ActStanding::Void | ActStanding::Ended => {
            opened.used_until()
        }
    };
    // The act is marked at its first use alone: the marker may name people who are charged for it
    // until it is forgotten.
    if !is_used {
        change.expire(tenant, kept_until, &key);
    }
    change.put(key, &standing);
    Ok(())
}

/// Charges a tightening that changes no record, unless it makes the act void that waits in its scope:
/// else a board could leave used ids without end.
fn charge_repeated(
    change: &mut Change<'_>,
    opened: &VerifiedAct,
    waiting: Option<&WaitingAct>,
    version: u64,
) -> Result<(), Refusal> {
    let waits = waiting.is_some_and(|act| act.version == version);
    if waits && changes_version(&opened.act.body) {
        return Ok(());
    }
    quota::charge_id(change, opened)
}

/// Whether acts made before this one are void by it. A cancel, a no, a pause or a veto changes
/// nothing that they were signed upon (a vetoed proposal is gone by itself), and one person alone
/// could make every release void by them.
fn changes_version(body: &ActBody) -> bool {
    match body {
        ActBody::Tighten(
            Tighten::Cancel(_) | Tighten::Reject(_) | Tighten::Pause { .. } | Tighten::Veto(_),
        ) => kept!(G::NoVersionBump, false, instead true),
        ActBody::Tighten(
            Tighten::Revoke(_)
            | Tighten::LeaveGroup { .. }
            | Tighten::Stop
            | Tighten::Quarantine(_),
        )
        | ActBody::CreateTenant { .. }
        | ActBody::Put(_)
        | ActBody::Release(_)
        | ActBody::Resume => true,
    }
}

fn resume(
    change: &mut Change<'_>,
    tenant: TenantId,
    opened: &VerifiedAct,
) -> Result<ActStanding, Refusal> {
    let record = change.tenant(tenant)?;
    opened.need(&record.admins)?;
    if !record.stopped {
        return Err(Code::NotStopped.into());
    }
    waiting::act(change, tenant, opened, WaitingChange::Resume)?;
    Ok(ActStanding::Released)
}

/// Creates a tenant from its charter. The platform's quorum signed already.
fn create_tenant(
    change: &mut Change<'_>,
    tenant: TenantId,
    charter: &Charter,
    opened: &VerifiedAct,
) -> Result<(), Refusal> {
    // A second charter would replace the tenant's admins.
    if change.has(&ks::tenant(tenant)) {
        return Err(Refusal::new(Code::AlreadyExists, tenant));
    }

    // Every admin countersigns: the platform cannot make a tenant in the name of people who do not
    // hold the keys.
    opened.need_founders(&charter.admins)?;

    // Shorter delays than the platform's would take away the time in which a theft is noticed.
    let bounds = &change.state().genesis().bounds;
    if charter.loosen_delay_ms < bounds.loosen_delay_ms
        || charter.ceremony_delay_ms < bounds.ceremony_delay_ms
    {
        return Err(Refusal::new(
            Code::InvalidReference,
            "a delay is below the platform's bound",
        ));
    }

    let (_, policy) = policies::load(bounds, &charter.policy)?;
    let record = TenantRecord {
        name: charter.name.clone(),
        version: 1,
        admins: charter.admins.clone(),
        committee: charter.committee.clone(),
        policy,
        loosen_delay_ms: charter.loosen_delay_ms,
        ceremony_delay_ms: charter.ceremony_delay_ms,
        stopped: false,
        paused_until: UnixMs(0),
        pauses: Vec::new(),
        witnessed_at: None,
        waiting: None,
        minute: MinuteCount::default(),
        minute_bytes: 0,
        intents_open: 0,
        proposals_open: 0,
    };
    change.put(ks::tenant(tenant), &record);
    let text = charter.policy.as_bytes().to_vec();
    change.put_bytes(ks::policy(tenant, &policy), text);
    waiting::add(change, opened.waiting_item(WaitingOf::Tenant(tenant)))?;
    record::put_charter(change, tenant, charter)
}
