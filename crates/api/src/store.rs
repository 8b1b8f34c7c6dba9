//! Rows of the API.

use strongroom_ports::db::{Arg, DbError, DbErrorKind, Row, Tx};
use strongroom_types::{Digest, Intent, Signed, TenantId, TransactionId, UnixMs, VaultId};
use strongroom_wire::{Marks, SignerRefusal, TransactionState, decode, encode};

/// A transaction.
pub(crate) struct TxRow {
    pub(crate) intent: Digest,
    pub(crate) tenant: TenantId,
    pub(crate) vault: VaultId,
    pub(crate) external_id: String,
    pub(crate) signed: Signed,
    pub(crate) state: TransactionState,
    pub(crate) core: String,
    pub(crate) code: String,
    pub(crate) detail: String,
    pub(crate) refusals: Vec<SignerRefusal>,
    pub(crate) network_id: String,
    pub(crate) raw: Vec<u8>,
    pub(crate) marks: Marks,
    pub(crate) created_ms: u64,
    pub(crate) changed_ms: u64,
    pub(crate) expires_ms: u64,
    pub(crate) version: i64,
}

fn broken(what: impl std::fmt::Display) -> DbError {
    DbError::new(DbErrorKind::Type, format!("api table: {what}"))
}

fn state(number: i64) -> Result<TransactionState, DbError> {
    TransactionState::from_number(number).ok_or_else(|| broken(format!("state {number}")))
}

fn tx_row(row: &Row) -> Result<TxRow, DbError> {
    Ok(TxRow {
        intent: Digest(row.array(0)?),
        tenant: TenantId(row.array(1)?),
        vault: VaultId(row.array(2)?),
        external_id: row.text(3)?.to_owned(),
        signed: decode(row.blob(4)?).map_err(broken)?,
        state: state(row.i64(5)?)?,
        core: row.text(6)?.to_owned(),
        code: row.text(7)?.to_owned(),
        detail: row.text(8)?.to_owned(),
        refusals: decode(row.blob(9)?).map_err(broken)?,
        network_id: row.text(10)?.to_owned(),
        raw: row.blob(11)?.to_vec(),
        marks: Marks::from_bytes(row.blob(12)?),
        created_ms: row.u64(13)?,
        changed_ms: row.u64(14)?,
        expires_ms: row.u64(15)?,
        version: row.i64(16)?,
    })
}

/// Inserts a received intent; `false` when its digest or external id is known.
pub(crate) fn insert_tx(
    tx: &mut dyn Tx,
    digest: &Digest,
    intent: &Intent,
    signed: &Signed,
    marks: &Marks,
    now: UnixMs,
) -> Result<bool, DbError> {
    let sql =
        "INSERT INTO tx (intent, id, tenant, vault, external_id, signed, state, core, code, detail, refusals,
                 network_id, raw, marks, created_ms, changed_ms, expires_ms, version)
               VALUES ($1, $2, $3, $4, $5, $6, $7, '', '', '', $8, '', $9, $10, $11, $11, $12, 1)
               ON CONFLICT DO NOTHING";
    let (signed, refusals, marks) = (
        encode(signed),
        encode(&Vec::<SignerRefusal>::new()),
        marks.to_bytes(),
    );
    let id = TransactionId::from(*digest).0;
    let args = [
        Arg::from(&digest.0),
        Arg::from(&id),
        Arg::from(&intent.tenant.0),
        Arg::from(&intent.vault.0),
        Arg::from(intent.external_id.as_str()),
        Arg::from(&signed),
        Arg::from(i64::from(TransactionState::Received as u8)),
        Arg::from(&refusals),
        Arg::from([].as_slice()),
        Arg::from(&marks),
        Arg::u64(now.0)?,
        Arg::u64(intent.expires.0)?,
    ];
    Ok(tx.execute(sql, &args)? == 1)
}

macro_rules! tx_columns {
    ($rest:literal) => {
        concat!(
            "SELECT intent, tenant, vault, external_id, signed, state, core, code, detail, refusals, network_id, ",
            "raw, marks, created_ms, changed_ms, expires_ms, version FROM tx ",
            $rest
        )
    };
}

