//! What the service's records carry besides their payload: order, deadline, thread, name.

use strongroom_types::Document as _;
use strongroom_wire::IntentDecided;
use strongroom_world::{INTENT_LIFE_MS, Who};

use crate::desk::{Desk, LARGE, MEDIUM, Office};

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
    desk.office.live(INTENT_LIFE_MS + 10_000);
    let now = desk.office.now().0;
    let [record] = desk.tick_records().try_into().unwrap();
    assert!(record.headers.deadline_ms > now);
}

/// One payment is one thread through the logs of all services.
#[test]
fn every_record_about_an_intent_has_its_session() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(LARGE);
    let session = &intent.digest().0[..16];
    desk.yes(Who::Approver(0), &intent);
    let last = desk.office.answer(Who::Approver(1), &intent);
    let last = desk.office.answered(&last);
    let [decided] = desk.deliver(last).unwrap().try_into().unwrap();
    let (envelope, _) = desk.office.world.open::<IntentDecided>(&decided);
    assert_eq!(envelope.session, session);
}
