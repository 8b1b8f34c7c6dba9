//! Table `answer`: approvers' answers that the API took.

use super::broken;
use strongroom_ports::db::{Arg, DbError, Tx};
use strongroom_types::{Digest, Signed, UnixMs};
use strongroom_wire::{decode, encode};

/// Inserts an answer that is still to be sent; `false` when it is known.
pub(crate) fn insert_answer(
    tx: &mut dyn Tx,
    digest: &Digest,
    intent: &Digest,
    signed: &Signed,
    now: UnixMs,
) -> Result<bool, DbError> {
    let sql = "INSERT INTO answer (digest, intent, signed, at_ms, sent) VALUES ($1, $2, $3, $4, FALSE) \
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

/// Answers to an intent, in the order they came.
pub(crate) fn answers(tx: &mut dyn Tx, intent: &Digest) -> Result<Vec<Signed>, DbError> {
    // The digest makes the order total: it must not change between two requests.
    let sql = "SELECT signed FROM answer WHERE intent = $1 ORDER BY at_ms, digest";
    let rows = tx.query(sql, &[Arg::from(&intent.0)])?;
    rows.iter()
        .map(|row| decode(row.blob(0)?).map_err(broken))
        .collect()
}

/// Takes the answers from before a time that are still to be sent, with their intents; at most 64.
/// They count as sent from now on, so the caller sends them in the same transaction.
pub(crate) fn answers_unsent(
    tx: &mut dyn Tx,
    before: UnixMs,
) -> Result<Vec<(Digest, Signed)>, DbError> {
    let sql = "SELECT digest, intent, signed FROM answer WHERE sent = FALSE AND at_ms <= $1 \
               ORDER BY at_ms, digest LIMIT 64";
    let mut unsent = Vec::new();
    for row in tx.query(sql, &[Arg::u64(before.0)?])? {
        let digest = row.array::<32>(0)?;
        let sql = "UPDATE answer SET sent = TRUE WHERE digest = $1";
        tx.execute(sql, &[Arg::from(&digest)])?;
        unsent.push((Digest(row.array(1)?), decode(row.blob(2)?).map_err(broken)?));
    }
    Ok(unsent)
}

/// Deletes the answers to an intent: they were to another decision.
pub(crate) fn delete_answers(tx: &mut dyn Tx, intent: &Digest) -> Result<(), DbError> {
    let sql = "DELETE FROM answer WHERE intent = $1";
    tx.execute(sql, &[Arg::from(&intent.0)]).map(drop)
}