pub(crate) fn by_id(tx: &mut dyn Tx, id: &[u8; 16]) -> Result<Option<TxRow>, DbError> {
    tx.query_opt(tx_columns!("WHERE id = $1"), &[Arg::from(id)])?
        .as_ref()
        .map(tx_row)
        .transpose()
}

pub(crate) fn by_digest(tx: &mut dyn Tx, digest: &Digest) -> Result<Option<TxRow>, DbError> {
    tx.query_opt(tx_columns!("WHERE intent = $1"), &[Arg::from(&digest.0)])?
        .as_ref()
        .map(tx_row)
        .transpose()
}

/// Newest first, older than the cursor (time, id).
pub(crate) fn page(
    tx: &mut dyn Tx,
    tenant: TenantId,
    before: (u64, [u8; 16]),
    limit: u32,
) -> Result<Vec<TxRow>, DbError> {
    let sql = tx_columns!(
        "WHERE tenant = $1 AND (created_ms < $2 OR (created_ms = $2 AND id < $3)) \
         ORDER BY created_ms DESC, id DESC LIMIT $4"
    );
    let args = [
        Arg::from(&tenant.0),
        Arg::u64(before.0)?,
        Arg::from(&before.1),
        Arg::from(limit),
    ];
    tx.query(sql, &args)?.iter().map(tx_row).collect()
}

/// Transactions in a state that changed before a time, oldest first, at most 64.
pub(crate) fn in_state(
    tx: &mut dyn Tx,
    state: TransactionState,
    before: UnixMs,
) -> Result<Vec<TxRow>, DbError> {
    let sql = tx_columns!("WHERE state = $1 AND changed_ms <= $2 ORDER BY changed_ms LIMIT 64");
    let args = [Arg::from(i64::from(state as u8)), Arg::u64(before.0)?];
    tx.query(sql, &args)?.iter().map(tx_row).collect()
}

/// What waits for approval in one tenant, oldest first, at most 64.
pub(crate) fn waiting(tx: &mut dyn Tx, tenant: TenantId) -> Result<Vec<TxRow>, DbError> {
    let sql = tx_columns!("WHERE tenant = $1 AND state = $2 ORDER BY created_ms, id LIMIT 64");
    let args = [
        Arg::from(&tenant.0),
        Arg::from(i64::from(TransactionState::PendingApproval as u8)),
    ];
    tx.query(sql, &args)?.iter().map(tx_row).collect()
}

/// Writes everything that changes; the version counts on.
pub(crate) fn update(tx: &mut dyn Tx, row: &TxRow, now: UnixMs) -> Result<(), DbError> {
    let sql = "UPDATE tx SET state = $1, core = $2, code = $3, detail = $4, refusals = $5, network_id = $6,
                 raw = $7, marks = $8, changed_ms = $9, version = version + 1 WHERE intent = $10";
    let (refusals, marks) = (encode(&row.refusals), row.marks.to_bytes());
    let args = [
        Arg::from(i64::from(row.state as u8)),
        Arg::from(&row.core),
        Arg::from(&row.code),
        Arg::from(&row.detail),
        Arg::from(&refusals),
        Arg::from(&row.network_id),
        Arg::from(&row.raw),
        Arg::from(&marks),
        Arg::u64(now.0)?,
        Arg::from(&row.intent.0),
    ];
    tx.execute(sql, &args).map(drop)
}

/// Notes that a row was sent again.
pub(crate) fn touch(tx: &mut dyn Tx, intent: &Digest, now: UnixMs) -> Result<(), DbError> {
    let sql = "UPDATE tx SET changed_ms = $1 WHERE intent = $2";
    tx.execute(sql, &[Arg::u64(now.0)?, Arg::from(&intent.0)])
        .map(drop)
}

/// Keeps an accepted answer; `false` when it is known.
pub(crate) fn insert_answer(
    tx: &mut dyn Tx,
    digest: &Digest,
    intent: &Digest,
    signed: &Signed,
    now: UnixMs,
) -> Result<bool, DbError> {
    let sql = "INSERT INTO answer (digest, intent, signed, at_ms) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    let signed = encode(signed);
    let args = [
        Arg::from(&digest.0),
        Arg::from(&intent.0),
        Arg::from(&signed),
        Arg::u64(now.0)?,
    ];
    Ok(tx.execute(sql, &args)? == 1)
}

