use crate::fixture::*;
use strongroom_ports::chain::{Broadcast, Standing};
use strongroom_types::Code;
use strongroom_wire::TransactionState;
use strongroom_world::Asked;

/// A service with a signed payment, and the network's name of its transaction.
fn signed_with_id(service: &mut Service) -> (Payment, String) {
    let payment = service.offered();
    let record = service.mail().signed(&payment.request);
    let changed = service.send(&[record]).changed();
    (payment, changed[0].network_id.clone().unwrap())
}

#[test]
fn signed_transaction_is_broadcast_once() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    let record = service.mail().signed(&payment.request);
    let raw = service.send(&[record]).changed()[0].signed.clone().unwrap();

    let sent = service.wait(25);
    assert_eq!(sent.states(), [TransactionState::Broadcasting]);
    assert_eq!(service.gateway.broadcasts(), [raw]);
    assert!(service.wait(60_000).is_empty());
    assert_eq!(service.gateway.broadcasts().len(), 1);
}

#[test]
fn transaction_that_the_network_has_already_is_broadcast() {
    let mut service = Service::funded(1);
    service.gateway.push_broadcast(Broadcast::AlreadyKnown);
    let payment = service.signed();
    assert_eq!(service.wait(25).states(), [TransactionState::Broadcasting]);
    assert_eq!(service.state(&payment.intent), Some(2));
}

/// A node that refuses every broadcast from now on.
fn rejecting(service: &Service, why: &str) {
    for _ in 0..64 {
        let rejected = Broadcast::Rejected(why.to_owned());
        service.gateway.push_broadcast(rejected);
    }
}

/// Who holds the signed transaction can broadcast it: a client that one node's word told of an end
/// would pay twice.
#[test]
fn hole_rejected_transaction_stays_signed_and_is_offered_again() {
    let mut service = Service::funded(1);
    rejecting(&service, "min relay fee not met");
    let payment = service.signed();
    for pause_ms in [25, 250, 500, 1_000] {
        let changed = service.wait(pause_ms).changed();
        assert_eq!(changed.len(), 1, "after {pause_ms} ms");
        assert_eq!(changed[0].state, TransactionState::Signed);
        let (code, detail) = changed[0].reason.clone().unwrap();
        assert_eq!(code, Code::NetworkRejected);
        assert_eq!(detail, "min relay fee not met");
        assert!(service.wait(pause_ms / 2).is_empty(), "pauses grow");
    }
    assert_eq!(service.state(&payment.intent), Some(1), "signed");
    assert_eq!(
        service.count("SELECT COUNT(*) FROM reservation WHERE used = TRUE"),
        1
    );

    // Rejections mostly pass: the pool has room again, or the node has caught up.
    service.gateway.forget_broadcasts();
    let changed = service.wait(32_000).changed();
    assert_eq!(changed[0].state, TransactionState::Broadcasting);
    assert_eq!(changed[0].reason, None);
}

/// Nodes call a transaction invalid whose outputs are mined and spent: after a crash between
/// broadcast and commit that must not hide its block.
#[test]
fn rejected_transaction_that_is_in_a_block_is_completed() {
    let mut service = Service::funded(1);
    rejecting(&service, "missing inputs");
    let (payment, id) = signed_with_id(&mut service);
    service.gateway.set_standing(&id, Standing::Confirmed(1));
    assert_eq!(service.wait(25).states(), [TransactionState::Broadcasting]);
    assert_eq!(service.wait(1_000).states(), [TransactionState::Completed]);
    assert_eq!(service.state(&payment.intent), Some(3));
}

/// A rejection may take a node as long as silence does, and comes again and again.
#[test]
fn rejecting_node_is_asked_a_few_times_per_tick_only() {
    let mut service = Service::funded(7);
    for _ in 0..7 {
        service.signed();
    }
    rejecting(&service, "mempool full");
    assert_eq!(service.wait(25).states(), [TransactionState::Signed; 4]);
}

