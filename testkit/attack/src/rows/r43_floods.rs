//! 43: one person fills the room of all others.

use super::steps::{Goal, edit_policy, offers, put_first, rule};
use super::usual;
use crate::ground::{Ground, now};
use crate::row::{Attack, Elsewhere, Outcome, Row};
use strongroom_guard::G;
use strongroom_journal::Body;
use strongroom_journal::state::Lookup as _;
use strongroom_policy::{AmountRange, Guard, GuardKind, Match};
use strongroom_types::{
    ActBody, Code, Digest, Document as _, GroupNeed, Intent, RegistryRecord, Tier, Tighten, digest,
};
use strongroom_world::{FRIEND, NATIVE, Who, WorldOptions};

const AMOUNT: u64 = 10_000;
/// Records that a person may leave; a cancel of an unknown payment leaves two.
const KEPT: u32 = 8;
/// Tightenings of a person in a minute.
const TIGHTENINGS: u32 = 6;
/// Payments that a tenant may have open.
const OPEN: u32 = 20;
/// Entries of a tenant in a minute.
const ENTRIES: u32 = 60;
/// Locked payments of a tenant that may wait at once: an eighth of what may wait in all.
const LOCKS: usize = strongroom_journal::model::WAITING_MAX / 8;

pub const ROW: Row = Row {
    id: "43",
    story: "A clerk's program runs wild, or is a thief's: it cancels payments that do not exist, \
            opens and cancels payments without end, and fills whatever has a bound. No one else \
            may find the room taken, the memory full, or their own signed act void by that.",
    attacks: &[
        Attack {
            guard: G::KeptRoom,
            code: Code::QuotaExceeded,
            red_when: "one clerk leaves more records than the bound for each",
            world: narrow,
            run: unknown_cancels,
        },
        Attack {
            guard: G::TighteningsPerMinute,
            code: Code::QuotaExceeded,
            red_when: "one person makes more tightenings in a minute than the bound for each",
            world: narrow,
            run: many_cancels,
        },
        Attack {
            guard: G::NoVersionBump,
            code: Code::QuotaExceeded,
            red_when: "the committee's signed act is void by a clerk's cancel",
            world: narrow,
            run: act_made_void,
        },
        Attack {
            guard: G::HalfOfOpen,
            code: Code::QuotaExceeded,
            red_when: "a colleague's honest payment finds the room taken",
            world: narrow,
            run: all_open_room,
        },
        Attack {
            guard: G::EntryQuota,
            code: Code::QuotaExceeded,
            red_when: "one tenant makes more entries in a minute than the bound for each",
            world: busy,
            run: many_entries,
        },
        Attack {
            guard: G::WaitingMax,
            code: Code::QuotaExceeded,
            red_when: "more of one tenant's payments wait for their time than the bound for each",
            world: busy,
            run: many_locks,
        },
    ],
};

fn narrow() -> WorldOptions {
    WorldOptions {
        tune: |bounds| {
            bounds.ended_open_max = KEPT;
            bounds.tightenings_per_minute = TIGHTENINGS;
            bounds.intents_open_max = OPEN;
        },
        ..usual()
    }
}

/// Payments up to [`AMOUNT`] are locked for a while.
fn busy() -> WorldOptions {
    WorldOptions {
        tune: |bounds| bounds.entries_per_minute = ENTRIES,
        charter: |charter, tenant| {
            edit_policy(charter, |policy| {
                let matches = Match {
                    amount: Some(Box::new(AmountRange {
                        gt: None,
                        lte: Some(AMOUNT.into()),
                    })),
                    ..Match::default()
                };
                let one = vec![GroupNeed {
                    group: tenant.approvers,
                    approvals: 1,
                }];
                if let Some(mut locked) = rule("locked", matches, Tier::OneOfN, one) {
                    locked.then.time_lock_seconds = 60;
                    put_first(policy, locked);
                }
            });
        },
        ..usual()
    }
}

/// A payment that the quorum would sign: a node that stopped says by it why.
fn goal(ground: &mut Ground) -> anyhow::Result<Goal> {
    let payment = ground.authorized(300_000, &[])?;
    ground.wait_nodes()?;
    Goal::new(ground, &payment)
}

fn harm(words: Option<String>) -> Outcome {
    Outcome {
        harm: words,
        ..Outcome::default()
    }
}

fn failed(refusal: impl std::fmt::Display) -> anyhow::Error {
    anyhow::anyhow!("{refusal}")
}

/// Cancels of payments that no one made, each by this person.
fn cancels_of_nothing(ground: &Ground, who: Who, count: u32) -> Vec<Body> {
    let ledger = ground.ledger();
    let cancel = |n: u32| {
        let unknown: Digest = digest("strongroom/attack-nothing/v1", &[&n.to_be_bytes()]);
        let body = ActBody::Tighten(Tighten::Cancel(unknown));
        Body::Act(ledger.signed_act(body, &[who]))
    };
    (0..count).map(cancel).collect()
}

fn unknown_cancels(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let goal = goal(ground)?;
    let cancels = cancels_of_nothing(ground, Who::Clerk, KEPT / 2 + 1);
    let offers = offers(ground, &cancels);
    if let Some(outcome) = goal.flood(ground, &offers, now())? {
        return Ok(outcome);
    }
    let clerk = ground.world.person(Who::Clerk).credential.id;
    let state = ground.log.follower.state();
    let kept = state.credential(ground.world.tenant.id, clerk);
    let kept = kept.map_err(failed)?.kept;
    Ok(harm((kept > KEPT).then(|| {
        format!("{kept} records of one clerk, the bound is {KEPT}")
    })))
}

