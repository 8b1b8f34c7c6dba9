//! Conflict keys that are reserved for a payment. Coins and account numbers are reserved alike.

use crate::payment::Payment;
use crate::step::Step;
use strongroom_ports::db::{Arg, DbError, Tx};
use strongroom_types::{ConflictKey, Digest, TenantVault, UnixMs};

/// Reserves conflict keys for a payment; `false` when another one holds one of them. Those before
/// it are reserved then, and the caller releases them.
pub(crate) fn reserve(
    tx: &mut dyn Tx,
    payment: &Payment,
    keys: &[ConflictKey],
) -> Result<bool, DbError> {
    let sql = "INSERT INTO reservation (tenant, vault, conflict_key, number, intent, used)
               VALUES ($1, $2, $3,
                       (SELECT COALESCE(MAX(number), 0) + 1 FROM reservation
                        WHERE tenant = $1 AND vault = $2),
                       $4, FALSE)
               ON CONFLICT DO NOTHING";

    // One statement per key decides: reading first and writing then would lose against another
    // instance on PostgreSQL.
    for key in keys {
        let key = key.to_string();
        let args = [
            Arg::from(&payment.intent.tenant.0),
            Arg::from(&payment.intent.vault.0),
            Arg::from(&key),
            Arg::from(&payment.digest.0),
        ];
        if tx.execute(sql, &args)? != 1 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Frees the keys of an intent.
pub(crate) fn release(tx: &mut dyn Tx, intent: &Digest) -> Result<(), DbError> {
    let sql = "DELETE FROM reservation WHERE intent = $1 AND used = FALSE";
    tx.execute(sql, &[Arg::from(&intent.0)]).map(drop)
}

/// Marks the keys of an intent as used up: its transaction is signed.
pub(crate) fn set_used(tx: &mut dyn Tx, payment: &Payment) -> Result<(), DbError> {
    let sql = "UPDATE reservation SET used = TRUE WHERE intent = $1";
    tx.execute(sql, &[Arg::from(&payment.digest.0)])?;

    // Used coins are deleted from the holdings: a busy vault would collect thousands of them, and
    // every build would read all of them.
    let sql = "DELETE FROM holding WHERE tenant = $1 AND vault = $2 AND name IN
               (SELECT conflict_key FROM reservation
                WHERE tenant = $1 AND vault = $2 AND intent = $3)";
    let args = [
        Arg::from(&payment.intent.tenant.0),
        Arg::from(&payment.intent.vault.0),
        Arg::from(&payment.digest.0),
    ];
    tx.execute(sql, &args).map(drop)
}

/// Notes that the journal holds an anchor until this time. It takes the coin as an input of any
/// payment all the same, so the coin stays free.
pub(crate) fn set_anchor_held(
    step: &mut Step<'_>,
    vault: TenantVault,
    key: &ConflictKey,
    until: UnixMs,
) -> Result<(), DbError> {
    // Anchors that the journal has forgotten by now are deleted, so that the table does not grow
    // without end.
    let sql = "DELETE FROM held_anchor WHERE tenant = $1 AND vault = $2 AND until_ms <= $3";
    let (tenant, id) = (Arg::from(&vault.tenant.0), Arg::from(&vault.vault.0));
    step.tx.execute(sql, &[tenant, id, Arg::u64(step.now.0)?])?;

    let sql = "INSERT INTO held_anchor (tenant, vault, conflict_key, until_ms)
               VALUES ($1, $2, $3, $4)
               ON CONFLICT (tenant, vault, conflict_key) DO UPDATE SET until_ms = excluded.until_ms
               WHERE held_anchor.until_ms < excluded.until_ms";
    let key = key.to_string();
    let args = [
        Arg::from(&vault.tenant.0),
        Arg::from(&vault.vault.0),
        Arg::from(&key),
        Arg::u64(until.0)?,
    ];
    step.tx.execute(sql, &args).map(drop)
}