#[test]
fn rejection_of_many_megabytes_does_not_stop_the_service() {
    let mut service = Service::funded(1);
    let rejected = Broadcast::Rejected("x".repeat(8 << 20));
    service.gateway.push_broadcast(rejected);
    service.signed();
    let changed = service.wait(25).changed();
    assert_eq!(changed[0].state, TransactionState::Signed);
    assert!(changed[0].reason.clone().unwrap().1.len() <= 512);
}

#[test]
fn node_without_answer_is_asked_again_after_growing_pauses() {
    let mut service = Service::funded(1);
    let payment = service.signed();
    service.gateway.set_down(true);
    let mut at = Vec::new();
    for tick in 0..(40 * 70) {
        let before = service.gateway.broadcasts().len();
        service.wait(25);
        if service.gateway.broadcasts().len() > before {
            at.push(tick * 25);
        }
    }
    let pauses: Vec<_> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(
        pauses,
        [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000]
    );
    assert_eq!(service.state(&payment.intent), Some(1), "still signed");

    service.gateway.set_down(false);
    let sent = service.wait(32_000);
    assert_eq!(sent.states(), [TransactionState::Broadcasting]);
}

#[test]
fn pauses_survive_a_restart() {
    let mut service = Service::funded(1);
    service.signed();
    service.gateway.set_down(true);
    service.wait(25);
    service.wait(250);
    let asked = service.gateway.broadcasts().len();
    service.restart();
    service.wait(25);
    assert_eq!(service.gateway.broadcasts().len(), asked);
}

#[test]
fn transaction_that_no_node_takes_does_not_hold_up_others() {
    let mut service = Service::funded(3);
    let stuck = service.signed();
    service.gateway.push_broadcast_failure("no answer");
    service.wait(25);
    assert_eq!(service.state(&stuck.intent), Some(1));

    let next = service.signed();
    let sent = service.wait(25);
    assert_eq!(sent.states(), [TransactionState::Broadcasting]);
    assert_eq!(service.state(&next.intent), Some(2));
}

#[test]
fn silent_node_is_asked_a_few_times_per_tick_only() {
    let mut service = Service::funded(7);
    service.gateway.set_down(true);
    for _ in 0..7 {
        service.signed();
    }
    let before = service.gateway.broadcasts().len();
    service.wait(25);
    assert_eq!(service.gateway.broadcasts().len() - before, 4);

    // The payments that had no turn are next.
    service.gateway.set_down(false);
    let sent = service.wait(25);
    assert_eq!(sent.states(), [TransactionState::Broadcasting; 3]);
}

#[test]
fn transaction_in_a_block_completes_the_payment() {
    let mut service = Service::funded(1);
    let (payment, id) = signed_with_id(&mut service);
    service.wait(25);
    service.gateway.set_standing(&id, Standing::Pending);
    assert!(service.wait(1_000).is_empty());

    service.gateway.set_standing(&id, Standing::Confirmed(1));
    let sent = service.wait(1_000);
    assert_eq!(sent.states(), [TransactionState::Completed]);
    assert_eq!(service.state(&payment.intent), Some(3));
    assert!(service.wait(60_000).is_empty());
}

#[test]
fn transaction_that_was_not_broadcast_is_not_looked_for() {
    let mut service = Service::funded(1);
    let (_, id) = signed_with_id(&mut service);
    service.gateway.set_standing(&id, Standing::Confirmed(3));
    service.gateway.push_broadcast_failure("no answer");
    let sent = service.wait(1_000);
    assert!(sent.is_empty());
    assert!(!service.gateway.asked().contains(&Asked::Standing(id)));
}

#[test]
fn every_broadcast_transaction_has_its_turn_to_be_confirmed() {
    // There is one payment more than a page of 64.
    let mut service = Service::funded(65);
    let mut ids = Vec::new();
    for _ in 0..65 {
        ids.push(signed_with_id(&mut service).1);
    }
    for _ in 0..2 {
        service.wait(25);
    }
    for id in &ids {
        service.gateway.set_standing(id, Standing::Confirmed(1));
    }
    let first = service.wait(1_000).states().len();
    let second = service.wait(1_000).states().len();
    assert_eq!((first, second), (64, 1));
}

