//! Table `tx`: one row per intent.

use super::broken;
use crate::life_cycle::{LIFE_CYCLE, RowEvent, apply};
use strongroom_ports::db::{Arg, DbError, DbErrorKind, Row, Tx};
use strongroom_stage::life_cycle::{IllegalTransition, Transition};
use strongroom_types::fields::FormError;
use strongroom_types::{
    Code, DecisionCore, Digest, Document as _, Intent, Signed, TenantId, TransactionId, UnixMs,
    VaultId, printable,
};
use strongroom_wire::{Marks, SignerRefusal, TransactionState, decode, encode};

/// A row of `tx`: an intent and its progress.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct TxRow {
    pub(crate) intent: Digest,
    pub(crate) tenant: TenantId,
    pub(crate) vault: VaultId,
    pub(crate) external_id: String,
    pub(crate) signed: Signed,
    /// The signed text, parsed.
    pub(crate) document: Intent,
    /// Written by [`Self::apply`] alone.
    state: TransactionState,
    /// The decision core; `None` while nothing is decided, and when a refusal had none.
    pub(crate) core: Option<CoreText>,
    pub(crate) code: String,
    pub(crate) detail: String,
    pub(crate) refusals: Vec<SignerRefusal>,
    pub(crate) network_id: String,
    pub(crate) raw: Vec<u8>,
    pub(crate) marks: Marks,
    pub(crate) created_ms: u64,
    pub(crate) changed_ms: u64,
    pub(crate) expires_ms: u64,
    /// Number of changes that a client can see, from 1.
    pub(crate) version: u64,
    /// Number of the journal's entries by which the intent was taken.
    pub(crate) size: u64,
}

impl TxRow {
    pub(crate) const fn state(&self) -> TransactionState {
        self.state
    }

    /// Takes the row through one event of its life cycle. On an error it stays as it is.
    pub(crate) fn apply(&mut self, event: RowEvent) -> Result<(), IllegalTransition> {
        // The state changes only if the life cycle allows it.
        let from = self.state;
        self.state = apply(from, event)?;

        let transition = Transition {
            life_cycle: LIFE_CYCLE,
            from: from.name(),
            event: event.name().into(),
            to: self.state.name(),
        };
        transition.log(&self.intent);
        Ok(())
    }

    /// Whether the intent was approved once and is back at its people: only then its state has a
    /// reason while they are asked.
    pub(crate) fn is_returned(&self) -> bool {
        self.state == TransactionState::PendingApproval && !self.code.is_empty()
    }

    /// Sets the reason of the state.
    pub(crate) fn set_reason(&mut self, code: Code, detail: String) {
        (self.code, self.detail) = (code.as_str().to_owned(), printable(detail));
    }

    pub(crate) fn clear_reason(&mut self) {
        (self.code, self.detail) = (String::new(), String::new());
    }
}

/// A decision core as its canonical text, and what that says.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct CoreText {
    pub(crate) text: String,
    pub(crate) document: DecisionCore,
}

impl CoreText {
    /// Parses the core of a record or of a row, where an empty text is none.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, FormError> {
        if text.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            text: text.to_owned(),
            document: DecisionCore::parse(text)?,
        }))
    }

    /// Digest that the answers to this decision name.
    pub(crate) fn digest(&self) -> Digest {
        DecisionCore::digest_of(&self.text)
    }
}

fn state(number: i64) -> Result<TransactionState, DbError> {
    TransactionState::from_number(number).ok_or_else(|| broken(format!("state {number}")))
}

