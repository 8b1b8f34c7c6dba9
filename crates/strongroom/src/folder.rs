//! The files of a role: a folder that one process holds, and a database that names its owner.

use crate::exit::RunError;
use crate::role_name::RoleName;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use strongroom_ports::db::{Db, DbError, Migration, applied, pending};
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
    /// Path of the folder: `DATA/ROLE`.
    pub path: PathBuf,
    /// Held until the process ends; the operating system lets go of it even after a crash.
    _lock: FolderLock,
}

/// A folder's lock.
#[derive(Debug)]
pub(crate) struct FolderLock(File);

impl FolderLock {
    /// Takes the lock of a folder that is there.
    pub(crate) fn take(folder: &Path, role: RoleName) -> Result<Self, RunError> {
        let path = folder.to_owned();

        // The file stays when the lock ends: were it removed, two processes could each hold a lock
        // on a file of this name.
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join("lock"));

        let locked = lock.map_err(TryLockError::Error).and_then(|lock| {
            lock.try_lock()?;
            Ok(Self(lock))
        });
        locked.map_err(|error| match error {
            TryLockError::WouldBlock => RunError::InUse { role, path },
            TryLockError::Error(source) => RunError::Folder { role, path, source },
        })
    }
}

impl Drop for FolderLock {
    /// Unlocks by a call of its own: a child that another thread is just starting holds a copy of
    /// the file until it becomes its program, and closing ours would leave the lock with that copy.
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

        let lock = FolderLock::take(&path, role)?;
        Ok(Self { path, _lock: lock })
    }
}

/// Whether a database that a role may use is already its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Claim {
    /// Its one row names this installation and role.
    Made,
    /// It is empty, and to be claimed.
    Open,
}

/// Refuses a database that is another's or no one's, and one with tables of a newer build:
/// positions and payments of one installation mean something else in another, and a newer build's
/// rows would be misread. One of another program is refused before, by its adapter, when it is
/// opened.
///
/// # Errors
/// [`RunError::ForeignStore`] and [`RunError::Store`], with nothing changed.
pub fn check_database(db: &dyn Db, genesis: Digest, role: RoleName) -> Result<Claim, RunError> {
    let store_error = |source| RunError::Store { role, source };
    let (owner_genesis, owner_role) = match owner(db, role).map_err(store_error)? {
        Owner::Named { genesis, role } => (genesis, role),
        Owner::Absent => return Ok(Claim::Open),
        // Such a database is one of a build that did not name the owner, of a signer, or has lost
        // the row: its installation cannot be known.
        Owner::Unnamed { component } => {
            let owner = format!("an unknown owner: it has tables of {component}");
            return Err(RunError::ForeignStore { role, owner });
        }
    };

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
    Ok(Claim::Made)
}

/// Writes the owner into an empty database. The owner is a component of its own, made before the
/// role's tables.
///
/// # Errors
/// [`RunError::Store`].
pub fn claim_database(db: &dyn Db, genesis: Digest, role: RoleName) -> Result<(), RunError> {
    set_owner(db, genesis, role).map_err(|source| RunError::Store { role, source })
}

/// Migrations of all tables that a role's database may have.
fn migrations(role: RoleName) -> [&'static [Migration]; 3] {
    let own = match role {
        // A link keeps nothing, and a coordinator has no tables of its own.
        RoleName::Link | RoleName::Coordinator => &[],
        RoleName::Writer => strongroom_writer::MIGRATIONS,
        RoleName::Approvals => strongroom_approvals::MIGRATIONS,
        RoleName::Transactions => strongroom_transactions::MIGRATIONS,
        RoleName::Api => strongroom_api::MIGRATIONS,
    };
    [MIGRATIONS, strongroom_stage::MIGRATIONS, own]
}

/// Owner that a database names.
enum Owner {
    /// It is empty: nothing but the table for its owner was ever made in it.
    Absent,
    /// Its one row says so.
    Named { genesis: Vec<u8>, role: String },
    /// It has tables of a component, and no owner.
    Unnamed { component: String },
}

fn owner(db: &dyn Db, role: RoleName) -> Result<Owner, DbError> {
    // Only the list of components is made: a database that is not ours gets no table of ours.
    db.migrate(&[])?;
    let mut tx = db.begin()?;
    let applied = applied(tx.as_mut())?;

    // Each part of the role would refuse its own when it starts: the roles before it would run by
    // then.
    for migrations in migrations(role) {
        pending(migrations, &applied)?;
    }

    let row = if applied.iter().any(|(component, ..)| component == "owner") {
        tx.query_opt(OWNER, &[])?
    } else {
        None
    };
    let mut components = applied.into_iter().map(|(component, ..)| component);
    Ok(
        match (row, components.find(|component| component != "owner")) {
            (Some(row), _) => Owner::Named {
                genesis: row.blob(0)?.to_vec(),
                role: row.text(1)?.to_owned(),
            },
            (None, Some(component)) => Owner::Unnamed { component },
            (None, None) => Owner::Absent,
        },
    )
}

fn set_owner(db: &dyn Db, genesis: Digest, role: RoleName) -> Result<(), DbError> {
    db.migrate(MIGRATIONS)?;
    let mut tx = db.begin()?;
    tx.execute(SET_OWNER, &[(&genesis.0).into(), role.name().into()])?;
    tx.commit()
}
