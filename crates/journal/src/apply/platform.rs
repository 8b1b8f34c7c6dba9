//! The platform's own registry: its admins, their credentials and their board, each changed by a
//! proposal that waits for its delay and a release.

use super::board::{self, QuorumBefore};
use super::change::Change;
use super::opened::VerifiedAct;
use super::record::{put_credential, put_user, revoke_credential, revoke_user};
use super::waiting;
use crate::keyspace as ks;
use crate::model::{
    ActStanding, PlatformProposal, PlatformRecord, ProposalRecord, WaitingAct, WaitingChange,
    WaitingOf,
};
use crate::state::Lookup as _;
use strongroom_guard::{G, guard, kept};
use strongroom_types::charter::{Board, BoardName, NamedBoard};
use strongroom_types::{
    ActBody, Code, Digest, Refusal, RegistryRecord, Revocable, Scope, Tighten, UnixMs,
};

/// Opens a proposal for a record of the platform; the admins' quorum signed already.
pub(super) fn put(
    change: &mut Change<'_>,
    platform: &mut PlatformRecord,
    record: &RegistryRecord,
    opened: &VerifiedAct,
) -> Result<ActStanding, Refusal> {
    check_kind(record)?;
    check_not_stopped(platform)?;
    waiting::check_none(platform.waiting.as_ref())?;
    let bounds = &change.state().genesis().bounds;
    let (max, delay_ms) = (bounds.proposals_open_max, bounds.platform_delay_ms);

    // Proposals that can no longer be released make room first. The others are bounded, because
    // every replica holds them.
    let (mut open, ended): (Vec<_>, Vec<_>) = open_proposals(change)?
        .into_iter()
        .partition(|known| known.proposal.until().is_none_or(|until| opened.at < until));
    for known in &ended {
        change.set_standing(Scope::Platform, &known.act, ActStanding::Ended);
    }
    if open.len() >= max as usize {
        return Err(Refusal::new(Code::QuotaExceeded, "open proposals"));
    }

    let act = opened.digest;
    let proposal = ProposalRecord::new(record, delay_ms);
    #[cfg(mutants)]
    let proposal = proposal.stamped(opened.at);
    open.push(PlatformProposal { act, proposal });
    change.put(ks::platform_proposals(), &open);
    platform.version += 1;
    waiting::add(
        change,
        opened.waiting_item(WaitingOf::PlatformProposal(act)),
    )?;
    Ok(ActStanding::Proposed)
}

/// Begins a proposal's delay.
pub(super) fn set_witnessed(
    change: &mut Change<'_>,
    act: &Digest,
    time: UnixMs,
) -> Result<(), Refusal> {
    let mut open = open_proposals(change)?;
    if let Some(known) = open.iter_mut().find(|known| known.act == *act) {
        let proposal = &mut known.proposal;
        proposal.witnessed_at =
            kept!(G::DelayFromWitnessed, Some(time), instead proposal.witnessed_at);
        change.put(ks::platform_proposals(), &open);
    }
    Ok(())
}

/// Releases a proposal after its delay; the admins' quorum signed already. It takes effect when the
/// release itself is witnessed.
pub(super) fn release(
    change: &mut Change<'_>,
    platform: &mut PlatformRecord,
    act: &Digest,
    opened: &VerifiedAct,
) -> Result<ActStanding, Refusal> {
    check_not_stopped(platform)?;
    waiting::check_none(platform.waiting.as_ref())?;
    let (at, proposal) = (opened.at, find(change, act)?);
    let (Some(from), Some(until)) = (proposal.from(), proposal.until()) else {
        return Err(Refusal::new(Code::NotWitnessed, act));
    };

    // The delay is the time in which the other admins can veto.
    if guard(G::LooseningDelay, at < from) {
        let detail = format!("{} ms too early", from.since(at));
        return Err(Refusal::new(Code::ReleaseTooEarly, detail));
    }
    // A forgotten proposal must not come into force years later.
    if at >= until {
        let detail = "the proposal's time has passed";
        return Err(Refusal::new(Code::AuthorityExpired, detail));
    }

    // The record is judged at the release, too, so that those who release what cannot take effect
    // are told now.
    let mut after = platform.clone();
    change.trial(|change| put_released(change, &proposal.record, &mut after))?;

    // Without the rule, it takes effect by its own stamp.
    #[cfg(mutants)]
    if !guard(G::ReleaseWaits, true) {
        take(change, act, ActStanding::InForce)?;
        put_released(change, &proposal.record, platform)?;
        platform.version += 1;
        return Ok(ActStanding::InForce);
    }

    // The proposal is not consumed: until the release takes effect, a veto must still find it.
    change.set_standing(Scope::Platform, act, ActStanding::Released);
    wait(change, platform, opened, WaitingChange::Release(*act))
}

