use crate::fixture::*;
use std::collections::BTreeSet;
use strongroom_journal::Body;
use strongroom_ports::chain::{Broadcast, Standing};
use strongroom_stage::post::message_id;
use strongroom_types::{ActBody, Code, Digest, Document as _, Intent, SessionId, Tighten, UnixMs};
use strongroom_wire::{
    JournalSubmitted, Outcome, SignerRefusal, SigningRequested, TransactionState, topics,
};
use strongroom_world::{
    AuthorizationExt as _, INTENT_LIFE_MS, Ledger, Log, ONE_OF_N_MAX, PolicyOptions, Who, World,
    WorldOptions,
};

#[test]
fn offer_without_an_answer_is_sent_again_unchanged() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    assert!(service.wait(RESEND_MS - 1).is_empty());
    for _ in 0..3 {
        let sent = service.wait(RESEND_MS);
        let submitted: JournalSubmitted = sent.only(topics::JOURNAL_SUBMITTED);
        let request: SigningRequested = sent.only(topics::SIGNING_REQUESTED);
        assert_eq!(submitted, payment.submitted);
        assert_eq!(request, payment.request);
        assert_eq!(sent.records.len(), 2, "clients hear nothing new");
    }
}

#[test]
fn reminder_is_not_taken_for_a_duplicate() {
    let mut service = Service::funded(1);
    let intent = service.intent();
    let mut ids = BTreeSet::new();
    let mut records = service.approve(&intent).records;
    records.extend(service.wait(RESEND_MS).records);
    records.extend(service.wait(RESEND_MS).records);
    for record in &records {
        assert!(ids.insert((record.topic.clone(), message_id(record))));
    }
    assert_eq!(ids.len(), 7);
}

#[test]
fn payment_on_time_is_not_reminded() {
    let mut service = Service::funded(1);
    let payment = service.signed();
    service.wait(25);
    let sent = service.wait(RESEND_MS * 3);
    assert!(sent.is_empty());
    assert_eq!(service.state(&payment.intent), Some(2));
}

#[test]
fn offer_ends_with_the_intents_time() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    let changed = service.live(OVER_MS).changed();
    assert_eq!(changed[0].state, TransactionState::Expired);
    assert_eq!(changed[0].reason.clone().unwrap().0, Code::IntentExpired);
    assert_eq!(service.state(&payment.intent), Some(3));

    // The journal holds no attempt, and none can come.
    assert_eq!(service.count("SELECT COUNT(*) FROM reservation"), 0);
    assert!(service.wait(RESEND_MS).is_empty());
}

/// Signer 1's refusal.
fn refusal(request: &SigningRequested, code: Code) -> SignerRefusal {
    SignerRefusal {
        session: SessionId([0; 16]),
        request: request.attempt.unsigned_digest,
        code,
        detail: code.meaning().to_owned(),
        evidence: Digest::default(),
        head: 0,
        at: UnixMs(0),
    }
}

/// A client that is told "expired" signs another intent. A writer can still authorize the first one
/// by an entry with an older stamp, until a witnessed head is past its end: both would be paid.
#[test]
fn hole_offer_is_not_given_up_by_the_services_own_clock() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    let sent = service.wait(OVER_MS);
    assert!(sent.changed().is_empty());
    let asked_again: SigningRequested = sent.only(topics::SIGNING_REQUESTED);
    assert_eq!(asked_again, payment.request);

    // Neither the writer's refusal nor those of signers by their own clocks end it sooner.
    let record = service.mail().answer(&payment, Err(Code::IntentExpired));
    assert!(service.send(&[record]).is_empty());
    for code in [Code::IntentExpired, Code::AttemptTooOld] {
        let refusals = vec![refusal(&payment.request, code)];
        let record = service
            .mail()
            .again(code as u64)
            .finished(&payment.request, Outcome::Failed(refusals));
        let sent = service.send(&[record]);
        assert_eq!(sent.states(), [TransactionState::Signing], "{code}");
    }

    // A tip that no witness has seen does not end it either.
    service.append(vec![Body::Tick]);
    assert!(service.wait(RESEND_MS).changed().is_empty());
    assert_eq!(service.state(&payment.intent), Some(0));
    let held = "SELECT COUNT(*) FROM reservation WHERE intent IS NOT NULL";
    assert_eq!(service.count(held), 1, "its coin is not promised again");

    let sent = service.live(RESEND_MS);
    assert_eq!(sent.states(), [TransactionState::Expired]);
}

