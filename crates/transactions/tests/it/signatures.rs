use crate::fixture::*;
use strongroom_ports::chain::Registry as _;
use strongroom_replica::TenantVaults;
use strongroom_types::{Code, Digest, SessionId, UnixMs};
use strongroom_wire::{Layer, Marks, Outcome, SignerRefusal, TransactionState};

fn refusal(code: Code) -> SignerRefusal {
    SignerRefusal {
        session: SessionId([1; 16]),
        request: Digest([2; 32]),
        code,
        detail: "no".to_owned(),
        evidence: Digest([3; 32]),
        head: 9,
        at: UnixMs(1),
    }
}

#[test]
fn signatures_become_network_bytes_that_verify() {
    let mut service = Service::funded(2);
    let payment = service.offered();
    let record = service.mail().signed(&payment.request);
    let sent = service.send(&[record]);
    let changed = sent.changed();
    assert_eq!(changed[0].state, TransactionState::Signed);

    let raw = changed[0].signed.clone().unwrap();
    let tenant = &service.world().tenant;
    let key = service
        .journal
        .read(|f| TenantVaults::new(f.state(), tenant.id).vault_key(tenant.vault))
        .unwrap();
    let id = codec()
        .verify_signed(&payment.request.unsigned, &raw, &key)
        .unwrap();
    assert_eq!(changed[0].network_id, Some(id));

    let marks = Marks::from_bytes(&sent.records[0].headers.marks);
    assert_eq!(marks.at(Layer::Assembled), Some(service.now.0 * 1000));
}

#[test]
fn coins_of_a_signed_payment_are_gone() {
    let mut service = Service::funded(1);
    service.signed();
    // The node still reports the coin: it has not seen the transaction.
    service.wait(1_000);
    let intent = service.intent();
    service.approve(&intent);
    let changed = service.wait(1_000).changed();
    let last = changed.last().unwrap();
    assert_eq!(last.reason.clone().unwrap().0, Code::InsufficientBalance);
}

#[test]
fn false_signatures_are_a_dead_letter_and_the_payment_is_unharmed() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    let right = crate::quorum::sign(&ready().1, &payment.request);
    let mut changed = right.clone();
    changed[0][5] ^= 1;
    let false_ones = [
        changed,
        vec![vec![0; 64]],
        vec![],
        vec![right[0].clone(), right[0].clone()],
        vec![right[0][..63].to_vec()],
    ];
    for signatures in false_ones {
        let record = service
            .mail()
            .finished(&payment.request, Outcome::Signed(signatures));
        let sent = service.send(&[record]);
        assert_eq!(sent.dead_letters().len(), 1);
        assert_eq!(sent.records.len(), 1);
        assert_eq!(service.state(&payment.intent), Some(0));
    }

    let record = service.mail().signed(&payment.request);
    let sent = service.send(&[record]);
    assert_eq!(sent.states(), [TransactionState::Signed]);
}

#[test]
fn signatures_over_the_transaction_before_do_not_fit_its_replacement() {
    let mut service = Service::funded(2);
    let first = service.offered();
    service.take_anchor(&first);
    let record = service.mail().answer(&first, Err(Code::AnchorTaken));
    service.send(&[record]);

    let record = service.mail().signed(&first.request);
    let sent = service.send(&[record]);
    assert_eq!(sent.dead_letters().len(), 1);
    assert_eq!(service.state(&first.intent), Some(0));
}

#[test]
fn refusal_of_the_signers_is_told_with_their_words() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    let refusals = vec![refusal(Code::EffectsMismatch), refusal(Code::LocalRule)];
    let outcome = Outcome::Failed(refusals.clone());
    let record = service.mail().finished(&payment.request, outcome);
    let changed = service.send(&[record]).changed();
    assert_eq!(changed[0].state, TransactionState::Signing);
    assert_eq!(changed[0].reason.clone().unwrap().0, Code::EffectsMismatch);
    assert_eq!(changed[0].refusals, refusals);

    // A payment that is refused honestly ends with its time, which the journal shows.
    let sent = service.live(OVER_MS);
    assert_eq!(sent.states(), [TransactionState::Expired]);
}

