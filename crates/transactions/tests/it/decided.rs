use crate::entries::authorization_on;
use crate::fixture::*;
use strongroom_ports::chain::Registry as _;
use strongroom_replica::TenantVaults;
use strongroom_stage::post::session_of;
use strongroom_types::attempt::unsigned_digest;
use strongroom_types::{AttemptKind, Code, Digest, Document as _, IntentKind};
use strongroom_wire::{Decided, JournalSubmitted, Layer, Marks, Role, TransactionState, topics};
use strongroom_world::{Ledger, Log};

#[test]
fn approved_intent_is_offered_to_journal_and_signers_at_once() {
    let mut service = Service::funded(1);
    let intent = service.intent();
    let decision = service.mail().decision(&intent, Decided::Approved);

    let sent = service.approve(&intent);
    let payment = Payment::new(&sent, &intent);
    assert_eq!(sent.records.len(), 3);
    assert_eq!(sent.states(), [TransactionState::Signing]);

    // The journal gets what was decided, unchanged, with the first attempt.
    let authorization = payment.authorization();
    assert_eq!(authorization.intent, decision.intent);
    assert_eq!(authorization.core, decision.core);
    assert_eq!(authorization.approvals, decision.approvals);
    let attempt = authorization.attempt;
    assert_eq!((attempt.number, attempt.kind), (1, AttemptKind::Pay));
    assert!(attempt.well_formed());
    assert!(attempt.fee_max <= intent.fee_max.half());

    // The signers get the transaction that the attempt names.
    assert_eq!(payment.request.attempt, attempt);
    assert_eq!(
        attempt.unsigned_digest,
        unsigned_digest(&payment.request.unsigned)
    );
    assert_eq!(service.state(&intent), Some(0));
}

#[test]
fn slots_of_the_signing_request_are_those_that_signers_derive() {
    let mut service = Service::funded(3);
    let payment = service.offered();
    let tenant = &service.world().tenant;
    let inspection = service.journal.read(|f| {
        let vaults = TenantVaults::new(f.state(), tenant.id);
        let key = vaults.vault_key(tenant.vault).unwrap();
        codec()
            .inspect(&payment.request.unsigned, &key, &vaults)
            .unwrap()
    });
    let derived: Vec<_> = inspection
        .slots
        .into_iter()
        .map(|slot| (slot.path, slot.tweak, slot.message))
        .collect();
    let sent: Vec<_> = payment
        .request
        .slots
        .into_iter()
        .map(|slot| (slot.path, slot.tweak, slot.message))
        .collect();
    assert_eq!(sent, derived);
}

#[test]
fn timeline_says_when_the_transaction_was_built() {
    let mut service = Service::funded(1);
    let intent = service.intent();
    for record in service.approve(&intent).records {
        let marks = Marks::from_bytes(&record.headers.marks);
        assert_eq!(marks.at(Layer::Transactions), Some(service.now.0 * 1000));
    }
}

#[test]
fn pending_and_refused_decisions_move_nothing() {
    let mut service = Service::funded(1);
    let intent = service.intent();
    let refused = Decided::Refused(Code::PolicyBlocked, String::new());
    for decided in [Decided::Pending, refused] {
        let record = service.mail().decided(&intent, decided);
        assert!(service.send(&[record]).is_empty());
    }
    assert_eq!(service.state(&intent), None);
}

/// The approvals service's tables were put back to before the refusal: the client was told of it, and
/// has signed another.
#[test]
fn hole_intent_whose_end_was_told_is_not_offered() {
    let mut service = Service::funded(1);
    let intent = service.intent();
    let refused = Decided::Refused(Code::PolicyBlocked, String::new());
    let record = service.mail().decided(&intent, refused);
    assert!(service.send(&[record]).is_empty());
    service.restart();
    assert!(service.approve(&intent).is_empty());
    assert!(service.wait(60_000).is_empty());
    assert_eq!(service.state(&intent), None);

    // Another one is.
    let offered = service.offered();
    assert_eq!(service.state(&offered.intent), Some(0));
}

/// They were put back to before the approval: what was taken goes on, and its client is not told
/// another end.
#[test]
fn hole_payment_under_way_is_not_ended_by_a_refusal_of_its_intent() {
    let mut service = Service::funded(1);
    let payment = service.offered();
    let refused = Decided::Refused(Code::PolicyBlocked, String::new());
    let record = service.mail().decided(&payment.intent, refused);
    assert!(service.send(&[record]).is_empty());
    assert_eq!(service.count("SELECT COUNT(*) FROM refused"), 0);

    let record = service.mail().signed(&payment.request);
    let sent = service.send(&[record]);
    assert!(sent.states().contains(&TransactionState::Signed));
}

