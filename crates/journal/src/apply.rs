//! `apply`: the rules of every entry. Pure, total, deterministic.
//!
//! An entry that `apply` refuses is never appended; a replica that is shown a refused entry stops.
//!
//! | module | entries |
//! |---|---|
//! | `board` | who can stand on a board, and that none is left below its quorum |
//! | `platform` | the platform's registry: admins, their credentials and board |
//! | `act`, `opened` | signed acts: who signed, single use, scope version, expiry |
//! | `put`, `proposal`, `record` | registry acts: at once, or after delay and release; each kind of record |
//! | `tighten`, `pause`, `ended` | tightenings: revoke, stop, veto, quarantine; pauses; how an intent ends: cancel, reject |
//! | `quota` | whose room an entry uses |
//! | `intent`, `approvals`, `authorize` | payments: admitted, approved, authorized with attempt 1 |
//! | `policies` | policies that can be put in force |
//! | `attempt`, `held` | further attempts of an authorized intent; what its attempts keep from all other intents |
//! | `windows` | velocity windows |
//! | `waiting`, `witnessed` | what waits until witnesses have vouched for it, and the entry that says so |
//! | [`ceremony`] | the end of a key generation |

pub mod act;
mod approvals;
mod attempt;
mod authorize;
mod board;
pub mod ceremony;
mod change;
mod ended;
mod held;
mod intent;
mod opened;
mod pause;
mod platform;
mod policies;
mod proposal;
mod put;
mod quota;
mod record;
mod tally;
mod tighten;
mod waiting;
mod windows;
mod witnessed;

pub use approvals::{Ballot, Seat, VerifiedApproval, check_approval, check_approvals};
pub use intent::{Admitted, Evaluated, admissible, check_life, evaluate, initiator};
pub use opened::signed_act;
pub use tally::{CountedYes, Tally, Turn, turn};
pub(crate) use windows::Removals;
pub use windows::TenantView;

use crate::entry::{Body, Entry, VERSION};
use crate::keyspace as ks;
use crate::model::{PlatformRecord, TenantRecord};
use crate::state::{Delta, Lookup as _, State, View};
use change::{Change, FORGET_MAX, Place};
use strongroom_guard::{G, guard};
use strongroom_types::{Code, Digest, Refusal, Scope, TenantId};

/// The change that an entry makes, or the reason why it must not be appended.
///
/// # Errors
/// Each rule has its own stable code; see `docs/errors/`.
pub fn apply(state: &State, entry: &Entry) -> Result<Delta, Refusal> {
    let mut position = state.position()?;

    // A version this build does not know may mean anything; guessing would split the replicas.
    if entry.version != VERSION {
        return Err(Refusal::new(
            Code::UnknownEntry,
            format!("entry version {}", entry.version),
        ));
    }

    // A gap or a repetition would let the writer leave an entry out, or count one twice.
    if entry.seq != position.next_seq {
        let detail = format!(
            "entry {} where {} was expected",
            entry.seq, position.next_seq
        );
        return Err(Refusal::new(Code::Malformed, detail));
    }

    // Delays, expiries and windows are measured in journal time: a writer that turned it back could
    // release a proposal early or spend a limit twice.
    if guard(G::TimeNeverBack, entry.at < position.last_at) {
        return Err(Code::TimeWentBack.into());
    }

    // A second genesis would replace the platform's admins.
    if (entry.seq == 0) != matches!(entry.body, Body::Genesis(_)) {
        return Err(Refusal::new(
            Code::Malformed,
            "genesis is entry 0 and nothing else is",
        ));
    }

    // Expired records are removed before the rules run, because the rules count what is open. A
    // rule that would refuse for lack of room removes more records of its kind first.
    let mut change = Change::new(state);
    change.forget_expired(entry.scope, entry.at, FORGET_MAX)?;
    dispatch(&mut change, entry)?;
    change.forget_more(entry.scope, entry.at)?;

    position.next_seq = entry.seq + 1;
    position.last_at = entry.at;
    change.put(ks::position(), &position);
    Ok(change.finish())
}

fn dispatch(change: &mut Change<'_>, entry: &Entry) -> Result<(), Refusal> {
    match &entry.body {
        Body::Genesis(hash) => {
            check_platform_scope(entry)?;
            genesis(change, *hash)
        }
        Body::Tick => check_platform_scope(entry),
        Body::Act(signed) => act::apply(change, entry, signed),

        // A full quota refuses first: each entry of a flood costs a count, and no policy and
        // signatures.
        Body::Authorized(authorization) => {
            authorize::check_new(change, entry.scope, authorization)?;
            let place = quota::count_entry(change, entry)?;
            authorize::apply(change, place, authorization)
        }
        Body::Attempt(further) => {
            let place = quota::count_entry(change, entry)?;
            attempt::apply(change, place, further)
        }

        // Neither of the two is charged: k witnesses or n signers stand behind each, once per item
        // or key.
        Body::Finished(finished) => ceremony::finish(change, tenant_place(entry)?, finished),
        Body::Witnessed(witnessed) => witnessed::apply(change, entry, witnessed),
    }
}

fn check_platform_scope(entry: &Entry) -> Result<(), Refusal> {
    match entry.scope {
        Scope::Platform => Ok(()),
        Scope::Tenant(_) => Err(Code::WrongScope.into()),
    }
}

/// Position and time at which an entry of a tenant takes effect.
fn tenant_place(entry: &Entry) -> Result<Place, Refusal> {
    match entry.scope {
        Scope::Tenant(tenant) => Ok(Place {
            tenant,
            seq: entry.seq,
            at: entry.at,
        }),
        Scope::Platform => Err(Code::WrongScope.into()),
    }
}

/// Entry 0: names this build's genesis and puts its admins in force.
fn genesis(change: &mut Change<'_>, hash: Digest) -> Result<(), Refusal> {
    let genesis = std::sync::Arc::clone(change.state().genesis());

    // The hash is pinned in each signer's configuration: a log that starts with another genesis is
    // another installation's.
    if genesis.hash() != hash {
        return Err(Code::WrongGenesis.into());
    }

    let platform = PlatformRecord {
        version: 1,
        admins: genesis.admins.clone(),
        ..PlatformRecord::default()
    };
    change.put(ks::platform(), &platform);
    for user in &genesis.admin_users {
        record::put_user(change, Scope::Platform, user)?;
    }
    for credential in &genesis.admin_credentials {
        record::put_credential(change, Scope::Platform, credential)?;
    }
    Ok(())
}

/// The tenant's record, unless the tenant itself or the whole platform is stopped: an incident
/// stops payments and loosenings before its cause is known.
pub(crate) fn check_not_stopped(
    view: &dyn View,
    tenant: TenantId,
) -> Result<TenantRecord, Refusal> {
    if guard(G::NotHeld, view.platform()?.stopped) {
        return Err(Code::PlatformStopped.into());
    }
    let record = view.tenant(tenant)?;
    if guard(G::NotHeld, record.stopped) {
        return Err(Code::TenantStopped.into());
    }
    Ok(record)
}
