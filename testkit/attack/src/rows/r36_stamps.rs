//! 36: the writer dates entries as it likes, and a witness lies about the time.

use super::held_back::{HeldBack, SLOW_MS, append, slow};
use super::steps::{Goal, edit_policy, named};
use super::{QUORUM, ask_for, usual};
use crate::ground::{Forced, Ground, now};
use crate::row::{Attack, Outcome, Row};
use anyhow::{Context as _, bail, ensure};
use std::time::Duration;
use strongroom_guard::G;
use strongroom_journal::{Body, Bounds, SeatCosignature, Witnessed};
use strongroom_policy::{VelocityScope, Window};
use strongroom_types::{Act, ActBody, Code, Document as _, Signed, UnixMs};
use strongroom_world::{ONE_OF_N_MAX, PolicyOptions, Who, WorldOptions};

/// Delay of loosenings in [`five_seconds`], milliseconds.
const DELAY_MS: u64 = 5_000;
/// Time lock of large payments in [`locked`], milliseconds.
const LOCK_MS: u64 = 4_000;
/// Time lock of large payments in [`limited_and_locked`], milliseconds.
const SHORT_LOCK_MS: u64 = 2_000;
/// Clocks differ by at most this in [`sharp`] and [`limited_and_locked`], milliseconds.
const SKEW_MS: u64 = 1_000;
/// Life of a release that ends soon, milliseconds.
const SOON_MS: u64 = 500;
/// The witness whose key the attacker has.
const LIAR: u16 = 4;
/// The year 3000, Unix milliseconds.
const YEAR_3000: UnixMs = UnixMs(32_503_680_000_000);

pub const ROW: Row = Row {
    id: "36",
    story: "A looser policy waits for its delay, and a large payment for its time lock, so that \
            people can object. The journal's writer dates entries back, and one of the witnesses \
            lies about the time, so that the wait is over at once, or never.",
    attacks: &[
        Attack {
            guard: G::DelayFromWitnessed,
            code: Code::NotWitnessed,
            red_when: "a payment is signed by a looser policy before its delay is over",
            world: five_seconds,
            run: stamped_back,
        },
        Attack {
            guard: G::WitnessedQuorum,
            code: Code::QuorumMissing,
            red_when: "one lying witness ends the delay of a looser policy, by which a payment is \
                       signed",
            world: slow,
            run: vouched_by_one,
        },
        Attack {
            guard: G::LargestTime,
            code: Code::ReleaseTooEarly,
            red_when: "the smallest of the witnesses' times ends the delay of a looser policy, by \
                       which a payment is signed",
            world: slow,
            run: smallest_time,
        },
        Attack {
            guard: G::WitnessedNotAhead,
            code: Code::TimeOutOfBounds,
            red_when: "the committee's release is starved: it would have to wait for the year 3000",
            world: usual,
            run: the_year_3000,
        },
        Attack {
            guard: G::LooseningDelay,
            code: Code::ReleaseTooEarly,
            red_when: "a payment is signed by a looser policy before its delay is over",
            world: slow,
            run: without_delay,
        },
        Attack {
            guard: G::ReleaseWaits,
            code: Code::PolicyBlocked,
            red_when: "a payment is signed by a release that was over before any witness saw it",
            world: sharp,
            run: release_too_late,
        },
        Attack {
            guard: G::LockFromWitnessed,
            code: Code::TimeLocked,
            red_when: "a payment is signed before its time lock is over",
            world: locked,
            run: lock_stamped_back,
        },
        Attack {
            guard: G::TimeLock,
            code: Code::TimeLocked,
            red_when: "a payment is signed before its time lock is over",
            world: locked,
            run: during_the_lock,
        },
        Attack {
            guard: G::CountedInTime,
            code: Code::AttemptTooOld,
            red_when: "payments of two windows are signed in one, because their locks end together",
            world: limited_and_locked,
            run: locks_that_end_together,
        },
    ],
};

fn five_seconds() -> WorldOptions {
    WorldOptions {
        loosen_delay_ms: Some(DELAY_MS),
        ..usual()
    }
}

/// Without delay, and with clocks that agree.
fn sharp() -> WorldOptions {
    WorldOptions {
        tune: |bounds: &mut Bounds| bounds.skew_ms = SKEW_MS,
        ..usual()
    }
}

fn locked() -> WorldOptions {
    WorldOptions {
        policy: PolicyOptions {
            time_lock_seconds: LOCK_MS / 1_000,
            ..PolicyOptions::default()
        },
        ..usual()
    }
}

