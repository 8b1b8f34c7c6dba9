//! How an act stands, for as long as it can change.

use crate::{HOUR_MS, ready_with};
use strongroom_journal::Body;
use strongroom_journal::keyspace as ks;
use strongroom_journal::model::ActStanding;
use strongroom_journal::state::Lookup as _;
use strongroom_types::{Act, ActBody, Document as _, RegistryRecord, User, UserId};

#[test]
fn a_proposal_stands_as_long_as_it_lives_and_not_as_long_as_its_act() {
    let mut ledger = ready_with(|o| o.delay_ms = 24 * HOUR_MS);
    let put = ActBody::Put(RegistryRecord::User(User {
        id: UserId([9; 16]),
        name: "Mallory".parse().unwrap(),
    }));
    let mut act = ledger
        .world
        .act(ledger.now, ledger.world.scope(), put, ledger.version());
    act.expires = ledger.now.plus(HOUR_MS);
    let signed = ledger.world.sign(&act, &ledger.committee());
    let proposal = Act::digest_of(&signed.text);
    ledger.push(Body::Act(signed), ledger.now).unwrap();
    ledger.witness();

    ledger.wait(24 * HOUR_MS);
    let release = ActBody::Release(proposal);
    ledger.act_in_force(release, &ledger.committee()).unwrap();
    let key = ks::used_act(ledger.world.tenant.id, &proposal);
    let standing: Option<ActStanding> = ledger.state.record(&key).unwrap();
    assert_eq!(standing, Some(ActStanding::InForce));
}
