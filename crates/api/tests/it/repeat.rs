//! What a handler publishes may be lost: the row is the outbox.

use crate::desk::Desk;
use std::collections::BTreeSet;
use strongroom_api::submit;
use strongroom_ports::bus::Record;
use strongroom_wire::{Decided, JournalResult, Role, TransactionState, topics};
use strongroom_world::Who;

fn ids(records: &[Record]) -> BTreeSet<[u8; 16]> {
    records.iter().map(|record| record.headers.msg_id).collect()
}

#[test]
fn an_intent_is_sent_until_it_is_decided() {
    let (mut desk, intent) = Desk::with_intent(500_000);
    assert!(
        desk.records(topics::INTENT_SUBMITTED).is_empty(),
        "it was lost"
    );
    desk.wait(2_500);
    desk.wait(2_500);
    let sent = desk.records(topics::INTENT_SUBMITTED);
    assert_eq!(
        (sent.len(), ids(&sent).len()),
        (2, 1),
        "the same record twice"
    );
    desk.decided(&intent, Decided::Approved);
    desk.wait(2_500);
    assert_eq!(desk.records(topics::INTENT_SUBMITTED).len(), 2);
}

#[test]
fn an_intent_that_nobody_decided_in_time_expires_and_is_not_sent_any_more() {
    let (mut desk, intent) = Desk::with_intent(500_000);
    desk.wait(intent.expires.since(intent.created));
    let row = desk.row(&intent);
    assert_eq!(
        (row.state, row.code.as_str()),
        (TransactionState::Expired, "intent_expired")
    );
    desk.wait(2_500);
    assert!(desk.records(topics::INTENT_SUBMITTED).is_empty());
}

#[test]
fn an_answer_is_sent_once_more_and_under_the_same_name() {
    let (mut desk, intent) = Desk::with_pending();
    let yes = desk.yes(Who::Approver(0), &intent, &[]);
    let lost = desk.approve(&intent, &yes).unwrap().record.unwrap();
    for _ in 0..3 {
        desk.wait(2_500);
    }
    let sent = desk.records(topics::APPROVAL_SUBMITTED);
    assert_eq!(ids(&sent), BTreeSet::from([lost.headers.msg_id]));
    assert_eq!(sent.len(), 1);
}

#[test]
fn an_act_is_sent_until_the_writer_answers() {
    let mut desk = Desk::new();
    let intent = desk.intent(500_000, "order");
    let act = desk.journal.cancel(&intent);
    let lost = submit::act(&desk.intake, &act).unwrap().record.unwrap();
    desk.wait(2_500);
    desk.wait(2_500);
    let sent = desk.records(topics::JOURNAL_SUBMITTED);
    assert_eq!(ids(&sent), BTreeSet::from([lost.headers.msg_id]));
    assert_eq!(sent.len(), 2);

    // An answer to another submitter's submission of the same name is not an answer to this one.
    let mut tx = desk.intake.db.begin().unwrap();
    let row = tx.query_opt("SELECT submission FROM act", &[]).unwrap();
    let submission = row.unwrap().array(0).unwrap();
    drop(tx);
    let result = JournalResult {
        submission,
        result: Ok(9),
    };
    desk.says(Role::Writer, topics::JOURNAL_RESULTS, &result);
    desk.wait(2_500);
    assert_eq!(desk.records(topics::JOURNAL_SUBMITTED).len(), 3);
    let api = desk.journal.world.service(Role::Api).node;
    desk.says_to(Role::Writer, topics::JOURNAL_RESULTS, Some(api), &result);
    desk.wait(2_500);
    assert_eq!(desk.records(topics::JOURNAL_SUBMITTED).len(), 3);
}
