//! Restarted or restored? A random generation stands in the database and at a second place outside
//! of the data folder; each start writes a new one to both.
//!
//! A database that was put back, cloned or lost no longer agrees with the marker: what its key
//! cosigned in between may be known to the writer alone, so the key never cosigns again. A copy put
//! back within one generation (no start in between) is not seen; that needs a hardware counter.

use crate::error::ReplicaError;
use crate::schema as sql;
use rand_core::CryptoRngCore;
use std::io;
use strongroom_ports::db::Db;

/// The second place: a TPM or HSM cell, or a file that no backup of the data folder contains.
pub trait Marker {
    /// The generation written last; none at the first start.
    ///
    /// # Errors
    /// When the place cannot be read. A generation that is there but unreadable is an error, not
    /// "none".
    fn read(&self) -> io::Result<Option<[u8; 16]>>;

    /// Writes a generation, durably before it returns.
    ///
    /// # Errors
    /// When the place cannot be written.
    fn write(&mut self, generation: [u8; 16]) -> io::Result<()>;
}

/// To be called once at each start of a witness, before anything is cosigned. Says whether its key
/// may still cosign; `false` (`signer_retired`) is stored and stays.
///
/// A crash at any point is a restart, not a restore: the new generation is announced in the
/// database before the marker moves, and confirmed after.
///
/// # Errors
/// Database or marker; nothing may be cosigned then.
pub fn boot(
    db: &dyn Db,
    marker: &mut dyn Marker,
    rng: &mut dyn CryptoRngCore,
) -> Result<bool, ReplicaError> {
    db.migrate(sql::MIGRATIONS)?;
    let found = marker.read().map_err(ReplicaError::Marker)?;
    let mut next = [0; 16];
    rng.fill_bytes(&mut next);

    let mut tx = db.begin()?;
    tx.execute(sql::NEW_WITNESS, &[false.into()])?;
    let row = tx
        .query_opt(sql::WITNESS, &[])?
        .ok_or(ReplicaError::Stale)?;

    // Equal to the confirmed generation, or to the one that was announced when a crash came before
    // its confirmation. Anything else is another copy of the disk.
    let (current, announced) = (row.blob_opt(4)?, row.blob_opt(5)?);
    let found = found.as_ref().map(<[u8; 16]>::as_slice);
    let expected = found == current || (found.is_some() && found == announced);

    // What the other copy cosigned may be known to the writer alone: this key must never sign
    // again, however far it catches up.
    if row.bool(3)? || !expected {
        tx.execute(sql::RETIRE, &[true.into()])?;
        tx.commit()?;
        tracing::error!("the disk is not the one of the last start: the witness key is retired");
        return Ok(false);
    }

    tx.execute(sql::NEXT_GENERATION, &[(&next).into()])?;
    tx.commit()?;

    marker.write(next).map_err(ReplicaError::Marker)?;

    let mut tx = db.begin()?;
    tx.execute(sql::GENERATION, &[(&next).into()])?;
    tx.commit()?;
    Ok(true)
}
