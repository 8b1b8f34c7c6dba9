use crate::fixture::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use strongroom_ports::db::{Arg, Bulk, Db, DbError, DbErrorKind, Migration, Row, Tx};
use strongroom_replica::{Marker, Replica, ReplicaError, boot, install};
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

/// A database and its marker as `init` leaves them.
fn installed(db: SqliteDb) -> (SqliteDb, Cell) {
    let mut marker = Cell::default();
    install(&db, &mut marker, &mut ChaCha20Rng::seed_from_u64(1_000)).unwrap();
    (db, marker)
}

fn new() -> (SqliteDb, Cell) {
    installed(SqliteDb::open_in_memory().unwrap())
}

#[test]
fn a_restarted_witness_goes_on() {
    let (db, mut marker) = new();
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
    let (db, mut marker) = installed(db);
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
    let (db, mut marker) = new();
    assert!(start(&db, &mut marker, 1));
    assert!(!start(&SqliteDb::open_in_memory().unwrap(), &mut marker, 2));
    assert!(!start(&db, &mut Cell::default(), 3));
}

#[test]
fn hole_1_7_a_lost_database_with_a_lost_marker_is_not_a_first_start() {
    let (db, mut marker) = (SqliteDb::open_in_memory().unwrap(), Cell::default());
    assert!(!start(&db, &mut marker, 1));
    assert_eq!(marker.generation, None);
    assert!(!start(&db, &mut marker, 2), "and stays so");
    let again = install(&db, &mut marker, &mut ChaCha20Rng::seed_from_u64(3));
    assert!(again.is_err(), "no way back for the old key");
}

#[test]
fn a_witness_is_installed_once() {
    let (db, mut marker) = new();
    let before = marker.generation;
    let again = install(&db, &mut marker, &mut ChaCha20Rng::seed_from_u64(2));
    assert!(matches!(again, Err(ReplicaError::Refused(refusal)) if refusal.code == Code::Conflict));
    assert_eq!(marker.generation, before);
    assert!(start(&db, &mut marker, 3));
}

#[test]
fn a_retired_key_stays_retired_though_the_generations_agree() {
    let (db, mut marker) = new();
    assert!(start(&db, &mut marker, 1));
    commit(&db, |tx| {
        tx.execute("UPDATE journal_witness SET retired = 1", &[])
    })
    .unwrap();
    assert!(!start(&db, &mut marker, 2));
}

#[test]
fn a_crash_while_starting_is_a_restart() {
    let (db, mut marker) = new();
    assert!(start(&db, &mut marker, 1));
    // The marker cannot be written, so the generation is announced in the database only.
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

/// A process that dies before or after one of the durable steps of a start; the points are counted
/// from 0.
#[derive(Clone)]
struct Dying {
    left: Arc<AtomicI64>,
}

/// Points at which a start can die: one before and one after each of its durable steps (announce,
/// write the marker, confirm).
const POINTS: u32 = 6;

impl Dying {
    fn at(point: u32) -> Self {
        let left = Arc::new(AtomicI64::new(point.into()));
        Self { left }
    }

    fn dies(&self) -> bool {
        self.left.fetch_sub(1, Ordering::Relaxed) == 0
    }
}

struct DyingDb<'a> {
    db: &'a SqliteDb,
    dying: Dying,
}

struct DyingTx<'a> {
    inner: Box<dyn Tx + 'a>,
    dying: Dying,
}

struct DyingMarker<'a> {
    marker: &'a mut Cell,
    dying: Dying,
}

fn dead() -> DbError {
    DbError::new(DbErrorKind::Io, "the process is dead")
}

impl Db for DyingDb<'_> {
    fn begin(&self) -> Result<Box<dyn Tx + '_>, DbError> {
        Ok(Box::new(DyingTx {
            inner: self.db.begin()?,
            dying: self.dying.clone(),
        }))
    }
    fn migrate(&self, migrations: &[Migration]) -> Result<(), DbError> {
        self.db.migrate(migrations)
    }
    fn commits(&self) -> u64 {
        self.db.commits()
    }
}