/// A hostile API could fill the table for good, else.
#[test]
fn hole_refusals_are_forgotten_when_their_time_is_past() {
    let mut service = Service::funded(1);
    let refused = || Decided::Refused(Code::PolicyBlocked, String::new());
    let mut intent = service.intent();
    intent.expires = intent.created.plus(u64::from(u32::MAX));
    for intent in [service.intent(), intent] {
        let record = service.mail().decided(&intent, refused());
        service.send(&[record]);
    }
    assert_eq!(service.count("SELECT COUNT(*) FROM refused"), 2);

    let bounds = service.world().genesis.bounds.clone();
    service.live(bounds.intent_life_ms + 3 * bounds.skew_ms);
    let last = service.intent();
    let record = service.mail().decided(&last, refused());
    service.send(&[record]);
    assert_eq!(service.count("SELECT COUNT(*) FROM refused"), 1, "the last");
}

#[test]
fn intent_of_another_chain_is_left_to_its_own_instance() {
    let mut service = Service::funded(1);
    let mut intent = service.intent();
    intent.chain = "eip155:1".parse().unwrap();
    let IntentKind::Transfer(transfers) = &mut intent.kind;
    transfers[0].asset = "eip155:1/slip44:60".parse().unwrap();
    assert!(service.approve(&intent).is_empty());
    assert_eq!(service.state(&intent), None);
}

#[test]
fn intent_that_does_not_parse_is_a_dead_letter() {
    let mut service = Service::funded(1);
    let intent = service.intent();
    let mut decision = service.mail().decision(&intent, Decided::Approved);
    decision.intent.text.push(' ');
    let from = (Role::Approvals, topics::INTENT_DECIDED);
    let record = service.mail().seal(from, &intent.digest(), &decision);
    let sent = service.send(&[record]);
    assert_eq!(sent.dead_letters().len(), 1);
    assert_eq!(sent.records.len(), 1);

    // The next record is handled as if the bad one had not come.
    assert_eq!(
        service.approve(&intent).states(),
        [TransactionState::Signing]
    );
}

#[test]
fn second_decision_under_another_message_id_builds_no_second_transaction() {
    let mut service = Service::funded(2);
    let payment = service.offered();
    let record = service
        .mail()
        .again(1)
        .decided(&payment.intent, Decided::Approved);
    assert!(service.send(&[record]).is_empty());
    assert_eq!(service.count("SELECT COUNT(*) FROM reservation"), 1);
}

#[test]
fn answers_find_the_payment_whatever_session_its_decision_came_in() {
    let mut service = Service::funded(1);
    let intent = service.intent();
    let decision = service.mail().decision(&intent, Decided::Approved);
    let (from, other) = ((Role::Approvals, topics::INTENT_DECIDED), Digest([9; 32]));
    let record = service.mail().seal(from, &other, &decision);

    // The writer and the coordinator answer in the session of the record that they got.
    let sent = service.send(&[record]);
    let wanted = session_of(intent.digest());
    let submitted = &sent.records[0];
    assert_eq!(submitted.topic.as_str(), topics::JOURNAL_SUBMITTED);
    let (envelope, _) = service.world().open::<JournalSubmitted>(submitted);
    assert_eq!(envelope.session, wanted);
}

#[test]
fn two_payments_never_share_a_coin() {
    let mut service = Service::funded(2);
    let (first, second) = (service.offered(), service.offered());
    let keys = |payment: &Payment| payment.request.attempt.conflict_keys.clone();
    assert!(keys(&first).iter().all(|key| !keys(&second).contains(key)));
}

#[test]
fn change_addresses_are_given_out_in_turn() {
    let mut service = Service::funded(2);
    let (first, second) = (service.offered(), service.offered());
    assert_ne!(first.request.unsigned, second.request.unsigned);
    assert_eq!(service.count("SELECT next FROM change_index"), 2);
}

/// Anyone who may ask for payments could have the addresses of others used again soon.
#[test]
fn hole_payments_that_cannot_be_built_use_no_change_addresses_up() {
    let mut service = Service::new();
    service.fund(AMOUNT);
    service.wait(1_000);
    for _ in 0..3 {
        let intent = service.intent();
        service.approve(&intent);
        service.wait(1_000);
    }
    assert_eq!(service.count("SELECT COUNT(*) FROM change_index"), 0);

    let mut service = Service::funded(1);
    let mut intent = service.intent();
    intent.fee_max = 2_u64.into();
    service.approve(&intent);
    assert_eq!(service.count("SELECT COUNT(*) FROM change_index"), 0);
}

