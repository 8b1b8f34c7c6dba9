//! The boot generation, which tells a restarted disk from a restored one: 16 random bytes that are
//! kept in the database and at a second place outside of the data folder. Both are written when the
//! node's keys are made, and again at each start.
//!
//! A database that was put back, cloned or lost no longer agrees with the marker, and neither does
//! one whose marker is lost. The writer alone may know what the witness key cosigned in between, so
//! the key never cosigns again. A copy put back within one generation (no start in between), or
//! together with its marker, is not noticed; only a hardware counter would notice it.

use crate::error::ReplicaError;
use crate::schema as sql;
use rand_core::CryptoRngCore;
use std::io;
use strongroom_guard::{G, guard, kept};
use strongroom_ports::db::Db;
use strongroom_types::{Code, Refusal};

/// The second place of the boot generation: a TPM or HSM cell, or a file that no backup of the data
/// folder contains.
pub trait Marker {
    /// The generation that was written last; `None` before [`install`].
    ///
    /// # Errors
    /// When the place cannot be read. A generation that exists but cannot be read must be an error:
    /// [`boot`] takes `None` for a lost marker and retires the key.
    fn read(&self) -> io::Result<Option<[u8; 16]>>;

    /// Writes a generation, durably before it returns.
    ///
    /// # Errors
    /// When the place cannot be written.
    fn write(&mut self, generation: [u8; 16]) -> io::Result<()>;
}

/// Writes the first generation to both places. To be called once, when the keys of a witness have
/// been made and have signed nothing. Without it [`boot`] takes an empty database for a lost one.
///
/// # Errors
/// Errors of the database or the marker; `conflict` when this database has a generation already,
/// because its key may have signed then.
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

    // A second installation is refused: it would write a new marker with which a database that was
    // put back agrees.
    let is_new = row.blob_opt(4)?.is_none() && row.blob_opt(5)?.is_none();
    if guard(G::InitMarker, row.bool(3)? || !is_new) {
        let detail = "this database belongs to a witness that was installed before";
        return Err(Refusal::new(Code::Conflict, detail).into());
    }

    tx.execute(sql::GENERATION, &[(&first).into()])?;
    tx.commit()?;
    marker.write(first).map_err(ReplicaError::Marker)
}

/// To be called once at each start of a witness, before anything is cosigned. Returns whether its
/// key may still cosign; `false` (`signer_retired`) is stored and is permanent.
///
/// A crash at any point is a restart, not a restore: the new generation is announced in the
/// database before the marker moves, and confirmed after. So at every moment the database holds the
/// marker's generation, as the confirmed or as the announced one.
///
/// # Errors
/// Errors of the database or the marker; the witness must then cosign nothing.
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
    // confirmation. Any other value means that this disk is another copy; no value means that the
    // marker was lost, or that the installation was lost and its keys were kept.
    let current = row.blob_opt(4)?;
    let announced = kept!(G::TwoStepStart, row.blob_opt(5)?, instead None);
    let known = match found {
        Some(found) => {
            let is_other = ![current, announced].contains(&Some(found.as_slice()));
            (!guard(G::BootMarker, is_other)).then_some(found)
        }
        None => (!guard(G::InitMarker, true)).then_some(next),
    };

    // The writer alone may know what the other copy cosigned. This key must never sign again,
    // however far the replica catches up: it could contradict that cosignature.
    let retired = row.bool(3)?;
    let Some(found) = known.filter(|_| !retired) else {
        tx.execute(sql::RETIRE, &[true.into()])?;
        tx.commit()?;
        tracing::error!("the disk is not the one of the last start: the witness key is retired");
        return Ok(false);
    };

    // One statement confirms the marker's generation and announces the next one. If the announced
    // generation were only overwritten, a crash before the marker moves would leave it in neither
    // column, and the next start would retire an honest key.
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
