//! The operator's stop mark: durable, and removed only while the process is not running.

use crate::fatal::Fatal;
use crate::schema as sql;
use strongroom_ports::db::{Arg, Db};
use strongroom_types::UnixMs;

const STOPPED: &str = "stopped";

/// Since when this signer is stopped by its operator.
///
/// # Errors
/// Database errors.
pub fn stopped_since(db: &dyn Db) -> Result<Option<UnixMs>, Fatal> {
    db.migrate(sql::MIGRATIONS)?;

    let mut tx = db.begin()?;
    let row = tx.query_opt(sql::MARK, &[STOPPED.into()])?;
    Ok(row.map(|row| row.u64(0)).transpose()?.map(UnixMs))
}

/// Sets the stop mark; durable when this returns. The first time stays. For an operator whose
/// process is not running; a running one is stopped by
/// [`SignerNode::admin`](crate::SignerNode::admin).
///
/// # Errors
/// Database errors; the mark may not be set then.
pub fn stop_local(db: &dyn Db, now: UnixMs) -> Result<(), Fatal> {
    db.migrate(sql::MIGRATIONS)?;

    let mut tx = db.begin()?;
    tx.execute(sql::PUT_MARK, &[STOPPED.into(), Arg::u64(now.0)?])?;
    Ok(tx.commit()?)
}

/// Removes the stop mark: the next start shares again. A running process stays stopped.
///
/// # Errors
/// Database errors.
pub fn resume_local(db: &dyn Db) -> Result<bool, Fatal> {
    db.migrate(sql::MIGRATIONS)?;

    let mut tx = db.begin()?;
    let removed = tx.execute(sql::DROP_MARK, &[STOPPED.into()])?;
    tx.commit()?;
    Ok(removed > 0)
}
