//! Table `answer`: approvers' answers that the API took.

use super::{broken, from_the_future};
use strongroom_ports::db::{Arg, DbError, Row, Tx};
use strongroom_types::{Approval, Digest, Document as _, Signed, UnixMs};
use strongroom_wire::{decode, encode};

/// Inserts an answer that is still to be sent; `false` when it is known.
pub(crate) fn insert_answer(
    tx: &mut dyn Tx,
    digest: &Digest,
    intent: &Digest,
    signed: &Signed,
    now: UnixMs,
) -> Result<bool, DbError> {
    let sql = "INSERT INTO answer (digest, intent, signed, at_ms, due_ms) VALUES ($1, $2, $3, $4, $4) \
               ON CONFLICT DO NOTHING";

    let signed = encode(signed);
    let args = [
        Arg::from(&digest.0),
        Arg::from(&intent.0),
        Arg::from(&signed),
        Arg::u64(now.0)?,
    ];
    Ok(tx.execute(sql, &args)? == 1)
}

/// Deletes an answer that another one takes the place of.
pub(crate) fn delete_answer(tx: &mut dyn Tx, digest: &Digest) -> Result<(), DbError> {
    let sql = "DELETE FROM answer WHERE digest = $1";
    tx.execute(sql, &[Arg::from(&digest.0)]).map(drop)
}

/// An approver's answer.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) digest: Digest,
    pub(crate) signed: Signed,
    /// The signed text, parsed.
    pub(crate) document: Approval,
}

/// The answer in a row that begins with its digest and its signed text.
fn answer(row: &Row) -> Result<Answer, DbError> {
    let signed: Signed = decode(row.blob(1)?).map_err(broken)?;
    Ok(Answer {
        digest: Digest(row.array(0)?),
        document: Approval::parse(&signed.text).map_err(broken)?,
        signed,
    })
}

/// Answers to an intent, in the order they came.
pub(crate) fn answers(tx: &mut dyn Tx, intent: &Digest) -> Result<Vec<Answer>, DbError> {
    // The digest makes the order total: it must not change between two requests.
    let sql = "SELECT digest, signed FROM answer WHERE intent = $1 ORDER BY at_ms, digest";
    let rows = tx.query(sql, &[Arg::from(&intent.0)])?;
    rows.iter().map(answer).collect()
}

/// An answer that is due to be sent again.
pub(crate) struct DueAnswer {
    pub(crate) answer: Answer,
    pub(crate) intent: Digest,
    /// Time at which it was taken.
    pub(crate) at: UnixMs,
}

/// The answers that are due at a time, at most 64. Those of a clock that was ahead are due as well,
/// but none that is never due.
pub(crate) fn answers_due(tx: &mut dyn Tx, at: UnixMs) -> Result<Vec<DueAnswer>, DbError> {
    // The bound on `due_ms` comes first: answers that are never due stay for those who ask, and a
    // tick must not read them all.
    let sql = "SELECT digest, signed, intent, at_ms FROM answer
               WHERE due_ms < $3 AND (due_ms <= $1 OR due_ms > $2 - at_ms) ORDER BY due_ms, digest LIMIT 64";
    let rows = tx.query(
        sql,
        &[Arg::u64(at.0)?, from_the_future(at)?, Arg::from(i64::MAX)],
    )?;
    rows.iter()
        .map(|row| {
            Ok(DueAnswer {
                answer: answer(row)?,
                intent: Digest(row.array(2)?),
                at: UnixMs(row.u64(3)?),
            })
        })
        .collect()
}

/// Sets when an answer is due again; `None` = never.
pub(crate) fn set_due(
    tx: &mut dyn Tx,
    answer: &Digest,
    due: Option<UnixMs>,
) -> Result<(), DbError> {
    let due = due.map_or(Ok(Arg::from(i64::MAX)), |due| Arg::u64(due.0))?;
    let sql = "UPDATE answer SET due_ms = $1 WHERE digest = $2";
    tx.execute(sql, &[due, Arg::from(&answer.0)]).map(drop)
}

/// Makes the answers to an intent due again from a time on: its people are asked again.
pub(crate) fn set_all_due(tx: &mut dyn Tx, intent: &Digest, from: UnixMs) -> Result<(), DbError> {
    let sql = "UPDATE answer SET due_ms = $1 WHERE intent = $2";
    tx.execute(sql, &[Arg::u64(from.0)?, Arg::from(&intent.0)])
        .map(drop)
}
