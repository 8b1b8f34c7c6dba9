//! What the writer refuses: shown, asked again, and never an end of its own.

use crate::entries::authorization_on;
use crate::fixture::*;
use strongroom_journal::Body;
use strongroom_types::{ActBody, Code, Revocable, Tighten};
use strongroom_wire::{JournalSubmitted, TransactionState, topics};
use strongroom_world::{Ledger, Log, Who, World, WorldOptions};

/// Coins that no other payment gets.
const HELD: &str = "SELECT COUNT(*) FROM reservation WHERE intent IS NOT NULL AND used = FALSE";

/// Codes with which a writer may refuse an authorization: for a quota, a stop or a full window,
/// which pass; for what is in the journal, which a hostile writer can say of anything.
const CODES: [Code; 20] = [
    Code::QuotaExceeded,
    Code::NotReady,
    Code::DeadlineExpired,
    Code::Paused,
    Code::ActWaiting,
    Code::TenantStopped,
    Code::PlatformStopped,
    Code::RemovalNotConfirmed,
    Code::LimitExceeded,
    Code::PolicyBlocked,
    Code::FeeCapExceeded,
    Code::ApprovalMissing,
    Code::AuthorityExpired,
    Code::CredentialRevoked,
    Code::IntentCancelled,
    Code::IntentRejected,
    Code::DuplicateExternalId,
    Code::AnchorTaken,
    Code::DecisionChanged,
    Code::RecordTooLarge,
];

/// The journal takes a payment.
fn authorize(service: &mut Service, payment: &Payment) {
    service.append(vec![Body::Authorized(Box::new(payment.authorization()))]);
}

pub fn tighten(service: &mut Service, what: Tighten, who: &[Who]) {
    let act = service.ledger.signed_act(ActBody::Tighten(what), who);
    service.append(vec![Body::Act(act)]);
}

fn answer(service: &mut Service, payment: &Payment, code: Code) -> Sent {
    let record = service.mail().again(code as u64).answer(payment, Err(code));
    service.send(&[record])
}

/// A reminder is refused for a full quota, a stop or a late record although the first submission is
/// in: the client was told "failed", signed another, and the signers of the first went on.
#[test]
fn hole_refused_reminder_does_not_end_a_payment_that_the_journal_holds() {
    let mut service = Service::funded(2);
    let payment = service.offered();
    authorize(&mut service, &payment);
    for code in CODES {
        let sent = answer(&mut service, &payment, code);
        assert!(sent.is_empty(), "{code}: nothing stands against it");
        assert_eq!(service.state(&payment.intent), Some(0), "{code}");
        assert_eq!(service.count(HELD), 1, "{code}");
    }

    let record = service.mail().signed(&payment.request);
    let sent = service.send(&[record]);
    assert_eq!(sent.states(), [TransactionState::Signed]);
}

/// This replica may lag behind the writer: what it does not show may be in the journal all the
/// same.
#[test]
fn hole_refusal_ends_no_payment_whose_authorization_is_on_its_way() {
    for code in CODES {
        let mut service = Service::funded(2);
        let payment = service.offered();
        let changed = answer(&mut service, &payment, code).changed();
        assert_eq!(changed.len(), 1, "{code}");
        assert_eq!(changed[0].state, TransactionState::Signing, "{code}");
        assert_eq!(changed[0].reason.clone().unwrap().0, code);
        assert_eq!(service.state(&payment.intent), Some(0), "{code}");
        assert_eq!(service.count(HELD), 1, "{code}");

        authorize(&mut service, &payment);
        let record = service.mail().signed(&payment.request);
        let sent = service.send(&[record]);
        assert_eq!(sent.states(), [TransactionState::Signed], "{code}");
    }
}

/// The same transaction, again and again, ever less often, until the intent's end.
#[test]
fn refused_payment_is_asked_for_again_until_its_time_is_over() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    answer(&mut service, &payment, Code::TenantStopped);
    let mut pauses = Vec::new();
    for _ in 0..8 {
        let mut waited = 0;
        while waited < 60_000 {
            waited += 1_000;
            let again: Vec<JournalSubmitted> = service.wait(1_000).all(topics::JOURNAL_SUBMITTED);
            if let [submitted] = again.as_slice() {
                assert_eq!(*submitted, payment.submitted);
                break;
            }
        }
        pauses.push(waited);
        answer(&mut service, &payment, Code::TenantStopped);
    }
    assert!(pauses.is_sorted(), "{pauses:?}");
    assert!(pauses[7] > RESEND_MS + 30_000, "{pauses:?}");
    assert_eq!(service.live(OVER_MS).states(), [TransactionState::Expired]);
}

