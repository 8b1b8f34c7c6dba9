use crate::fixture::*;
use strongroom_journal::Body;
use strongroom_ports::chain::{CoinFact, Fact, OwnPath};
use strongroom_ports::db::Db as _;
use strongroom_types::registry::ADDRESS_INDEX_MAX;
use strongroom_types::{ActBody, ConflictKey, MinorUnits, RegistryRecord, Vault, VaultId};
use strongroom_wire::TransactionState;
use strongroom_world::{Asked, NATIVE};

const COINS: &str = "SELECT COUNT(*) FROM holding";

/// A coin of six confirmations as a node would report it.
fn coin(number: u64, address: &str, amount: impl Into<MinorUnits>) -> CoinFact {
    CoinFact {
        key: ConflictKey::Coin(format!("{number:064x}:1")),
        address: address.to_owned(),
        asset: NATIVE.parse().unwrap(),
        amount: amount.into(),
        height: Some(95),
    }
}

fn largest() -> MinorUnits {
    "115792089237316195423570985008687907853269984665640564039457584007913129639935"
        .parse()
        .unwrap()
}

#[test]
fn impossible_amounts_are_left_out_and_spoil_nothing() {
    let mut service = Service::funded(1);
    let address = service.address(1);
    service
        .gateway
        .claim(Fact::Coin(coin(1, &address, largest())));
    service
        .gateway
        .claim(Fact::Coin(coin(2, &address, 1_u64 << 63)));
    service.fund(COIN);
    service.wait(1_000);
    assert_eq!(service.count(COINS), 2, "the honest ones");
    service.offered();
}

#[test]
fn coins_of_addresses_that_were_not_asked_for_are_left_out() {
    let mut service = Service::funded(1);
    let stranger = strongroom_world::STRANGER;
    service
        .gateway
        .claim(Fact::Coin(coin(1, stranger, COIN * 9)));
    service.wait(1_000);
    assert_eq!(service.count(COINS), 1);
    let payment = service.offered();
    let honest = format!("coin:{:064x}:0", 1);
    assert_eq!(payment.anchor(), honest);
}

/// Signers take no other address for the vault's own: what a hostile builder returns anywhere is
/// found, also by a service that knows nothing but the chain.
#[test]
fn hole_coins_on_every_address_that_signers_accept_are_found() {
    let mut service = Service::new();
    let last = ADDRESS_INDEX_MAX - 1;
    let ends = [(0, 0), (0, last), (1, 0), (1, last)];
    for (change, index) in ends {
        let address = service.address_at(OwnPath { change, index });
        service.gateway.fund(&address, COIN);
    }
    service.wait(1_000);
    assert_eq!(service.count(COINS), 4);

    service.execute("DELETE FROM holding", &[]);
    service.restart();
    service.wait(1_000);
    assert_eq!(service.count(COINS), 4);
    let mut all = service
        .world()
        .order(service.now, COIN * 4 - COIN / 2, "all");
    all.fee_max = 100_000_u64.into();
    let sent = service.approve(&all);
    assert_eq!(sent.states(), [TransactionState::Signing]);
}

#[test]
fn unconfirmed_coins_are_not_spent() {
    let mut service = Service::new();
    let address = service.address(0);
    let fact = CoinFact {
        height: None,
        ..coin(1, &address, COIN)
    };
    service.gateway.claim(Fact::Coin(fact));
    service.wait(1_000);
    assert_eq!(service.count(COINS), 0);
}

#[test]
fn absurd_head_and_fees_are_left_out() {
    let mut service = Service::funded(1);
    service.gateway.claim(Fact::Head { height: u64::MAX });
    service.gateway.claim(Fact::Fees(vec![0xff; 8]));
    service.gateway.claim(Fact::Fees(vec![1; 3]));
    service.wait(1_000);
    let intent = service.intent();
    assert_eq!(
        service.approve(&intent).states(),
        [TransactionState::Signing]
    );
}

#[test]
fn lie_about_an_amount_does_not_outlive_the_next_honest_answer() {
    let mut service = Service::new();
    let address = service.address(0);
    let lie = coin(1, &address, COIN * 5);
    let key = lie.key.clone();
    service.gateway.claim(Fact::Coin(lie));
    service.wait(1_000);
    service.gateway.remove_coin(&key);
    service.gateway.claim(Fact::Coin(coin(1, &address, COIN)));
    service.wait(1_000);

    let mut tx = service.db.begin().unwrap();
    let rows = tx.query("SELECT amount FROM holding", &[]).unwrap();
    let kept: [u8; 32] = rows[0].array(0).unwrap();
    assert_eq!(kept, MinorUnits::from(COIN).to_be_bytes());
}

/// No signer can know that a coin is none. One that a reorganisation, a restored table or a lie left
/// behind would be built upon, and the payment never confirm.
#[test]
fn hole_coin_that_the_node_no_longer_reports_is_not_built_upon() {
    let mut service = Service::funded(1);
    let address = service.address(0);
    let phantom = coin(1, &address, COIN * 5);
    let key = phantom.key.clone();
    service.gateway.claim(Fact::Coin(phantom));
    service.wait(1_000);
    assert_eq!(service.count(COINS), 2);

    service.gateway.remove_coin(&key);
    service.wait(1_000);
    assert_eq!(service.count(COINS), 1);
    let payment = service.offered();
    assert_ne!(payment.anchor(), key.to_string());
}