fn tx_row(row: &Row) -> Result<TxRow, DbError> {
    // The texts are parsed here and nowhere else: reading a damaged row is an error, and gives no
    // row without purpose or decision.
    let signed: Signed = decode(row.blob(4)?).map_err(broken)?;
    Ok(TxRow {
        intent: Digest(row.array(0)?),
        tenant: TenantId(row.array(1)?),
        vault: VaultId(row.array(2)?),
        external_id: row.text(3)?.to_owned(),
        document: Intent::parse(&signed.text).map_err(broken)?,
        signed,
        state: state(row.i64(5)?)?,
        core: CoreText::parse(row.text(6)?).map_err(broken)?,
        code: row.text(7)?.to_owned(),
        detail: row.text(8)?.to_owned(),
        refusals: decode(row.blob(9)?).map_err(broken)?,
        network_id: row.text(10)?.to_owned(),
        raw: row.blob(11)?.to_vec(),
        marks: Marks::from_bytes(row.blob(12)?),
        created_ms: row.u64(13)?,
        changed_ms: row.u64(14)?,
        expires_ms: row.u64(15)?,
        version: row.u64(16)?,
        size: row.u64(17)?,
    })
}

/// An intent as it was received: its signed text, what it says, and its name.
#[derive(Clone, Copy)]
pub(crate) struct ReceivedIntent<'a> {
    pub(crate) digest: &'a Digest,
    pub(crate) intent: &'a Intent,
    pub(crate) signed: &'a Signed,
    /// Number of the journal's entries by which it was taken.
    pub(crate) size: u64,
}

/// Inserts a received intent; `false` when its digest or external id is known.
pub(crate) fn insert_tx(
    tx: &mut dyn Tx,
    received: ReceivedIntent<'_>,
    marks: &Marks,
    now: UnixMs,
) -> Result<bool, DbError> {
    let ReceivedIntent {
        digest,
        intent,
        signed,
        size,
    } = received;
    // Nothing is decided, refused or signed yet. Those columns are empty and not NULL, so that a row is
    // read in one way whatever became of it.
    let sql =
        "INSERT INTO tx (intent, id, tenant, vault, external_id, signed, state, core, code, detail, refusals,
                 network_id, raw, marks, created_ms, changed_ms, expires_ms, version, size)
               VALUES ($1, $2, $3, $4, $5, $6, $7, '', '', '', $8, '', $9, $10, $11, $11, $12, 1, $13)
               ON CONFLICT DO NOTHING";

    let (signed, refusals, marks) = (
        encode(signed),
        encode(&Vec::<SignerRefusal>::new()),
        marks.to_bytes(),
    );
    // The id is derived from the digest and not drawn, so that a client that posts the same intent
    // again gets the same one.
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
        Arg::u64(size)?,
    ];

    // The database decides and not a look before it: two requests at the same time must not both
    // insert.
    Ok(tx.execute(sql, &args)? == 1)
}

macro_rules! tx_columns {
    ($rest:literal) => {
        concat!(
            "SELECT intent, tenant, vault, external_id, signed, state, core, code, detail, refusals, network_id, ",
            "raw, marks, created_ms, changed_ms, expires_ms, version, size FROM tx ",
            $rest
        )
    };
}

