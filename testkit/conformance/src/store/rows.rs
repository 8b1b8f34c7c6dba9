//! What a statement reports: rows, ids, counts.

use strongroom_ports::db::Db;

use super::table::{NEW_IDS, count, migrated, put};

/// `query_opt` does not pick one of several.
pub fn at_most_one_row_means_it(db: &dyn Db) {
    let db = migrated(db);
    put(db, "a", 1).unwrap();
    put(db, "b", 1).unwrap();
    let mut tx = db.begin().unwrap();
    assert!(tx.query_opt("SELECT id FROM item", &[]).is_err());
    assert!(
        tx.query_opt("SELECT id FROM item WHERE id = 'c'", &[])
            .unwrap()
            .is_none()
    );
}

/// `{identity}` is given by the database and never goes back.
pub fn identities_ascend(db: &dyn Db) {
    let db = migrated(db);
    let mut last = 0;
    for _ in 0..3 {
        let mut tx = db.begin().unwrap();
        let rows = tx
            .query("INSERT INTO line (what) VALUES ('x') RETURNING id", &[])
            .unwrap();
        tx.execute("DELETE FROM line", &[]).unwrap();
        tx.commit().unwrap();
        let id = rows[0].i64(0).unwrap();
        assert!(id > last);
        last = id;
    }
}

/// Zero changed rows is how a compare-and-set answers no.
pub fn rows_changed_are_counted(db: &dyn Db) {
    let db = migrated(db);
    put(db, "a", 1).unwrap();
    put(db, "b", 1).unwrap();
    let mut tx = db.begin().unwrap();
    assert_eq!(
        tx.execute("UPDATE item SET n = 2 WHERE n = $1", &[1.into()])
            .unwrap(),
        2
    );
    assert_eq!(
        tx.execute("UPDATE item SET n = 3 WHERE n = $1", &[1.into()])
            .unwrap(),
        0
    );
    assert_eq!(
        tx.execute("DELETE FROM item WHERE id = 'a'", &[]).unwrap(),
        1
    );
}

/// Reading, rolling back and changing nothing cost no sync.
pub fn commits_that_change_something_are_counted(db: &dyn Db) {
    let db = migrated(db);
    let before = db.commits();
    put(db, "a", 1).unwrap();
    let mut tx = db.begin().unwrap();
    tx.bulk(&NEW_IDS, &["b".into(), 1.into()]).unwrap();
    tx.commit().unwrap();
    assert_eq!(db.commits() - before, 2);
    assert_eq!(count(db), 2);
    let mut tx = db.begin().unwrap();
    tx.query("SELECT n FROM item", &[]).unwrap();
    tx.execute("UPDATE item SET n = 9 WHERE id = 'nobody'", &[])
        .unwrap();
    tx.commit().unwrap();
    assert!(put(db, "a", 1).is_err());
    assert_eq!(db.commits() - before, 2);
}
