//! Values and their types, in and out.

use strongroom_ports::db::{Arg, Db, DbErrorKind};

use super::table::{PUT, count, kind, migrated, put, texts};

/// `$2 … $1` are not taken by appearance, and a number may be used twice.
pub fn arguments_go_by_number(db: &dyn Db) {
    let db = migrated(db);
    let mut tx = db.begin().unwrap();
    tx.execute(
        "INSERT INTO item (n, id, note) VALUES ($2, $1, $1)",
        &["a".into(), 5.into()],
    )
    .unwrap();
    let row = tx.query_opt(
        "SELECT n, note FROM item WHERE note = $1 AND id = $1",
        &["a".into()],
    );
    let row = row.unwrap().unwrap();
    assert_eq!((row.i64(0).unwrap(), row.text(1).unwrap()), (5, "a"));
}

/// The extremes of each type come back as they were.
pub fn values_come_back_exactly(db: &dyn Db) {
    let db = migrated(db);
    let blobs: [Vec<u8>; 3] = [
        vec![],
        vec![0, 1, 255],
        (0..=255).cycle().take(100_000).collect(),
    ];
    let notes = ["", "ä\u{1F512}'\"\\%$1?1", "line\nline"];
    let numbers = [i64::MIN, 0, i64::MAX];
    for i in 0..3 {
        let id = format!("k{i}");
        let mut tx = db.begin().unwrap();
        tx.execute(
            "INSERT INTO item (id, n, flag, body, note) VALUES ($1, $2, $3, $4, $5)",
            &[
                (&id).into(),
                numbers[i].into(),
                (i == 1).into(),
                (&blobs[i]).into(),
                notes[i].into(),
            ],
        )
        .unwrap();
        tx.commit().unwrap();
        let mut tx = db.begin().unwrap();
        let row = tx.query_opt(
            "SELECT n, flag, body, note FROM item WHERE id = $1",
            &[(&id).into()],
        );
        let row = row.unwrap().unwrap();
        assert_eq!(row.i64(0).unwrap(), numbers[i]);
        assert_eq!(row.bool(1).unwrap(), i == 1);
        assert_eq!(row.blob(2).unwrap(), blobs[i]);
        assert_eq!(row.text(3).unwrap(), notes[i]);
        assert_eq!(
            tx.query(
                "SELECT id FROM item WHERE flag AND id = $1",
                &[(&id).into()]
            )
            .unwrap()
            .len(),
            usize::from(i == 1)
        );
    }
}

/// NULL of every type is taken and given back.
pub fn nulls_are_typed_and_come_back(db: &dyn Db) {
    let db = migrated(db);
    let mut tx = db.begin().unwrap();
    tx.execute(
        "INSERT INTO item (id, n, flag, body, note) VALUES ('a', 1, $1, $2, $3)",
        &[None::<bool>.into(), Arg::Blob(None), None::<&str>.into()],
    )
    .unwrap();
    let row = tx
        .query_opt("SELECT flag, body, note FROM item WHERE note IS NULL", &[])
        .unwrap()
        .unwrap();
    assert_eq!(row.bool_opt(0).unwrap(), None);
    assert_eq!(row.blob_opt(1).unwrap(), None);
    assert_eq!(row.text_opt(2).unwrap(), None);
    assert_eq!(kind(row.text(2)), DbErrorKind::Type);
    assert_eq!(
        kind(tx.execute(PUT, &["b".into(), None::<i64>.into()])),
        DbErrorKind::Constraint
    );
}

/// Text has no locale: upper case comes before lower case, and that before everything beyond ASCII.
pub fn text_is_compared_by_bytes_and_nulls_sort_where_told(db: &dyn Db) {
    let db = migrated(db);
    let mut tx = db.begin().unwrap();
    for id in ["b", "ä", "B", "a", "Z", "_"] {
        tx.execute(
            "INSERT INTO item (id, n, note) VALUES ($1, 1, $2)",
            &[id.into(), id.into()],
        )
        .unwrap();
    }
    tx.execute(PUT, &["none".into(), 1.into()]).unwrap();
    let rows = tx
        .query("SELECT id FROM item ORDER BY note NULLS LAST", &[])
        .unwrap();
    assert_eq!(texts(&rows), ["B", "Z", "_", "a", "b", "ä", "none"]);
    assert_eq!(
        texts(
            &tx.query("SELECT id FROM item WHERE id < 'a' ORDER BY id", &[])
                .unwrap()
        ),
        ["B", "Z", "_"]
    );
}

/// PostgreSQL cannot hold a NUL in text; SQLite would cut the text short in places.
pub fn text_with_nul_is_refused(db: &dyn Db) {
    let db = migrated(db);
    assert_eq!(kind(put(db, "a\0b", 1)), DbErrorKind::BadValue);
    assert_eq!(count(db), 0);
}

/// A column has one type: on SQLite because of STRICT, on PostgreSQL always.
pub fn a_column_refuses_another_type(db: &dyn Db) {
    let db = migrated(db);
    assert!(
        db.begin()
            .unwrap()
            .execute(PUT, &["a".into(), "no number".into()])
            .is_err()
    );
    let body = "INSERT INTO item (id, n, body) VALUES ('a', 1, $1)";
    assert!(db.begin().unwrap().execute(body, &[5.into()]).is_err());
    assert_eq!(count(db), 0);
}

/// A bare `SUM` of a BIGINT is NUMERIC on PostgreSQL; cast, it is a number on both, and NULL over
/// nothing.
pub fn sums_are_cast(db: &dyn Db) {
    let db = migrated(db);
    let sum = "SELECT CAST(SUM(n) AS BIGINT) FROM item";
    assert_eq!(
        db.begin().unwrap().query(sum, &[]).unwrap()[0]
            .i64_opt(0)
            .unwrap(),
        None
    );
    put(db, "a", 40).unwrap();
    put(db, "b", 2).unwrap();
    assert_eq!(
        db.begin().unwrap().query(sum, &[]).unwrap()[0]
            .i64(0)
            .unwrap(),
        42
    );
}
