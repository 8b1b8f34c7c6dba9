//! The entry `witnessed`: k witnesses vouch for a checkpoint, and what waits below it gets its
//! time.

use super::change::Change;
use super::record::Released;
use super::waiting::WitnessedTimes;
use super::{attempt, check_not_stopped, check_platform_scope, platform, proposal, record};
use crate::cosigned;
use crate::entry::{Entry, Witnessed};
use crate::genesis::Genesis;
use crate::keyspace as ks;
use crate::model::{ActStanding, WaitingAct, WaitingChange, WaitingItem, WaitingOf};
use crate::state::Lookup as _;
use std::mem::take;
use strongroom_guard::{G, guard, kept};
use strongroom_tlog::Checkpoint;
use strongroom_types::{Code, Digest, Refusal, Scope, TenantId, UnixMs};

pub(super) fn apply(
    change: &mut Change<'_>,
    entry: &Entry,
    witnessed: &Witnessed,
) -> Result<(), Refusal> {
    check_platform_scope(entry)?;
    let genesis = std::sync::Arc::clone(change.state().genesis());
    let mut waiting = change.waiting()?;

    let size = check_checkpoint(&genesis, &witnessed.checkpoint)?;
    if size <= waiting.witnessed {
        let detail = format!("{size} entries, {} before", waiting.witnessed);
        return Err(Refusal::new(Code::HeadWentBack, detail));
    }
    if size > entry.seq {
        let detail = format!("a checkpoint of {size} entries at position {}", entry.seq);
        return Err(Refusal::new(Code::Malformed, detail));
    }
    let times = WitnessedTimes {
        witnessed: witnessed_at(&genesis, entry.at, witnessed)?,
        entry: entry.at,
    };

    // An entry that settles nothing is refused: such entries could be repeated without end.
    let due = waiting.items.iter().take_while(|item| item.seq < size);
    let due = due.count();
    if due == 0 {
        return Err(Refusal::new(
            Code::NotReady,
            "nothing waits below this size",
        ));
    }

    // The items are taken off the list before any is settled, so that none can be settled twice.
    let rest = waiting.items.split_off(due);
    let items = take(&mut waiting.items);
    waiting.items = rest;
    waiting.witnessed = size;
    change.put(ks::waiting(), &waiting);

    // Each item is settled as a whole or not at all, and none makes the entry fail: else one act
    // that can no longer take effect would stop the journal.
    for item in &items {
        let _ = change.attempt(|change| settle(change, item, times));
    }
    Ok(())
}

/// Size of a checkpoint of this journal.
fn check_checkpoint(genesis: &Genesis, body: &str) -> Result<u64, Refusal> {
    let checkpoint = Checkpoint::parse(body).map_err(|e| Refusal::new(Code::Malformed, e))?;

    // A witness may serve several logs; a cosignature of another log is not counted.
    if checkpoint.origin() != genesis.origin {
        return Err(Refusal::new(Code::Malformed, "checkpoint of another log"));
    }
    Ok(checkpoint.size())
}

