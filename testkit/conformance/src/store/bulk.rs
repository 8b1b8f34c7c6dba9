//! Many rows in one call.

use strongroom_ports::db::{Arg, Bulk, Db, DbErrorKind};

use super::table::{NEW_IDS, count, get, kind, migrated, put, texts};

/// The inbox relies on this: known ids and doubles within the call are skipped, and the others are
/// named.
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

/// Any number of rows is taken, none included; one broken row refuses all of them.
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