/// Large payments wait for two seconds, and 1.5 bitcoin of them may leave in one second. Sums are
/// kept by the minute.
fn limited_and_locked() -> WorldOptions {
    WorldOptions {
        policy: PolicyOptions {
            time_lock_seconds: SHORT_LOCK_MS / 1_000,
            ..PolicyOptions::default()
        },
        charter: |charter, _| {
            edit_policy(charter, |policy| {
                let mut rules = policy.rules.to_vec();
                if let Some(large) = rules.last_mut() {
                    large.matches.velocity.push(Window {
                        scope: VelocityScope::Tenant,
                        window_seconds: 1,
                        amount_lte: Some((ONE_OF_N_MAX + ONE_OF_N_MAX / 2).into()),
                        count_lte: None,
                    });
                }
                policy.rules = rules.into();
            });
        },
        tune: |bounds: &mut Bounds| bounds.skew_ms = SKEW_MS,
        ..usual()
    }
}

fn quiet(ground: &mut Ground, ms: u64) -> anyhow::Result<()> {
    ground.wait(Duration::from_millis(ms))
}

/// The journal was quiet for as long as the delay is: the writer gives the proposal the time of the
/// entry before it, and the release the true one.
fn stamped_back(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let held = HeldBack::new(ground)?;
    quiet(ground, DELAY_MS + 100)?;
    let before = ground.log.follower.tip().at;
    let (proposal, made) = (HeldBack::proposal(ground), now());
    append(ground, &Body::Act(proposal.clone()), before)?;
    ground.wait_witnessed()?;
    released(ground, &held, &proposal, made.plus(DELAY_MS))
}

/// The writer appends the release of a proposal at once.
fn released(
    ground: &mut Ground,
    held: &HeldBack,
    proposal: &Signed,
    over: UnixMs,
) -> anyhow::Result<Outcome> {
    let release = HeldBack::release(ground, proposal);
    let forced = ground.force(&Body::Act(release), now())?;
    held.ask_after(ground, forced, over)
}

/// A proposal that the honest witnesses have cosigned; the key of one witness is stolen.
fn proposed(ground: &mut Ground) -> anyhow::Result<(HeldBack, Signed)> {
    let held = HeldBack::new(ground)?;
    ground.take_over(LIAR);
    let proposal = HeldBack::proposal(ground);
    append(ground, &Body::Act(proposal.clone()), now())?;
    ground.wait_cosigned()?;
    Ok((held, proposal))
}

/// What the thief's witness says of the newest entry, with this many honest words.
fn vouched(ground: &Ground, honest: usize, lie: UnixMs) -> anyhow::Result<Witnessed> {
    let body = &ground.log.follower.tip().body;
    let mut witnessed = ground.world.witnessed(body, &[LIAR], lie);
    for (seat, cosignature) in &ground.cosignatures {
        let witness = ground.world.seat(*seat).node;
        let known = &witnessed.cosignatures;
        let is_new = known.iter().all(|known| known.witness != witness);
        if cosignature.body == *body && is_new && known.len() <= honest {
            witnessed.cosignatures.push(SeatCosignature {
                witness,
                time_s: cosignature.time_s,
                signature: cosignature.signature,
            });
        }
    }
    let words = witnessed.cosignatures.len();
    ensure!(words == honest + 1, "{words} words");
    witnessed.cosignatures.sort_by_key(|word| word.witness);
    Ok(witnessed)
}

fn vouched_by_one(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let (held, proposal) = proposed(ground)?;
    let over = now().plus(SLOW_MS);
    let lie = UnixMs(now().0 - 2 * SLOW_MS);
    let alone = vouched(ground, 0, lie)?;
    let forced = ground.force(&Body::Witnessed(alone), now())?;
    if let Forced::Stopped(..) = &forced {
        return held.ask_after(ground, forced, over);
    }
    ground.wait_witnessed()?;
    released(ground, &held, &proposal, over)
}

fn smallest_time(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let (held, proposal) = proposed(ground)?;
    let over = now().plus(SLOW_MS);
    let lie = UnixMs(now().0 - 2 * SLOW_MS);
    let with_lie = vouched(ground, 2, lie)?;
    append(ground, &Body::Witnessed(with_lie), now())?;
    ground.wait_witnessed()?;
    released(ground, &held, &proposal, over)
}