/// The largest of the k times, a cosignature's second counting to its end. With the smallest, or
/// with fewer than k, a hostile witness would choose it alone or show the item to no one else.
fn witnessed_at(genesis: &Genesis, at: UnixMs, witnessed: &Witnessed) -> Result<UnixMs, Refusal> {
    let cosignatures = &witnessed.cosignatures;
    let quorum = genesis.quorum as usize;
    if guard(G::WitnessedQuorum, cosignatures.len() != quorum) {
        let detail = format!("{} of {} cosignatures", cosignatures.len(), genesis.quorum);
        return Err(Refusal::new(Code::QuorumMissing, detail));
    }

    // The order makes the witnesses distinct, and gives the entry one form.
    let is_ascending = cosignatures.is_sorted_by(|a, b| a.witness < b.witness);
    if guard(G::WitnessedQuorum, !is_ascending) {
        let detail = "cosignatures are ascending by witness, one of each";
        return Err(Refusal::new(Code::Malformed, detail));
    }

    let mut newest_s: u64 = 0;
    for cosignature in cosignatures {
        let time_s = cosignature.time_s;
        // A cosignature without a date says nothing about when the witness had seen the checkpoint.
        if time_s == 0 {
            return Err(Refusal::new(Code::Malformed, "an undated cosignature"));
        }
        // A time ahead of the entry is refused: one hostile witness could put a delay's end into
        // the year 3000.
        let starts = UnixMs::from_seconds(time_s);
        let latest = at.plus(genesis.bounds.skew_ms);
        if guard(G::WitnessedNotAhead, starts > latest) {
            let detail = format!("cosigned at {starts}, the entry is of {at}");
            return Err(Refusal::new(Code::TimeOutOfBounds, detail));
        }

        // Each cosignature is verified strictly and alone: in a batch, two builds could disagree
        // about one of them.
        let mut seats = genesis.witness_keys();
        let seat = seats.find(|(node, _)| *node == cosignature.witness);
        let (node, key) =
            seat.ok_or_else(|| Refusal::new(Code::UnknownSender, cosignature.witness))?;
        let verifier = cosigned::verifier(node, &key)?;
        let body = &witnessed.checkpoint;
        cosigned::verify(&verifier, body, time_s, &cosignature.signature)?;
        newest_s = kept!(
            G::LargestTime,
            newest_s.max(time_s),
            instead if newest_s == 0 { time_s } else { newest_s.min(time_s) }
        );
    }
    Ok(UnixMs::from_seconds(newest_s.saturating_add(1)))
}

/// Gives an item its witnessed time. One whose record is gone has nothing to wait for.
fn settle(
    change: &mut Change<'_>,
    item: &WaitingItem,
    times: WitnessedTimes,
) -> Result<(), Refusal> {
    let time = times.witnessed;
    match &item.of {
        // A delay or lock counts from here: everyone who may object can have seen the entry by now.
        WaitingOf::Proposal(tenant, act) => proposal::set_witnessed(change, *tenant, act, time),
        WaitingOf::PlatformProposal(act) => platform::set_witnessed(change, act, time),
        WaitingOf::Lock(tenant, intent) => attempt::begin_lock(change, *tenant, intent, times),

        // The first time stays: a later pause of the same admin does not begin their 24 hours
        // again.
        WaitingOf::Pause(tenant, admin) => {
            let mut record = change.tenant(*tenant)?;
            let mut pauses = record.pauses.iter_mut();
            if let Some(pause) = pauses.find(|pause| pause.admin == *admin) {
                pause.witnessed_at.get_or_insert(time);
            }
            change.put(ks::tenant(*tenant), &record);
            Ok(())
        }

        // The allow-list entries of the tenant's charter have an age from now on.
        WaitingOf::Tenant(tenant) => {
            let mut record = change.tenant(*tenant)?;
            record.witnessed_at = Some(time);
            change.put(ks::tenant(*tenant), &record);
            Ok(())
        }

        WaitingOf::Act(scope) => settle_act(change, *scope, time),
    }
}

/// Judges a waiting act again: it takes effect now, or is void.
fn settle_act(change: &mut Change<'_>, scope: Scope, time: UnixMs) -> Result<(), Refusal> {
    let tenant = match scope {
        Scope::Platform => None,
        Scope::Tenant(tenant) => Some(tenant),
    };
    let Some((act, version)) = take_act(change, tenant)? else {
        return Ok(());
    };

    let effect = change.attempt(|change| {
        check_current(change, &act, version, time)?;
        take_effect(change, tenant, &act, time)
    });

    // The act is void: it stays used, and a proposal stays open, so that the committee can release
    // it again.
    let standing = if effect.is_ok() {
        ActStanding::InForce
    } else {
        ActStanding::Void
    };
    change.set_standing(scope, &act.digest, standing);
    if let (Err(_), WaitingChange::Release(proposal)) = (&effect, &act.effect) {
        let proposed = ActStanding::Proposed;
        match tenant {
            Some(tenant) => proposal::set_open_standing(change, tenant, proposal, proposed)?,
            None => platform::set_open_standing(change, proposal, proposed)?,
        }
    }
    Ok(())
}

