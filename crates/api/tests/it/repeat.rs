//! What a handler publishes may be lost: the row is the outbox.

use crate::desk::Desk;
use std::collections::BTreeSet;
use strongroom_api::submit;
use strongroom_journal::Body;
use strongroom_ports::bus::Record;
use strongroom_stage::post::message_id;
use strongroom_types::{ActBody, Digest, Intent, Tighten};
use strongroom_wire::{Decided, IntentSubmitted, JournalResult, Role, TransactionState, topics};
use strongroom_world::Who;

fn ids(records: &[Record]) -> BTreeSet<[u8; 16]> {
    records.iter().map(message_id).collect()
}

#[test]
fn an_intent_is_sent_until_it_is_decided() {
    let (mut desk, intent) = Desk::with_intent(500_000);
    let size = desk.intake.journal.read(|f| f.size());
    // Entries that came later are none by which it was taken.
    desk.tick();
    assert!(
        desk.records(topics::INTENT_SUBMITTED).is_empty(),
        "it was lost"
    );
    desk.wait(2_500);
    desk.wait(2_500);
    let sent = desk.records(topics::INTENT_SUBMITTED);
    assert_eq!(
        (sent.len(), ids(&sent).len()),
        (2, 2),
        "each is a question of its own"
    );
    for record in &sent {
        let (_, submitted): (_, IntentSubmitted) = desk.journal.world.open(record);
        assert_eq!(submitted.size, size);
    }
    desk.decided(&intent, Decided::Approved);
    desk.wait(2_500);
    assert_eq!(desk.records(topics::INTENT_SUBMITTED).len(), 2);
}

#[test]
fn hole_an_undecided_intent_expires_when_the_witnessed_time_is_past_its_end() {
    let (mut desk, intent) = Desk::with_intent(500_000);
    let over_ms =
        intent.expires.since(intent.created) + 2 * desk.journal.world.genesis.bounds.skew_ms;
    desk.wait(over_ms);
    let state = desk.row(&intent).state;
    assert_eq!(state, TransactionState::Received, "by this clock alone");
    desk.tick();
    desk.wait(2_500);
    let state = desk.row(&intent).state;
    assert_eq!(state, TransactionState::Received, "no witness has seen it");
    desk.witness();
    desk.wait(2_500);
    let row = desk.row(&intent);
    assert_eq!(
        (row.state, row.code.as_str()),
        (TransactionState::Expired, "intent_expired")
    );
    desk.wait(2_500);
    assert!(desk.records(topics::INTENT_SUBMITTED).is_empty());
}

/// A record that was lost: the approval, which the transactions service then never read, or the end
/// that the service which has the intent told.
#[test]
fn hole_row_that_no_service_reports_the_end_of_expires() {
    for last in [
        TransactionState::PendingApproval,
        TransactionState::Approved,
        TransactionState::WaitingForFunds,
        TransactionState::Signing,
    ] {
        let (mut desk, intent) = Desk::with_intent(500_000);
        let waits = last == TransactionState::PendingApproval;
        let decided = if waits {
            Decided::Pending
        } else {
            Decided::Approved
        };
        desk.decided(&intent, decided);
        let is_offered = last == TransactionState::Signing;
        if is_offered || last == TransactionState::WaitingForFunds {
            desk.changed(&intent, last);
        }
        let before = desk.row(&intent);
        assert_eq!(before.state, last);
        let skew_ms = desk.journal.world.genesis.bounds.skew_ms;
        desk.wait(intent.expires.since(intent.created) + 2 * skew_ms);
        desk.tick();
        desk.wait(2_500);
        assert_eq!(desk.row(&intent), before, "no witness has seen it");
        desk.witness();
        desk.wait(2_500);

        // The transactions service is the first to tell the end of what it offered.
        if is_offered {
            assert_eq!(desk.row(&intent), before);
            desk.pass(60_000);
            desk.tick();
            desk.witness();
            desk.wait(2_500);
        }
        let row = desk.row(&intent);
        assert_eq!(
            (row.state, row.code.as_str()),
            (TransactionState::Expired, "intent_expired")
        );
    }
}

/// The intent's end passes by the witnessed time, and so much more time, milliseconds.
fn end_passes(desk: &mut Desk, intent: &Intent, more_ms: u64) {
    let skew_ms = desk.journal.world.genesis.bounds.skew_ms;
    desk.wait(intent.expires.since(intent.created) + 2 * skew_ms + more_ms);
    desk.tick();
    desk.witness();
    desk.wait(2_500);
}