#[test]
fn payment_without_change_uses_no_change_address_up() {
    let mut service = Service::new();
    // One input and one output at 2 satoshi per virtual byte cost 222.
    service.fund(AMOUNT + 250);
    service.wait(1_000);
    service.offered();
    assert_eq!(service.count("SELECT COUNT(*) FROM change_index"), 0);
}

#[test]
fn payment_waits_until_the_node_has_said_height_and_fees() {
    let mut service = Service::new();
    service.gateway.set_down(true);
    service.fund(COIN);
    let intent = service.intent();
    assert!(service.approve(&intent).is_empty());
    assert_eq!(service.state(&intent), Some(4), "building");
    assert!(service.wait(1_000).is_empty());

    service.gateway.set_down(false);
    let sent = service.wait(60_000);
    assert_eq!(sent.states(), [TransactionState::Signing]);
    assert_eq!(service.state(&intent), Some(0));
}

#[test]
fn decision_is_handled_without_asking_the_node() {
    let mut service = Service::funded(1);
    service.gateway.set_down(true);
    let asked = service.gateway.asked().len();
    let intent = service.intent();
    assert_eq!(
        service.approve(&intent).states(),
        [TransactionState::Signing]
    );
    assert_eq!(service.gateway.asked().len(), asked);
}

#[test]
fn deposit_after_the_last_round_is_found_before_the_vault_is_called_empty() {
    let mut service = Service::new();
    service.wait(1_000);
    service.fund(COIN);
    let intent = service.intent();
    assert!(service.approve(&intent).is_empty());
    assert_eq!(service.wait(1_000).states(), [TransactionState::Signing]);
}

#[test]
fn hole_vault_without_funds_waits_for_them() {
    let mut service = Service::new();
    service.fund(AMOUNT);
    service.wait(1_000);
    let intent = service.intent();
    assert!(service.approve(&intent).is_empty());
    let changed = service.wait(1_000).changed();
    assert_eq!(changed[0].state, TransactionState::WaitingForFunds);
    let (code, _) = changed[0].reason.clone().unwrap();
    assert_eq!(code, Code::InsufficientBalance);
    assert_eq!(service.state(&intent), Some(4), "building");

    // The reason is reported once, also by a new process: the time of the report says since when it
    // holds.
    service.restart();
    assert!(service.wait(60_000).is_empty());
    service.fund(COIN);
    let changed = service.wait(60_000).changed();
    assert_eq!(changed[0].state, TransactionState::Signing);
    assert_eq!(changed[0].reason, None);
}

#[test]
fn payment_that_waits_for_funds_ends_with_its_intent() {
    let mut service = Service::new();
    service.wait(1_000);
    let intent = service.intent();
    service.approve(&intent);
    let waiting = service.wait(1_000).states();
    assert_eq!(waiting, [TransactionState::WaitingForFunds]);

    // The service's own clock ends nothing: until a fresh head is past the end the writer may take
    // an older stamp.
    assert!(service.wait(OVER_MS).is_empty());
    let changed = service.live(OVER_MS).changed();
    assert_eq!(changed[0].state, TransactionState::Expired);
    assert_eq!(changed[0].reason.clone().unwrap().0, Code::IntentExpired);
}

/// Fees rise and fall, and a node may lie about them: until the intent's end any submitter can have
/// it authorized, and a client that was told "failed" has signed another by then.
#[test]
fn hole_fee_above_the_cap_is_waited_for() {
    let mut service = Service::funded(1);
    service.gateway.set_fee_rate(1_000_000);
    service.wait(1_000);
    let intent = service.intent();
    let changed = service.approve(&intent).changed();
    assert_eq!(changed[0].state, TransactionState::Approved);
    assert_eq!(changed[0].reason.clone().unwrap().0, Code::FeeCapTooLow);
    assert_eq!(service.state(&intent), Some(4), "building");
    assert!(service.wait(1_000).is_empty(), "said once");

    service.gateway.set_fee_rate(2_000);
    assert_eq!(service.wait(60_000).states(), [TransactionState::Signing]);
}

#[test]
fn reason_that_changes_is_shown() {
    let mut service = Service::new();
    service.gateway.set_fee_rate(1_000_000);
    service.wait(1_000);
    let intent = service.intent();
    service.approve(&intent);
    let waiting = service.wait(1_000).states();
    assert_eq!(waiting, [TransactionState::WaitingForFunds]);

    service.fund(AMOUNT + 1_000_000);
    let changed = service.wait(60_000).changed();
    assert_eq!(changed[0].state, TransactionState::Approved);
    assert_eq!(changed[0].reason.clone().unwrap().0, Code::FeeCapTooLow);
}