#[test]
fn hole_payment_that_is_not_built_is_not_given_up_by_the_services_own_clock() {
    let mut service = Service::new();
    service.gateway.set_down(true);
    let intent = service.intent();
    service.approve(&intent);
    assert!(service.wait(OVER_MS).is_empty());

    // Funds that arrive now are not offered for it.
    service.gateway.set_down(false);
    service.fund(COIN);
    assert!(service.wait(60_000).is_empty());
    assert_eq!(service.live(60_000).states(), [TransactionState::Expired]);
}

/// The last moment at which a signer whose clock is late may still share, by a head whose stamp is
/// early.
#[test]
fn hole_offer_is_not_given_up_within_twice_the_skew() {
    let mut service = Service::funded(1);
    service.offered();
    assert!(service.live(OVER_MS - 1).changed().is_empty());
    assert_eq!(
        service.live(RESEND_MS).states(),
        [TransactionState::Expired]
    );
}

#[test]
fn signed_payment_does_not_end_with_the_intents_time() {
    let mut service = Service::funded(1);
    service.gateway.set_down(true);
    let payment = service.signed();
    assert!(service.live(OVER_MS).is_empty());
    service.gateway.set_down(false);
    let sent = service.wait(60_000);
    assert_eq!(sent.states(), [TransactionState::Broadcasting]);
    assert_eq!(service.state(&payment.intent), Some(2));
}

#[test]
fn payment_that_is_not_built_ends_with_the_intents_time() {
    let mut service = Service::new();
    service.gateway.set_down(true);
    let intent = service.intent();
    service.approve(&intent);
    let sent = service.live(OVER_MS);
    assert_eq!(sent.states(), [TransactionState::Expired]);
    assert!(service.wait(60_000).is_empty());
}

/// A payment whose attempt is in the journal.
fn authorized(service: &mut Service) -> Payment {
    let payment = service.offered();
    service.append(vec![Body::Authorized(Box::new(payment.authorization()))]);
    payment
}

/// The admins cancel it.
fn cancel(service: &mut Service, intent: &Intent) {
    let cancel = ActBody::Tighten(Tighten::Cancel(intent.digest()));
    let act = service.ledger.signed_act(cancel, &service.ledger.admins());
    service.append(vec![Body::Act(act)]);
}

/// Rows of coins that no other payment gets.
const HELD: &str = "SELECT COUNT(*) FROM reservation WHERE intent IS NOT NULL AND used = FALSE";

/// t signers have shared in time, and the coordinator withholds it until the intent's end: a
/// client that is told "expired" then signs another, and both are paid.
#[test]
fn hole_authorized_payment_does_not_expire_while_shares_may_be_out() {
    let mut service = Service::funded(1);
    let payment = authorized(&mut service);
    let changed = service.live(OVER_MS).changed();
    assert_eq!(changed[0].state, TransactionState::Signing);
    assert_eq!(changed[0].reason.clone().unwrap().0, Code::TooLate);
    assert_eq!(service.state(&payment.intent), Some(6));
    assert_eq!(service.count(HELD), 1, "its coin is not promised again");

    // Nothing is asked any more, and no word of any service ends it.
    assert!(service.live(60_000).is_empty());
    let failed = service
        .mail()
        .finished(&payment.request, Outcome::Failed(vec![]));
    let refused = service.mail().answer(&payment, Err(Code::IntentCancelled));
    assert!(service.send(&[failed, refused]).is_empty());

    // The signature that was withheld is taken, and from then on the chain ends the payment.
    let record = service.mail().again(1).signed(&payment.request);
    let sent = service.send(&[record]);
    assert_eq!(sent.states(), [TransactionState::Signed]);
}

/// Shares do not come back by a cancel.
#[test]
fn hole_authorized_payment_is_not_cancelled_while_shares_may_be_out() {
    let mut service = Service::funded(1);
    let payment = authorized(&mut service);
    cancel(&mut service, &payment.intent);
    assert!(
        service.wait(RESEND_MS).changed().is_empty(),
        "not witnessed"
    );

    let changed = service.live(RESEND_MS).changed();
    assert_eq!(changed[0].state, TransactionState::Signing);
    assert_eq!(changed[0].reason.clone().unwrap().0, Code::TooLate);
    assert_eq!(service.count(HELD), 1);
}

