//! Rows of the approvals service.

use strongroom_ports::db::{Arg, DbError, Row, Tx};
use strongroom_stage::StageError;
use strongroom_types::{DecisionCore, Digest, Document as _, Signed, UnixMs, UserId};
use strongroom_wire::{decode, encode};

/// An intent that waits for people.
pub(crate) struct Pending {
    pub(crate) intent: Digest,
    pub(crate) signed: Signed,
    pub(crate) core: String,
    pub(crate) done: bool,
}

/// One person's yes.
pub(crate) struct Yes {
    pub(crate) person: UserId,
    pub(crate) signed: Signed,
}

fn broken(what: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StageError {
    StageError::fatal("the approvals tables").because(what)
}

fn digest(bytes: &[u8]) -> Result<Digest, StageError> {
    bytes.try_into().map(Digest).map_err(broken)
}

fn pending(row: &Row) -> Result<Pending, StageError> {
    Ok(Pending {
        intent: digest(row.blob(0)?)?,
        signed: decode(row.blob(1)?).map_err(broken)?,
        core: row.text(2)?.to_owned(),
        done: row.bool(3)?,
    })
}

impl Pending {
    /// The decision core.
    pub(crate) fn decision(&self) -> Result<DecisionCore, StageError> {
        DecisionCore::parse(&self.core).map_err(broken)
    }
}

/// Inserts or renews an intent; answers to an older decision are dropped with it.
pub(crate) fn put(
    tx: &mut dyn Tx,
    intent: &Digest,
    signed: &Signed,
    core: &str,
    done: bool,
    expires: UnixMs,
) -> Result<(), StageError> {
    drop_answers(tx, intent)?;
    tx.execute(
        "INSERT INTO pending (intent, signed, core, done, expires) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (intent) DO UPDATE SET core = excluded.core, done = excluded.done",
        &[
            Arg::from(&intent.0),
            Arg::from(&encode(signed)),
            Arg::from(core),
            Arg::from(done),
            Arg::u64(expires.0)?,
        ],
    )?;
    Ok(())
}

pub(crate) fn find(tx: &mut dyn Tx, intent: &Digest) -> Result<Option<Pending>, StageError> {
    let row = tx.query_opt(
        "SELECT intent, signed, core, done FROM pending WHERE intent = $1",
        &[Arg::from(&intent.0)],
    )?;
    row.as_ref().map(pending).transpose()
}

pub(crate) fn mark_done(tx: &mut dyn Tx, intent: &Digest) -> Result<(), DbError> {
    tx.execute(
        "UPDATE pending SET done = TRUE WHERE intent = $1",
        &[Arg::from(&intent.0)],
    )
    .map(drop)
}

/// Forgets an intent and its answers.
pub(crate) fn forget(tx: &mut dyn Tx, intent: &Digest) -> Result<(), DbError> {
    drop_answers(tx, intent)?;
    tx.execute(
        "DELETE FROM pending WHERE intent = $1",
        &[Arg::from(&intent.0)],
    )
    .map(drop)
}

fn drop_answers(tx: &mut dyn Tx, intent: &Digest) -> Result<(), DbError> {
    tx.execute(
        "DELETE FROM answer WHERE intent = $1",
        &[Arg::from(&intent.0)],
    )
    .map(drop)
}

/// Intents whose time is over, at most 64.
pub(crate) fn expired(tx: &mut dyn Tx, now: UnixMs) -> Result<Vec<Pending>, StageError> {
    let rows = tx.query(
        "SELECT intent, signed, core, done FROM pending WHERE expires <= $1 ORDER BY expires LIMIT 64",
        &[Arg::u64(now.0)?],
    )?;
    rows.iter().map(pending).collect()
}

/// Intents that wait for people, at most 64 after `last`, in the order of their digests.
pub(crate) fn waiting(tx: &mut dyn Tx, last: &Digest) -> Result<Vec<Pending>, StageError> {
    let rows = tx.query(
        "SELECT intent, signed, core, done FROM pending WHERE done = FALSE AND intent > $1 ORDER BY intent LIMIT 64",
        &[Arg::from(&last.0)],
    )?;
    rows.iter().map(pending).collect()
}

pub(crate) fn add_yes(
    tx: &mut dyn Tx,
    intent: &Digest,
    approval: &Digest,
    person: UserId,
    signed: &Signed,
) -> Result<(), DbError> {
    let signed = encode(signed);
    let args = [
        Arg::from(&approval.0),
        Arg::from(&intent.0),
        Arg::from(&person.0),
        Arg::from(&signed),
    ];
    let sql = "INSERT INTO answer (digest, intent, person, signed) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    tx.execute(sql, &args).map(drop)
}

/// The yeses so far, one a person, in the order of their digests.
pub(crate) fn yeses(tx: &mut dyn Tx, intent: &Digest) -> Result<Vec<Yes>, StageError> {
    let sql = "SELECT person, signed FROM answer WHERE intent = $1 ORDER BY digest";
    let mut found: Vec<Yes> = Vec::new();
    for row in tx.query(sql, &[Arg::from(&intent.0)])? {
        let person = UserId(row.blob(0)?.try_into().map_err(broken)?);
        if found.iter().all(|yes| yes.person != person) {
            found.push(Yes {
                person,
                signed: decode(row.blob(1)?).map_err(broken)?,
            });
        }
    }
    Ok(found)
}
