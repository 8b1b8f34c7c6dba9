//! The chain's SQLite file: transactions, and the outputs of confirmed ones.

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::path::Path;
use strongroom_ports::chain::ANSWER_MAX;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS transactions (
        id TEXT PRIMARY KEY, raw BLOB NOT NULL, fee INTEGER NOT NULL, height INTEGER
    ) STRICT;
    CREATE INDEX IF NOT EXISTS pending ON transactions (id) WHERE height IS NULL;
    CREATE TABLE IF NOT EXISTS outputs (
        outpoint TEXT PRIMARY KEY, address TEXT NOT NULL, script BLOB NOT NULL, amount INTEGER NOT NULL,
        height INTEGER NOT NULL, spent_by TEXT
    ) STRICT;
    CREATE INDEX IF NOT EXISTS unspent ON outputs (address) WHERE spent_by IS NULL;
    INSERT OR IGNORE INTO meta VALUES ('height', 0), ('funded', 0);
";

/// A confirmed output.
pub struct Output {
    /// `txid:vout`.
    pub outpoint: String,
    /// Canonical regtest address; empty for a script that has none.
    pub address: String,
    /// Output script, as in the transaction.
    pub script: Vec<u8>,
    /// Amount, satoshi.
    pub amount: u64,
    /// Height of the block in which it confirmed.
    pub height: u32,
    /// Id of the transaction that spends it, waiting or confirmed.
    pub spent_by: Option<String>,
}

/// A transaction that waits for a block or is in one.
pub struct KnownTransaction {
    /// Network bytes with witnesses.
    pub raw: Vec<u8>,
    /// Fee, satoshi; 0 for the coinbase of a funding.
    pub fee: u64,
    /// Height of its block; `None` while it waits for one.
    pub height: Option<u32>,
}

/// Opens the file, or a store in memory.
pub fn open(path: Option<&Path>) -> rusqlite::Result<Connection> {
    let connection = path.map_or_else(Connection::open_in_memory, Connection::open)?;
    // Another process may hold the file: an answer about the chain has its limit.
    connection.busy_timeout(ANSWER_MAX)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // NORMAL is enough for a development chain: a power failure may lose the last blocks, but
    // leaves the file consistent.
    connection.pragma_update(None, "synchronous", "NORMAL")?;

    // Without this setting SQLite prepares a statement again when a parameter is bound that its
    // plan could use.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;

    connection.execute_batch(SCHEMA)?;
    Ok(connection)
}

/// Reads the number `height` or `funded`.
pub fn meta(db: &Connection, name: &str) -> rusqlite::Result<u32> {
    db.prepare_cached("SELECT value FROM meta WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
}

/// Replaces the number `height` or `funded`.
pub fn set_meta(db: &Transaction<'_>, name: &str, value: u32) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE meta SET value = ?2 WHERE name = ?1")?
        .execute(params![name, value])
        .map(|_| ())
}

/// Adds an output as unspent.
pub fn add_output(db: &Transaction<'_>, output: &Output) -> rusqlite::Result<()> {
    let mut statement =
        db.prepare_cached("INSERT INTO outputs VALUES (?1, ?2, ?3, ?4, ?5, NULL)")?;

    // SQLite has signed integers; 21 million bitcoin need 51 bits of them.
    let amount = i64::try_from(output.amount).unwrap_or(i64::MAX);
    statement
        .execute(params![
            output.outpoint,
            output.address,
            output.script,
            amount,
            output.height
        ])
        .map(|_| ())
}

fn output(row: &rusqlite::Row<'_>) -> rusqlite::Result<Output> {
    let amount: i64 = row.get(3)?;
    Ok(Output {
        outpoint: row.get(0)?,
        address: row.get(1)?,
        script: row.get(2)?,
        amount: amount.unsigned_abs(),
        height: row.get(4)?,
        spent_by: row.get(5)?,
    })
}

/// The confirmed output of this name, spent or not.
pub fn find_output(db: &Connection, outpoint: &str) -> rusqlite::Result<Option<Output>> {
    db.prepare_cached("SELECT * FROM outputs WHERE outpoint = ?1")?
        .query_row([outpoint], output)
        .optional()
}

/// Confirmed outputs of an address that no known transaction spends, ascending by outpoint.
pub fn unspent(db: &Connection, address: &str) -> rusqlite::Result<Vec<Output>> {
    // The order is fixed, so that tests choose the same coins in each run.
    let text = "SELECT * FROM outputs WHERE address = ?1 AND spent_by IS NULL ORDER BY outpoint";
    db.prepare_cached(text)?
        .query_map([address], output)?
        .collect()
}

/// Marks an output as spent by a transaction, or as free again.
pub fn spend(db: &Transaction<'_>, outpoint: &str, by: Option<&str>) -> rusqlite::Result<()> {
    let text = "UPDATE outputs SET spent_by = ?2 WHERE outpoint = ?1";
    db.prepare_cached(text)?
        .execute(params![outpoint, by])
        .map(|_| ())
}

/// A waiting or confirmed transaction.
pub fn find_transaction(db: &Connection, id: &str) -> rusqlite::Result<Option<KnownTransaction>> {
    let known = |row: &rusqlite::Row<'_>| {
        let fee: i64 = row.get(1)?;
        Ok(KnownTransaction {
            raw: row.get(0)?,
            fee: fee.unsigned_abs(),
            height: row.get(2)?,
        })
    };
    let text = "SELECT raw, fee, height FROM transactions WHERE id = ?1";
    db.prepare_cached(text)?.query_row([id], known).optional()
}

/// Adds a transaction, or replaces its row when it confirms.
pub fn add_transaction(
    db: &Transaction<'_>,
    id: &str,
    known: &KnownTransaction,
) -> rusqlite::Result<()> {
    let mut statement =
        db.prepare_cached("INSERT OR REPLACE INTO transactions VALUES (?1, ?2, ?3, ?4)")?;
    let fee = i64::try_from(known.fee).unwrap_or(i64::MAX);
    statement
        .execute(params![id, known.raw, fee, known.height])
        .map(|_| ())
}

/// Ids of the transactions that wait for a block, ascending.
pub fn pending(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let text = "SELECT id FROM transactions WHERE height IS NULL ORDER BY id";
    db.prepare_cached(text)?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// Deletes a replaced transaction and frees the outputs that it spent.
pub fn evict(db: &Transaction<'_>, id: &str) -> rusqlite::Result<()> {
    // All of its outputs become unspent again, as in a node; the replacement then marks those that
    // it spends.
    db.prepare_cached("UPDATE outputs SET spent_by = NULL WHERE spent_by = ?1")?
        .execute([id])?;

    db.prepare_cached("DELETE FROM transactions WHERE id = ?1 AND height IS NULL")?
        .execute([id])
        .map(|_| ())
}
