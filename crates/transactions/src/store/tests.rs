//! Rows: what is written is what is read, and two writers of one row are told apart.

use super::*;
use crate::payment::{PaymentState, Proposal, Waiting};
use crate::schema::MIGRATIONS;
use crate::step::Step;
use strongroom_ports::chain::{Holding, OwnAccount, OwnCoin, OwnPath};
use strongroom_ports::db::Db as _;
use strongroom_stage::post::Cause;
use strongroom_store_sqlite::SqliteDb;
use strongroom_types::{Attempt, AttemptKind, Code, ConflictKey, Tweak};
use strongroom_wire::{Decided, IntentDecided, SigningSlot, TransactionState, Who};
use strongroom_world::{NATIVE, START, World, WorldOptions};

fn decided() -> IntentDecided {
    let world = World::new(1, WorldOptions::default());
    let intent = world.order(START, 1_000, "order");
    IntentDecided {
        intent: world.signed_intent(&intent),
        core: "{}".to_owned(),
        approvals: vec![world.signed_intent(&intent)],
        decided: Decided::Approved,
    }
}

fn proposal() -> Proposal {
    let anchor = ConflictKey::Coin("coin:0".to_owned());
    Proposal {
        attempt: Attempt {
            intent: Digest([1; 32]),
            number: 1,
            kind: AttemptKind::Pay,
            parent: None,
            anchor: anchor.clone(),
            conflict_keys: vec![anchor],
            unsigned_digest: Digest([2; 32]),
            fee_max: 3_u64.into(),
        },
        unsigned: vec![4],
        slots: vec![SigningSlot {
            path: vec![5, 6],
            tweak: Tweak::Bip341,
            message: vec![7; 32],
        }],
    }
}

fn database() -> SqliteDb {
    let db = SqliteDb::open_in_memory().unwrap();
    db.migrate(MIGRATIONS).unwrap();
    db
}

