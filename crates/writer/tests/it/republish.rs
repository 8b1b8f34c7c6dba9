use crate::fixture::*;
use std::sync::Arc;
use strongroom_journal::Body;
use strongroom_ports::bus::{Bus, Headers, Record, Topic};
use strongroom_stage::StopFlag;
use strongroom_stage::post::message_id;
use strongroom_store_sqlite::SqliteDb;
use strongroom_wire::topics;
use strongroom_writer::{Places, StartError, republish};

fn journal() -> Running {
    let mut writer = Running::new();
    writer.settle(START).unwrap();
    for id in 1..=3 {
        writer.submit(id, &Body::Act(stop(id)));
        writer.settle(START).unwrap();
    }
    writer
}

fn fill(db: &SqliteDb, bus: &dyn Bus) -> Result<u64, StartError> {
    let places = Places {
        db,
        bus,
        genesis: &genesis(),
        stop: &StopFlag::new(),
    };
    republish(&places, &mut post(), at(5)).map(|republished| republished.batches)
}

#[test]
fn a_deleted_bus_gets_every_batch_again_exactly_as_it_was() {
    let mut writer = journal();
    let before = writer.records(topics::JOURNAL_ENTRIES);
    let tip = writer.shell.stage().follower().unwrap().tip().clone();
    writer.bus = bus();
    assert_eq!(
        fill(&writer.db, writer.bus.as_ref()).unwrap(),
        before.len() as u64
    );
    assert_eq!(
        writer.replayed().read(|follower| follower.tip().clone()),
        tip
    );
    let ids = |records: &[Record]| records.iter().map(message_id).collect::<Vec<_>>();
    assert_eq!(
        ids(&writer.records(topics::JOURNAL_ENTRIES)),
        ids(&before),
        "known by their message ids"
    );
    assert_eq!(
        fill(&writer.db, writer.bus.as_ref()).unwrap(),
        0,
        "and only once"
    );
}

#[test]
fn a_bus_that_lost_its_last_records_gets_those_and_junk_at_its_end_hides_nothing() {
    let mut writer = journal();
    let all = writer.records(topics::JOURNAL_ENTRIES);
    writer.bus = bus();
    writer.bus.publish(&all[..2]).unwrap();
    let topic = Topic::new(topics::JOURNAL_ENTRIES).unwrap();
    let junk = Record {
        topic,
        key: vec![1],
        headers: Headers::default(),
        payload: vec![1, 2, 3],
    };
    writer.bus.publish(&[junk]).unwrap();
    assert_eq!(
        fill(&writer.db, writer.bus.as_ref()).unwrap(),
        all.len() as u64 - 2
    );
    assert_eq!(
        writer.replayed().read(|follower| follower.size()),
        writer.size()
    );
}

#[test]
fn a_database_behind_the_topic_is_refused() {
    let mut writer = Running::new();
    writer.settle(START).unwrap();
    let copy = writer.db.snapshot().unwrap();
    writer.submit(1, &Body::Act(stop(1)));
    writer.settle(START).unwrap();
    let restored = Arc::new(SqliteDb::from_snapshot(&copy).unwrap());
    let refused = fill(&restored, writer.bus.as_ref());
    assert!(matches!(
        refused,
        Err(StartError::DatabaseBehind {
            published: 2,
            stored: 1
        })
    ));
}
