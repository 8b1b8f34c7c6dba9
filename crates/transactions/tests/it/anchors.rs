//! Anchors that the journal holds: coins that can be no anchor stay coins.

use crate::fixture::*;
use strongroom_journal::Body;
use strongroom_types::{Code, ConflictKey, Intent};
use strongroom_wire::TransactionState;
use strongroom_world::AuthorizationExt as _;

/// Reservations of coins.
const RESERVED: &str = "SELECT COUNT(*) FROM reservation";

/// Anyone who submits to the journal has an attempt of its own authorized for this intent.
fn authorize_foreign(service: &mut Service, intent: &Intent) {
    let attempt = service.world().attempt(intent);
    let body = service.ledger.authorization_with(intent, &[], attempt);
    service.append(vec![body.into_body()]);
    service.witness();
}

/// The writer's answer to a payment whose anchor was taken; gives the next offer.
fn rebuilt(service: &mut Service, payment: &Payment) -> Payment {
    let record = service.mail().answer(payment, Err(Code::AnchorTaken));
    let sent = service.send(&[record]);
    Payment::new(&sent, &payment.intent)
}

/// A few small payments with false anchors could take every coin of a vault out of use for good.
#[test]
fn hole_coin_that_is_another_intents_anchor_is_spent_again_beside_a_free_one() {
    let mut service = Service::new();
    // The payment needs both coins.
    service.fund(AMOUNT / 4 * 3);
    service.fund(AMOUNT / 4 * 3);
    service.wait(1_000);
    let lost = service.offered();
    service.take_anchor(&lost);
    service.live(OVER_MS + service.world().genesis.bounds.attempt_life_ms);

    let first = service.offered();
    assert_eq!(first.anchor(), lost.anchor(), "it does not know yet");
    let second = rebuilt(&mut service, &first);
    assert_ne!(second.anchor(), first.anchor());
    let (before, after) = (&first.request.attempt, &second.request.attempt);
    assert_eq!(after.conflict_keys, before.conflict_keys, "the same coins");
    assert!(after.conflict_keys.contains(&after.anchor));
}

#[test]
fn coin_that_may_be_an_anchor_is_added_where_no_chosen_one_may() {
    let mut service = Service::new();
    service.fund(COIN);
    service.fund(COIN / 3);
    service.wait(1_000);
    let lost = service.offered();
    assert_eq!(lost.request.attempt.conflict_keys.len(), 1);
    service.take_anchor(&lost);
    service.live(OVER_MS + service.world().genesis.bounds.attempt_life_ms);

    // A third of a coin does not pay it alone.
    let first = service.offered();
    let second = rebuilt(&mut service, &first);
    assert_eq!(second.request.attempt.conflict_keys.len(), 2);
    assert_ne!(second.anchor(), first.anchor());
}

/// Another intent has this coin beside an anchor of its own.
fn keep_for_another(service: &mut Service, coin: &ConflictKey) {
    let other = service.intent();
    let mut attempt = service.world().attempt(&other);
    attempt.conflict_keys.push(coin.clone());
    attempt.conflict_keys.sort();
    let body = service.ledger.authorization_with(&other, &[], attempt);
    service.append(vec![body.into_body()]);
    service.witness();
}

/// The other intent has an anchor beside the coin.
#[test]
fn hole_payment_with_a_coin_that_the_journal_keeps_for_another_is_built_on_others() {
    let mut service = Service::funded(3);
    let first = service.offered();
    let coin = first.request.attempt.anchor.clone();
    keep_for_another(&mut service, &coin);

    let second = rebuilt(&mut service, &first);
    assert_ne!(second.anchor(), first.anchor());
    let third = service.offered();
    for payment in [&second, &third] {
        assert!(!payment.request.attempt.conflict_keys.contains(&coin));
        let body = Body::Authorized(Box::new(payment.authorization()));
        service.append(vec![body]);
    }
}

#[test]
fn hole_payment_is_built_on_others_whichever_of_its_coins_the_journal_keeps_for_another() {
    for n in [0, 1] {
        let mut service = Service::new();
        for _ in 0..4 {
            service.fund(AMOUNT / 4 * 3);
        }
        service.wait(1_000);
        let first = service.offered();
        let coins = &first.request.attempt.conflict_keys;
        assert_eq!(coins.len(), 2);
        let coin = coins[n].clone();
        keep_for_another(&mut service, &coin);

        let second = rebuilt(&mut service, &first);
        let coins = &second.request.attempt.conflict_keys;
        assert!(coins.len() == 2 && !coins.contains(&coin), "coin {n}");
    }
}

/// The journal forgets an anchor with its intent. Until then the payment waits, and does not end: a
/// deposit is enough.
#[test]
fn hole_only_coin_of_a_vault_is_an_anchor_again_after_its_holders_end() {
    let mut service = Service::funded(1);
    let first = service.offered();
    service.take_anchor(&first);
    let record = service.mail().answer(&first, Err(Code::AnchorTaken));
    let sent = service.send(&[record]);
    assert!(!sent.states().contains(&TransactionState::Failed));
    assert_eq!(service.state(&first.intent), Some(4), "building");

    let retention_ms = service.world().genesis.bounds.retention_ms;
    service.live(OVER_MS + retention_ms);
    service.wait(1_000);
    let intent = service.intent();
    let states = service.approve(&intent).states();
    assert_eq!(states, [TransactionState::Signing]);
}

/// Nothing of it is in the journal, and nothing can come: a coin that stayed out of use would be
/// lost with each payment that no one answers.
#[test]
fn hole_coins_of_a_payment_that_was_never_authorized_are_free_after_its_end() {
    let mut service = Service::funded(1);
    service.offered();
    assert_eq!(service.live(OVER_MS).states(), [TransactionState::Expired]);
    assert_eq!(service.count(RESERVED), 0);
    service.offered();
}

/// With one key of any service that submits, each payment could have cost the vault its coins: a
/// false attempt stands in the journal for it, and the honest one cannot come.
#[test]
fn hole_foreign_attempt_does_not_keep_a_payments_coins() {
    let mut service = Service::funded(2);
    let payment = service.offered();
    authorize_foreign(&mut service, &payment.intent);
    let changed = service.live(OVER_MS).changed();

    // Its own coins could be others that this service does not know, so the payment is not over.
    assert_eq!(changed[0].state, TransactionState::Signing);
    assert_eq!(changed[0].reason.clone().unwrap().0, Code::TooLate);
    assert_eq!(service.count(RESERVED), 0);
    service.offered();
    service.offered();
}

/// Its transaction may be signed: another payment on its coins could only exclude it.
#[test]
fn hole_attempt_in_the_journal_keeps_its_coins_when_it_is_this_services() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    service.append(vec![Body::Authorized(Box::new(payment.authorization()))]);
    service.live(OVER_MS);
    assert_eq!(service.count(RESERVED), 1);
}