fn the_year_3000(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let (held, proposal) = proposed(ground)?;
    let with_lie = vouched(ground, 2, YEAR_3000)?;
    let forced = ground.force(&Body::Witnessed(with_lie), now())?;
    if let Forced::Stopped(..) = &forced {
        return held.ask_after(ground, forced, now());
    }

    ground.wait_witnessed()?;
    let release = HeldBack::release(ground, &proposal);
    match ground.order(&Body::Act(release), now()) {
        Err(refusal) => Ok(Outcome {
            harm: Some(format!("the committee's release is refused: {refusal}")),
            ..Outcome::default()
        }),
        Ok(_) => bail!("the release is taken"),
    }
}

fn without_delay(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let held = HeldBack::new(ground)?;
    let (proposal, made) = (HeldBack::proposal(ground), now());
    ground.submit(Body::Act(proposal.clone()))?;
    released(ground, &held, &proposal, made.plus(SLOW_MS))
}

/// The committee gave its release half a second. The writer shows it to no one for longer than that
/// and what clocks differ by, and then dates it by the entry before it.
fn release_too_late(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let held = HeldBack::new(ground)?;
    let proposal = HeldBack::proposal(ground);
    ground.submit(Body::Act(proposal.clone()))?;

    let (ledger, scope) = (ground.ledger(), ground.world.scope());
    let release = ActBody::Release(Act::digest_of(&proposal.text));
    let mut release = ground.world.act(now(), scope, release, ledger.version());
    release.expires = now().plus(SOON_MS);
    let over = release.expires;
    let release = ground.world.sign(&release, &ledger.committee());

    quiet(ground, SOON_MS + SKEW_MS + 200)?;
    let before = ground.log.follower.tip().at;
    append(ground, &Body::Act(release), before)?;
    ground.wait_witnessed()?;
    ground.settle()?;
    let outcome = held.goal.ask(ground)?;
    Ok(named(outcome, || {
        format!(
            "signed {} ms after the end of the release",
            now().since(over)
        )
    }))
}

/// A payment so large that two approve it and that it waits for its lock.
fn large(ground: &mut Ground) -> anyhow::Result<(Goal, Body)> {
    let payment = ground.payment(ONE_OF_N_MAX + 1)?;
    let goal = Goal::new(ground, &payment)?;
    let body = ground.authorization(&payment, &[Who::Approver(0), Who::Approver(1)]);
    Ok((goal, body))
}

fn ask_before(ground: &mut Ground, goal: &Goal, over: UnixMs) -> anyhow::Result<Outcome> {
    ground.wait_nodes()?;
    let outcome = ask_for(ground, &goal.payment, &goal.request, None)?;
    let left = over.since(now());
    ensure!(outcome.harm.is_none() || left > 0, "the lock is over");
    Ok(named(outcome, || {
        format!("signed {left} ms before the end of its time lock")
    }))
}

/// The journal was quiet for as long as the lock is: the writer gives the payment the time of the
/// entry before it.
fn lock_stamped_back(ground: &mut Ground) -> anyhow::Result<Outcome> {
    quiet(ground, LOCK_MS + 100)?;
    let before = ground.log.follower.tip().at;
    let (goal, body) = large(ground)?;
    let over = now().plus(LOCK_MS);
    append(ground, &body, before)?;
    ground.wait_witnessed()?;
    ground.settle()?;
    ask_before(ground, &goal, over)
}

fn during_the_lock(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let (goal, body) = large(ground)?;
    let over = now().plus(LOCK_MS);
    ground.submit(body)?;
    ask_before(ground, &goal, over)
}

/// The first payment is ordered in one minute and shown to no one; the second one is ordered in the
/// next. Witnesses see both at once, so that both locks end together.
fn locks_that_end_together(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let (first, body) = large(ground)?;
    let seats = ground.seats();
    ground.cut_off.extend(&seats);
    append(ground, &body, now())?;
    let stamp = ground.log.follower.tip().at;
    let withheld = ground.log.batches.last().cloned().context("a batch")?;

    // A second into the next minute, and further from the first stamp than clocks differ.
    let next_minute = UnixMs((stamp.0 / 60_000 + 1) * 60_000);
    let time = next_minute.max(stamp.plus(SKEW_MS)).plus(1_100);
    quiet(ground, time.since(now()))?;

    ground.cut_off.clear();
    ground.publish(&withheld);
    let (second, body) = large(ground)?;
    ground.submit(body)?;
    ground.wait_nodes()?;
    quiet(ground, SHORT_LOCK_MS + 1_000)?;

    let began = now();
    let answers = ground.answers(&QUORUM, &second.request)?;
    ground.add_up(&second.request, &answers)?;
    let outcome = first.ask(ground)?;
    Ok(named(outcome, || {
        let ms = now().since(began);
        format!("two payments of a bitcoin signed within {ms} ms, 1.5 may leave in a second")
    }))
}
