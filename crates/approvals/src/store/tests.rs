//! Writes against what another instance wrote.

use super::*;
use crate::pending::OutlookKind;
use crate::schema::MIGRATIONS;
use strongroom_ports::db::Db as _;
use strongroom_stage::post::Cause;
use strongroom_store_sqlite::SqliteDb;
use strongroom_world::{FRIEND, START, World, WorldOptions};

fn intent() -> ParsedText<Intent> {
    let world = World::new(1, WorldOptions::default());
    let intent = world.intent(START, 2_000_000, FRIEND);
    ParsedText::try_from(world.signed_intent(&intent)).unwrap()
}

fn database() -> SqliteDb {
    let db = SqliteDb::open_in_memory().unwrap();
    db.migrate(MIGRATIONS).unwrap();
    db
}

fn step(tx: &mut dyn Tx) -> Step<'_> {
    Step {
        now: UnixMs(1),
        tx,
        cause: Cause::own(&[], UnixMs(2)),
    }
}

#[test]
fn hole_row_that_another_instance_changed_is_not_written_over() {
    let (db, intent) = (database(), intent());
    let mut tx = db.begin().unwrap();
    let mut step = step(tx.as_mut());
    let absent = Change {
        intent: &intent,
        from: PendingState::Absent,
        core: Some("core"),
    };
    let waiting = Change {
        from: PendingState::Waiting,
        core: None,
        ..absent
    };
    let submit = PendingEvent::Submit(OutlookKind::Waits);

    set_state(&mut step, absent, submit).unwrap();
    assert!(
        set_state(&mut step, absent, submit)
            .unwrap_err()
            .is_transient()
    );

    set_state(&mut step, waiting, PendingEvent::LastYes).unwrap();
    for event in [
        PendingEvent::Yes,
        PendingEvent::LastYes,
        PendingEvent::Expire,
    ] {
        let error = set_state(&mut step, waiting, event).unwrap_err();
        assert!(error.is_transient(), "{event:?}");
    }
}

#[test]
fn event_that_the_state_does_not_take_is_an_error_and_changes_no_row() {
    let (db, intent) = (database(), intent());
    let mut tx = db.begin().unwrap();
    let mut step = step(tx.as_mut());
    let absent = Change {
        intent: &intent,
        from: PendingState::Absent,
        core: Some("core"),
    };
    let error = set_state(&mut step, absent, PendingEvent::LastYes).unwrap_err();
    assert!(!error.is_transient());
    let rows = step.tx.query("SELECT state FROM pending", &[]).unwrap();
    assert!(rows.is_empty());
}
