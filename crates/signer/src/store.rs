//! The signer's database, before anything in it is believed or changed.

use crate::fatal::Fatal;
use crate::schema::MIGRATIONS;
use strongroom_ports::db::{Db, DbError, DbErrorKind, applied, pending};

/// Refuses a database that is not a signer's, and one with tables of a newer build. It would be
/// taken for a disk that was put back, which retires the key for good.
///
/// # Errors
/// `store_newer`, with nothing changed; the database's.
pub fn check_store(db: &dyn Db) -> Result<(), Fatal> {
    // Only the list of components is made, and only in an empty database.
    db.migrate(&[])?;
    let applied = applied(db.begin()?.as_mut())?;

    let wanted = [MIGRATIONS, strongroom_replica::MIGRATIONS];
    let is_ours = |component: &str| {
        let mut ours = wanted.iter().flat_map(|migrations| migrations.iter());
        ours.any(|migration| migration.component == component)
    };
    if let Some((component, ..)) = applied.iter().find(|(name, ..)| !is_ours(name)) {
        let what = format!("it has tables of {component}: it is not a signer's");
        return Err(DbError::new(DbErrorKind::Schema, what).into());
    }

    for migrations in wanted {
        pending(migrations, &applied)?;
    }
    Ok(())
}