/// Lets an act of the platform wait until its entry is witnessed. One that was held back must not
/// undo what came after it, so it names the version that it leaves behind.
pub(super) fn wait(
    change: &mut Change<'_>,
    platform: &mut PlatformRecord,
    opened: &VerifiedAct,
    effect: WaitingChange,
) -> Result<ActStanding, Refusal> {
    platform.version += 1;
    platform.waiting = Some(WaitingAct {
        digest: opened.digest,
        version: platform.version,
        expires: opened.act.expires,
        effect,
    });
    waiting::add(change, opened.waiting_item(WaitingOf::Act(Scope::Platform)))?;
    Ok(ActStanding::Released)
}

/// Puts a proposal in force, which is consumed only now.
pub(super) fn release_witnessed(
    change: &mut Change<'_>,
    act: &Digest,
    time: UnixMs,
) -> Result<(), Refusal> {
    // The platform is not stopped here: a stop raises the version, which makes the release void.
    let mut platform = change.platform()?;
    let skew_ms = change.state().genesis().bounds.skew_ms;
    let proposal = take(change, act, ActStanding::InForce)?;
    let is_over = |until: UnixMs| time > until.plus(skew_ms);
    if proposal.until().is_none_or(is_over) {
        return Err(Refusal::new(Code::AuthorityExpired, act));
    }
    put_released(change, &proposal.record, &mut platform)?;
    change.put(ks::platform(), &platform);
    Ok(())
}

fn put_released(
    change: &mut Change<'_>,
    record: &RegistryRecord,
    platform: &mut PlatformRecord,
) -> Result<(), Refusal> {
    match record {
        RegistryRecord::User(user) => put_user(change, Scope::Platform, user),
        RegistryRecord::Credential(credential) => {
            put_credential(change, Scope::Platform, credential)
        }
        RegistryRecord::Board(new) => {
            board::check_members(change, Scope::Platform, &new.board)?;
            platform.admins = new.board.clone();
            Ok(())
        }
        RegistryRecord::Group(_)
        | RegistryRecord::AllowList(_)
        | RegistryRecord::Policy(_)
        | RegistryRecord::Vault(_)
        | RegistryRecord::Ceremony(_) => Err(Code::WrongScope.into()),
    }
}

/// Drops an open proposal, by a veto.
pub(super) fn veto(change: &mut Change<'_>, act: &Digest) -> Result<(), Refusal> {
    take(change, act, ActStanding::Ended).map(drop)
}

/// Sets the standing of the act that proposed it, as long as the proposal is open.
pub(super) fn set_open_standing(
    change: &mut Change<'_>,
    act: &Digest,
    standing: ActStanding,
) -> Result<(), Refusal> {
    let open = open_proposals(change)?;
    if open.iter().any(|known| known.act == *act) {
        change.set_standing(Scope::Platform, act, standing);
    }
    Ok(())
}

/// Takes an admin or one of their credentials out of force; the admins' quorum signed already.
pub(super) fn revoke(
    change: &mut Change<'_>,
    platform: &mut PlatformRecord,
    record: &Revocable,
    opened: &VerifiedAct,
) -> Result<(), Refusal> {
    match record {
        Revocable::Credential(id) => revoke_credential(change, Scope::Platform, *id),
        Revocable::User { id, boards } => {
            let before = quorum_before(change, &platform.admins)?;
            revoke_user(change, Scope::Platform, *id)?;
            replace_board(change, platform, boards, opened)?;
            before.check_kept(change, &platform.admins)
        }
        // The platform's quorum never touches a tenant's lists or keys.
        Revocable::AllowList(_) | Revocable::Key(_) => Err(Code::WrongScope.into()),
    }
}

