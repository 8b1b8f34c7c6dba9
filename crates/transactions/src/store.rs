//! Payments of the transactions service.

use strongroom_ports::db::{Arg, DbError, Row, Tx};
use strongroom_stage::StageError;
use strongroom_stage::post::first_half;
use strongroom_types::{Attempt, Digest, Signed, UnixMs};
use strongroom_wire::{decode, encode};

/// Where a payment stands here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Stand {
    /// Offered to journal and coordinator.
    Signing = 0,
    /// Signed, not yet taken by the network.
    Signed = 1,
    /// Taken by the network.
    Broadcast = 2,
    /// Over, one way or the other.
    Done = 3,
}

/// One payment.
pub(crate) struct Payment {
    pub(crate) intent: Digest,
    pub(crate) signed: Signed,
    pub(crate) core: String,
    pub(crate) approvals: Vec<Signed>,
    pub(crate) attempt: Option<Attempt>,
    pub(crate) unsigned: Vec<u8>,
    pub(crate) raw: Vec<u8>,
    pub(crate) stand: Stand,
    pub(crate) tries: i64,
    pub(crate) expires: UnixMs,
}

fn broken(what: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StageError {
    StageError::fatal("the payment table").because(what)
}

fn stand(number: i64) -> Result<Stand, StageError> {
    match number {
        0 => Ok(Stand::Signing),
        1 => Ok(Stand::Signed),
        2 => Ok(Stand::Broadcast),
        3 => Ok(Stand::Done),
        other => Err(broken(format!("state {other}"))),
    }
}

fn payment(row: &Row) -> Result<Payment, StageError> {
    let attempt: Option<Attempt> = row.blob_opt(4)?.map(decode).transpose().map_err(broken)?;
    Ok(Payment {
        intent: Digest(row.blob(0)?.try_into().map_err(broken)?),
        signed: decode(row.blob(1)?).map_err(broken)?,
        core: row.text(2)?.to_owned(),
        approvals: decode(row.blob(3)?).map_err(broken)?,
        attempt,
        unsigned: row.blob_opt(5)?.unwrap_or_default().to_vec(),
        raw: row.blob_opt(6)?.unwrap_or_default().to_vec(),
        stand: stand(row.i64(7)?)?,
        tries: row.i64(8)?,
        expires: UnixMs(u64::try_from(row.i64(9)?).map_err(broken)?),
    })
}

/// Inserts a payment; `false` when the intent is known already.
pub(crate) fn insert(tx: &mut dyn Tx, payment: &Payment, now: UnixMs) -> Result<bool, StageError> {
    let sql = "INSERT INTO payment
               (intent, signed, core, approvals, state, attempt, unsigned, raw, tries, sent_ms, expires, session)
               VALUES ($1, $2, $3, $4, $5, NULL, NULL, NULL, 0, $6, $7, $8) ON CONFLICT DO NOTHING";
    let (signed, approvals) = (encode(&payment.signed), encode(&payment.approvals));
    let session = first_half(payment.intent);
    let args = [
        Arg::from(&payment.intent.0),
        Arg::from(&signed),
        Arg::from(&payment.core),
        Arg::from(&approvals),
        Arg::from(i64::from(payment.stand as u8)),
        Arg::u64(now.0)?,
        Arg::u64(payment.expires.0)?,
        Arg::from(&session),
    ];
    Ok(tx.execute(sql, &args)? == 1)
}

pub(crate) fn find(tx: &mut dyn Tx, intent: &Digest) -> Result<Option<Payment>, StageError> {
    let sql =
        "SELECT intent, signed, core, approvals, attempt, unsigned, raw, state, tries, expires
               FROM payment WHERE intent = $1";
    tx.query_opt(sql, &[Arg::from(&intent.0)])?
        .as_ref()
        .map(payment)
        .transpose()
}

/// The payment whose records carry this session.
pub(crate) fn by_session(
    tx: &mut dyn Tx,
    session: &[u8; 16],
) -> Result<Option<Payment>, StageError> {
    let sql =
        "SELECT intent, signed, core, approvals, attempt, unsigned, raw, state, tries, expires
               FROM payment WHERE session = $1";
    tx.query_opt(sql, &[Arg::from(session)])?
        .as_ref()
        .map(payment)
        .transpose()
}

/// Payments in a state, last touched before `before`, at most 64.
pub(crate) fn due(
    tx: &mut dyn Tx,
    stand: Stand,
    before: UnixMs,
) -> Result<Vec<Payment>, StageError> {
    let sql =
        "SELECT intent, signed, core, approvals, attempt, unsigned, raw, state, tries, expires
               FROM payment WHERE state = $1 AND sent_ms <= $2 ORDER BY sent_ms LIMIT 64";
    let rows = tx.query(
        sql,
        &[Arg::from(i64::from(stand as u8)), Arg::u64(before.0)?],
    )?;
    rows.iter().map(payment).collect()
}

/// Remembers the built attempt.
pub(crate) fn built(
    tx: &mut dyn Tx,
    intent: &Digest,
    attempt: &Attempt,
    unsigned: &[u8],
    now: UnixMs,
) -> Result<(), DbError> {
    let sql = "UPDATE payment SET attempt = $1, unsigned = $2, tries = tries + 1, sent_ms = $3 WHERE intent = $4";
    let attempt = encode(attempt);
    let args = [
        Arg::from(&attempt),
        Arg::from(unsigned),
        Arg::u64(now.0)?,
        Arg::from(&intent.0),
    ];
    tx.execute(sql, &args).map(drop)
}

/// Moves a payment on.
pub(crate) fn stands(
    tx: &mut dyn Tx,
    intent: &Digest,
    stand: Stand,
    now: UnixMs,
) -> Result<(), DbError> {
    let sql = "UPDATE payment SET state = $1, sent_ms = $2 WHERE intent = $3";
    tx.execute(
        sql,
        &[
            Arg::from(i64::from(stand as u8)),
            Arg::u64(now.0)?,
            Arg::from(&intent.0),
        ],
    )
    .map(drop)
}

/// Remembers the network bytes.
pub(crate) fn signed(
    tx: &mut dyn Tx,
    intent: &Digest,
    raw: &[u8],
    now: UnixMs,
) -> Result<(), DbError> {
    let sql = "UPDATE payment SET state = $1, raw = $2, sent_ms = $3 WHERE intent = $4";
    let args = [
        Arg::from(i64::from(Stand::Signed as u8)),
        Arg::from(raw),
        Arg::u64(now.0)?,
        Arg::from(&intent.0),
    ];
    tx.execute(sql, &args).map(drop)
}

/// Forgets a payment that returns to the approvers.
pub(crate) fn forget(tx: &mut dyn Tx, intent: &Digest) -> Result<(), DbError> {
    tx.execute(
        "DELETE FROM payment WHERE intent = $1",
        &[Arg::from(&intent.0)],
    )
    .map(drop)
}
