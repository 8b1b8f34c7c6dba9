//! 38: a release goes around a veto; a pause is displaced by another.

use super::held_back::{HeldBack, append};
use super::steps::{Goal, named};
use super::usual;
use crate::ground::{Ground, now};
use crate::row::{Attack, Outcome, Row};
use anyhow::ensure;
use std::time::Duration;
use strongroom_guard::G;
use strongroom_journal::Body;
use strongroom_types::{ActBody, Code, Signed, Tighten, UnixMs, VaultId};
use strongroom_world::Who;

const AMOUNT: u64 = 300_000;
/// A signer and the independent witness: as many as can keep a quorum from a head.
const HOLDERS: [u16; 2] = [2, 4];
/// Length of the narrow pause, milliseconds.
const SHORT_MS: u64 = 1_500;
/// Length of the wide pause, milliseconds: as long as a pause may be.
const LONG_MS: u64 = 4 * 3_600_000;

pub const ROW: Row = Row {
    id: "38",
    story: "A member of the committee vetoes a looser policy, or an admin pauses the tenant. The \
            writer appends something else first: the release that the veto forbids, or an older \
            and shorter pause of the same admin.",
    attacks: &[
        Attack {
            guard: G::VetoedRelease,
            code: Code::PolicyBlocked,
            red_when: "a payment is signed by a looser policy that was released around a veto in \
                       the hands of two honest nodes",
            world: usual,
            run: around_a_handed_veto,
        },
        Attack {
            guard: G::VetoWhileWaiting,
            code: Code::PolicyBlocked,
            red_when: "a payment is signed by a looser policy that was vetoed before its release \
                       took effect",
            world: usual,
            run: behind_its_release,
        },
        Attack {
            guard: G::PauseCut,
            code: Code::Paused,
            red_when: "a payment is signed because the pause of the whole tenant is refused",
            world: usual,
            run: narrow_before_wide,
        },
    ],
};

fn around_a_handed_veto(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let held = HeldBack::new(ground)?;
    let proposal = HeldBack::proposal(ground);
    ground.submit(Body::Act(proposal.clone()))?;
    ground.wait_nodes()?;
    let veto = HeldBack::veto(ground, &proposal);
    ground.hand(&HOLDERS, &veto)?;

    let release = HeldBack::release(ground, &proposal);
    append(ground, &Body::Act(release), now())?;
    if ground.is_witnessed_within(Duration::from_millis(1_000))? {
        ground.settle()?;
        return held.goal.ask(ground);
    }
    super::ask_for(ground, &held.goal.payment, &held.goal.request, None)
}

fn behind_its_release(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let held = HeldBack::new(ground)?;
    let proposal = HeldBack::proposal(ground);
    ground.submit(Body::Act(proposal.clone()))?;
    let release = HeldBack::release(ground, &proposal);
    append(ground, &Body::Act(release), now())?;
    ground.wait_witnessed()?;

    // Without its guard the veto finds no proposal any more, and that is the attack.
    let veto = HeldBack::veto(ground, &proposal);
    let _ = ground.order(&Body::Act(veto), now());
    ground.wait_witnessed()?;
    ground.settle()?;
    held.goal.ask(ground)
}

fn pause(ground: &Ground, vault: Option<VaultId>, until: UnixMs) -> Signed {
    let pause = ActBody::Tighten(Tighten::Pause { vault, until });
    ground.ledger().signed_act(pause, &[Who::Admin(0)])
}

/// The admin's older pause, of one vault and over soon, was withheld. It comes first, so that the
/// admin's hours begin with it.
fn narrow_before_wide(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let payment = ground.authorized(AMOUNT, &[])?;
    ground.wait_nodes()?;
    let goal = Goal::new(ground, &payment)?;

    let narrow_ends = now().plus(SHORT_MS);
    let narrow = pause(ground, Some(ground.world.tenant.vault), narrow_ends);
    ground.submit(Body::Act(narrow))?;
    ground.wait(Duration::from_millis(narrow_ends.since(now()) + 50))?;

    let wide = pause(ground, None, now().plus(LONG_MS));
    let taken = ground.order(&Body::Act(wide), now());
    ground.wait_witnessed()?;
    let outcome = goal.ask(ground)?;
    ensure!(
        outcome.harm.is_none() || taken.is_err(),
        "signed during a pause"
    );
    let refusal = taken.err().map(|refusal| refusal.to_string());
    Ok(named(outcome, || {
        format!(
            "signed: the pause is refused, {}",
            refusal.unwrap_or_default()
        )
    }))
}