impl Tx for DyingTx<'_> {
    fn execute(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<u64, DbError> {
        self.inner.execute(sql, args)
    }
    fn query(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<Vec<Row>, DbError> {
        self.inner.query(sql, args)
    }
    fn bulk(&mut self, bulk: &Bulk, args: &[Arg<'_>]) -> Result<Vec<Row>, DbError> {
        self.inner.bulk(bulk, args)
    }
    fn commit(self: Box<Self>) -> Result<(), DbError> {
        if self.dying.dies() {
            return Err(dead());
        }
        self.inner.commit()?;
        if self.dying.dies() {
            return Err(dead());
        }
        Ok(())
    }
}

impl Marker for DyingMarker<'_> {
    fn read(&self) -> io::Result<Option<[u8; 16]>> {
        self.marker.read()
    }
    fn write(&mut self, generation: [u8; 16]) -> io::Result<()> {
        if self.dying.dies() {
            return Err(io::Error::other("the process is dead"));
        }
        self.marker.write(generation)?;
        if self.dying.dies() {
            return Err(io::Error::other("the process is dead"));
        }
        Ok(())
    }
}

/// A start of a process that dies at a point.
fn start_dying(
    db: &SqliteDb,
    marker: &mut Cell,
    dying: &Dying,
    seed: u64,
) -> Result<(), ReplicaError> {
    let process = DyingDb {
        db,
        dying: dying.clone(),
    };
    let mut marker = DyingMarker {
        marker,
        dying: dying.clone(),
    };
    boot(&process, &mut marker, &mut ChaCha20Rng::seed_from_u64(seed)).map(|_| ())
}

/// Generations in the database: confirmed and announced.
type Generations = (Option<[u8; 16]>, Option<[u8; 16]>);

fn generations(db: &SqliteDb) -> Generations {
    let mut tx = db.begin().unwrap();
    let sql = "SELECT generation, generation_next FROM journal_witness";
    let row = tx.query_opt(sql, &[]).unwrap().unwrap();
    let read = |at| row.blob_opt(at).unwrap().map(|g| g.try_into().unwrap());
    (read(0), read(1))
}

/// Puts the columns that a start reads back to their earlier values.
fn put_back(db: &SqliteDb, (confirmed, announced): &Generations) {
    let blob = |generation: &Option<[u8; 16]>| generation.map(|g| g.to_vec());
    let (confirmed, announced) = (blob(confirmed), blob(announced));
    let sql = "UPDATE journal_witness SET generation = $1, generation_next = $2, retired = 0";
    commit(db, |tx| {
        let args = [confirmed.as_deref().into(), announced.as_deref().into()];
        tx.execute(sql, &args).unwrap();
    });
}

#[test]
fn no_sequence_of_up_to_four_crashes_of_a_start_retires_the_key_and_every_older_database_does() {
    let (db, mut marker) = new();
    let (mut seed, mut restored) = (1, 0);

    // A start that has one more durable step would die here, and its points would have to be counted
    // again.
    let last = Dying::at(POINTS);
    assert!(start_dying(&db, &mut marker, &last, seed).is_ok());

    let sequences = (1..=4).flat_map(|length| (0..POINTS.pow(length)).map(move |n| (length, n)));
    for (length, number) in sequences {
        let points: Vec<u32> = (0..length)
            .map(|at| number / POINTS.pow(at) % POINTS)
            .collect();
        let mut older = vec![generations(&db)];
        for point in &points {
            seed += 1;
            let died = start_dying(&db, &mut marker, &Dying::at(*point), seed);
            assert!(died.is_err(), "{points:?}: dies at {point}, not {died:?}");
            older.push(generations(&db));
        }
        seed += 1;
        assert!(start(&db, &mut marker, seed), "{points:?} retires the key");

        // No earlier copy holds the generation of the start that came after it.
        let newest = generations(&db);
        for copy in older {
            restored += 1;
            put_back(&db, &copy);
            seed += 1;
            assert!(
                !start(&db, &mut marker, seed),
                "{points:?}, put back: {copy:?}"
            );
        }
        put_back(&db, &newest);
    }
    assert_eq!(restored, 6 * 2 + 36 * 3 + 216 * 4 + 1296 * 5);
}
