//! Rows of the approvals service.

use crate::inbox::ParsedText;
use crate::pending::{LIFE_CYCLE, PendingEvent, PendingState};
use crate::step::Step;
use strongroom_ports::db::{Arg, DbError, Row, Tx};
use strongroom_stage::StageError;
use strongroom_stage::life_cycle::Transition;
use strongroom_types::{
    Approval, DecisionCore, Digest, Document as _, Intent, Signed, UnixMs, UserId,
};
use strongroom_wire::{decode, encode};

#[cfg(test)]
mod tests;

/// Rows that one page of a walk or one tick takes.
const PAGE_ROWS: i64 = 64;

/// Time after which an approval is told again first, milliseconds: well above the time that a
/// payment without a fault takes to be signed.
const AGAIN_MS: u64 = 2_000;

/// An intent that people approve or approved.
pub(crate) struct Pending {
    /// The intent as it was submitted.
    pub(crate) intent: ParsedText<Intent>,
    /// The decision that is asked about.
    pub(crate) core: DecisionCore,
    /// State of its life cycle.
    pub(crate) state: PendingState,
}

impl Pending {
    /// A change of this row that keeps its decision.
    pub(crate) const fn change(&self) -> Change<'_> {
        Change {
            intent: &self.intent,
            from: self.state,
            core: None,
        }
    }
}

/// An intent before an event of its life cycle.
#[derive(Clone, Copy)]
pub(crate) struct Change<'a> {
    /// Intent whose row changes.
    pub(crate) intent: &'a ParsedText<Intent>,
    /// State as it was read.
    pub(crate) from: PendingState,
    /// Canonical text of the decision core that the event brings; `None` = it stays.
    pub(crate) core: Option<&'a str>,
}

/// One human's yes.
pub(crate) struct Yes {
    /// The human behind the credential.
    pub(crate) person: UserId,
    /// The approval as it was signed.
    pub(crate) answer: ParsedText<Approval>,
}

fn broken(what: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StageError {
    StageError::fatal("the approvals tables").because(what)
}

fn pending(row: &Row) -> Result<Pending, StageError> {
    let signed: Signed = decode(row.blob(0)?).map_err(broken)?;
    Ok(Pending {
        intent: ParsedText::try_from(signed).map_err(broken)?,
        core: DecisionCore::parse(row.text(1)?).map_err(broken)?,
        state: PendingState::from_number(row.i64(2)?).ok_or_else(|| broken("a state"))?,
    })
}

/// The row of an intent; `None` = [`PendingState::Absent`].
pub(crate) fn find(tx: &mut dyn Tx, intent: &Digest) -> Result<Option<Pending>, StageError> {
    let row = tx.query_opt(
        "SELECT signed, core, state FROM pending WHERE intent = $1",
        &[Arg::from(&intent.0)],
    )?;
    row.as_ref().map(pending).transpose()
}

/// Takes an intent through one event of its life cycle and writes its new state. Nothing else
/// writes the state.
pub(crate) fn set_state(
    step: &mut Step<'_>,
    change: Change<'_>,
    event: PendingEvent,
) -> Result<PendingState, StageError> {
    // A record that the state does not take can never be handled; the intent stays as it was.
    let to = change.from.apply(event).map_err(|error| {
        StageError::poison("the record does not fit the intent's state").because(error)
    })?;

    let written = match (change.from, to) {
        (PendingState::Absent, PendingState::Absent) => 1,
        (PendingState::Absent, PendingState::Waiting | PendingState::Approved) => {
            insert(step, change, to)?
        }
        (PendingState::Waiting | PendingState::Approved, PendingState::Absent) => {
            delete(step.tx, change)?
        }
        (
            PendingState::Waiting | PendingState::Approved,
            PendingState::Waiting | PendingState::Approved,
        ) => update(step, change, to)?,
    };

    // Two instances that read the same row must not both act on it: the second one starts again
    // from what the first has written.
    if written != 1 {
        return Err(StageError::transient(
            "the intent was changed by another instance",
        ));
    }

    let transition = Transition {
        life_cycle: LIFE_CYCLE,
        from: change.from.name(),
        event: event.name().into(),
        to: to.name(),
    };
    transition.log(&change.intent.digest);
    Ok(to)
}

fn insert(step: &mut Step<'_>, change: Change<'_>, to: PendingState) -> Result<u64, StageError> {
    let signed = encode(&change.intent.signed);
    // A row without a decision is refused by its column, because there would be nothing to ask
    // people about.
    let args = [
        Arg::from(&change.intent.digest.0),
        Arg::from(&signed),
        Arg::from(change.core),
        Arg::from(to.number()),
        Arg::u64(change.intent.document.expires.0)?,
        Arg::u64(step.now.0)?,
        Arg::u64(step.now.plus(AGAIN_MS).0)?,
    ];
    let sql = "INSERT INTO pending (intent, signed, core, state, expires, since_ms, due_ms)
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    Ok(step.tx.execute(sql, &args)?)
}

fn update(step: &mut Step<'_>, change: Change<'_>, to: PendingState) -> Result<u64, StageError> {
    // The answers stay, whatever the event: those that count no more are left out when they are
    // counted, and a decision may come back. The API does not send again what was handled here, so
    // that an answer which is gone could never be given again.
    let sql = "UPDATE pending SET state = $1, core = COALESCE($2, core), since_ms = $3, due_ms = $4
               WHERE intent = $5 AND state = $6";
    let args = [
        Arg::from(to.number()),
        Arg::from(change.core),
        Arg::u64(step.now.0)?,
        Arg::u64(step.now.plus(AGAIN_MS).0)?,
        Arg::from(&change.intent.digest.0),
        Arg::from(change.from.number()),
    ];
    Ok(step.tx.execute(sql, &args)?)
}

/// Deletes an intent and its answers.
fn delete(tx: &mut dyn Tx, change: Change<'_>) -> Result<u64, StageError> {
    let digest = Arg::from(&change.intent.digest.0);
    tx.execute("DELETE FROM answer WHERE intent = $1", &[digest])?;

    let sql = "DELETE FROM pending WHERE intent = $1 AND state = $2";
    let args = [digest, Arg::from(change.from.number())];
    Ok(tx.execute(sql, &args)?)
}

/// Remembers until `expires` that the end of an intent was told, and forgets those whose time is not
/// after `past`.
pub(crate) fn insert_refused(
    tx: &mut dyn Tx,
    intent: &Digest,
    (expires, past): (UnixMs, UnixMs),
) -> Result<(), DbError> {
    tx.execute(
        "DELETE FROM refused WHERE expires <= $1",
        &[Arg::u64(past.0)?],
    )?;
    let sql = "INSERT INTO refused (intent, expires) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    tx.execute(sql, &[Arg::from(&intent.0), Arg::u64(expires.0)?])
        .map(drop)
}

/// Whether the end of an intent was told.
pub(crate) fn was_refused(tx: &mut dyn Tx, intent: &Digest) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM refused WHERE intent = $1";
    let row = tx.query_opt(sql, &[Arg::from(&intent.0)])?;
    Ok(row.is_some())
}