/// Before its lock ends no share leaves, so a cancel in time is an end.
#[test]
fn locked_payment_that_is_cancelled_in_time_ends() {
    const LOCK_MS: u64 = 600_000;
    let policy = PolicyOptions {
        time_lock_seconds: LOCK_MS / 1_000,
        ..PolicyOptions::default()
    };
    let options = WorldOptions {
        policy,
        ..WorldOptions::default()
    };
    let mut ledger = Ledger::ready(World::new(1, options));
    ledger.wait(1_000);
    let bounds = ledger.world.genesis.bounds.clone();
    let margin_ms = bounds.freshness_ms + 2 * bounds.skew_ms;
    let cases = [
        (RESEND_MS, TransactionState::Cancelled),
        (LOCK_MS - margin_ms - 1, TransactionState::Cancelled),
        (LOCK_MS - margin_ms, TransactionState::Signing),
    ];
    for (after_ms, state) in cases {
        let journal = Log::of(&ledger).shared(ledger.now);
        let mut service = Service::on(ledger.clone(), journal);
        service.fund(2 * ONE_OF_N_MAX);
        service.wait(1_000);
        let intent = service
            .world()
            .order(service.now, ONE_OF_N_MAX + 1, "locked");
        service.approve(&intent);
        let who = [Who::Approver(0), Who::Approver(1)];
        service.append(vec![
            service.ledger.authorization(&intent, &who).into_body(),
        ]);
        cancel(&mut service, &intent);
        assert_eq!(service.live(after_ms).states(), [state], "{after_ms}");

        // Its attempt in the journal is another submitter's, whose anchor no other payment gets.
        assert_eq!(service.count("SELECT COUNT(*) FROM reservation"), 0);
        assert_eq!(service.count("SELECT COUNT(*) FROM held_anchor"), 1);
    }
}

/// Its windows were asked long before its lock was witnessed, and had no room then: no signer ever
/// gave a share.
#[test]
fn locked_payment_that_never_counted_in_its_windows_ends() {
    const LOCK_MS: u64 = 60_000;
    let ceiling = |limit: u64| strongroom_policy::Window {
        scope: strongroom_policy::VelocityScope::Tenant,
        window_seconds: 60,
        amount_lte: Some(limit.into()),
        count_lte: None,
    };
    let amount = ONE_OF_N_MAX + 1;
    for (limit, state) in [
        (amount + 1_000_000, TransactionState::Expired),
        (3 * amount, TransactionState::Signing),
    ] {
        let options = WorldOptions {
            policy: PolicyOptions {
                ceilings: vec![ceiling(limit)],
                time_lock_seconds: LOCK_MS / 1_000,
                ..PolicyOptions::default()
            },
            ..WorldOptions::default()
        };
        let mut ledger = Ledger::ready(World::new(1, options));
        ledger.wait(1_000);
        let journal = Log::of(&ledger).shared(ledger.now);
        let mut service = Service::on(ledger.clone(), journal);
        service.fund(2 * ONE_OF_N_MAX);
        service.wait(1_000);
        let who = [Who::Approver(0), Who::Approver(1)];
        let first = service.world().order(service.now, amount, "first");
        service.approve(&first);
        service.ledger.now = service.now;
        service.ledger.authorize(&first, &who).unwrap();

        // Another payment comes three windows later, and one `witnessed` entry is for both.
        service.wait(180_000);
        let other = service.world().order(service.now, amount, "second");
        service.ledger.now = service.now;
        service.ledger.authorize(&other, &who).unwrap();
        service.append(vec![Body::Tick]);
        assert_eq!(service.live(OVER_MS).states(), [state], "{limit}");
    }
}

