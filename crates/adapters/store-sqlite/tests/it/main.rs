//! The conformance suite of the database port on SQLite, in a file and in memory.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use strongroom_store_sqlite::SqliteDb;

mod in_a_file {
    use super::SqliteDb;

    fn make() -> (SqliteDb, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        (SqliteDb::open(&dir.path().join("service.db")).unwrap(), dir)
    }

    strongroom_conformance::store_suite!(make);
}

mod in_memory {
    use super::SqliteDb;

    fn make() -> (SqliteDb, ()) {
        (SqliteDb::open_in_memory().unwrap(), ())
    }

    strongroom_conformance::store_suite!(make);
}
