//! Cases of the database port; several differ silently between engines.

use std::sync::mpsc;
use std::time::Duration;

use strongroom_ports::db::{Arg, Bulk, Db, DbError, DbErrorKind, Migration, Row, Tx, transact};

const TABLES: Migration = Migration {
    component: "suite",
    version: 1,
    sql: "CREATE TABLE item (id {text} PRIMARY KEY, n {i64} NOT NULL, flag {bool}, body {blob}, note {text}) {strict};
          CREATE TABLE line (id {identity}, what {text} NOT NULL) {strict};
          INSERT INTO line (what) VALUES ('first');",
};
const MORE: Migration = Migration {
    component: "suite",
    version: 2,
    sql: "ALTER TABLE item ADD COLUMN extra {i64} NOT NULL DEFAULT 7;",
};
const PUT: &str = "INSERT INTO item (id, n) VALUES ($1, $2)";

fn migrated(db: &dyn Db) -> &dyn Db {
    db.migrate(&[TABLES]).unwrap();
    db
}

fn put(db: &dyn Db, id: &str, n: i64) -> Result<(), DbError> {
    let mut tx = db.begin()?;
    tx.execute(PUT, &[id.into(), n.into()])?;
    tx.commit()
}

fn get(db: &dyn Db, id: &str) -> Option<i64> {
    let mut tx = db.begin().unwrap();
    tx.query_opt("SELECT n FROM item WHERE id = $1", &[id.into()])
        .unwrap()
        .map(|row| row.i64(0).unwrap())
}

fn count(db: &dyn Db) -> i64 {
    db.begin()
        .unwrap()
        .query("SELECT COUNT(*) FROM item", &[])
        .unwrap()[0]
        .i64(0)
        .unwrap()
}

fn kind<T>(result: Result<T, DbError>) -> DbErrorKind {
    result.err().expect("an error").kind()
}

fn texts(rows: &[Row]) -> Vec<String> {
    rows.iter()
        .map(|row| row.text(0).unwrap().to_owned())
        .collect()
}

/// Dropping is rolling back.
pub fn a_dropped_transaction_leaves_nothing(db: &dyn Db) {
    let db = migrated(db);
    let mut tx = db.begin().unwrap();
    tx.execute(PUT, &["a".into(), 1.into()]).unwrap();
    drop(tx);
    assert_eq!(count(db), 0);
    put(db, "a", 2).unwrap();
}

/// Durable and visible.
pub fn a_commit_is_seen_by_the_next_transaction(db: &dyn Db) {
    let db = migrated(db);
    put(db, "a", 1).unwrap();
    assert_eq!(get(db, "a"), Some(1));
}