/// The act that waits in a scope, which then waits no more, with the scope's version.
fn take_act(
    change: &mut Change<'_>,
    tenant: Option<TenantId>,
) -> Result<Option<(WaitingAct, u64)>, Refusal> {
    let (act, version) = match tenant {
        None => {
            let mut record = change.platform()?;
            let act = record.waiting.take();
            change.put(ks::platform(), &record);
            (act, record.version)
        }
        Some(tenant) => {
            let mut record = change.tenant(tenant)?;
            let act = record.waiting.take();
            change.put(ks::tenant(tenant), &record);
            (act, record.version)
        }
    };
    Ok(act.map(|act| (act, version)))
}

/// Whether an act may still take effect, by time and by what came after it.
fn check_current(
    change: &Change<'_>,
    act: &WaitingAct,
    version: u64,
    time: UnixMs,
) -> Result<(), Refusal> {
    // A release that was held back beyond its expiry must not come into force by an old stamp.
    let skew_ms = change.state().genesis().bounds.skew_ms;
    if guard(G::ActExpiry, time > act.expires.plus(skew_ms)) {
        return Err(Refusal::new(Code::AuthorityExpired, act.digest));
    }

    // Another version means that something came after the act: a stop, a revocation or a tighter
    // policy would be undone by it.
    if guard(G::ScopeVersion, version != act.version) {
        let detail = format!("left version {}, the scope is at {version}", act.version);
        return Err(Refusal::new(Code::WrongScopeVersion, detail));
    }
    Ok(())
}

/// The act's own change, on the state of now: it was judged at its entry, and the state has moved
/// since then.
fn take_effect(
    change: &mut Change<'_>,
    tenant: Option<TenantId>,
    act: &WaitingAct,
    time: UnixMs,
) -> Result<(), Refusal> {
    let Some(tenant) = tenant else {
        return match &act.effect {
            WaitingChange::Resume => resume_platform(change),
            WaitingChange::Release(proposal) => platform::release_witnessed(change, proposal, time),
            // A vault is refused here, because the platform has none.
            WaitingChange::Vault(_) => Err(Code::WrongScope.into()),
        };
    };

    match &act.effect {
        WaitingChange::Release(proposal) => {
            let released = Released {
                by: act.digest,
                at: time,
            };
            release(change, tenant, proposal, released)
        }
        WaitingChange::Vault(vault) => {
            check_not_stopped(&*change, tenant)?;
            record::put_vault(change, tenant, vault)
        }
        WaitingChange::Resume => {
            let mut record = change.tenant(tenant)?;
            if !take(&mut record.stopped) {
                return Err(Code::NotStopped.into());
            }
            change.put(ks::tenant(tenant), &record);
            Ok(())
        }
    }
}

fn resume_platform(change: &mut Change<'_>) -> Result<(), Refusal> {
    let mut record = change.platform()?;
    if !take(&mut record.stopped) {
        return Err(Code::NotStopped.into());
    }
    change.put(ks::platform(), &record);
    Ok(())
}

/// Puts a proposal in force, which is consumed only now: until then it could be vetoed.
fn release(
    change: &mut Change<'_>,
    tenant: TenantId,
    act: &Digest,
    released: Released,
) -> Result<(), Refusal> {
    check_not_stopped(&*change, tenant)?;
    let skew_ms = change.state().genesis().bounds.skew_ms;
    let proposal = proposal::take(change, tenant, act, ActStanding::InForce)?;

    // A proposal that its committee has forgotten must not come into force years later.
    if proposal
        .until()
        .is_none_or(|until| released.at > until.plus(skew_ms))
    {
        return Err(Refusal::new(Code::AuthorityExpired, act));
    }
    record::put_released(change, tenant, &proposal.record, released)
}