/// A transactions service whose tables were put back knows nothing of what it offered since, and
/// reports no end of it.
#[test]
fn hole_offered_payment_that_no_service_knows_is_told_to_be_too_late() {
    let (mut desk, intent) = Desk::with_intent(500_000);
    desk.decided(&intent, Decided::Approved);
    desk.changed(&intent, TransactionState::Signing);
    let authorization = desk.journal.ledger.authorization(&intent, &[]);
    desk.append(Body::Authorized(Box::new(authorization)));
    end_passes(&mut desk, &intent, 60_000);
    let row = desk.row(&intent);
    assert_eq!(
        (row.state, row.code.as_str()),
        (TransactionState::Signing, "too_late")
    );
}

/// Of an intent that a hostile service had authorized no honest one reports anything. A client that
/// is told "expired" signs another, and both are paid.
#[test]
fn hole_an_intent_that_the_journal_holds_is_not_told_expired() {
    let (mut desk, intent) = Desk::with_intent(500_000);
    let authorization = desk.journal.ledger.authorization(&intent, &[]);
    desk.append(Body::Authorized(Box::new(authorization)));
    end_passes(&mut desk, &intent, 0);
    let row = desk.row(&intent);
    assert_eq!(
        (row.state, row.code.as_str()),
        (TransactionState::Signing, "too_late")
    );
}

/// They are never shown otherwise by this service, and would fill every page that it looks at.
#[test]
fn payments_that_are_too_late_keep_no_other_one_from_its_end() {
    let mut desk = Desk::new();
    let offered = |desk: &mut Desk, name: &str| {
        let intent = desk.intent(1_000, name);
        desk.submit(&intent).unwrap();
        desk.decided(&intent, Decided::Approved);
        desk.changed(&intent, TransactionState::Signing);
        intent
    };
    for number in 0..64 {
        let intent = offered(&mut desk, &format!("order {number}"));
        let authorization = desk.journal.ledger.authorization(&intent, &[]);
        desk.append(Body::Authorized(Box::new(authorization)));
    }
    desk.pass(1_000);
    let last = offered(&mut desk, "the last one");

    end_passes(&mut desk, &last, 60_000);
    desk.wait(2_500);
    assert_eq!(desk.row(&last).state, TransactionState::Expired);
}

#[test]
fn an_answer_is_sent_again_after_a_clock_that_was_ahead_is_set_right() {
    let (mut desk, intent) = Desk::with_pending();
    let yes = desk.yes(Who::Approver(0), &intent, &[]);
    desk.approve(&intent, &yes).unwrap();
    let now = desk.now();
    desk.wait(600_000);
    desk.set_clock(now.plus(10_000));
    assert_eq!(desk.records(topics::APPROVAL_SUBMITTED).len(), 2);
    desk.wait(3_000);
    assert_eq!(desk.records(topics::APPROVAL_SUBMITTED).len(), 2);
}

/// The approvals service may refuse it, too, by a journal that is older than this one's.
#[test]
fn hole_an_answer_is_sent_with_growing_pauses_until_its_transaction_is_decided() {
    let (mut desk, intent) = Desk::with_pending();
    let yes = desk.yes(Who::Approver(0), &intent, &[]);
    let lost = desk.approve(&intent, &yes).unwrap().record.unwrap();
    let mut counts = Vec::new();
    for _ in 0..8 {
        desk.wait(2_500);
        counts.push(desk.records(topics::APPROVAL_SUBMITTED).len());
    }
    assert_eq!(counts, [1, 2, 2, 3, 3, 3, 3, 4], "at 2.5, 5, 10 and 20 s");
    let sent = desk.records(topics::APPROVAL_SUBMITTED);
    assert_eq!(ids(&sent), BTreeSet::from([message_id(&lost)]));

    desk.decided(&intent, Decided::Approved);
    desk.wait(60_000);
    assert_eq!(desk.records(topics::APPROVAL_SUBMITTED).len(), 4);
    // The row leaves the pages of what is due, which hold 64.
    let mut tx = desk.intake.db.begin().unwrap();
    let row = tx.query_opt("SELECT due_ms FROM answer", &[]).unwrap();
    assert_eq!(row.unwrap().i64(0).unwrap(), i64::MAX);
}

#[test]
fn an_act_is_sent_until_the_writer_answers() {
    let mut desk = Desk::new();
    let intent = desk.intent(500_000, "order");
    let act = desk.journal.cancel(&intent);
    assert!(submit::act(&desk.intake, &act).unwrap().record.is_some());
    desk.wait(2_500);
    desk.wait(2_500);
    assert_eq!(desk.records(topics::JOURNAL_SUBMITTED).len(), 2);

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
    desk.wait(5_000);
    assert_eq!(desk.records(topics::JOURNAL_SUBMITTED).len(), 3);
    let api = desk.journal.world.service(Role::Api).node;
    desk.says_to(Role::Writer, topics::JOURNAL_RESULTS, Some(api), &result);
    desk.wait(10_000);
    assert_eq!(desk.records(topics::JOURNAL_SUBMITTED).len(), 3);
}

