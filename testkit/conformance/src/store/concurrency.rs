//! Transactions at the same time, on rows of each other.

use std::sync::mpsc;
use std::time::Duration;

use strongroom_ports::db::{Db, Tx, transact};

use super::table::{PUT, count, get, migrated, put};

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
            // Where one writer excludes the other (SQLite) no answer comes, and the wait ends by
            // its time.
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

/// No transaction reads what another one has not committed.
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