fn quorum_before(change: &Change<'_>, admins: &Board) -> Result<QuorumBefore, Refusal> {
    QuorumBefore::of(change, Scope::Platform, BoardName::Admins, admins)
}

/// Replaces the admins' board when the revocation names another; the platform has no second board.
fn replace_board(
    change: &Change<'_>,
    platform: &mut PlatformRecord,
    boards: &[NamedBoard],
    opened: &VerifiedAct,
) -> Result<(), Refusal> {
    for new in boards {
        check_name(new)?;
        opened.need_exact_version(platform.version)?;
        board::check_members(change, Scope::Platform, &new.board)?;
        board::check_replacement(change, Scope::Platform, &platform.admins, new)?;
        platform.admins = new.board.clone();
    }
    Ok(())
}

/// Requires one admin for a veto, for everything else their quorum.
pub(super) fn check_signed(opened: &VerifiedAct, platform: &PlatformRecord) -> Result<(), Refusal> {
    match &opened.act.body {
        // One admin may veto, because it costs the others no more than a new proposal and its
        // delay.
        ActBody::Tighten(Tighten::Veto(_)) => opened.need_one(&platform.admins),
        ActBody::Tighten(
            Tighten::Revoke(_)
            | Tighten::LeaveGroup { .. }
            | Tighten::Cancel(_)
            | Tighten::Reject(_)
            | Tighten::Pause { .. }
            | Tighten::Stop
            | Tighten::Quarantine(_),
        )
        | ActBody::CreateTenant { .. }
        | ActBody::Put(_)
        | ActBody::Release(_)
        | ActBody::Resume => opened.need(&platform.admins),
    }
}

/// Refuses records that belong to tenants, before they wait for a release that would refuse them.
fn check_kind(record: &RegistryRecord) -> Result<(), Refusal> {
    match record {
        RegistryRecord::User(_) => Ok(()),
        // Acts of the platform's scope are signed by people alone.
        RegistryRecord::Credential(credential) => match credential.board_user() {
            Some(_) => Ok(()),
            None => Err(Refusal::new(Code::WrongCredentialClass, credential.class)),
        },
        RegistryRecord::Board(new) => check_name(new),
        RegistryRecord::Group(_)
        | RegistryRecord::AllowList(_)
        | RegistryRecord::Policy(_)
        | RegistryRecord::Vault(_)
        | RegistryRecord::Ceremony(_) => Err(Code::WrongScope.into()),
    }
}

fn check_name(new: &NamedBoard) -> Result<(), Refusal> {
    match new.name {
        BoardName::Admins => Ok(()),
        BoardName::Committee => Err(Refusal::new(
            Code::InvalidReference,
            "the platform has no committee",
        )),
    }
}

fn check_not_stopped(platform: &PlatformRecord) -> Result<(), Refusal> {
    if guard(G::NotHeld, platform.stopped) {
        return Err(Code::PlatformStopped.into());
    }
    Ok(())
}

fn open_proposals(change: &Change<'_>) -> Result<Vec<PlatformProposal>, Refusal> {
    Ok(change
        .record(&ks::platform_proposals())?
        .unwrap_or_default())
}

fn find(change: &Change<'_>, act: &Digest) -> Result<ProposalRecord, Refusal> {
    let open = open_proposals(change)?;
    let found = open.into_iter().find(|known| known.act == *act);
    found
        .map(|known| known.proposal)
        .ok_or_else(|| Refusal::new(Code::UnknownProposal, act))
}

/// Removes an open proposal; the act that made it stands like this from now on.
fn take(
    change: &mut Change<'_>,
    act: &Digest,
    standing: ActStanding,
) -> Result<ProposalRecord, Refusal> {
    let proposal = find(change, act)?;
    change.set_standing(Scope::Platform, act, standing);
    let mut open = open_proposals(change)?;
    open.retain(|known| known.act != *act);
    change.put(ks::platform_proposals(), &open);
    Ok(proposal)
}
