//! Rows of the approvals service.

use crate::inbox::ParsedText;
use crate::pending::PendingState;
use strongroom_ports::db::{Arg, DbError, Row, Tx};
use strongroom_stage::StageError;
use strongroom_types::{
    Approval, DecisionCore, Digest, Document as _, Intent, Signed, UnixMs, UserId,
};
use strongroom_wire::{decode, encode};

/// Rows that one page of a walk or one tick takes.
const PAGE_ROWS: i64 = 64;

/// An intent that people approve or approved.
pub(crate) struct Pending {
    /// The intent as it was submitted.
    pub(crate) intent: ParsedText<Intent>,
    /// The decision that is asked about.
    pub(crate) core: DecisionCore,
    /// [`PendingState::Waiting`] or [`PendingState::Approved`].
    pub(crate) state: PendingState,
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
        state: if row.bool(2)? {
            PendingState::Approved
        } else {
            PendingState::Waiting
        },
    })
}

/// Inserts an intent that waits for people, or gives its row the new decision. Answers stay only
/// when they were given to this same decision.
pub(crate) fn set_waiting(
    tx: &mut dyn Tx,
    intent: &ParsedText<Intent>,
    core: &str,
) -> Result<(), StageError> {
    let digest = Arg::from(&intent.digest.0);

    // The API repeats an intent, and the journal returns one, more than once.
    let same = tx.query_opt(
        "SELECT intent FROM pending WHERE intent = $1 AND core = $2 AND done = FALSE",
        &[digest, Arg::from(core)],
    )?;
    if same.is_some() {
        return Ok(());
    }

    // An answer names the decision it approves: under another one it is worth nothing.
    delete_answers(tx, &intent.digest)?;
    tx.execute(
        "INSERT INTO pending (intent, signed, core, done, expires) VALUES ($1, $2, $3, FALSE, $4)
         ON CONFLICT (intent) DO UPDATE SET core = excluded.core, done = FALSE",
        &[
            digest,
            Arg::from(&encode(&intent.signed)),
            Arg::from(core),
            Arg::u64(intent.document.expires.0)?,
        ],
    )?;
    Ok(())
}

/// The row of an intent; `None` = [`PendingState::Absent`].
pub(crate) fn find(tx: &mut dyn Tx, intent: &Digest) -> Result<Option<Pending>, StageError> {
    let row = tx.query_opt(
        "SELECT signed, core, done FROM pending WHERE intent = $1",
        &[Arg::from(&intent.0)],
    )?;
    row.as_ref().map(pending).transpose()
}

pub(crate) fn set_approved(tx: &mut dyn Tx, intent: &Digest) -> Result<(), DbError> {
    tx.execute(
        "UPDATE pending SET done = TRUE WHERE intent = $1",
        &[Arg::from(&intent.0)],
    )
    .map(drop)
}

/// Deletes an intent and its answers.
pub(crate) fn delete(tx: &mut dyn Tx, intent: &Digest) -> Result<(), DbError> {
    delete_answers(tx, intent)?;

    tx.execute(
        "DELETE FROM pending WHERE intent = $1",
        &[Arg::from(&intent.0)],
    )
    .map(drop)
}

fn delete_answers(tx: &mut dyn Tx, intent: &Digest) -> Result<(), DbError> {
    tx.execute(
        "DELETE FROM answer WHERE intent = $1",
        &[Arg::from(&intent.0)],
    )
    .map(drop)
}

/// Intents whose deadline is not after `past`, a page at most.
pub(crate) fn expired(tx: &mut dyn Tx, past: UnixMs) -> Result<Vec<Pending>, StageError> {
    let rows = tx.query(
        "SELECT signed, core, done FROM pending WHERE expires <= $1 ORDER BY expires LIMIT $2",
        &[Arg::u64(past.0)?, Arg::from(PAGE_ROWS)],
    )?;
    rows.iter().map(pending).collect()
}

/// Intents that wait for people, a page at most after `last`, in the order of their digests.
pub(crate) fn waiting_after(tx: &mut dyn Tx, last: &Digest) -> Result<Vec<Pending>, StageError> {
    let rows = tx.query(
        "SELECT signed, core, done FROM pending
         WHERE done = FALSE AND intent > $1 ORDER BY intent LIMIT $2",
        &[Arg::from(&last.0), Arg::from(PAGE_ROWS)],
    )?;
    rows.iter().map(pending).collect()
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

/// The yeses so far, one per human, in the order of their digests.
pub(crate) fn yeses(tx: &mut dyn Tx, intent: &Digest) -> Result<Vec<Yes>, StageError> {
    // In a fixed order, so that a re-run picks the same approvals for the same seats.
    let rows = tx.query(
        "SELECT person, signed FROM answer WHERE intent = $1 ORDER BY digest",
        &[Arg::from(&intent.0)],
    )?;

    let mut found: Vec<Yes> = Vec::new();
    for row in rows {
        let person = UserId(row.blob(0)?.try_into().map_err(broken)?);
        // A human with two credentials counts once.
        if found.iter().any(|yes| yes.person == person) {
            continue;
        }

        let signed: Signed = decode(row.blob(1)?).map_err(broken)?;
        found.push(Yes {
            person,
            answer: ParsedText::try_from(signed).map_err(broken)?,
        });
    }
    Ok(found)
}
