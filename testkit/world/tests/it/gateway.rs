//! The scripted gateway answers by its script and remembers what it was asked.

use strongroom_ports::chain::{Broadcast, ChainGateway as _, CoinFact, Fact, Standing};
use strongroom_types::ConflictKey;
use strongroom_world::{Asked, FRIEND, Gateway, NATIVE, STRANGER};

#[test]
fn coins_are_reported_for_their_address_and_claimed_ones_always() {
    let gateway = Gateway::new();
    let funded = gateway.fund(FRIEND, 1_000);
    let claimed = CoinFact {
        key: ConflictKey::Coin("claimed:0".into()),
        address: FRIEND.to_owned(),
        asset: NATIVE.parse().unwrap(),
        amount: 5.into(),
        height: None,
    };
    gateway.claim(Fact::Coin(claimed.clone()));

    let keys = |address: &str| -> Vec<ConflictKey> {
        let facts = gateway.facts(&[address.to_owned()]).unwrap();
        let key = |fact| match fact {
            Fact::Coin(coin) => Some(coin.key),
            Fact::Head { .. } | Fact::Fees(_) | Fact::Account(_) => None,
        };
        facts.into_iter().filter_map(key).collect()
    };
    assert_eq!(keys(FRIEND), [funded.clone(), claimed.key.clone()]);
    assert_eq!(keys(STRANGER), std::slice::from_ref(&claimed.key));
    gateway.remove_coin(&funded);
    assert_eq!(keys(FRIEND), [claimed.key]);
}

#[test]
fn broadcasts_are_answered_in_the_order_of_the_script_and_then_accepted() {
    let gateway = Gateway::new();
    gateway.push_broadcast(Broadcast::Rejected("low fee".into()));
    gateway.push_broadcast_failure("timeout");

    let rejected = Broadcast::Rejected("low fee".into());
    assert_eq!(gateway.broadcast(&[1]).unwrap(), rejected);
    assert!(gateway.broadcast(&[2]).is_err());
    assert_eq!(gateway.broadcast(&[3]).unwrap(), Broadcast::Accepted);
    assert_eq!(gateway.broadcasts(), [[1], [2], [3]]);
}

#[test]
fn a_node_that_is_down_answers_nothing_and_the_questions_are_kept() {
    let gateway = Gateway::new();
    gateway.set_standing("id", Standing::Confirmed(2));
    gateway.set_down(true);
    assert!(gateway.facts(&[]).is_err() && gateway.standing("id").is_err());

    gateway.set_down(false);
    assert_eq!(gateway.standing("id").unwrap(), Standing::Confirmed(2));
    assert_eq!(gateway.standing("other").unwrap(), Standing::Unknown);
    let asked = ["id", "id", "other"].map(|id| Asked::Standing(id.to_owned()));
    let facts = Asked::Facts(Vec::new());
    assert_eq!(gateway.asked(), [&[facts][..], &asked].concat());
}
