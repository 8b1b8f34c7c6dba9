//! Which conflict keys belong to which intent. Coins and account numbers are reserved alike.

use crate::payment::Payment;
use strongroom_ports::db::{Arg, DbError, Tx};
use strongroom_types::{ConflictKey, Digest, TenantVault};

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

/// Frees the keys of an intent but its anchor, which the journal may hold for this intent: it would
/// refuse any other payment on it.
pub(crate) fn release_without(
    tx: &mut dyn Tx,
    intent: &Digest,
    anchor: &ConflictKey,
) -> Result<(), DbError> {
    let sql = "UPDATE reservation SET used = TRUE WHERE intent = $1 AND conflict_key = $2";
    let anchor = anchor.to_string();
    tx.execute(sql, &[Arg::from(&intent.0), Arg::from(&anchor)])?;
    release(tx, intent)
}

/// Marks the keys of an intent as used up: its transaction is signed.
pub(crate) fn set_used(tx: &mut dyn Tx, payment: &Payment) -> Result<(), DbError> {
    let sql = "UPDATE reservation SET used = TRUE WHERE intent = $1";
    tx.execute(sql, &[Arg::from(&payment.digest.0)])?;

    // A busy vault would collect thousands of used coins that every build had to read past.
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

/// Takes a key out of use that the journal says belongs to another intent.
pub(crate) fn retire(
    tx: &mut dyn Tx,
    vault: TenantVault,
    key: &ConflictKey,
) -> Result<(), DbError> {
    let sql = "INSERT INTO reservation (tenant, vault, conflict_key, number, intent, used)
               VALUES ($1, $2, $3,
                       (SELECT COALESCE(MAX(number), 0) + 1 FROM reservation
                        WHERE tenant = $1 AND vault = $2),
                       NULL, TRUE)
               ON CONFLICT (tenant, vault, conflict_key) DO UPDATE SET used = TRUE";
    let key = key.to_string();
    let args = [
        Arg::from(&vault.tenant.0),
        Arg::from(&vault.vault.0),
        Arg::from(&key),
    ];
    tx.execute(sql, &args).map(drop)
}
