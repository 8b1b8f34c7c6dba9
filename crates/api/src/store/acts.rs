//! Table `act`: acts offered to the journal.

use super::{broken, from_the_future};
use strongroom_ports::db::{Arg, DbError, Row, Tx};
use strongroom_types::{Digest, Signed, UnixMs};
use strongroom_wire::{decode, encode};

/// An act offered to the journal.
pub(crate) struct ActRow {
    pub(crate) submission: [u8; 16],
    pub(crate) signed: Signed,
    pub(crate) code: String,
    pub(crate) detail: String,
    pub(crate) done: bool,
    /// Time at which it was posted last.
    pub(crate) at: UnixMs,
    /// Time from which on it is due again; that of its post until it was sent again.
    pub(crate) due: UnixMs,
}

fn act_row(row: &Row) -> Result<ActRow, DbError> {
    Ok(ActRow {
        submission: row.array(0)?,
        signed: decode(row.blob(1)?).map_err(broken)?,
        code: row.text(2)?.to_owned(),
        detail: row.text(3)?.to_owned(),
        done: row.bool(4)?,
        at: UnixMs(row.u64(5)?),
        due: UnixMs(row.u64(6)?),
    })
}

/// An act whose signatures were verified.
pub(crate) struct OfferedAct<'a> {
    pub(crate) digest: &'a Digest,
    pub(crate) submission: &'a [u8; 16],
    pub(crate) signed: &'a Signed,
    pub(crate) expires: UnixMs,
}

/// Inserts an act; one offered before is offered again.
pub(crate) fn insert_act(
    tx: &mut dyn Tx,
    act: &OfferedAct<'_>,
    now: UnixMs,
) -> Result<(), DbError> {
    // All of the row is that of the new offer: an answer to the earlier one must neither end it nor
    // be shown beside it.
    let sql = "INSERT INTO act
                 (digest, submission, tenant, signed, code, detail, done, due_ms, look_ms, at_ms)
               VALUES ($1, $2, NULL, $3, '', '', FALSE, $4, $5, $4)
               ON CONFLICT (digest) DO UPDATE SET submission = excluded.submission, signed = excluded.signed,
                 code = '', detail = '', done = FALSE, due_ms = excluded.due_ms, look_ms = excluded.look_ms,
                 at_ms = excluded.at_ms";

    let signed = encode(act.signed);
    let args = [
        Arg::from(&act.digest.0),
        Arg::from(act.submission),
        Arg::from(&signed),
        Arg::u64(now.0)?,
        Arg::u64(act.expires.0)?,
    ];
    tx.execute(sql, &args).map(drop)
}

/// The act with this digest, if it was offered here.
pub(crate) fn act(tx: &mut dyn Tx, digest: &Digest) -> Result<Option<ActRow>, DbError> {
    let sql =
        "SELECT submission, signed, code, detail, done, at_ms, due_ms FROM act WHERE digest = $1";
    tx.query_opt(sql, &[Arg::from(&digest.0)])?
        .as_ref()
        .map(act_row)
        .transpose()
}

/// Sets the journal's answer to an act: an empty code when it was appended.
pub(crate) fn set_act_result(
    tx: &mut dyn Tx,
    submission: &[u8; 16],
    code: &str,
    detail: &str,
) -> Result<bool, DbError> {
    // The first answer stays: a record that is delivered twice must not change it.
    let sql =
        "UPDATE act SET done = TRUE, code = $1, detail = $2 WHERE submission = $3 AND done = FALSE";
    Ok(tx.execute(
        sql,
        &[Arg::from(code), Arg::from(detail), Arg::from(submission)],
    )? == 1)
}

/// Acts without an answer that are due at a time, at most 16 (each may be 64 KiB). Those of a clock
/// that was ahead are due as well.
pub(crate) fn acts_due(tx: &mut dyn Tx, at: UnixMs) -> Result<Vec<ActRow>, DbError> {
    let sql = "SELECT submission, signed, code, detail, done, at_ms, due_ms FROM act
               WHERE done = FALSE AND (due_ms <= $1 OR due_ms > $2 - at_ms) ORDER BY due_ms LIMIT 16";
    tx.query(sql, &[Arg::u64(at.0)?, from_the_future(at)?])?
        .iter()
        .map(act_row)
        .collect()
}

/// Sets when an act without an answer is due again.
pub(crate) fn set_act_due(
    tx: &mut dyn Tx,
    submission: &[u8; 16],
    at: UnixMs,
) -> Result<(), DbError> {
    let sql = "UPDATE act SET due_ms = $1 WHERE submission = $2";
    tx.execute(sql, &[Arg::u64(at.0)?, Arg::from(submission)])
        .map(drop)
}

/// Answered acts whose time is over, at most 16, that are to be looked at by now.
pub(crate) fn acts_past_their_end(tx: &mut dyn Tx, now: UnixMs) -> Result<Vec<ActRow>, DbError> {
    // The page bounds how long a tick holds the tables: after an outage many acts end at once.
    let sql = "SELECT submission, signed, code, detail, done, at_ms, due_ms FROM act
               WHERE done = TRUE AND look_ms <= $1 ORDER BY look_ms LIMIT 16";
    tx.query(sql, &[Arg::u64(now.0)?])?
        .iter()
        .map(act_row)
        .collect()
}

/// Has an answered act looked at later.
pub(crate) fn set_act_look(
    tx: &mut dyn Tx,
    submission: &[u8; 16],
    at: UnixMs,
) -> Result<(), DbError> {
    let sql = "UPDATE act SET look_ms = $1 WHERE submission = $2";
    tx.execute(sql, &[Arg::u64(at.0)?, Arg::from(submission)])
        .map(drop)
}

pub(crate) fn delete_act(tx: &mut dyn Tx, submission: &[u8; 16]) -> Result<(), DbError> {
    let sql = "DELETE FROM act WHERE submission = $1";
    tx.execute(sql, &[Arg::from(submission)]).map(drop)
}
