//! Tables are made once, in order, by programs of different ages.

use strongroom_ports::db::{Db, DbErrorKind, Migration};

use super::table::{MORE, TABLES, kind, put};

/// Migrations are asked for at every start of the program, and each runs once.
pub fn migrations_run_once(db: &dyn Db) {
    db.migrate(&[TABLES]).unwrap();
    db.migrate(&[TABLES]).unwrap();
    put(db, "a", 1).unwrap();
    db.migrate(&[TABLES, MORE]).unwrap();
    db.migrate(&[TABLES, MORE]).unwrap();
    let mut tx = db.begin().unwrap();
    assert_eq!(
        tx.query("SELECT extra FROM item", &[]).unwrap()[0]
            .i64(0)
            .unwrap(),
        7
    );
    assert_eq!(tx.query("SELECT what FROM line", &[]).unwrap().len(), 1);
}

/// A program that was rolled back must not work on tables it does not know.
pub fn a_newer_database_is_refused(db: &dyn Db) {
    db.migrate(&[TABLES, MORE]).unwrap();
    let error = db.migrate(&[TABLES]).unwrap_err();
    assert_eq!(error.kind(), DbErrorKind::Schema);
    assert!(
        error.to_string().contains("newer than this program"),
        "{error}"
    );
}

/// A migration that ran must not read otherwise now.
pub fn an_edited_migration_is_refused(db: &dyn Db) {
    db.migrate(&[TABLES]).unwrap();
    let edited = Migration {
        sql: "CREATE TABLE other (n {i64}) {strict};",
        ..TABLES
    };
    assert_eq!(kind(db.migrate(&[edited])), DbErrorKind::Schema);
}

/// All migrations of a start are one transaction.
pub fn a_failing_migration_leaves_nothing(db: &dyn Db) {
    let bad = Migration {
        sql: "CREATE TABLE fine (n {i64}) {strict}; CREATE TABLE bad (",
        ..MORE
    };
    assert!(db.migrate(&[TABLES, bad]).is_err());
    assert!(
        db.begin()
            .unwrap()
            .query("SELECT n FROM item", &[])
            .is_err()
    );
    let unknown = Migration {
        sql: "CREATE TABLE fine (n {float}) {strict};",
        ..MORE
    };
    assert_eq!(kind(db.migrate(&[TABLES, unknown])), DbErrorKind::Schema);
    db.migrate(&[TABLES, MORE]).unwrap();
}

/// The shell's tables and the service's live side by side.
pub fn components_share_a_database(db: &dyn Db) {
    let other = Migration {
        component: "other",
        version: 1,
        sql: "CREATE TABLE other (n {i64}) {strict};",
    };
    db.migrate(&[TABLES]).unwrap();
    db.migrate(&[other]).unwrap();
    db.migrate(&[TABLES, MORE]).unwrap();
    put(db, "a", 1).unwrap();
    assert!(
        db.begin()
            .unwrap()
            .query("SELECT n FROM other", &[])
            .unwrap()
            .is_empty()
    );
}
