//! 2: what forbids a payment is withheld from the signers that are asked for it.

use super::held_back::append;
use super::steps::{Goal, named};
use super::{QUORUM, ask_for_within, usual};
use crate::ground::{Ground, now};
use crate::row::{Attack, Outcome, Row};
use std::time::Duration;
use strongroom_guard::G;
use strongroom_journal::{Body, Bounds};
use strongroom_types::{Act, ActBody, Code, Document as _, RegistryRecord, Tighten, UnixMs};
use strongroom_wire::frame::ToSigner;
use strongroom_world::{ONE_OF_N_MAX, PolicyOptions, Who, WorldOptions};

/// A head counts for this time, milliseconds.
const FRESH_MS: u64 = 2_500;
/// Clocks differ by at most this, milliseconds.
const SKEW_MS: u64 = 1_000;
/// A journal is stale when it stands still for this time, milliseconds: the least that goes with
/// the others.
const STILL_MS: u64 = 2 * (FRESH_MS + 2 * SKEW_MS) + 10_000;
/// The independent witness whose key the attacker has.
const LIAR: u16 = 4;
/// A payment that the automatic rule lets out, and the stricter policy does not.
const AMOUNT: u64 = 600_000;

pub const ROW: Row = Row {
    id: "2",
    story: "A payment was approved, and then its approver is dismissed, or the committee decides \
            otherwise. The attacker carries the records and keeps that from the signers, or keeps \
            it out of the journal, and asks them for the payment.",
    attacks: &[
        Attack {
            guard: G::Freshness,
            code: Code::JournalStale,
            red_when: "signers that were cut off sign a payment whose approval all others know to \
                       be revoked",
            world: watched,
            run: cut_off,
        },
        Attack {
            guard: G::WitnessQuorum,
            code: Code::JournalStale,
            red_when: "one lying witness is enough for signers to act on the journal of before the \
                       revocation",
            world: watched,
            run: one_liar,
        },
        Attack {
            guard: G::EntryLag,
            code: Code::JournalStale,
            red_when: "a payment is signed although the writer has appended nothing since the \
                       revocation was given to it, for longer than its bound",
            world: watched,
            run: standing_still,
        },
        Attack {
            guard: G::ItemLag,
            code: Code::JournalStale,
            red_when: "a payment is signed although the writer has kept a released policy that \
                       forbids it from taking effect, for longer than its bound",
            world: watched,
            run: kept_waiting,
        },
    ],
};

/// Three independent witnesses: with two signers cut off a quorum is left. Heads age fast.
fn watched() -> WorldOptions {
    WorldOptions {
        witnesses: 3,
        tune: |bounds: &mut Bounds| {
            bounds.freshness_ms = FRESH_MS;
            bounds.skew_ms = SKEW_MS;
            bounds.tick_max_ms = STILL_MS;
        },
        ..usual()
    }
}

fn approved(ground: &mut Ground) -> anyhow::Result<Goal> {
    let payment = ground.authorized(ONE_OF_N_MAX, &[Who::Approver(0)])?;
    ground.wait_nodes()?;
    Goal::new(ground, &payment)
}

fn revocation(ground: &Ground) -> ActBody {
    let approver = ground.world.person(Who::Approver(0)).credential.id;
    ActBody::Tighten(Tighten::revoke(approver))
}

/// Everyone but the signers that will be asked learns of the revocation.
fn revoked_elsewhere(ground: &mut Ground) -> anyhow::Result<()> {
    ground.cut_off.extend(QUORUM);
    let ledger = ground.ledger();
    let act = ledger.signed_act(revocation(ground), &ledger.admins());
    append(ground, &Body::Act(act), now())?;
    ground.wait_cosigned()?;
    ground.wait(Duration::from_millis(FRESH_MS + 200))
}

fn ask(ground: &mut Ground, goal: &Goal) -> anyhow::Result<Outcome> {
    ask_for_within(
        ground,
        &goal.payment,
        &goal.request,
        Duration::from_millis(800),
    )
}

fn cut_off(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let goal = approved(ground)?;
    revoked_elsewhere(ground)?;
    ask(ground, &goal)
}

/// The witness whose key is stolen says once more what it said before the revocation.
fn one_liar(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let goal = approved(ground)?;
    let before = ground.log.follower.tip().body.clone();
    revoked_elsewhere(ground)?;
    ground.take_over(LIAR);
    let word = ground.false_word(LIAR, &before, now());
    for seat in QUORUM {
        ground.send(seat, &ToSigner::Cosignature(word.clone()));
    }
    ask(ground, &goal)
}

/// The writer keeps the revocation and appends nothing; it shows its newest entry again, so that
/// witnesses vouch for it again.
fn standing_still(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let goal = approved(ground)?;
    let stood = ground.log.follower.tip().at;
    wait_until(ground, stood.plus(STILL_MS + 100))?;
    if let Some(newest) = ground.log.batches.last().cloned() {
        for seat in ground.seats() {
            ground.show(seat, &newest);
        }
    }
    let outcome = ask(ground, &goal)?;
    let still = now().since(stood);
    Ok(named(outcome, || {
        format!("signed, and the newest entry is {still} ms old: the revocation is kept out")
    }))
}

/// The writer appends ticks, and never the entry that would put the released policy in force.
fn kept_waiting(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let payment = ground.authorized(AMOUNT, &[])?;
    ground.wait_nodes()?;
    let goal = Goal::new(ground, &payment)?;

    let committee = ground.ledger().committee();
    let proposal = ground.ledger().signed_act(stricter(ground), &committee);
    ground.submit(Body::Act(proposal.clone()))?;
    let release = ActBody::Release(Act::digest_of(&proposal.text));
    let release = ground.ledger().signed_act(release, &committee);
    append(ground, &Body::Act(release), now())?;

    let released = ground.log.follower.tip().at;
    while now().since(released) <= STILL_MS {
        ground.wait(Duration::from_millis(1_000))?;
        append(ground, &Body::Tick, now())?;
    }
    ground.wait_cosigned()?;
    let outcome = ask(ground, &goal)?;
    let late = now().since(released);
    Ok(named(outcome, || {
        format!("signed {late} ms after the committee released a policy that forbids it")
    }))
}

/// A policy that asks others above its middle rule, so that it is not provably tighter, and that
/// moves less at once.
fn stricter(ground: &Ground) -> ActBody {
    let options = PolicyOptions {
        ordered: true,
        amount_max: Some(AMOUNT - 1),
        ..PolicyOptions::default()
    };
    let policy = ground.world.tenant.policy(&options);
    ActBody::Put(RegistryRecord::Policy(policy.to_text()))
}

fn wait_until(ground: &mut Ground, time: UnixMs) -> anyhow::Result<()> {
    ground.wait(Duration::from_millis(time.since(now())))
}