/// What is on its way must not be sent twice, and what was sent again waits like the first.
#[test]
fn nothing_is_sent_again_before_two_seconds() {
    let (mut desk, pending) = Desk::with_pending();
    let yes = desk.yes(Who::Approver(0), &pending, &[]);
    desk.approve(&pending, &yes).unwrap();
    let received = desk.intent(500_000, "another");
    desk.submit(&received).unwrap();
    let act = desk.journal.cancel(&received);
    submit::act(&desk.intake, &act).unwrap();

    let sent = |desk: &Desk| {
        [
            topics::INTENT_SUBMITTED,
            topics::APPROVAL_SUBMITTED,
            topics::JOURNAL_SUBMITTED,
        ]
        .map(|topic| desk.records(topic).len())
    };
    for (ms, wanted) in [
        (1_999, [0, 0, 0]),
        (500, [1, 1, 1]),
        (500, [1, 1, 1]),
        (1_500, [2, 1, 1]),
    ] {
        desk.wait(ms);
        assert_eq!(sent(&desk), wanted, "{ms}");
    }
}

/// A tick must not hold the tables for as long as a backlog takes.
#[test]
fn a_backlog_is_sent_a_page_per_tick() {
    let mut desk = Desk::new();
    for n in 0..70 {
        desk.submit(&desk.intent(500_000, &format!("order {n}")))
            .unwrap();
    }
    for n in 0..20 {
        let cancel = ActBody::Tighten(Tighten::Cancel(Digest([n; 32])));
        let act = desk.journal.ledger.signed_act(cancel, &[Who::Admin(0)]);
        submit::act(&desk.intake, &act).unwrap();
    }
    for (ms, wanted) in [(2_500, (64, 16)), (500, (70, 20)), (500, (70, 20))] {
        desk.wait(ms);
        let sent = [topics::INTENT_SUBMITTED, topics::JOURNAL_SUBMITTED]
            .map(|topic| desk.records(topic).len());
        assert_eq!((sent[0], sent[1]), wanted);
    }
}

#[test]
fn a_backlog_of_answers_is_sent_a_page_per_tick() {
    let mut desk = Desk::new();
    for n in 0..70 {
        let intent = desk.intent(150_000_000, &format!("order {n}"));
        desk.submit(&intent).unwrap();
        desk.decided(&intent, Decided::Pending);
        let yes = desk.yes(Who::Approver(0), &intent, &[]);
        desk.approve(&intent, &yes).unwrap();
    }
    for (ms, wanted) in [(2_500, 64), (500, 70), (500, 70)] {
        desk.wait(ms);
        assert_eq!(desk.records(topics::APPROVAL_SUBMITTED).len(), wanted);
    }
}

/// Its approvers are no longer asked: the answer would become a dead letter.
#[test]
fn an_answer_to_what_waits_no_more_is_taken_again_and_not_sent() {
    let (mut desk, intent) = Desk::with_pending();
    let yes = desk.yes(Who::Approver(0), &intent, &[]);
    assert!(desk.approve(&intent, &yes).unwrap().record.is_some());
    desk.decided(&intent, Decided::Approved);
    assert!(desk.approve(&intent, &yes).unwrap().record.is_none());
}

/// One vault's records keep their order, and live as long as the intent; a tenant's acts too.
#[test]
fn records_are_ordered_by_vault_or_tenant_and_live_as_long_as_they_may_count() {
    let (mut desk, intent) = Desk::with_intent(150_000_000);
    desk.wait(2_500);
    desk.decided(&intent, Decided::Pending);
    let yes = desk.yes(Who::Approver(0), &intent, &[]);
    let answer = desk.approve(&intent, &yes).unwrap().record.unwrap();
    for record in [desk.records(topics::INTENT_SUBMITTED).remove(0), answer] {
        assert_eq!(record.key, intent.vault.0);
        assert_eq!(record.headers.deadline_ms, intent.expires.0);
    }

    let act = desk.journal.cancel(&intent);
    let record = submit::act(&desk.intake, &act).unwrap().record.unwrap();
    assert_eq!(record.key, intent.tenant.0);
    assert!(record.headers.deadline_ms > desk.now().0);
}