#[test]
fn more_unconfirmed_transactions_than_a_page_do_not_hide_a_confirmed_one() {
    let mut service = Service::funded(65);
    let mut ids = Vec::new();
    for _ in 0..65 {
        ids.push(signed_with_id(&mut service));
    }
    for _ in 0..2 {
        service.wait(25);
    }
    // The last one by name: whatever page is first, it is not on it.
    let last = ids.iter().max_by_key(|(payment, _)| payment.digest());
    let (payment, id) = last.unwrap();
    service.gateway.set_standing(id, Standing::Confirmed(1));
    let confirmed = [service.wait(1_000), service.wait(1_000)];
    assert!(confirmed.iter().any(|sent| !sent.is_empty()));
    assert_eq!(service.state(&payment.intent), Some(3));
}

#[test]
fn node_that_answers_nothing_about_blocks_ends_nothing() {
    let mut service = Service::funded(6);
    let payments: Vec<_> = (0..6).map(|_| service.signed()).collect();
    service.wait(25);
    service.gateway.set_down(true);
    let before = service.gateway.asked().len();
    assert!(service.wait(1_000).is_empty());

    let asked = service.gateway.asked();
    let standings = asked[before..]
        .iter()
        .filter(|question| matches!(question, Asked::Standing(_)));
    assert_eq!(standings.count(), 4, "bounded");
    for payment in payments {
        assert_eq!(service.state(&payment.intent), Some(2));
    }
}

#[test]
fn silent_node_is_asked_about_the_others_next_time() {
    let mut service = Service::funded(6);
    for _ in 0..6 {
        service.signed();
    }
    service.wait(25);
    service.gateway.set_down(true);
    let before = service.gateway.asked().len();
    service.wait(1_000);
    service.wait(1_000);
    let asked = service.gateway.asked();
    let standings: Vec<_> = asked[before..]
        .iter()
        .filter(|question| matches!(question, Asked::Standing(_)))
        .collect();
    let distinct = (0..standings.len()).filter(|at| !standings[..*at].contains(&standings[*at]));
    assert_eq!(distinct.count(), 6);
}

/// A tick holds the database: a node that takes its time with each answer would hold up the payments
/// of all tenants.
#[test]
fn hole_slow_node_is_asked_for_a_second_per_tick_only() {
    let mut service = Service::funded(7);
    for _ in 0..7 {
        service.signed();
    }
    service.gateway.set_slow(400);
    let sent: Vec<usize> = (0..3).map(|_| service.wait(25).states().len()).collect();
    assert_eq!(sent, [3, 3, 1], "the next tick goes on with the others");

    let before = service.gateway.asked().len();
    for _ in 0..3 {
        service.wait(1_000);
    }
    let asked = service.gateway.asked();
    let standings = |asked: &[Asked]| -> Vec<String> {
        let id = |question: &Asked| match question {
            Asked::Standing(id) => Some(id.clone()),
            Asked::Facts(_) | Asked::Broadcast(_) => None,
        };
        asked.iter().filter_map(id).collect()
    };
    let found = standings(&asked[before..]);
    let distinct: std::collections::BTreeSet<&String> = found.iter().collect();
    assert_eq!((found.len(), distinct.len()), (7, 7), "in turns");
    let before = service.gateway.asked().len();
    service.wait(1_000);
    let asked = service.gateway.asked();
    assert_eq!(standings(&asked[before..]), found[..3], "and again");
}

#[test]
fn node_is_asked_nothing_more_once_the_process_is_to_stop() {
    let mut service = Service::funded(2);
    service.signed();
    service.wait(25);
    service.signed();
    service.stop.set();
    let before = service.gateway.asked().len();
    assert!(service.wait(1_000).is_empty());
    assert_eq!(service.gateway.asked().len(), before);
}
