//! The tables of the cases, and short ways to write and read them.

use strongroom_ports::db::{Bulk, Db, DbError, DbErrorKind, Migration, Row};

pub(super) const TABLES: Migration = Migration {
    component: "suite",
    version: 1,
    sql: "CREATE TABLE item (id {text} PRIMARY KEY, n {i64} NOT NULL, flag {bool}, body {blob}, note {text}) {strict};
          CREATE TABLE line (id {identity}, what {text} NOT NULL) {strict};
          INSERT INTO line (what) VALUES ('first');",
};

pub(super) const MORE: Migration = Migration {
    component: "suite",
    version: 2,
    sql: "ALTER TABLE item ADD COLUMN extra {i64} NOT NULL DEFAULT 7;",
};

pub(super) const PUT: &str = "INSERT INTO item (id, n) VALUES ($1, $2)";

pub(super) const NEW_IDS: Bulk = Bulk {
    prefix: "INSERT INTO item (id, n) VALUES",
    columns: 2,
    suffix: "ON CONFLICT DO NOTHING RETURNING id",
};

pub(super) fn migrated(db: &dyn Db) -> &dyn Db {
    db.migrate(&[TABLES]).unwrap();
    db
}

pub(super) fn put(db: &dyn Db, id: &str, n: i64) -> Result<(), DbError> {
    let mut tx = db.begin()?;
    tx.execute(PUT, &[id.into(), n.into()])?;
    tx.commit()
}

pub(super) fn get(db: &dyn Db, id: &str) -> Option<i64> {
    let mut tx = db.begin().unwrap();
    tx.query_opt("SELECT n FROM item WHERE id = $1", &[id.into()])
        .unwrap()
        .map(|row| row.i64(0).unwrap())
}

pub(super) fn count(db: &dyn Db) -> i64 {
    db.begin()
        .unwrap()
        .query("SELECT COUNT(*) FROM item", &[])
        .unwrap()[0]
        .i64(0)
        .unwrap()
}

pub(super) fn kind<T>(result: Result<T, DbError>) -> DbErrorKind {
    result.err().expect("an error").kind()
}

pub(super) fn texts(rows: &[Row]) -> Vec<String> {
    rows.iter()
        .map(|row| row.text(0).unwrap().to_owned())
        .collect()
}
