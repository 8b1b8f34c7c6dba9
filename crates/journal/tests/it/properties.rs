//! What holds for every journal.

use crate::{SMALL, TWO, ready, ready_under};
use proptest::collection::vec;
use proptest::prelude::*;
use std::sync::{Arc, OnceLock};
use strongroom_journal::{Body, Entry, State, apply};
use strongroom_policy::{VelocityScope, Window};
use strongroom_types::{
    ActBody, Attempt, AttemptKind, Digest, Document as _, RegistryRecord, Scope, Tighten, UnixMs,
};
use strongroom_wire::{decode, encode};
use strongroom_world::{
    AuthorizationExt as _, FEE_MAX, FRIEND, Ledger, PolicyOptions, STRANGER, Who,
};

/// One valid entry of each kind, all at the same state.
fn valid() -> &'static (Ledger, Vec<Entry>) {
    static VALID: OnceLock<(Ledger, Vec<Entry>)> = OnceLock::new();
    VALID.get_or_init(|| {
        let mut ledger = ready();
        let old = ledger.world.intent(ledger.now, SMALL, FRIEND);
        ledger.authorize(&old, &[]).unwrap();
        let rejected = ledger.world.intent(ledger.now, crate::MEDIUM, STRANGER);
        let mut plan = ledger.world.plan();
        plan.key.0 = [9; 16];
        let committee = ledger.committee();
        let act = |body, who: &[Who]| Body::Act(ledger.signed_act(body, who));
        let bodies = vec![
            Body::Tick,
            ledger
                .authorization(&ledger.world.intent(ledger.now, SMALL, FRIEND), &[])
                .into_body(),
            ledger
                .authorization(&ledger.world.intent(ledger.now, crate::LARGE, FRIEND), &TWO)
                .into_body(),
            Body::from(ledger.world.next_attempt(
                &ledger.world.attempt(&old),
                AttemptKind::Bump,
                FEE_MAX,
            )),
            act(
                ActBody::Tighten(Tighten::Reject(rejected.digest())),
                &[Who::Approver(0)],
            ),
            act(ActBody::Put(RegistryRecord::Ceremony(plan)), &committee),
            act(
                ActBody::Tighten(Tighten::Cancel(old.digest())),
                &[Who::Initiator],
            ),
            act(ActBody::Tighten(Tighten::Stop), &[Who::Admin(0)]),
            Body::Act(ledger.world.for_tenant(1).create_tenant(ledger.now)),
        ];
        let entries = bodies
            .into_iter()
            .map(|b| ledger.entry(ledger.scope_of(&b), b, ledger.now))
            .collect();
        (ledger, entries)
    })
}

#[test]
fn the_entries_that_are_mutated_here_are_valid() {
    let (ledger, entries) = valid();
    for entry in entries {
        assert!(apply(&ledger.state, entry).is_ok(), "{:?}", entry.body);
    }
}