#[test]
fn silence_and_coins_of_other_vaults_remove_nothing() {
    let mut service = Service::funded(2);
    service.gateway.set_facts_down(true);
    service.wait(1_000);
    assert_eq!(service.count(COINS), 2);

    // What an answer beyond the bound leaves out is not gone.
    service.gateway.set_facts_down(false);
    for number in 0..50_000 {
        let stranger = strongroom_world::STRANGER;
        service
            .gateway
            .claim_first(Fact::Coin(coin(number, stranger, 1_000_u64)));
    }
    service.wait(1_000);
    assert_eq!(service.count(COINS), 2);
}

#[test]
fn used_coins_leave_the_table() {
    let mut service = Service::funded(2);
    service.signed();
    assert_eq!(service.count(COINS), 1);
}

#[test]
fn round_that_learns_nothing_commits_nothing() {
    let mut service = Service::funded(2);
    service.wait(1_000);
    service.wait(1_000);
    let commits = service.db.commits();
    service.wait(1_000);
    service.wait(1_000);
    assert_eq!(service.db.commits(), commits);
}

#[test]
fn silent_node_is_asked_once_per_vault_and_round() {
    let mut service = Service::funded(1);
    service.gateway.set_down(true);
    let before = service.gateway.asked().len();
    service.wait(1_000);
    let asked = service.gateway.asked();
    let facts = asked[before..]
        .iter()
        .filter(|question| matches!(question, Asked::Facts(_)));
    assert_eq!(facts.count(), 1);
}

/// Each question of a silent node lasts as long as its time limit, and the tick holds the database:
/// the service would do nothing else.
#[test]
fn hole_waiting_payments_add_no_questions_to_a_round() {
    let mut service = Service::new();
    service.wait(1_000);
    for _ in 0..6 {
        let intent = service.intent();
        service.approve(&intent);
    }
    for is_down in [true, false] {
        service.gateway.set_down(is_down);
        let before = service.gateway.asked().len();
        service.wait(120_000);
        assert_eq!(service.gateway.asked().len() - before, 1, "{is_down}");
    }

    // What waits for funds is built from this round's deposits.
    service.fund(COIN);
    assert!(!service.wait(120_000).states().is_empty());
}

/// Its look of an earlier round is none of this one: a deposit may have arrived.
#[test]
fn vault_that_had_no_turn_is_not_shown_as_empty() {
    let mut service = service_of_six_vaults();
    service.wait(1_000);
    service.gateway.set_facts_down(true);
    let mut intent = service.intent();
    intent.vault = VaultId([5; 16]);
    service.approve(&intent);
    assert!(service.wait(1_000).changed().is_empty());

    service.gateway.set_facts_down(false);
    let waiting = service.wait(60_000).states();
    assert_eq!(waiting, [TransactionState::WaitingForFunds]);
}

fn service_of_six_vaults() -> Service {
    let mut service = Service::new();
    let key = service.world().tenant.key;
    for account in 1..=5 {
        let vault = Vault {
            id: VaultId([account; 16]),
            name: format!("vault {account}").parse().unwrap(),
            key,
            account: account.into(),
            tags: vec![],
        };
        let put = ActBody::Put(RegistryRecord::Vault(vault));
        let act = service.ledger.signed_act(put, &service.ledger.admins());
        service.append(vec![Body::Act(act)]);
    }
    service
}

/// Questions about facts, after the first `before` questions.
fn questions(service: &Service, before: usize) -> Vec<Asked> {
    let asked = service.gateway.asked();
    let facts = |question: &&Asked| matches!(question, Asked::Facts(_));
    asked[before..].iter().filter(facts).cloned().collect()
}

#[test]
fn hole_slow_answers_about_some_vaults_do_not_hide_the_others() {
    let mut service = service_of_six_vaults();
    service.gateway.set_slow(400);
    let before = service.gateway.asked().len();
    service.wait(1_000);
    let first = questions(&service, before);
    assert_eq!(first.len(), 3, "a second per round");

    let before = service.gateway.asked().len();
    service.wait(1_000);
    let second = questions(&service, before);
    assert_eq!(second.len(), 3);
    assert!(second.iter().all(|question| !first.contains(question)));
}

#[test]
fn silence_about_some_vaults_does_not_hide_the_others() {
    let mut service = service_of_six_vaults();

    service.gateway.set_facts_down(true);
    let before = service.gateway.asked().len();
    service.wait(1_000);
    let first = questions(&service, before);
    assert_eq!(
        first.len(),
        4,
        "each silence may take the node's whole time limit"
    );

    let before = service.gateway.asked().len();
    service.wait(1_000);
    let second = questions(&service, before);
    assert!(second[..2].iter().all(|question| !first.contains(question)));
}