/// One coordinator that says "failed", and collects the shares of the authorized attempt
/// afterwards: its client must not have signed another payment, nor its coins been promised.
#[test]
fn hole_payment_does_not_end_on_one_coordinators_word() {
    let mut service = Service::new();
    service.fund(AMOUNT * 6 / 10);
    service.fund(AMOUNT * 6 / 10);
    service.wait(1_000);
    let payment = service.offered();
    let held = "SELECT COUNT(*) FROM reservation WHERE intent IS NOT NULL AND used = FALSE";
    assert_eq!(service.count(held), 2);

    let codes = [
        Code::EffectsMismatch,
        Code::PolicyBlocked,
        Code::ApprovalNoLongerInForce,
        Code::IntentExpired,
        Code::IntentCancelled,
        Code::IntentRejected,
    ];
    let named = codes.map(|code| vec![refusal(code)]);
    for (tag, refusals) in named.into_iter().chain([Vec::new()]).enumerate() {
        let mail = service.mail().again(tag as u64);
        let record = mail.finished(&payment.request, Outcome::Failed(refusals));
        let sent = service.send(&[record]);
        assert_eq!(sent.states(), [TransactionState::Signing]);
        assert_eq!(service.state(&payment.intent), Some(0));
        assert_eq!(service.count(held), 2);
    }

    let record = service.mail().signed(&payment.request);
    let sent = service.send(&[record]);
    assert_eq!(sent.states(), [TransactionState::Signed]);
}

/// Signers that refuse for good are asked less and less often.
#[test]
fn reminders_after_an_objection_are_further_and_further_apart() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    for tag in 0..10 {
        let mail = service.mail().again(tag);
        let record = mail.finished(&payment.request, Outcome::Failed(vec![]));
        service.send(&[record]);
        service.wait(RESEND_MS + 32_000);
    }
    assert!(service.wait(RESEND_MS + 31_000).is_empty());
    assert_eq!(service.wait(1_000).records.len(), 2, "asked again");
}

#[test]
fn silence_of_the_signers_has_a_reason_too() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    let record = service
        .mail()
        .finished(&payment.request, Outcome::Failed(vec![]));
    let changed = service.send(&[record]).changed();
    assert_eq!(changed[0].reason.clone().unwrap().0, Code::SigningFailed);
}

#[test]
fn result_for_another_attempt_is_not_this_one() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    let mut request = payment.request.clone();
    request.attempt.number = 2;
    let record = service.mail().finished(&request, Outcome::Failed(vec![]));
    assert!(service.send(&[record]).is_empty());
    assert_eq!(service.state(&payment.intent), Some(0));
}

#[test]
fn result_after_the_end_changes_nothing() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    assert_eq!(service.live(OVER_MS).states(), [TransactionState::Expired]);

    let record = service.mail().signed(&payment.request);
    assert!(service.send(&[record]).is_empty());
    assert_eq!(service.state(&payment.intent), Some(3));
}

#[test]
fn second_result_changes_nothing() {
    let mut service = Service::funded(1);
    let payment = service.signed();
    let failed = Outcome::Failed(vec![refusal(Code::LocalRule)]);
    let again = service.mail().again(1);
    let records = [
        again.signed(&payment.request),
        again.finished(&payment.request, failed),
    ];
    assert!(service.send(&records).is_empty());
    assert_eq!(service.state(&payment.intent), Some(1));
}

#[test]
fn result_about_an_unknown_intent_is_left_alone() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    let mut request = payment.request;
    request.attempt.intent = Digest([7; 32]);
    let record = service.mail().finished(&request, Outcome::Failed(vec![]));
    assert!(service.send(&[record]).is_empty());
}