/// A hostile submitter's attempt, or this service's own from before its tables were lost: whatever
/// the coins look like, the payment may be signed at any time.
#[test]
fn hole_builder_ends_no_payment_that_the_journal_holds() {
    let mut service = Service::funded(1);
    let first = service.offered();
    let held = service.intent();
    let body = authorization_on(&service.ledger, &held, &first);
    service.append(vec![body]);

    // No coin is left to build the payment from.
    assert!(service.approve(&held).is_empty());
    let changed = service.wait(1_000).changed();
    assert_eq!(changed[0].state, TransactionState::Signing);
    let (code, _) = changed[0].reason.clone().unwrap();
    assert_eq!(code, Code::IntentAlreadyAuthorized);
    service.witness();
    assert!(service.wait(1_000).is_empty(), "said once");
    assert_eq!(service.state(&held), Some(4), "building");

    let changed = service.live(OVER_MS).changed();
    let last = changed.iter().find(|news| news.intent == held.digest());
    let last = last.unwrap();
    assert_eq!(last.state, TransactionState::Signing);
    assert_eq!(last.reason.clone().unwrap().0, Code::TooLate);
}

/// What no transaction can ever meet ends the payment, once it is certain that no one else had an
/// attempt of it authorized: before that the journal may hold what this replica does not have yet.
#[test]
fn hole_intent_that_cannot_be_met_is_ended_by_a_fresh_head_alone() {
    let mut service = Service::funded(1);
    service.wait(OVER_MS);
    let mut dust = service.intent();
    let IntentKind::Transfer(transfers) = &mut dust.kind;
    transfers[0].amount = 100_u64.into();
    let changed = service.approve(&dust).changed();
    assert_eq!(changed[0].state, TransactionState::Approved);
    assert_eq!(changed[0].reason.clone().unwrap().0, Code::Dust);
    assert!(service.wait(60_000).is_empty());
    assert_eq!(service.state(&dust), Some(4), "building");

    let changed = service.live(60_000).changed();
    assert_eq!(changed[0].state, TransactionState::Failed);
    assert_eq!(changed[0].reason.clone().unwrap().0, Code::Dust);
}

#[test]
fn payment_from_a_vault_that_the_replica_does_not_know_yet_waits_for_it() {
    let (ledger, _) = ready();
    let mut ledger = ledger.clone();
    ledger.wait(1_000);
    // The replica of this service lacks the last entry: the vault.
    let mut behind = ledger.clone();
    behind.entries.pop();
    let log = Log::of(&behind);
    let journal = log.shared(ledger.now);
    let mut service = Service::on(ledger.clone(), journal);
    service.wait(1_000);

    let intent = service.intent();
    assert!(service.approve(&intent).is_empty());
    assert_eq!(service.state(&intent), Some(4), "building");

    catch_up(&service, &ledger);
    service.fund(COIN);
    assert_eq!(service.wait(1_000).states(), [TransactionState::Signing]);
}

/// The service's replica takes in everything of a ledger.
fn catch_up(service: &Service, ledger: &Ledger) {
    let size = service.journal.read(|f| f.size());
    let log = Log::of(ledger);
    service.journal.write(|f| {
        for batch in log.batches.iter().filter(|batch| batch.first_seq >= size) {
            f.append(batch).unwrap();
        }
    });
}

#[test]
fn payment_whose_vault_never_appears_ends_with_its_time() {
    let mut service = Service::funded(1);
    let mut intent = service.intent();
    intent.vault = strongroom_types::VaultId([9; 16]);
    assert!(service.approve(&intent).is_empty());
    let sent = service.live(OVER_MS);
    assert_eq!(sent.states(), [TransactionState::Expired]);
}

#[test]
fn first_attempt_leaves_half_of_the_cap_for_a_replacement() {
    let mut service = Service::funded(1);
    let mut intent = service.intent();
    // The fee of one input and two outputs is about 310 satoshi: within the cap, above its half.
    intent.fee_max = 400_u64.into();
    let changed = service.approve(&intent).changed();
    assert_eq!(changed[0].state, TransactionState::Approved);
    assert_eq!(changed[0].reason.clone().unwrap().0, Code::FeeCapTooLow);
}

#[test]
fn silence_of_the_node_does_not_prove_that_the_vault_is_empty() {
    let mut service = Service::new();
    service.wait(1_000);
    service.gateway.set_down(true);
    service.fund(COIN);
    let intent = service.intent();
    assert!(service.approve(&intent).is_empty());
    assert!(service.wait(1_000).is_empty());
    assert_eq!(service.state(&intent), Some(4), "building");

    service.gateway.set_down(false);
    let sent = service.wait(60_000);
    assert_eq!(sent.states(), [TransactionState::Signing]);
}
