//! The conformance suite of the database port on a temporary PostgreSQL 15.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::sync::Arc;

use strongroom_conformance::postgres::Postgres;
use strongroom_ports::db::{Db as _, DbErrorKind};
use strongroom_store_postgres::{PostgresDb, PostgresOptions};

fn options(server: &Postgres) -> PostgresOptions {
    PostgresOptions {
        connections_max: 10,
        ..PostgresOptions::new(&server.url(), &server.fresh_schema())
    }
}

fn make() -> (PostgresDb, Arc<Postgres>) {
    let server = Postgres::shared();
    (PostgresDb::connect(&options(&server)).unwrap(), server)
}

strongroom_conformance::store_suite!(make);

#[test]
fn a_connection_that_died_while_idle_is_replaced() {
    let (db, server) = make();
    let pid = || {
        db.begin()
            .unwrap()
            .query("SELECT pg_backend_pid()", &[])
            .unwrap()[0]
            .i64(0)
            .unwrap()
    };
    let first = pid();
    assert_eq!(pid(), first, "one idle connection is used again");
    let killer = PostgresDb::connect(&options(&server)).unwrap();
    let mut tx = killer.begin().unwrap();
    let killed = tx
        .query(
            "SELECT pg_terminate_backend(CAST($1 AS INTEGER), 5000)",
            &[first.into()],
        )
        .unwrap();
    assert!(killed[0].bool(0).unwrap());
    drop(tx);
    assert_ne!(pid(), first);
}

#[test]
fn no_connection_left_is_busy_not_a_hang() {
    let server = Postgres::shared();
    let options = PostgresOptions {
        connections_max: 1,
        lock_timeout: std::time::Duration::from_millis(50),
        ..options(&server)
    };
    let db = PostgresDb::connect(&options).unwrap();
    let tx = db.begin().unwrap();
    std::thread::scope(|scope| {
        let other = scope.spawn(|| db.begin().err().unwrap().kind());
        assert_eq!(other.join().unwrap(), DbErrorKind::Busy);
    });
    drop(tx);
    assert!(db.begin().is_ok());
}

#[test]
fn a_remote_database_without_verified_tls_is_refused() {
    for url in [
        "postgres://u@db.example/x",
        "postgres://u@db.example/x?sslmode=require",
    ] {
        let error = PostgresDb::connect(&PostgresOptions::new(url, "s"))
            .err()
            .unwrap();
        assert!(error.to_string().contains("verify-full"), "{error}");
    }
    let error = PostgresDb::connect(&PostgresOptions::new("postgres://u@localhost/x", "s; DROP"))
        .err()
        .unwrap();
    assert!(error.to_string().contains("schema"), "{error}");
}

#[test]
fn a_schema_of_another_program_is_refused_and_one_of_ours_is_not() {
    let server = Postgres::shared();
    for sql in [
        "CREATE TABLE notes (a INTEGER)",
        "CREATE TABLE schema_version (version INTEGER)",
    ] {
        let options = options(&server);
        let theirs = PostgresDb::connect(&options).unwrap();
        let mut tx = theirs.begin().unwrap();
        tx.execute(sql, &[]).unwrap();
        tx.commit().unwrap();
        let error = PostgresDb::connect(&options).err().unwrap();
        assert_eq!(error.kind(), DbErrorKind::Schema, "{error}");
    }

    let options = options(&server);
    for _ in ["empty", "ours"] {
        let db = PostgresDb::connect(&options).unwrap();
        db.migrate(&[]).unwrap();
    }
}
