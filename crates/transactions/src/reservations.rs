//! Which conflict keys belong to which intent. Coins and account numbers are reserved alike.

use strongroom_ports::db::{Arg, DbError, Tx};
use strongroom_types::{ConflictKey, Digest, VaultId};

/// Reserves conflict keys for an intent; `false` when another one holds one of them.
pub(crate) fn reserve(
    tx: &mut dyn Tx,
    vault: VaultId,
    intent: &Digest,
    keys: &[ConflictKey],
) -> Result<bool, DbError> {
    let sql = "INSERT INTO reservation (vault, conflict_key, number, intent, used)
               VALUES ($1, $2,
                       (SELECT COALESCE(MAX(number), 0) + 1 FROM reservation WHERE vault = $1),
                       $3, FALSE)
               ON CONFLICT DO NOTHING";
    let mut all = true;
    for key in keys {
        let args = [Arg::from(&vault.0), Arg::from(&key.0), Arg::from(&intent.0)];
        all &= tx.execute(sql, &args)? == 1;
    }
    Ok(all)
}

/// Gives the keys of an intent back. The anchor stays out of use: the journal remembers it for
/// this intent.
pub(crate) fn give_back(
    tx: &mut dyn Tx,
    intent: &Digest,
    anchor: Option<&ConflictKey>,
) -> Result<(), DbError> {
    if let Some(anchor) = anchor {
        let sql = "UPDATE reservation SET used = TRUE WHERE intent = $1 AND conflict_key = $2";
        tx.execute(sql, &[Arg::from(&intent.0), Arg::from(&anchor.0)])?;
    }
    let sql = "DELETE FROM reservation WHERE intent = $1 AND used = FALSE";
    tx.execute(sql, &[Arg::from(&intent.0)]).map(drop)
}

/// The keys of an intent are used up: its transaction is signed.
pub(crate) fn set_used(tx: &mut dyn Tx, intent: &Digest) -> Result<(), DbError> {
    let sql = "UPDATE reservation SET used = TRUE WHERE intent = $1";
    tx.execute(sql, &[Arg::from(&intent.0)]).map(drop)
}

/// Takes a key out of use that the journal says belongs to another intent.
pub(crate) fn retire(tx: &mut dyn Tx, vault: VaultId, key: &ConflictKey) -> Result<(), DbError> {
    let sql = "INSERT INTO reservation (vault, conflict_key, number, intent, used)
               VALUES ($1, $2,
                       (SELECT COALESCE(MAX(number), 0) + 1 FROM reservation WHERE vault = $1),
                       NULL, TRUE)
               ON CONFLICT (vault, conflict_key) DO UPDATE SET used = TRUE";
    tx.execute(sql, &[Arg::from(&vault.0), Arg::from(&key.0)])
        .map(drop)
}