fn in_step<R>(db: &SqliteDb, work: impl FnOnce(&mut Step<'_>) -> R) -> R {
    let mut tx = db.begin().unwrap();
    let result = work(&mut Step {
        now: START,
        tx: tx.as_mut(),
        cause: Cause::own(&[b"test"], START),
    });
    tx.commit().unwrap();
    result
}

/// A database with one payment that has been through these events, and the payment.
fn after_events(events: Vec<PaymentEvent>) -> (SqliteDb, Payment) {
    let db = database();
    let payment = in_step(&db, |step| {
        let mut payment = Payment::new(decided()).unwrap();
        assert!(insert(step, &payment).unwrap());
        for event in events {
            payment = set_state(step, payment, event).unwrap();
        }
        payment
    });
    (db, payment)
}

fn read(db: &SqliteDb, digest: &Digest) -> Option<Payment> {
    in_step(db, |step| find(step.tx, digest).unwrap())
}

/// Ways to each state that has a row.
fn ways() -> Vec<Vec<PaymentEvent>> {
    let offer = || PaymentEvent::Offer(proposal());
    let assemble = || PaymentEvent::Assemble(vec![8, 9]);
    vec![
        vec![],
        vec![PaymentEvent::Postpone, PaymentEvent::Postpone],
        vec![PaymentEvent::Wait(Code::FeeCapTooLow)],
        vec![offer()],
        vec![offer(), PaymentEvent::Remind],
        vec![
            offer(),
            PaymentEvent::RefusalReported,
            PaymentEvent::RefusalReported,
        ],
        vec![
            offer(),
            PaymentEvent::RefusalReported,
            PaymentEvent::EndedTooLate,
        ],
        vec![offer(), PaymentEvent::RefusalReported, assemble()],
        vec![offer(), PaymentEvent::AnchorTaken],
        vec![offer(), PaymentEvent::AnchorTaken, offer()],
        vec![
            offer(),
            PaymentEvent::Refuse(Code::IntentExpired, Who::Journal),
        ],
        vec![offer(), assemble()],
        vec![offer(), assemble(), PaymentEvent::NodeSilent],
        vec![offer(), assemble(), PaymentEvent::NodeRejected],
        vec![offer(), assemble(), PaymentEvent::NodeAccepted],
        vec![
            offer(),
            assemble(),
            PaymentEvent::NodeAccepted,
            PaymentEvent::Confirm,
        ],
    ]
}

#[test]
fn every_state_is_read_as_it_was_written() {
    for way in ways() {
        let (db, written) = after_events(way);
        let read = read(&db, &written.digest).unwrap();
        assert_eq!(read.state, written.state);
        assert_eq!(read.version, written.version);
        assert_eq!(read.intent, written.intent);
        assert_eq!(read.signed, written.signed);
        assert_eq!(read.approvals, written.approvals);
        assert_eq!(read.core, written.core);
    }
}

#[test]
fn second_writer_of_the_same_row_is_told_to_start_again() {
    let (db, payment) = after_events(vec![PaymentEvent::Offer(proposal())]);
    for late in [PaymentEvent::Remind, PaymentEvent::Return] {
        let stale = read(&db, &payment.digest).unwrap();
        let first = read(&db, &payment.digest).unwrap();
        in_step(&db, |step| set_state(step, first, PaymentEvent::Remind)).unwrap();

        // The state is the same, so only the version tells the two apart.
        let error = in_step(&db, |step| set_state(step, stale, late).err()).unwrap();
        assert!(error.is_transient(), "{error}");
    }
}

#[test]
fn writer_that_missed_a_transition_is_told_to_start_again() {
    let (db, payment) = after_events(vec![PaymentEvent::Offer(proposal())]);
    // Another program writes the row and forgets the version.
    in_step(&db, |step| {
        let sql = "UPDATE payment SET state = 3, ended = 11";
        step.tx.execute(sql, &[]).unwrap();
    });
    let event = PaymentEvent::Assemble(vec![1]);
    let error = in_step(&db, |step| set_state(step, payment, event).err()).unwrap();
    assert!(error.is_transient(), "{error}");
}

#[test]
fn illegal_event_leaves_the_row_as_it_was() {
    let (db, payment) = after_events(vec![]);
    let digest = payment.digest;
    let error = in_step(&db, |step| {
        set_state(step, payment, PaymentEvent::Confirm).err()
    });
    assert!(!error.unwrap().is_transient());
    let read = read(&db, &digest).unwrap();
    assert_eq!(read.state, PaymentState::Building(Waiting::default()));
    assert_eq!(read.version, 0);
}

/// A reason that stayed behind would be shown again when the payment loses its anchor.
#[test]
fn reason_of_a_wait_ends_with_the_offer() {
    let wait = || PaymentEvent::Wait(Code::InsufficientBalance);
    let offer = PaymentEvent::Offer(proposal());
    let (db, payment) = after_events(vec![wait(), offer, PaymentEvent::AnchorTaken]);
    let read = read(&db, &payment.digest).unwrap();
    assert_eq!(read.state, payment.state);
    assert_eq!(read.state.shown(), TransactionState::Approved);
}

#[test]
fn returned_payment_keeps_its_offer() {
    let way = vec![PaymentEvent::Offer(proposal()), PaymentEvent::Return];
    let (db, payment) = after_events(way);
    let PaymentState::Returned(offered) = read(&db, &payment.digest).unwrap().state else {
        panic!("not returned");
    };
    assert_eq!(offered.attempt, proposal().attempt);
}

#[test]
fn rows_that_this_service_did_not_write_stop_it() {
    let lies = [
        "UPDATE payment SET state = 5, attempt = NULL",
        "UPDATE payment SET state = 9",
        "UPDATE payment SET state = 3, ended = 3",
        "UPDATE payment SET state = 3, ended = 99",
        "UPDATE payment SET state = 0, attempt = NULL",
        "UPDATE payment SET failures = -1, state = 4",
        "UPDATE payment SET signed = approvals",
    ];
    for sql in lies {
        let (db, payment) = after_events(vec![PaymentEvent::Offer(proposal())]);
        in_step(&db, |step| step.tx.execute(sql, &[]).unwrap());
        let found = in_step(&db, |step| find(step.tx, &payment.digest));
        let error = found.err().unwrap_or_else(|| panic!("{sql} was read"));
        assert!(!error.is_transient(), "{sql}");
    }
}
/// Everything that a column keeps as bytes.
fn columns() -> Vec<strongroom_golden::Case> {
    let path = OwnPath {
        change: 1,
        index: 2,
    };
    let coin = Holding::Coin(OwnCoin {
        key: ConflictKey::Coin("coin:0".to_owned()),
        path,
        asset: NATIVE.parse().unwrap(),
        amount: 3_u64.into(),
    });
    let account = Holding::Account(OwnAccount {
        path,
        next: 4,
        asset: NATIVE.parse().unwrap(),
        amount: 5_u64.into(),
    });
    let decided = decided();
    vec![
        ("column signed", encode(&decided.intent)),
        ("column approvals", encode(&decided.approvals)),
        ("column attempt", encode(&proposal().attempt)),
        ("column slots", encode(&proposal().slots)),
        ("column fact, coin", encode(&coin)),
        ("column fact, account", encode(&account)),
        ("column value, height", encode(&7_u64)),
    ]
}

strongroom_golden::golden! {
    file: "vectors/golden.txt",
    cases: columns,
    column_bytes_do_not_change "column"
}
