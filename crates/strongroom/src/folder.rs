//! What a role owns on disk: a folder that one process holds, and a database that knows whose it
//! is.

use crate::exit::RunError;
use crate::roles::RoleName;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use strongroom_ports::db::{Db, DbError, Migration};
use strongroom_types::Digest;

/// The one row that says for whom a database was made.
const MIGRATIONS: &[Migration] = &[Migration {
    component: "owner",
    version: 1,
    sql: "CREATE TABLE owner (id {i64} PRIMARY KEY, genesis {blob} NOT NULL, role {text} NOT NULL) {strict};",
}];
const OWNER: &str = "SELECT genesis, role FROM owner WHERE id = 1";
const SET_OWNER: &str = "INSERT INTO owner (id, genesis, role) VALUES (1, $1, $2)";

/// A role's folder, held by this process.
#[derive(Debug)]
pub struct RoleFolder {
    /// `DATA/ROLE`.
    pub path: PathBuf,
    /// Held until the process ends; the operating system lets go of it even after a crash.
    _lock: FolderLock,
}

#[derive(Debug)]
struct FolderLock(File);

impl Drop for FolderLock {
    /// Unlocks by name: a child that another thread is just starting holds a copy of the file until
    /// it becomes its program, and closing ours would leave the lock with that copy.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

impl RoleFolder {
    /// Makes the folder when it is absent (mode 0700) and takes its lock. Two processes of one role
    /// on one database would both think that they own its positions.
    ///
    /// # Errors
    /// [`RunError::InUse`] when another process holds it, [`RunError::Folder`].
    pub fn hold(data: &Path, role: RoleName) -> Result<Self, RunError> {
        let path = data.join(role.name());
        let folder_error = |source| RunError::Folder {
            role,
            path: path.clone(),
            source,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .map_err(folder_error)?;

        // The file stays when the lock ends: were it removed, two processes could each hold a lock
        // on a file of this name.
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join("lock"))
            .map_err(folder_error)?;

        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path,
                _lock: FolderLock(lock),
            }),
            Err(TryLockError::WouldBlock) => Err(RunError::InUse { role, path }),
            Err(TryLockError::Error(source)) => Err(RunError::Folder { role, path, source }),
        }
    }
}

/// Writes into a new database for whom it is, and refuses one that is another's: positions and
/// payments of one installation mean something else in another.
///
/// # Errors
/// [`RunError::ForeignStore`], with nothing changed; [`RunError::Store`].
pub fn claim_database(db: &dyn Db, genesis: Digest, role: RoleName) -> Result<(), RunError> {
    let owner =
        owner_or_set(db, genesis, role).map_err(|source| RunError::Store { role, source })?;
    let (owner_genesis, owner_role) = owner;
    if owner_genesis != genesis.0 {
        let owner = format!(
            "another installation, genesis {}",
            hex::encode(owner_genesis)
        );
        return Err(RunError::ForeignStore { role, owner });
    }

    // On another role's database this one would find no rows of its own and begin from nothing,
    // while its true rows lie elsewhere.
    if owner_role != role.name() {
        return Err(RunError::ForeignStore {
            role,
            owner: format!("role {owner_role}"),
        });
    }
    Ok(())
}

fn owner_or_set(
    db: &dyn Db,
    genesis: Digest,
    role: RoleName,
) -> Result<(Vec<u8>, String), DbError> {
    // The owner is a component of its own, made before the role's tables: a foreign database is
    // found while nothing in it was touched.
    db.migrate(MIGRATIONS)?;
    let mut tx = db.begin()?;
    if let Some(row) = tx.query_opt(OWNER, &[])? {
        return Ok((row.blob(0)?.to_vec(), row.text(1)?.to_owned()));
    }

    tx.execute(SET_OWNER, &[(&genesis.0).into(), role.name().into()])?;
    tx.commit()?;
    Ok((genesis.0.to_vec(), role.name().to_owned()))
}
