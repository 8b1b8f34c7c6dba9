//! Restarted or restored? A random generation stands in the database and at a second place outside
//! of the data folder: written to both when the node's keys are made, and again at each start.
//!
//! A database that was put back, cloned or lost no longer agrees with the marker, and neither does
//! one whose marker is lost: what its key cosigned in between may be known to the writer alone, so
//! the key never cosigns again. A copy put back within one generation (no start in between), or
//! together with its marker, is not seen; that needs a hardware counter.

use crate::error::ReplicaError;
use crate::schema as sql;
use rand_core::CryptoRngCore;
use std::io;
use strongroom_ports::db::Db;
use strongroom_types::{Code, Refusal};

/// The second place: a TPM or HSM cell, or a file that no backup of the data folder contains.
pub trait Marker {
    /// The generation written last; none at the first start.
    ///
    /// # Errors
    /// When the place cannot be read. A generation that is there but unreadable is an error, not
    /// "none", which retires the key.
    fn read(&self) -> io::Result<Option<[u8; 16]>>;

    /// Writes a generation, durably before it returns.
    ///
    /// # Errors
    /// When the place cannot be written.
    fn write(&mut self, generation: [u8; 16]) -> io::Result<()>;
}

/// To be called once, when the keys of a witness are made and have signed nothing: writes the first
/// generation to both places. Without it [`boot`] takes an empty database for a lost one.
///
/// # Errors
/// Database or marker; `conflict` when this database has a generation already, so an old key.
pub fn install(
    db: &dyn Db,
    marker: &mut dyn Marker,
    rng: &mut dyn CryptoRngCore,
) -> Result<(), ReplicaError> {
    db.migrate(sql::MIGRATIONS)?;
    let first = generation(rng);

    let mut tx = db.begin()?;
    tx.execute(sql::NEW_WITNESS, &[false.into()])?;
    let row = tx
        .query_opt(sql::WITNESS, &[])?
        .ok_or(ReplicaError::Stale)?;

    // Installed a second time, a database that was put back would agree with the new marker.
    let is_new = row.blob_opt(4)?.is_none() && row.blob_opt(5)?.is_none();
    if row.bool(3)? || !is_new {
        let detail = "this database belongs to a witness that was installed before";
        return Err(Refusal::new(Code::Conflict, detail).into());
    }

    tx.execute(sql::GENERATION, &[(&first).into()])?;
    tx.commit()?;
    marker.write(first).map_err(ReplicaError::Marker)
}

/// To be called once at each start of a witness, before anything is cosigned. Says whether its key
/// may still cosign; `false` (`signer_retired`) is stored and stays.
///
/// A crash at any point is a restart, not a restore: the new generation is announced in the
/// database before the marker moves, and confirmed after. At every moment the database so holds the
/// marker's generation, as the confirmed or as the announced one.
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
    let next = generation(rng);

    let mut tx = db.begin()?;
    tx.execute(sql::NEW_WITNESS, &[false.into()])?;
    let row = tx
        .query_opt(sql::WITNESS, &[])?
        .ok_or(ReplicaError::Stale)?;

    // The marker holds the confirmed generation, or the announced one when a crash came before its
    // confirmation. Anything else is another copy of the disk; none at all is a lost marker, or a
    // lost installation whose keys were kept.
    let (current, announced) = (row.blob_opt(4)?, row.blob_opt(5)?);
    let known = found.filter(|found| {
        let found = Some(found.as_slice());
        found == current || found == announced
    });

    // What the other copy cosigned may be known to the writer alone: this key must never sign
    // again, however far it catches up.
    let retired = row.bool(3)?;
    let Some(found) = known.filter(|_| !retired) else {
        tx.execute(sql::RETIRE, &[true.into()])?;
        tx.commit()?;
        tracing::error!("the disk is not the one of the last start: the witness key is retired");
        return Ok(false);
    };

    // What the marker holds is confirmed in the same statement that announces the next generation:
    // were the announced one only overwritten, a crash before the marker moves would leave it in
    // neither column, and the next start would retire an honest key.
    tx.execute(sql::NEXT_GENERATION, &[(&next).into(), (&found).into()])?;
    tx.commit()?;

    marker.write(next).map_err(ReplicaError::Marker)?;

    let mut tx = db.begin()?;
    tx.execute(sql::GENERATION, &[(&next).into()])?;
    tx.commit()?;
    Ok(true)
}

fn generation(rng: &mut dyn CryptoRngCore) -> [u8; 16] {
    let mut generation = [0; 16];
    rng.fill_bytes(&mut generation);
    generation
}