/// Its lock was witnessed so late that no share could leave before its end.
#[test]
fn locked_payment_whose_lock_outlasts_it_ends() {
    const LOCK_MS: u64 = 600_000;
    for (early_ms, state) in [
        (120_000, TransactionState::Signing),
        (0, TransactionState::Expired),
    ] {
        let options = WorldOptions {
            policy: PolicyOptions {
                time_lock_seconds: LOCK_MS / 1_000,
                ..PolicyOptions::default()
            },
            ..WorldOptions::default()
        };
        let mut ledger = Ledger::ready(World::new(1, options));
        ledger.wait(1_000);
        let journal = Log::of(&ledger).shared(ledger.now);
        let mut service = Service::on(ledger.clone(), journal);
        service.fund(2 * ONE_OF_N_MAX);
        service.wait(1_000);
        let who = [Who::Approver(0), Who::Approver(1)];
        let intent = service
            .world()
            .order(service.now, ONE_OF_N_MAX + 1, "locked");
        service.approve(&intent);
        service.ledger.now = service.now;
        service.ledger.authorize(&intent, &who).unwrap();

        service.wait(INTENT_LIFE_MS - LOCK_MS - early_ms);
        service.append(vec![Body::Tick]);
        assert_eq!(service.live(OVER_MS).states(), [state], "{early_ms}");
    }
}

/// The journal forgets an intent in the end: then it proves nothing any more.
#[test]
fn forgotten_intent_is_not_taken_for_one_that_was_never_authorized() {
    let mut service = Service::funded(1);
    service.offered();
    let retention_ms = service.world().genesis.bounds.retention_ms;
    let changed = service.live(OVER_MS + retention_ms).changed();
    assert_eq!(changed[0].state, TransactionState::Signing);
    assert_eq!(changed[0].reason.clone().unwrap().0, Code::TooLate);
}

/// A row that was written when the writer's word was enough for another build.
#[test]
fn hole_payment_without_offer_does_not_expire_when_the_journal_holds_an_attempt() {
    let mut service = Service::funded(1);
    let first = service.offered();
    service.append(vec![Body::Authorized(Box::new(first.authorization()))]);
    service.gateway.set_down(true);
    service.execute("UPDATE payment SET state = 4, ended = NULL", &[]);
    let changed = service.live(OVER_MS).changed();
    assert_eq!(changed[0].state, TransactionState::Signing);
    assert_eq!(changed[0].reason.clone().unwrap().0, Code::TooLate);
    assert_eq!(service.state(&first.intent), Some(4), "building");
}

#[test]
fn clock_that_was_ahead_does_not_stop_reminders() {
    let mut service = Service::funded(1);
    service.now = service.now.plus(10 * 60_000);
    let payment = service.offered();
    service.now.0 -= 10 * 60_000;
    service.settle();
    let sent = service.wait(RESEND_MS);
    let submitted: JournalSubmitted = sent.only(topics::JOURNAL_SUBMITTED);
    assert_eq!(submitted, payment.submitted);
}

#[test]
fn clock_that_was_ahead_does_not_stop_broadcasts() {
    let mut service = Service::funded(1);
    service.now = service.now.plus(10 * 60_000);
    let payment = service.signed();
    service.gateway.set_down(true);
    service.wait(25);
    service.now.0 -= 10 * 60_000;
    service.gateway.set_down(false);
    service.wait(60);
    assert_eq!(service.state(&payment.intent), Some(2));
}

#[test]
fn node_that_gives_no_facts_stops_neither_reminders_nor_confirmations() {
    let mut service = Service::funded(2);
    let done = service.offered();
    let record = service.mail().signed(&done.request);
    let id = service.send(&[record]).changed()[0].network_id.clone();
    service.gateway.push_broadcast(Broadcast::Accepted);
    service.wait(25);
    let waiting = service.offered();

    service.gateway.set_facts_down(true);
    service
        .gateway
        .set_standing(&id.unwrap(), Standing::Confirmed(1));
    let sent = service.wait(RESEND_MS);
    assert_eq!(sent.states(), [TransactionState::Completed]);
    let submitted: JournalSubmitted = sent.only(topics::JOURNAL_SUBMITTED);
    assert_eq!(submitted, waiting.submitted);
}

#[test]
fn restart_between_offer_and_answer_loses_nothing() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    service.restart();
    let sent = service.wait(RESEND_MS);
    let submitted: JournalSubmitted = sent.only(topics::JOURNAL_SUBMITTED);
    assert_eq!(submitted, payment.submitted);

    service.restart();
    let record = service.mail().signed(&payment.request);
    let sent = service.send(&[record]);
    assert!(sent.states().contains(&TransactionState::Signed));
}

#[test]
fn another_instance_that_changed_the_row_is_noticed() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    // What a second instance leaves behind: the same state, one version on.
    service.execute("UPDATE payment SET version = version + 1", &[]);
    let record = service.mail().signed(&payment.request);
    assert_eq!(service.send(&[record]).states(), [TransactionState::Signed]);
}
