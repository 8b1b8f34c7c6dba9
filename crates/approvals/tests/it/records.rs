//! What the service's records carry besides their payload: order, deadline, thread, name.

use strongroom_ports::bus::Record;
use strongroom_types::{Answer, Document as _, Intent};
use strongroom_wire::{IntentDecided, JournalSubmitted, topics};
use strongroom_world::{INTENT_LIFE_MS, Who};

use crate::desk::{Desk, LARGE, MEDIUM, Office};

/// A no of this approver: the submission to the journal, and the decision.
fn rejected(desk: &mut Desk, who: Who, intent: &Intent) -> [Record; 2] {
    let no = desk.office.answer(who, intent, Answer::No);
    let mut records = desk.deliver(desk.office.answered(&no)).unwrap();
    records.sort_by_key(|record| record.topic.as_str() != topics::JOURNAL_SUBMITTED);
    records.try_into().unwrap()
}

/// One vault's decisions may spend the same coins; people may take longer than the request lives.
#[test]
fn decision_keeps_its_vaults_order_and_lives_as_long_as_its_intent() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.office.intent(MEDIUM);
    let submitted = desk.office.submitted(&intent);
    let asked_until = submitted.headers.deadline_ms;
    assert!(asked_until < intent.expires.0, "else nothing is shown here");
    let [record] = desk.deliver(submitted).unwrap().try_into().unwrap();
    assert_eq!(record.key, intent.vault.0);
    assert_eq!(record.headers.deadline_ms, intent.expires.0);
}

#[test]
fn news_of_an_expiry_can_still_be_read() {
    let mut desk = Desk::new(Office::new());
    desk.waiting(MEDIUM);
    desk.office.ledger.borrow_mut().wait(INTENT_LIFE_MS);
    let now = desk.office.now().0;
    let [record] = desk.tick_records().try_into().unwrap();
    assert!(record.headers.deadline_ms > now);
}

/// Two approvers may say no, and each more than once: the journal gets one rejection of an intent.
#[test]
fn rejections_of_one_intent_are_one_submission() {
    let submission = |who, amount| {
        let mut desk = Desk::new(Office::new());
        let intent = desk.waiting(amount);
        let [submitted, _] = rejected(&mut desk, who, &intent);
        assert_eq!(submitted.key, intent.tenant.0);
        assert!(submitted.headers.deadline_ms > desk.office.now().0);
        let (_, payload): (_, JournalSubmitted) = desk.office.world.open(&submitted);
        payload.submission
    };
    let first = submission(Who::Approver(0), LARGE);
    assert_eq!(submission(Who::Approver(1), LARGE), first);
    assert_ne!(submission(Who::Approver(0), MEDIUM), first);
}

/// One payment is one thread through the logs of all services.
#[test]
fn every_record_about_an_intent_has_its_session() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(LARGE);
    let session = &intent.digest().0[..16];
    let [submitted, decided] = rejected(&mut desk, Who::Approver(0), &intent);
    let (envelope, _) = desk.office.world.open::<JournalSubmitted>(&submitted);
    assert_eq!(envelope.session, session);
    let (envelope, _) = desk.office.world.open::<IntentDecided>(&decided);
    assert_eq!(envelope.session, session);
}