/// The transaction with this id, of any tenant: the caller checks whose it is.
pub(crate) fn by_id(tx: &mut dyn Tx, id: TransactionId) -> Result<Option<TxRow>, DbError> {
    tx.query_opt(tx_columns!("WHERE id = $1"), &[Arg::from(&id.0)])?
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

/// Place in a tenant's list of transactions, which is ordered by time and id: by time alone, rows
/// of one millisecond would be left out or shown twice.
#[derive(Clone, Copy)]
pub(crate) struct PageCursor {
    /// Time at which the row was made, Unix milliseconds.
    pub(crate) created_ms: u64,
    pub(crate) id: TransactionId,
}

impl PageCursor {
    /// Before every row: the largest time that the store can hold, and the largest id.
    pub(crate) const NEWEST: Self = Self {
        created_ms: i64::MAX.unsigned_abs(),
        id: TransactionId([255; 16]),
    };
}

/// Newest first, older than the cursor.
pub(crate) fn page(
    tx: &mut dyn Tx,
    tenant: TenantId,
    before: PageCursor,
    limit: u32,
) -> Result<Vec<TxRow>, DbError> {
    // The place is a row's and not a count of rows: those that are added while a client turns pages
    // would move all others by as many.
    let sql = tx_columns!(
        "WHERE tenant = $1 AND (created_ms < $2 OR (created_ms = $2 AND id < $3)) \
         ORDER BY created_ms DESC, id DESC LIMIT $4"
    );
    let args = [
        Arg::from(&tenant.0),
        Arg::u64(before.created_ms)?,
        Arg::from(&before.id.0),
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
    // The page bounds how long a tick holds the tables: after an outage many rows are due at once.
    let sql = tx_columns!("WHERE state = $1 AND changed_ms <= $2 ORDER BY changed_ms LIMIT 64");
    let args = [Arg::from(i64::from(state as u8)), Arg::u64(before.0)?];
    tx.query(sql, &args)?.iter().map(tx_row).collect()
}

/// Transactions in a state whose intent's end is not after `past`, at most 64, without those that are
/// shown as too late.
pub(crate) fn txs_past_their_end(
    tx: &mut dyn Tx,
    state: TransactionState,
    past: UnixMs,
) -> Result<Vec<TxRow>, DbError> {
    // Of what is too late nothing more is said here. It stays in its state for good, and would soon be
    // all that a page holds.
    let sql = tx_columns!(
        "WHERE state = $1 AND expires_ms <= $2 AND code <> $3 ORDER BY expires_ms LIMIT 64"
    );
    let args = [
        Arg::from(i64::from(state as u8)),
        Arg::u64(past.0)?,
        Arg::from(Code::TooLate.as_str()),
    ];
    tx.query(sql, &args)?.iter().map(tx_row).collect()
}

/// Transactions of one tenant that wait for approval, oldest first, at most 64.
pub(crate) fn waiting(tx: &mut dyn Tx, tenant: TenantId) -> Result<Vec<TxRow>, DbError> {
    // A client's request reads this, and no backlog of its tenant makes the answer larger: it shows
    // those that have waited longest.
    let sql = tx_columns!("WHERE tenant = $1 AND state = $2 ORDER BY created_ms, id LIMIT 64");
    let args = [
        Arg::from(&tenant.0),
        Arg::from(i64::from(TransactionState::PendingApproval as u8)),
    ];
    tx.query(sql, &args)?.iter().map(tx_row).collect()
}

/// Updates a row that differs from what it was; the version counts changes, so a record that says
/// again what the row says already must not be one.
pub(crate) fn update(
    tx: &mut dyn Tx,
    was: &TxRow,
    row: &TxRow,
    now: UnixMs,
) -> Result<(), DbError> {
    if row == was {
        return Ok(());
    }

    let sql = "UPDATE tx SET state = $1, core = $2, code = $3, detail = $4, refusals = $5, network_id = $6,
                 raw = $7, marks = $8, changed_ms = $9, version = version + 1 WHERE intent = $10 AND version = $11";

    let (refusals, marks) = (encode(&row.refusals), row.marks.to_bytes());
    let core = row.core.as_ref().map_or("", |core| core.text.as_str());
    let args = [
        Arg::from(i64::from(row.state as u8)),
        Arg::from(core),
        Arg::from(&row.code),
        Arg::from(&row.detail),
        Arg::from(&refusals),
        Arg::from(&row.network_id),
        Arg::from(&row.raw),
        Arg::from(&marks),
        Arg::u64(now.0)?,
        Arg::from(&row.intent.0),
        Arg::u64(was.version)?,
    ];

    // The update fails when another one was faster: `row` was made from `was`, and over a newer row
    // it would undo what that one says.
    match tx.execute(sql, &args)? {
        0 => Err(DbError::new(DbErrorKind::Busy, "the row has changed since")),
        _ => Ok(()),
    }
}

/// Sets the time at which a row's intent was sent again.
pub(crate) fn set_sent(tx: &mut dyn Tx, intent: &Digest, now: UnixMs) -> Result<(), DbError> {
    // The version stays: it counts changes, and the row says nothing new.
    let sql = "UPDATE tx SET changed_ms = $1 WHERE intent = $2";
    tx.execute(sql, &[Arg::u64(now.0)?, Arg::from(&intent.0)])
        .map(drop)
}
