//! Which coins a vault can spend, and who has reserved them.

use strongroom_ports::chain::{OwnCoin, OwnPath};
use strongroom_ports::db::{Arg, DbError, Tx};
use strongroom_stage::StageError;
use strongroom_types::{ConflictKey, Digest, VaultId};

/// Coins offered to one build, largest first: more never helps a selection of at most 256 inputs.
const OFFERED_MAX: i64 = 512;

fn small(value: i64) -> Result<u32, StageError> {
    u32::try_from(value).map_err(|e| StageError::fatal("the coin table").because(e))
}

/// Confirmed, unreserved coins of a vault.
pub(crate) fn free(tx: &mut dyn Tx, vault: VaultId) -> Result<Vec<OwnCoin>, StageError> {
    let sql = "SELECT coin, amount, branch, place FROM coin
               WHERE vault = $1 AND intent IS NULL AND spent = FALSE ORDER BY amount DESC, coin LIMIT $2";
    let mut coins = Vec::new();
    for row in tx.query(sql, &[Arg::from(&vault.0), Arg::from(OFFERED_MAX)])? {
        let amount = u64::try_from(row.i64(1)?)
            .map_err(|e| StageError::fatal("the coin table").because(e))?;
        let path = OwnPath {
            change: small(row.i64(2)?)?,
            index: small(row.i64(3)?)?,
        };
        coins.push(OwnCoin {
            key: ConflictKey(row.text(0)?.to_owned()),
            amount: amount.into(),
            path,
        });
    }
    Ok(coins)
}

/// Adds a coin the network reports; a known one stays as it is.
pub(crate) fn learn(tx: &mut dyn Tx, vault: VaultId, coin: &OwnCoin) -> Result<(), StageError> {
    let amount = coin
        .amount
        .to_u64()
        .and_then(|amount| i64::try_from(amount).ok());
    let amount = amount.ok_or_else(|| StageError::transient("a coin above 2^63"))?;
    let sql = "INSERT INTO coin (vault, coin, amount, branch, place, intent, spent)
               VALUES ($1, $2, $3, $4, $5, NULL, FALSE) ON CONFLICT DO NOTHING";
    let args = [
        Arg::from(&vault.0),
        Arg::from(&coin.key.0),
        Arg::from(amount),
        Arg::from(coin.path.change),
        Arg::from(coin.path.index),
    ];
    tx.execute(sql, &args)?;
    Ok(())
}

/// Reserves coins for an intent; `false` when one was taken meanwhile.
pub(crate) fn reserve(
    tx: &mut dyn Tx,
    vault: VaultId,
    intent: &Digest,
    keys: &[ConflictKey],
) -> Result<bool, DbError> {
    let sql = "UPDATE coin SET intent = $1 WHERE vault = $2 AND coin = $3 AND intent IS NULL AND spent = FALSE";
    let mut all = true;
    for key in keys {
        all &= tx.execute(
            sql,
            &[Arg::from(&intent.0), Arg::from(&vault.0), Arg::from(&key.0)],
        )? == 1;
    }
    Ok(all)
}

/// Gives the coins of an intent back. The anchor stays out of use: the journal remembers it for
/// this intent.
pub(crate) fn give_back(
    tx: &mut dyn Tx,
    intent: &Digest,
    anchor: Option<&ConflictKey>,
) -> Result<(), DbError> {
    if let Some(anchor) = anchor {
        let sql = "UPDATE coin SET spent = TRUE WHERE intent = $1 AND coin = $2";
        tx.execute(sql, &[Arg::from(&intent.0), Arg::from(&anchor.0)])?;
    }
    tx.execute(
        "UPDATE coin SET intent = NULL WHERE intent = $1",
        &[Arg::from(&intent.0)],
    )
    .map(drop)
}

/// The coins of an intent are gone.
pub(crate) fn spend(tx: &mut dyn Tx, intent: &Digest) -> Result<(), DbError> {
    tx.execute(
        "UPDATE coin SET spent = TRUE WHERE intent = $1",
        &[Arg::from(&intent.0)],
    )
    .map(drop)
}

/// Takes a coin out of use that the journal says belongs to another intent.
pub(crate) fn retire(tx: &mut dyn Tx, vault: VaultId, key: &ConflictKey) -> Result<(), DbError> {
    let sql = "UPDATE coin SET spent = TRUE WHERE vault = $1 AND coin = $2";
    tx.execute(sql, &[Arg::from(&vault.0), Arg::from(&key.0)])
        .map(drop)
}

/// The next change address of a vault; counts on.
pub(crate) fn next_change(tx: &mut dyn Tx, vault: VaultId) -> Result<OwnPath, StageError> {
    let sql = "INSERT INTO change_index (vault, next) VALUES ($1, 1)
               ON CONFLICT (vault) DO UPDATE SET next = change_index.next + 1 RETURNING next";
    let row = tx.query_opt(sql, &[Arg::from(&vault.0)])?;
    let next = row.map_or(Ok(1), |row| row.i64(0))?;
    Ok(OwnPath {
        change: 1,
        index: small(next - 1)?,
    })
}

/// How many change addresses were given out.
pub(crate) fn change_count(tx: &mut dyn Tx, vault: VaultId) -> Result<u32, StageError> {
    let row = tx.query_opt(
        "SELECT next FROM change_index WHERE vault = $1",
        &[Arg::from(&vault.0)],
    )?;
    row.map_or(Ok(0), |row| small(row.i64(0)?))
}

/// After its tables were lost a service must not give out an old change address again as new.
pub(crate) fn change_at_least(tx: &mut dyn Tx, vault: VaultId, next: u32) -> Result<(), DbError> {
    let sql = "INSERT INTO change_index (vault, next) VALUES ($1, $2)
               ON CONFLICT (vault) DO UPDATE SET next = excluded.next WHERE change_index.next < excluded.next";
    tx.execute(sql, &[Arg::from(&vault.0), Arg::from(next)])
        .map(drop)
}