/// Answers to an intent, in the order they came.
pub(crate) fn answers(tx: &mut dyn Tx, intent: &Digest) -> Result<Vec<Signed>, DbError> {
    let sql = "SELECT signed FROM answer WHERE intent = $1 ORDER BY at_ms, digest";
    let rows = tx.query(sql, &[Arg::from(&intent.0)])?;
    rows.iter()
        .map(|row| decode(row.blob(0)?).map_err(broken))
        .collect()
}

/// The decision changed: earlier answers were to another one.
pub(crate) fn drop_answers(tx: &mut dyn Tx, intent: &Digest) -> Result<(), DbError> {
    tx.execute(
        "DELETE FROM answer WHERE intent = $1",
        &[Arg::from(&intent.0)],
    )
    .map(drop)
}

/// An act offered to the journal.
pub(crate) struct ActRow {
    pub(crate) submission: [u8; 16],
    pub(crate) signed: Signed,
    pub(crate) code: String,
    pub(crate) detail: String,
    pub(crate) done: bool,
}

fn act_row(row: &Row) -> Result<ActRow, DbError> {
    Ok(ActRow {
        submission: row.array(0)?,
        signed: decode(row.blob(1)?).map_err(broken)?,
        code: row.text(2)?.to_owned(),
        detail: row.text(3)?.to_owned(),
        done: row.bool(4)?,
    })
}

/// Keeps an act; one offered before and refused is offered again.
pub(crate) fn put_act(
    tx: &mut dyn Tx,
    digest: &Digest,
    submission: &[u8; 16],
    signed: &Signed,
    now: UnixMs,
) -> Result<(), DbError> {
    let sql = "INSERT INTO act (digest, submission, tenant, signed, code, detail, done, sent_ms)
               VALUES ($1, $2, NULL, $3, '', '', FALSE, $4)
               ON CONFLICT (digest) DO UPDATE SET submission = excluded.submission, signed = excluded.signed,
                 code = '', detail = '', done = FALSE, sent_ms = excluded.sent_ms";
    let signed = encode(signed);
    let args = [
        Arg::from(&digest.0),
        Arg::from(submission),
        Arg::from(&signed),
        Arg::u64(now.0)?,
    ];
    tx.execute(sql, &args).map(drop)
}

pub(crate) fn act(tx: &mut dyn Tx, digest: &Digest) -> Result<Option<ActRow>, DbError> {
    let sql = "SELECT submission, signed, code, detail, done FROM act WHERE digest = $1";
    tx.query_opt(sql, &[Arg::from(&digest.0)])?
        .as_ref()
        .map(act_row)
        .transpose()
}

/// The journal's answer to an act.
pub(crate) fn act_answered(
    tx: &mut dyn Tx,
    submission: &[u8; 16],
    code: &str,
    detail: &str,
) -> Result<bool, DbError> {
    let sql =
        "UPDATE act SET done = TRUE, code = $1, detail = $2 WHERE submission = $3 AND done = FALSE";
    Ok(tx.execute(
        sql,
        &[Arg::from(code), Arg::from(detail), Arg::from(submission)],
    )? == 1)
}

/// Acts without an answer, sent before a time, at most 16; notes that they are sent again.
pub(crate) fn acts_due(
    tx: &mut dyn Tx,
    before: UnixMs,
    now: UnixMs,
) -> Result<Vec<ActRow>, DbError> {
    let sql = "SELECT submission, signed, code, detail, done FROM act
               WHERE done = FALSE AND sent_ms <= $1 ORDER BY sent_ms LIMIT 16";
    let rows = tx.query(sql, &[Arg::u64(before.0)?])?;
    let acts: Vec<ActRow> = rows.iter().map(act_row).collect::<Result<_, _>>()?;
    for act in &acts {
        let sql = "UPDATE act SET sent_ms = $1 WHERE submission = $2";
        tx.execute(sql, &[Arg::u64(now.0)?, Arg::from(&act.submission)])?;
    }
    Ok(acts)
}