/// Once the writer takes it, what stood against it must not be shown any more.
#[test]
fn accepted_payment_shows_no_refusal_from_before() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    answer(&mut service, &payment, Code::QuotaExceeded);
    let record = service.mail().answer(&payment, Ok(7));
    let changed = service.send(&[record]).changed();
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0].state, TransactionState::Signing);
    assert_eq!(changed[0].reason, None);
}

/// An end that the witnessed journal shows of an intent that it has not authorized: from there on
/// it refuses every authorization of it.
#[test]
fn end_that_the_fresh_head_shows_is_an_end() {
    let admins = ready().0.admins();
    let cases: [(Code, TransactionState, &[Who]); 4] = [
        (
            Code::IntentCancelled,
            TransactionState::Cancelled,
            &[Who::Initiator],
        ),
        (Code::IntentCancelled, TransactionState::Cancelled, &admins),
        (
            Code::IntentRejected,
            TransactionState::Rejected,
            &[Who::Approver(1)],
        ),
        (Code::CredentialRevoked, TransactionState::Failed, &admins),
    ];
    for (code, state, who) in cases {
        let mut service = Service::funded(1);
        let payment = service.offered();
        let what = match code {
            Code::IntentCancelled => Tighten::Cancel(payment.digest()),
            Code::IntentRejected => Tighten::Reject(payment.digest()),
            _ => Tighten::Revoke(Revocable::Credential(payment.intent.initiator)),
        };
        tighten(&mut service, what, who);
        let sent = answer(&mut service, &payment, code);
        assert_eq!(sent.states(), [TransactionState::Signing], "not witnessed");

        let changed = service.live(2 * RESEND_MS).changed();
        assert_eq!(changed.len(), 1, "{code}");
        assert_eq!(changed[0].state, state, "{code}");
        assert_eq!(changed[0].reason.clone().unwrap().0, code);
    }
}

/// Any credential can cancel any digest: only its initiator's and the admins' cancels count.
#[test]
fn cancel_by_another_ends_no_payment() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    let cancel = Tighten::Cancel(payment.digest());
    tighten(&mut service, cancel, &[Who::Clerk]);
    assert!(service.live(2 * RESEND_MS).changed().is_empty());
    assert_eq!(service.state(&payment.intent), Some(0));
}

/// One of two intents with one external id is authorized; the other never can be.
#[test]
fn external_id_of_another_intent_is_an_end_when_witnessed() {
    let mut service = Service::funded(2);
    let first = service.offered();
    let mut twin = service.intent();
    twin.external_id = first.intent.external_id.clone();
    twin.purpose = Some("another".parse().unwrap());
    let sent = service.approve(&twin);
    let twin = Payment::new(&sent, &twin);
    authorize(&mut service, &first);
    let sent = answer(&mut service, &twin, Code::DuplicateExternalId);
    assert_eq!(sent.states(), [TransactionState::Signing], "not witnessed");
    let changed = service.live(2 * RESEND_MS).changed();
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0].intent, twin.digest());
    assert_eq!(changed[0].state, TransactionState::Failed);
}

/// A service whose journal forgets what has ended after a minute.
fn forgetful() -> Service {
    let options = WorldOptions {
        tune: |bounds| bounds.retention_ms = 60_000,
        ..WorldOptions::default()
    };
    let mut ledger = Ledger::ready(World::new(1, options));
    ledger.wait(1_000);
    let journal = Log::of(&ledger).shared(ledger.now);
    let mut service = Service::on(ledger, journal);
    for _ in 0..2 {
        service.fund(COIN);
    }
    service.wait(1_000);
    service
}

/// Once it is forgotten the journal authorizes the intent.
#[test]
fn cancel_that_is_forgotten_before_the_intents_end_ends_no_payment() {
    let mut service = forgetful();
    let payment = service.offered();
    let cancel = Tighten::Cancel(payment.digest());
    tighten(&mut service, cancel, &[Who::Initiator]);
    assert!(service.live(2 * RESEND_MS).changed().is_empty());
    assert_eq!(service.state(&payment.intent), Some(0));
}

/// The first transaction could be authorized from then on, beside the second one's coins.
#[test]
fn anchor_that_is_free_again_before_the_intents_end_is_not_replaced() {
    let mut service = forgetful();
    let payment = service.offered();
    let mut other = service.intent();
    other.expires = service.now.plus(10_000);
    let body = authorization_on(&service.ledger, &other, &payment);
    service.append(vec![body]);
    service.witness();
    let changed = answer(&mut service, &payment, Code::AnchorTaken).changed();
    assert_eq!(changed[0].state, TransactionState::Signing);
    assert_eq!(changed[0].reason.clone().unwrap().0, Code::AnchorTaken);
    assert_eq!(service.count(HELD), 1);
}
