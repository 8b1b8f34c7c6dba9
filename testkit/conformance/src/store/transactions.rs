//! A transaction is committed whole or not at all, and a failed statement ends it.

use strongroom_ports::db::{Db, DbErrorKind};

use super::table::{PUT, count, get, kind, migrated, put};

/// A transaction that is dropped is rolled back.
pub fn a_dropped_transaction_leaves_nothing(db: &dyn Db) {
    let db = migrated(db);
    let mut tx = db.begin().unwrap();
    tx.execute(PUT, &["a".into(), 1.into()]).unwrap();
    drop(tx);
    assert_eq!(count(db), 0);
    put(db, "a", 2).unwrap();
}

/// A commit is durable, and visible to the next transaction.
pub fn a_commit_is_seen_by_the_next_transaction(db: &dyn Db) {
    let db = migrated(db);
    put(db, "a", 1).unwrap();
    assert_eq!(get(db, "a"), Some(1));
}

/// The rest of the transaction is refused: SQLite alone would go on and commit half of it.
pub fn a_failed_statement_poisons_the_transaction(db: &dyn Db) {
    let db = migrated(db);
    let mut tx = db.begin().unwrap();
    tx.execute(PUT, &["a".into(), 1.into()]).unwrap();
    assert_eq!(
        kind(tx.execute(PUT, &["a".into(), 2.into()])),
        DbErrorKind::Constraint
    );
    assert_eq!(
        kind(tx.execute(PUT, &["b".into(), 2.into()])),
        DbErrorKind::Poisoned
    );
    assert_eq!(
        kind(tx.query("SELECT n FROM item", &[])),
        DbErrorKind::Poisoned
    );
    assert_eq!(kind(tx.commit()), DbErrorKind::Poisoned);
    assert_eq!(count(db), 0);
}

/// The transaction is poisoned also when the statement never reached the engine.
pub fn bad_text_poisons_the_transaction(db: &dyn Db) {
    let db = migrated(db);
    let mut tx = db.begin().unwrap();
    tx.execute(PUT, &["a".into(), 1.into()]).unwrap();
    assert_eq!(
        kind(tx.query("SELECT n FROM item WHERE id = $1", &["\0".into()])),
        DbErrorKind::BadValue
    );
    assert_eq!(kind(tx.commit()), DbErrorKind::Poisoned);
    assert_eq!(count(db), 0);
}

/// Too few values, too many, and text that is not SQL are errors.
pub fn a_wrong_number_of_values_is_an_error(db: &dyn Db) {
    let db = migrated(db);
    assert!(db.begin().unwrap().execute(PUT, &["a".into()]).is_err());
    assert!(
        db.begin()
            .unwrap()
            .execute(PUT, &["a".into(), 1.into(), 1.into()])
            .is_err()
    );
    assert!(
        db.begin()
            .unwrap()
            .execute("INSERT INTO nowhere VALUES (1)", &[])
            .is_err()
    );
    assert!(db.begin().unwrap().query("SELEKT 1", &[]).is_err());
    put(db, "a", 1).unwrap();
}

/// Violations of unique and not-null are told apart from other errors.
pub fn constraints_are_reported_as_such(db: &dyn Db) {
    let db = migrated(db);
    put(db, "a", 1).unwrap();
    let error = put(db, "a", 2).unwrap_err();
    assert_eq!(error.kind(), DbErrorKind::Constraint);
    assert!(!error.is_transient());
    assert_eq!(get(db, "a"), Some(1));
}

/// A nested transaction is an error and not a deadlock; the outer one goes on.
pub fn nested_transactions_are_refused(db: &dyn Db) {
    let db = migrated(db);
    let mut tx = db.begin().unwrap();
    assert!(db.begin().is_err());
    tx.execute(PUT, &["a".into(), 1.into()]).unwrap();
    tx.commit().unwrap();
    assert_eq!(get(db, "a"), Some(1));
}
