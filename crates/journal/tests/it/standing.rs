//! How an act stands, for as long as it can change.

use crate::{HOUR_MS, act_body, ready, ready_with};
use strongroom_journal::Body;
use strongroom_journal::keyspace as ks;
use strongroom_journal::model::ActStanding;
use strongroom_journal::state::Lookup as _;
use strongroom_types::{
    Act, ActBody, Code, Digest, Document as _, RegistryRecord, Tighten, User, UserId,
};
use strongroom_world::{Ledger, Who};

fn new_user() -> ActBody {
    ActBody::Put(RegistryRecord::User(User {
        id: UserId([9; 16]),
        name: "Mallory".parse().unwrap(),
    }))
}

/// Appends the act of a proposal that expires after some time; its witnesses see it `late_ms` later.
fn propose(ledger: &mut Ledger, life_ms: u64, late_ms: u64) -> (Body, Digest) {
    let expires = ledger.now.plus(life_ms);
    let body = act_body(ledger, new_user(), &ledger.committee(), |act| {
        act.expires = expires
    });
    let Body::Act(signed) = &body else { panic!() };
    let proposal = Act::digest_of(&signed.text);
    ledger.push(body.clone(), ledger.now).unwrap();
    ledger.wait(late_ms);
    ledger.witness();
    (body, proposal)
}

fn standing(ledger: &Ledger, act: Digest) -> Option<ActStanding> {
    let key = ks::used_act(ledger.world.tenant.id, &act);
    ledger.state.record(&key).unwrap()
}

#[test]
fn a_proposal_stands_as_long_as_it_lives_and_not_as_long_as_its_act() {
    let mut ledger = ready_with(|o| o.delay_ms = 24 * HOUR_MS);
    let (_, proposal) = propose(&mut ledger, HOUR_MS, 0);
    ledger.wait(24 * HOUR_MS);
    let release = ActBody::Release(proposal);
    ledger.act_in_force(release, &ledger.committee()).unwrap();
    assert_eq!(standing(&ledger, proposal), Some(ActStanding::InForce));
}

/// Its time begins with its witnesses, who may be hours late.
#[test]
fn a_proposal_that_is_witnessed_late_stands_to_its_own_end() {
    let mut ledger = ready();
    let (_, proposal) = propose(&mut ledger, HOUR_MS, 23 * HOUR_MS);
    ledger.wait(30 * 24 * HOUR_MS - 1);
    let release = ActBody::Release(proposal);
    ledger.act_in_force(release, &ledger.committee()).unwrap();
    assert_eq!(standing(&ledger, proposal), Some(ActStanding::InForce));
}

/// The longest life of an act is longer than that of a proposal without delay.
#[test]
fn an_act_that_proposes_is_used_for_as_long_as_it_does_not_expire() {
    let mut ledger = ready();
    let (act, _) = propose(&mut ledger, 32 * 24 * HOUR_MS, 0);
    ledger.wait(32 * 24 * HOUR_MS - 2_000);
    ledger.push(tightening(&ledger), ledger.now).unwrap();
    assert_eq!(ledger.refused(act), Some(Code::UsedAuthority));
}

/// An entry of the tenant: what is due is forgotten with each of them.
fn tightening(ledger: &Ledger) -> Body {
    let cancel = ActBody::Tighten(Tighten::Cancel(Digest([9; 32])));
    act_body(ledger, cancel, &[Who::Clerk], |_| {})
}

#[test]
fn a_proposal_that_is_forgotten_has_ended() {
    let mut ledger = ready();
    let (_, proposal) = propose(&mut ledger, HOUR_MS, 0);
    ledger.wait(30 * 24 * HOUR_MS);
    ledger.push(tightening(&ledger), ledger.now).unwrap();
    assert_eq!(standing(&ledger, proposal), Some(ActStanding::Proposed));
    ledger.wait(6_000);
    ledger.push(tightening(&ledger), ledger.now).unwrap();
    assert_eq!(standing(&ledger, proposal), Some(ActStanding::Ended));
}

/// Its standing would be kept forever: what was due has been forgotten already.
#[test]
fn an_act_that_is_forgotten_while_it_waits_leaves_nothing() {
    let mut ledger = ready();
    let (_, proposal) = propose(&mut ledger, HOUR_MS, 0);
    let expires = ledger.now.plus(1_000);
    let release = ActBody::Release(proposal);
    let body = act_body(&ledger, release, &ledger.committee(), |act| {
        act.expires = expires
    });
    let Body::Act(signed) = &body else { panic!() };
    let release = Act::digest_of(&signed.text);
    ledger.push(body, ledger.now).unwrap();

    ledger.wait(1_000);
    ledger.push(tightening(&ledger), ledger.now).unwrap();
    assert_eq!(standing(&ledger, release), None);
    ledger.witness();
    assert_eq!(standing(&ledger, proposal), Some(ActStanding::InForce));
    assert_eq!(standing(&ledger, release), None);
}