/// Intents whose deadline is not after `past`, a page at most.
pub(crate) fn expired(tx: &mut dyn Tx, past: UnixMs) -> Result<Vec<Pending>, StageError> {
    let rows = tx.query(
        "SELECT signed, core, state FROM pending WHERE expires <= $1 ORDER BY expires LIMIT $2",
        &[Arg::u64(past.0)?, Arg::from(PAGE_ROWS)],
    )?;
    rows.iter().map(pending).collect()
}

/// Intents that wait for people, a page at most after `last`, in the order of their digests.
pub(crate) fn waiting_after(tx: &mut dyn Tx, last: &Digest) -> Result<Vec<Pending>, StageError> {
    let rows = tx.query(
        "SELECT signed, core, state FROM pending
         WHERE state = $1 AND intent > $2 ORDER BY intent LIMIT $3",
        &[
            Arg::from(PendingState::Waiting.number()),
            Arg::from(&last.0),
            Arg::from(PAGE_ROWS),
        ],
    )?;
    rows.iter().map(pending).collect()
}

/// Approved intents that are due to be told again, a page at most, each with the time of its last
/// event. After a clock that was ahead is set right, one that was told then would wait until the pause
/// that this made is over, so it is due as well: pauses double, and so `due_ms - now` is at most
/// `now - since_ms` but for [`AGAIN_MS`].
pub(crate) fn approved_due(
    tx: &mut dyn Tx,
    now: UnixMs,
) -> Result<Vec<(Pending, UnixMs)>, StageError> {
    let rows = tx.query(
        "SELECT signed, core, state, since_ms FROM pending
         WHERE state = $1 AND (due_ms <= $2 OR due_ms > $3 - since_ms) ORDER BY due_ms, intent LIMIT $4",
        &[
            Arg::from(PendingState::Approved.number()),
            Arg::u64(now.0)?,
            Arg::u64(now.0.saturating_mul(2).saturating_add(2 * AGAIN_MS))?,
            Arg::from(PAGE_ROWS),
        ],
    )?;
    rows.iter()
        .map(|row| Ok((pending(row)?, UnixMs(row.u64(3)?))))
        .collect()
}

/// Sets when an approved intent is due again.
pub(crate) fn set_due(tx: &mut dyn Tx, intent: &Digest, due: UnixMs) -> Result<(), DbError> {
    let sql = "UPDATE pending SET due_ms = $1 WHERE intent = $2";
    tx.execute(sql, &[Arg::u64(due.0)?, Arg::from(&intent.0)])
        .map(drop)
}

/// Stores a yes. The same approval twice is one row.
pub(crate) fn insert_yes(tx: &mut dyn Tx, yes: &Yes) -> Result<(), DbError> {
    let signed = encode(&yes.answer.signed);
    tx.execute(
        "INSERT INTO answer (digest, intent, person, signed) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING",
        &[
            Arg::from(&yes.answer.digest.0),
            Arg::from(&yes.answer.document.intent.0),
            Arg::from(&yes.person.0),
            Arg::from(&signed),
        ],
    )
    .map(drop)
}

/// Deletes a yes that another one takes the place of.
pub(crate) fn delete_yes(tx: &mut dyn Tx, answer: &Digest) -> Result<(), DbError> {
    let sql = "DELETE FROM answer WHERE digest = $1";
    tx.execute(sql, &[Arg::from(&answer.0)]).map(drop)
}

/// The yeses so far, in the order of their digests.
pub(crate) fn yeses(tx: &mut dyn Tx, intent: &Digest) -> Result<Vec<Yes>, StageError> {
    // The order is fixed, so that a re-run picks the same approvals for the same seats.
    let rows = tx.query(
        "SELECT person, signed FROM answer WHERE intent = $1 ORDER BY digest",
        &[Arg::from(&intent.0)],
    )?;

    let yes = |row: &Row| {
        let signed: Signed = decode(row.blob(1)?).map_err(broken)?;
        Ok(Yes {
            person: UserId(row.blob(0)?.try_into().map_err(broken)?),
            answer: ParsedText::try_from(signed).map_err(broken)?,
        })
    };
    rows.iter().map(yes).collect()
}