/// `$2 … $1` are not taken by appearance, and a number may be used twice.
pub fn placeholders_go_by_number(db: &dyn Db) {
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

/// Extremes of each type.
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

/// NULL of every type, in and out.
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

/// No locale: upper case before lower case before everything beyond ASCII.
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

/// PostgreSQL cannot hold it; SQLite would cut it short in places.
pub fn text_with_nul_is_refused(db: &dyn Db) {
    let db = migrated(db);
    assert_eq!(kind(put(db, "a\0b", 1)), DbErrorKind::BadText);
    assert_eq!(count(db), 0);
}

/// SQLite would go on and commit half.
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

/// Also when the statement never reached the engine.
pub fn bad_text_poisons_the_transaction(db: &dyn Db) {
    let db = migrated(db);
    let mut tx = db.begin().unwrap();
    tx.execute(PUT, &["a".into(), 1.into()]).unwrap();
    assert_eq!(
        kind(tx.query("SELECT n FROM item WHERE id = $1", &["\0".into()])),
        DbErrorKind::BadText
    );
    assert_eq!(kind(tx.commit()), DbErrorKind::Poisoned);
    assert_eq!(count(db), 0);
}

/// Too few, too many, and SQL that is none.
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

/// Unique and not-null.
pub fn constraints_are_reported_as_such(db: &dyn Db) {
    let db = migrated(db);
    put(db, "a", 1).unwrap();
    let error = put(db, "a", 2).unwrap_err();
    assert_eq!(error.kind(), DbErrorKind::Constraint);
    assert!(!error.is_transient());
    assert_eq!(get(db, "a"), Some(1));
}

/// STRICT on SQLite, always on PostgreSQL.
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

/// An error, not a deadlock; the outer one goes on.
pub fn nested_transactions_are_refused(db: &dyn Db) {
    let db = migrated(db);
    let mut tx = db.begin().unwrap();
    assert!(db.begin().is_err());
    tx.execute(PUT, &["a".into(), 1.into()]).unwrap();
    tx.commit().unwrap();
    assert_eq!(get(db, "a"), Some(1));
}

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

const NEW_IDS: Bulk = Bulk {
    prefix: "INSERT INTO item (id, n) VALUES",
    columns: 2,
    suffix: "ON CONFLICT DO NOTHING RETURNING id",
};

/// The inbox: known ids and doubles within the call are skipped, the rest is named.
pub fn bulk_returns_exactly_the_new_keys(db: &dyn Db) {
    let db = migrated(db);
    put(db, "k003", 0).unwrap();
    let ids: Vec<String> = (0..150).map(|i| format!("k{:03}", i % 120)).collect();
    let args: Vec<Arg<'_>> = ids
        .iter()
        .flat_map(|id| [id.into(), Arg::from(1)])
        .collect();
    let mut tx = db.begin().unwrap();
    let mut new = texts(&tx.bulk(&NEW_IDS, &args).unwrap());
    assert!(tx.bulk(&NEW_IDS, &args).unwrap().is_empty());
    tx.commit().unwrap();
    new.sort();
    let want: Vec<String> = (0..120)
        .filter(|i| *i != 3)
        .map(|i| format!("k{i:03}"))
        .collect();
    assert_eq!(new, want);
    assert_eq!((count(db), get(db, "k003")), (120, Some(0)));
}

/// Every chunk size, none, and a broken row.
pub fn bulk_takes_any_number_of_rows(db: &dyn Db) {
    let db = migrated(db);
    let plain = Bulk {
        suffix: "",
        ..NEW_IDS
    };
    let mut total = 0;
    for rows in [0usize, 1, 3, 4, 5, 16, 63, 64, 65, 149] {
        let ids: Vec<String> = (0..rows).map(|i| format!("{rows}-{i}")).collect();
        let args: Vec<Arg<'_>> = ids
            .iter()
            .flat_map(|id| [id.into(), Arg::from(1)])
            .collect();
        let mut tx = db.begin().unwrap();
        assert!(tx.bulk(&plain, &args).unwrap().is_empty());
        tx.commit().unwrap();
        total += i64::try_from(rows).unwrap();
        assert_eq!(count(db), total);
    }
    let mut tx = db.begin().unwrap();
    assert!(tx.bulk(&plain, &["x".into()]).is_err());
    assert_eq!(kind(tx.commit()), DbErrorKind::Poisoned);
}

/// One key twice in an upsert is error 21000 on PostgreSQL: callers fold first.
pub fn a_folded_upsert_counts_every_row_once(db: &dyn Db) {
    let db = migrated(db);
    let upsert = Bulk {
        suffix: "ON CONFLICT (id) DO UPDATE SET n = item.n + EXCLUDED.n",
        ..NEW_IDS
    };
    for _ in 0..2 {
        let mut folded = std::collections::BTreeMap::new();
        for id in ["a", "b", "a"] {
            *folded.entry(id).or_insert(0) += 1;
        }
        let args: Vec<Arg<'_>> = folded
            .iter()
            .flat_map(|(id, n)| [Arg::from(*id), Arg::from(*n)])
            .collect();
        let mut tx = db.begin().unwrap();
        tx.bulk(&upsert, &args).unwrap();
        tx.commit().unwrap();
    }
    assert_eq!((get(db, "a"), get(db, "b")), (Some(4), Some(2)));
}

/// Forty at once for a limit of fourteen: read-decide-write let all forty through on PostgreSQL.
pub fn a_limit_is_kept_by_a_conditional_update(db: &dyn Db) {
    let db = migrated(db);
    put(db, "limit", 0).unwrap();
    let allowed: u64 = std::thread::scope(|scope| {
        let spend = || {
            transact(db, 20, |tx| {
                tx.execute(
                    "UPDATE item SET n = n + 1 WHERE id = 'limit' AND n < $1",
                    &[14.into()],
                )
            })
            .unwrap()
        };
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(move || (0..5).map(|_| spend()).sum::<u64>()))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert_eq!((allowed, get(db, "limit")), (14, Some(14)));
}

/// Two transactions that lock two rows the other way round: 40P01 on PostgreSQL, then both succeed.
pub fn opposite_lock_order_is_run_again_and_succeeds(db: &dyn Db) {
    let db = migrated(db);
    put(db, "a", 0).unwrap();
    put(db, "b", 0).unwrap();
    let add = "UPDATE item SET n = n + 1 WHERE id = $1";
    let ((to_one, at_one), (to_two, at_two)) = (mpsc::channel(), mpsc::channel());
    let run = |first: &'static str,
               second: &'static str,
               tell: mpsc::Sender<()>,
               hear: mpsc::Receiver<()>| {
        transact(db, 10, |tx: &mut dyn Tx| {
            tx.execute(add, &[first.into()])?;
            let _ = tell.send(());
            // Where one writer excludes the other (SQLite) nobody answers; the wait is then just
            // over.
            let _ = hear.recv_timeout(Duration::from_millis(200));
            tx.execute(add, &[second.into()])
        })
        .unwrap();
    };
    std::thread::scope(|scope| {
        let run = &run;
        scope.spawn(move || run("a", "b", to_two, at_one));
        scope.spawn(move || run("b", "a", to_one, at_two));
    });
    assert_eq!((get(db, "a"), get(db, "b")), (Some(2), Some(2)));
}

/// No dirty reads.
pub fn uncommitted_changes_are_invisible_to_others(db: &dyn Db) {
    let db = migrated(db);
    let (tell, hear) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut tx = db.begin().unwrap();
            tx.execute(PUT, &["a".into(), 1.into()]).unwrap();
            tell.send(()).unwrap();
            std::thread::sleep(Duration::from_millis(30));
            drop(tx);
        });
        hear.recv().unwrap();
        assert_eq!(count(db), 0);
    });
    assert_eq!(count(db), 0);
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

/// At every start of the program.
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

/// What ran is what is written.
pub fn an_edited_migration_is_refused(db: &dyn Db) {
    db.migrate(&[TABLES]).unwrap();
    let edited = Migration {
        sql: "CREATE TABLE other (n {i64}) {strict};",
        ..TABLES
    };
    assert_eq!(kind(db.migrate(&[edited])), DbErrorKind::Schema);
}

/// One transaction for all of them.
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
