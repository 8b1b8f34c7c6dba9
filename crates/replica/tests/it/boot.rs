use crate::fixture::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use std::io;
use strongroom_replica::{Marker, Replica, ReplicaError, boot};
use strongroom_store_sqlite::SqliteDb;
use strongroom_types::Code;

#[derive(Default)]
struct Cell {
    generation: Option<[u8; 16]>,
    broken: bool,
}

impl Marker for Cell {
    fn read(&self) -> io::Result<Option<[u8; 16]>> {
        Ok(self.generation)
    }
    fn write(&mut self, generation: [u8; 16]) -> io::Result<()> {
        if self.broken {
            return Err(io::Error::other("broken"));
        }
        self.generation = Some(generation);
        Ok(())
    }
}

fn start(db: &SqliteDb, marker: &mut Cell, seed: u64) -> bool {
    boot(db, marker, &mut ChaCha20Rng::seed_from_u64(seed)).unwrap()
}

#[test]
fn a_restarted_witness_goes_on() {
    let (db, mut marker) = (SqliteDb::open_in_memory().unwrap(), Cell::default());
    let mut seen = Vec::new();
    for seed in 0..3 {
        assert!(start(&db, &mut marker, seed));
        assert!(
            !seen.contains(&marker.generation),
            "each start has its own generation"
        );
        seen.push(marker.generation);
    }
}

#[test]
fn a_disk_put_back_retires_the_key_however_far_it_catches_up() {
    let mut log = log();
    let (db, mut replica) = stored(&[log.tick(START)]);
    let mut marker = Cell::default();
    assert!(start(&db, &mut marker, 1));
    let copy = db.snapshot().unwrap();
    assert!(start(&db, &mut marker, 2));
    append(&db, &mut replica, &log.tick(START));

    let restored = SqliteDb::from_snapshot(&copy).unwrap();
    assert!(!start(&restored, &mut marker, 3));
    let mut replica = Replica::open(&restored, genesis()).unwrap();
    let mut witness = replica.witness(node(1), &witness_seed(1)).unwrap();
    let catch_up = [log.tick(START)];
    assert!(
        commit(&restored, |tx| replica.append(tx, &catch_up[0])).is_err(),
        "a gap: it asks for what is missing"
    );
    assert_eq!(
        code(commit(&restored, |tx| replica.cosign(
            tx,
            &mut witness,
            START
        ))),
        Code::SignerRetired
    );
    assert!(
        !start(&restored, &mut marker, 4),
        "and stays retired at every later start"
    );
}

#[test]
fn a_lost_database_and_a_lost_marker_each_retire_the_key() {
    let (db, mut marker) = (SqliteDb::open_in_memory().unwrap(), Cell::default());
    assert!(start(&db, &mut marker, 1));
    assert!(!start(&SqliteDb::open_in_memory().unwrap(), &mut marker, 2));
    assert!(!start(&db, &mut Cell::default(), 3));
}

#[test]
fn a_retired_key_stays_retired_though_the_generations_agree() {
    let (db, mut marker) = (SqliteDb::open_in_memory().unwrap(), Cell::default());
    assert!(start(&db, &mut marker, 1));
    commit(&db, |tx| {
        tx.execute("UPDATE journal_witness SET retired = 1", &[])
    })
    .unwrap();
    assert!(!start(&db, &mut marker, 2));
}

#[test]
fn a_crash_while_starting_is_a_restart() {
    let (db, mut marker) = (SqliteDb::open_in_memory().unwrap(), Cell::default());
    assert!(start(&db, &mut marker, 1));
    // The marker could not be written: announced in the database only.
    marker.broken = true;
    let crashed = boot(&db, &mut marker, &mut ChaCha20Rng::seed_from_u64(2));
    assert!(matches!(crashed, Err(ReplicaError::Marker(_))));
    marker.broken = false;
    assert!(start(&db, &mut marker, 3));
    // The marker was written, but the database does not know that yet.
    let before = db.snapshot().unwrap();
    let announced = [9; 16];
    commit(&db, |tx| {
        tx.execute(
            "UPDATE journal_witness SET generation_next = $1",
            &[(&announced).into()],
        )
        .unwrap();
    });
    marker.generation = Some(announced);
    assert!(start(&db, &mut marker, 4));
    assert!(!start(
        &SqliteDb::from_snapshot(&before).unwrap(),
        &mut marker,
        5
    ));
}
