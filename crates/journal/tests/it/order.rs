//! What every entry must keep, whatever it says.

use crate::{MEDIUM, SMALL, TWO, code, ready};
use strongroom_journal::entry::VERSION;
use strongroom_journal::state::Lookup as _;
use strongroom_journal::{Body, apply};
use strongroom_types::fields::{Fields, FormError};
use strongroom_types::json::Json;
use strongroom_types::{
    Act, ActBody, Approval, Code, Digest, Document, Intent, RegistryRecord, Scope, Tighten, UnixMs,
};
use strongroom_world::{
    AuthorizationExt as _, FRIEND, Ledger, Log, START, Who, World, WorldOptions,
};

fn empty() -> Ledger {
    Ledger::empty(World::new(1, WorldOptions::default()))
}

#[test]
fn entry_0_is_genesis_and_nothing_else_is() {
    let mut ledger = empty();
    assert_eq!(code(ledger.push(Body::Tick, START)), Code::Malformed);
    let genesis = Body::Genesis(ledger.world.genesis.hash());
    ledger.push(genesis.clone(), START).unwrap();
    assert_eq!(code(ledger.push(genesis, START)), Code::Malformed);
    ledger.push(Body::Tick, START).unwrap();
}

#[test]
fn genesis_of_another_installation_is_refused() {
    assert_eq!(
        code(empty().push(Body::Genesis(Digest([7; 32])), START)),
        Code::WrongGenesis
    );
}

#[test]
fn genesis_and_ticks_belong_to_the_platform() {
    let ledger = empty();
    let genesis = Body::Genesis(ledger.world.genesis.hash());
    assert_eq!(
        code(apply(
            &ledger.state,
            &ledger.entry(ledger.world.scope(), genesis, START)
        )),
        Code::WrongScope
    );
    let ledger = ready();
    assert_eq!(
        code(apply(
            &ledger.state,
            &ledger.entry(ledger.world.scope(), Body::Tick, ledger.now)
        )),
        Code::WrongScope
    );
}

#[test]
fn payments_and_ceremony_ends_belong_to_a_tenant() {
    let ledger = ready();
    let authorized = ledger.authorization(&ledger.world.intent(ledger.now, SMALL, FRIEND), &[]);
    let attempt = authorized.attempt.clone();
    for body in [authorized.into_body(), Body::from(attempt)] {
        assert_eq!(
            code(apply(
                &ledger.state,
                &ledger.entry(Scope::Platform, body, ledger.now)
            )),
            Code::WrongScope
        );
    }
}

#[test]
fn an_entry_out_of_sequence_is_refused() {
    let mut ledger = ready();
    for seq in [
        0,
        ledger.entries.len() as u64 - 1,
        ledger.entries.len() as u64 + 1,
    ] {
        let mut entry = ledger.entry(Scope::Platform, Body::Tick, ledger.now);
        entry.seq = seq;
        assert_eq!(code(ledger.push_entry(entry)), Code::Malformed, "{seq}");
    }
    ledger.push(Body::Tick, ledger.now).unwrap();
}

#[test]
fn an_entry_of_an_unknown_version_is_refused() {
    let mut ledger = ready();
    for version in [0, 1, VERSION + 1, u16::MAX] {
        let mut entry = ledger.entry(Scope::Platform, Body::Tick, ledger.now);
        entry.version = version;
        assert_eq!(
            code(ledger.push_entry(entry)),
            Code::UnknownEntry,
            "{version}"
        );
    }
}

/// A document as its first version would be signed today.
struct Version1<D>(D);

/// Gives a document its type of version 1.
macro_rules! version_1 {
    ($($document:ty: $old:literal),*) => {$(
        impl Document for Version1<$document> {
            const TYPE: &'static str = $old;

            fn read(_: &mut Fields<'_>) -> Result<Self, FormError> {
                Err(FormError::invalid("type", "written here only"))
            }

            fn write(&self) -> Vec<(&'static str, Json<'_>)> {
                self.0.write()
            }
        }
    )*};
}

version_1! {
    Intent: "strongroom/intent/v1",
    Approval: "strongroom/approval/v1",
    Act: "strongroom/act/v1"
}

/// Each is validly signed as what it is, so that nothing but its version refuses it.
#[test]
fn signed_texts_of_version_1_are_refused_as_unsupported() {
    let ledger = ready();
    let world = &ledger.world;
    let intent = world.intent(ledger.now, MEDIUM, FRIEND);
    let good = ledger.authorization(&intent, &TWO[..1]);
    assert_eq!(ledger.refused(good.clone().into_body()), None);

    let mut old = good.clone();
    old.intent = world.sign(&Version1(intent), &[Who::Initiator]);
    old.attempt.intent = Intent::digest_of(&old.intent.text);
    assert_eq!(ledger.refused(old.into_body()), Some(Code::Unsupported));

    let mut old = good;
    let approval = Approval::parse(&old.approvals[0].text).unwrap();
    old.approvals[0] = world.sign(&Version1(approval), &TWO[..1]);
    assert_eq!(ledger.refused(old.into_body()), Some(Code::Unsupported));

    let stop = ActBody::Tighten(Tighten::Stop);
    let stop = world.act(ledger.now, world.scope(), stop, ledger.version());
    let new = world.sign(&stop, &[Who::Admin(0)]);
    assert_eq!(ledger.refused(Body::Act(new)), None);
    let old = world.sign(&Version1(stop), &[Who::Admin(0)]);
    assert_eq!(ledger.refused(Body::Act(old)), Some(Code::Unsupported));
}

#[test]
fn journal_time_never_goes_back_and_may_stand_still() {
    let mut ledger = ready();
    ledger.push(Body::Tick, ledger.now.plus(10)).unwrap();
    assert_eq!(
        code(ledger.push(Body::Tick, ledger.now.plus(9))),
        Code::TimeWentBack
    );
    ledger.push(Body::Tick, ledger.now.plus(10)).unwrap();
    ledger.push(Body::Tick, UnixMs(u64::MAX)).unwrap();
}

/// The writer offers tightenings first: a veto may come before the proposal that it is about.
#[test]
fn a_tightening_is_offered_again_after_what_it_is_about() {
    let ledger = ready();
    let mut log = Log::of(&ledger);
    let record = RegistryRecord::User(ledger.world.person(Who::Stranger).user);
    let put = ledger.signed_act(ActBody::Put(record), &ledger.committee());
    let proposal = Act::digest_of(&put.text);
    let of = |what| ledger.signed_act(ActBody::Tighten(what), &[Who::Committee(0)]);
    let (veto, other) = (
        of(Tighten::Veto(proposal)),
        of(Tighten::Veto(Digest([1; 32]))),
    );
    let release = ledger.signed_act(ActBody::Release(proposal), &ledger.committee());
    let offers = [veto, other, release, put].map(Body::Act);
    let first = log.follower.size();
    let results = log.order(ledger.now, &offers).results;
    let results: Vec<_> = results.into_iter().map(|r| r.map_err(|r| r.code)).collect();
    let unknown = Err(Code::UnknownProposal);
    let expected = [Ok(first + 1), unknown, unknown, Ok(first)];
    assert_eq!(results, expected, "what does not tighten keeps its place");
    let state = log.follower.state();
    assert_eq!(
        state.proposal(ledger.world.tenant.id, &proposal).unwrap(),
        None
    );
}
