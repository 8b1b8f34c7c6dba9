//! Boards: who can stand on one, and that none is left without its quorum.

use super::change::Change;
use super::opened::VerifiedAct;
use crate::keyspace as ks;
use crate::model::{TenantRecord, UserRecord};
use crate::state::Lookup as _;
use strongroom_guard::{G, guard};
use strongroom_types::charter::{Board, BoardName, NamedBoard};
use strongroom_types::{Code, Refusal, Scope, TenantId, UserId};

/// Whether a user could sign for a board today: in force, with a credential in force that counts.
fn is_able(change: &Change<'_>, scope: Scope, id: UserId) -> Result<bool, Refusal> {
    let user: Option<UserRecord> = change.record(&ks::user(scope, id))?;
    Ok(user.is_some_and(|user| !user.revoked && user.board_keys > 0))
}

/// Requires that each member of a board could sign for it: with a member who cannot, the quorum
/// would be larger than it says.
pub(super) fn check_members(
    change: &Change<'_>,
    scope: impl Into<Scope>,
    board: &Board,
) -> Result<(), Refusal> {
    let scope = scope.into();
    for member in &board.members {
        // An unknown user has a code of its own: a wrong id is found by it.
        change.user(scope, *member)?;
        if !is_able(change, scope, *member)? {
            let detail = format!("{member} has no credential of class key or passkey");
            return Err(Refusal::new(Code::InvalidReference, detail));
        }
    }
    Ok(())
}

/// Whether as many members as the quorum could sign.
fn has_quorum(change: &Change<'_>, scope: Scope, board: &Board) -> Result<bool, Refusal> {
    let mut able = 0;
    for member in &board.members {
        able += u32::from(is_able(change, scope, *member)?);
    }
    Ok(able >= board.quorum)
}

/// Whether a board could reach its quorum before people of its scope were revoked.
#[derive(Clone, Copy)]
pub(super) struct QuorumBefore {
    scope: Scope,
    name: BoardName,
    was_met: bool,
}

impl QuorumBefore {
    /// Asks the state before the revocation.
    pub(super) fn of(
        change: &Change<'_>,
        scope: Scope,
        name: BoardName,
        board: &Board,
    ) -> Result<Self, Refusal> {
        Ok(Self {
            scope,
            name,
            was_met: has_quorum(change, scope, board)?,
        })
    }

    /// Refuses what has left the board with fewer people than its quorum: nothing that needs it
    /// could ever be signed again. A board that was below before does not keep others from being
    /// revoked.
    pub(super) fn check_kept(self, change: &Change<'_>, board: &Board) -> Result<(), Refusal> {
        let is_below = self.was_met && !has_quorum(change, self.scope, board)?;
        if !guard(G::BoardAble, is_below) {
            return Ok(());
        }
        Err(Refusal::new(
            Code::BoardBelowQuorum,
            format!("{}: {} must remain", self.name, board.quorum),
        ))
    }
}

/// Puts other people on a board of a tenant, by a released proposal.
pub(super) fn put(
    change: &mut Change<'_>,
    tenant: TenantId,
    new: &NamedBoard,
) -> Result<(), Refusal> {
    // The people are asked again here: one may have been revoked since the proposal.
    check_members(change, tenant, &new.board)?;
    let mut record = change.tenant(tenant)?;
    *board_mut(&mut record, new.name) = new.board.clone();
    change.put(ks::tenant(tenant), &record);
    Ok(())
}

fn board_mut(record: &mut TenantRecord, name: BoardName) -> &mut Board {
    match name {
        BoardName::Admins => &mut record.admins,
        BoardName::Committee => &mut record.committee,
    }
}

/// Puts the boards in force that a revocation names instead of those that it leaves below their
/// quorum.
pub(super) fn replace(
    change: &mut Change<'_>,
    tenant: TenantId,
    boards: &[NamedBoard],
    opened: &VerifiedAct,
) -> Result<(), Refusal> {
    let scope = Scope::Tenant(tenant);
    let mut record = change.tenant(tenant)?;

    // This skips the delay, because a person to be removed could veto in it. The committee therefore
    // signs beside the admins, both as they were until now, and upon the version that is in force:
    // one that was held back would bring an earlier board back.
    if !boards.is_empty() {
        opened.need(&record.committee)?;
        opened.need_exact_version(record.version)?;
    }
    for new in boards {
        check_members(change, scope, &new.board)?;
        let old = board_mut(&mut record, new.name);
        check_replacement(change, scope, old, new)?;
        *old = new.board.clone();
    }
    change.put(ks::tenant(tenant), &record);
    Ok(())
}

/// Refuses a replacement that is not needed, or that asks for fewer people than before: those
/// changes have a delay in which others can veto.
pub(super) fn check_replacement(
    change: &Change<'_>,
    scope: Scope,
    old: &Board,
    new: &NamedBoard,
) -> Result<(), Refusal> {
    let refuse = |what: &str| {
        let detail = format!("{}: {what}", new.name);
        Err(Refusal::new(Code::InvalidReference, detail))
    };
    // A revocation could else exchange a working board without the delay.
    if has_quorum(change, scope, old)? {
        return refuse("the board keeps its quorum without a replacement");
    }
    // Fewer signatures would loosen all that the board decides from now on.
    if new.board.quorum < old.quorum {
        return refuse("a quorum is lowered by a proposal only");
    }
    Ok(())
}