fn payments(ground: &Ground, who: Who, count: u32, approvers: &[Who]) -> Vec<(Intent, Body)> {
    let ledger = ground.ledger();
    let initiator = ground.world.person(who).credential.id;
    let payment = |_| {
        let intent = ground
            .world
            .intent_with(ledger.now, AMOUNT, FRIEND, |intent| {
                intent.initiator = initiator;
            });
        let authorization = ledger.authorization(&intent, approvers);
        (intent, Body::Authorized(Box::new(authorization)))
    };
    (0..count).map(payment).collect()
}

fn many_cancels(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let goal = goal(ground)?;
    // They are payments of the person's own, so that their cancels leave nothing to be bounded by.
    let made = payments(ground, Who::Initiator, TIGHTENINGS + 1, &[]);
    let ledger = ground.ledger();
    let cancel = |(intent, _): &(Intent, Body)| {
        let body = ActBody::Tighten(Tighten::Cancel(intent.digest()));
        Body::Act(ledger.signed_act(body, &[Who::InitiatorKey]))
    };
    let cancels: Vec<Body> = made.iter().map(cancel).collect();
    let bodies: Vec<Body> = made.into_iter().map(|(_, body)| body).collect();
    let offers = offers(ground, &[bodies, cancels].concat());
    if let Some(outcome) = goal.flood(ground, &offers, now())? {
        return Ok(outcome);
    }
    let person = ground.world.person(Who::InitiatorKey).credential.id;
    let state = ground.log.follower.state();
    let charged = state.credential(ground.world.tenant.id, person);
    let made = charged.map_err(failed)?.tightenings.entries;
    Ok(harm((made > TIGHTENINGS).then(|| {
        format!("{made} of one person in a minute, the bound is {TIGHTENINGS}")
    })))
}

fn act_made_void(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let mut stricter = ground.world.tenant.policy(&ground.world.options.policy);
    stricter.guards.push(Guard {
        id: "most".parse()?,
        kind: GuardKind::AmountMax {
            asset: NATIVE.parse()?,
            lte: 1_000_000_000.into(),
        },
    });
    let put = ActBody::Put(RegistryRecord::Policy(stricter.to_text()));
    let committee = ground.ledger().committee();
    let act = ground.ledger().signed_act(put, &committee);

    // The clerk cancels as long as the journal lets them.
    let mut codes = Vec::new();
    for cancel in cancels_of_nothing(ground, Who::Clerk, KEPT) {
        if let Err(refusal) = ground.order(&cancel, now()) {
            codes.push(refusal.code);
        }
    }
    let void = ground.order(&Body::Act(act), now()).err();
    Ok(Outcome {
        harm: void.map(|refusal| format!("the committee's act: {}", refusal.code)),
        codes,
        by: Some(Elsewhere::Journal),
        ..Outcome::default()
    })
}

fn all_open_room(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let goal = goal(ground)?;
    let state = ground.log.follower.state();
    let tenant = state.tenant(ground.world.tenant.id).map_err(failed)?;
    let room = OPEN - tenant.intents_open;
    let made = payments(ground, Who::Initiator, room, &[]);
    let bodies: Vec<Body> = made.into_iter().map(|(_, body)| body).collect();
    let offers = offers(ground, &bodies);
    if let Some(outcome) = goal.flood(ground, &offers, now())? {
        return Ok(outcome);
    }
    let colleague = payments(ground, Who::Clerk, 1, &[]);
    let refused = colleague
        .into_iter()
        .find_map(|(_, body)| ground.order(&body, now()).err());
    Ok(harm(refused.map(|refusal| {
        format!("a colleague's payment: {}", refusal.code)
    })))
}

fn many_entries(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let goal = goal(ground)?;
    // Above the lock's amount, so that nothing waits.
    let ledger = ground.ledger();
    let body = |_| {
        let intent = ground.world.intent(ledger.now, AMOUNT + 1, FRIEND);
        let authorization = ledger.authorization(&intent, &[]);
        Body::Authorized(Box::new(authorization))
    };
    let bodies: Vec<Body> = (0..=ENTRIES).map(body).collect();
    let offers = offers(ground, &bodies);
    if let Some(outcome) = goal.flood(ground, &offers, now())? {
        return Ok(outcome);
    }
    Ok(harm(Some(format!(
        "{} entries of one tenant in a minute, the bound is {ENTRIES}",
        bodies.len()
    ))))
}

fn many_locks(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let goal = goal(ground)?;
    let count = u32::try_from(LOCKS)? + 1;
    let made = payments(ground, Who::Initiator, count, &[Who::Approver(0)]);
    let bodies: Vec<Body> = made.into_iter().map(|(_, body)| body).collect();
    let offers = offers(ground, &bodies);
    if let Some(outcome) = goal.flood(ground, &offers, now())? {
        return Ok(outcome);
    }
    let waiting = ground.log.follower.state().waiting().map_err(failed)?;
    let waits = waiting.items.len();
    Ok(harm((waits > LOCKS).then(|| {
        format!("{waits} payments of one tenant wait, the bound is {LOCKS}")
    })))
}