/// `apply` twice gives the same; committing and undoing leaves nothing behind.
fn judge(state: &State, entry: &Entry) -> Result<(), TestCaseError> {
    let first = apply(state, entry);
    prop_assert_eq!(&first, &apply(state, entry), "deterministic");
    if let Ok(delta) = first {
        let (root, mut copy) = (state.root(), state.clone());
        let undo = copy.commit(&delta);
        prop_assert_ne!(copy.root(), root);
        let rebuilt = State::from_map(Arc::clone(state.genesis()), copy.map().clone());
        prop_assert_eq!(copy.root(), rebuilt.root(), "the root is that of the map");
        copy.commit(&undo);
        prop_assert_eq!((copy.root(), copy.map()), (root, state.map()), "undone");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn apply_is_total_on_entries_with_changed_bytes(
        which in 0..9usize,
        edits in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let (ledger, entries) = valid();
        let mut bytes = encode(&entries[which]);
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(entry) = decode::<Entry>(&bytes) {
            judge(&ledger.state, &entry)?;
        }
    }

    #[test]
    fn apply_is_total_on_entries_with_changed_heads(
        which in 0..9usize,
        seq in prop_oneof![Just(None), any::<u64>().prop_map(Some)],
        at in prop_oneof![Just(None), any::<u64>().prop_map(Some), (0..u64::MAX / 2).prop_map(Some)],
        scope in prop_oneof![Just(None), Just(Some(Scope::Platform)), Just(Some(valid().0.world.for_tenant(1).scope()))],
    ) {
        let (ledger, entries) = valid();
        let mut entry = entries[which].clone();
        entry.seq = seq.unwrap_or(entry.seq);
        entry.at = at.map_or(entry.at, UnixMs);
        entry.scope = scope.unwrap_or(entry.scope);
        judge(&ledger.state, &entry)?;
    }

    #[test]
    fn apply_is_total_on_texts_signed_with_changed_letters(
        which in prop::sample::select(vec![5usize, 6, 7]),
        at in any::<prop::sample::Index>(),
        letter in "[0-9a-z{}:,\"]",
    ) {
        let (ledger, entries) = valid();
        let mut entry = entries[which].clone();
        if let Body::Act(signed) = &mut entry.body {
            let at = at.index(signed.text.len());
            signed.text.replace_range(at..=at, &letter);
            for who in [Who::Admin(0), Who::Committee(0), Who::Committee(1), Who::Initiator] {
                signed.endorse::<strongroom_types::Act>(&ledger.world.person(who).signing());
            }
        }
        judge(&ledger.state, &entry)?;
    }
}

/// A step of a random history.
#[derive(Clone, Debug)]
enum Step {
    Pay(u64),
    Bump(prop::sample::Index),
    Cancel(prop::sample::Index),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let any_intent = any::<prop::sample::Index>;
    prop_oneof![
        5 => (1..900_000u64).prop_map(Step::Pay),
        2 => any_intent().prop_map(Step::Bump),
        1 => any_intent().prop_map(Step::Cancel),
        3 => prop_oneof![0..90_000u64, 0..3_700_000u64].prop_map(Step::Wait),
    ]
}

const LIMIT: u64 = 2_000_000;
const COUNT: u64 = 4;
const WINDOW_MS: u64 = 1_800_000;

/// What an exact sum would be: worst case, and since when it is counted.
struct Counted {
    worst: u64,
    first: UnixMs,
    last: UnixMs,
    attempt: Attempt,
    intent: Digest,
}

fn limited() -> Ledger {
    static LIMITED: OnceLock<Ledger> = OnceLock::new();
    let window = |scope| Window {
        scope,
        window_seconds: WINDOW_MS / 1000,
        amount_lte: Some(LIMIT.into()),
        count_lte: Some(COUNT),
    };
    let scopes = [
        VelocityScope::Tenant,
        VelocityScope::Vault,
        VelocityScope::Initiator,
    ];
    let ceilings = scopes.map(window).to_vec();
    LIMITED
        .get_or_init(|| {
            ready_under(PolicyOptions {
                ceilings,
                ..PolicyOptions::default()
            })
        })
        .clone()
}

fn sum(counted: &[Counted], at: UnixMs, age_from: impl Fn(&Counted) -> UnixMs) -> (u64, u64) {
    let inside = counted.iter().filter(|c| at.since(age_from(c)) < WINDOW_MS);
    inside.fold((0, 0), |(amount, count), c| (amount + c.worst, count + 1))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// By exact age, whichever attempts and cancels came between: at every authorization the window
    /// fits, and so does every window of authorizations by their first attempts. Nothing that
    /// clearly fits is refused.
    #[test]
    fn no_interleaving_of_accepted_entries_exceeds_a_window(steps in vec(step(), 1..60)) {
        let mut ledger = limited();
        let mut counted: Vec<Counted> = Vec::new();
        for step in steps {
            match step {
                Step::Wait(ms) => ledger.wait(ms),
                Step::Pay(amount) => {
                    let intent = ledger.world.intent(ledger.now, amount, FRIEND);
                    let (attempt, worst) = (ledger.world.attempt(&intent), amount + FEE_MAX);
                    let outcome = ledger.authorize(&intent, &[]);
                    let (root, now) = (ledger.state.root(), ledger.now);
                    // A bucket of a minute may leave up to a minute late.
                    let late = |c: &Counted| c.last.plus(60_000);
                    let (amounts, count) = sum(&counted, now, late);
                    if outcome.is_ok() {
                        counted.push(Counted { worst, first: now, last: now, attempt, intent: intent.digest() });
                    } else {
                        prop_assert!(amounts + worst > LIMIT || count + 1 > COUNT, "refused although it fits");
                        prop_assert_eq!(ledger.state.root(), root, "a refused entry changes nothing");
                    }
                    if outcome.is_ok() {
                        let (amounts, count) = sum(&counted, now, |c| c.last);
                        prop_assert!(amounts <= LIMIT && count <= COUNT, "{amounts} in {count}");
                        let (amounts, count) = sum(&counted, now, |c| c.first);
                        prop_assert!(amounts <= LIMIT && count <= COUNT, "{amounts} in {count} by first attempts");
                    }
                }
                Step::Bump(which) if !counted.is_empty() => {
                    let at = which.index(counted.len());
                    let next = ledger.world.next_attempt(&counted[at].attempt, AttemptKind::Bump, FEE_MAX);
                    if ledger.push(Body::from(next.clone()), ledger.now).is_ok() {
                        (counted[at].attempt, counted[at].last) = (next, ledger.now);
                    }
                }
                Step::Cancel(which) if !counted.is_empty() => {
                    let intent = counted[which.index(counted.len())].intent;
                    ledger.tighten(Tighten::Cancel(intent), &[Who::Initiator]).unwrap();
                }
                Step::Bump(_) | Step::Cancel(_) => {}
            }
        }
        let rebuilt = State::from_map(Arc::clone(&ledger.world.genesis), ledger.state.map().clone());
        prop_assert_eq!(ledger.state.root(), rebuilt.root());
        let mut replayed = Ledger::empty(ledger.world.clone());
        for entry in &ledger.entries {
            replayed.push_entry(entry.clone()).unwrap();
        }
        prop_assert_eq!(replayed.state.map(), ledger.state.map(), "a replay gives the same state");
    }
}
