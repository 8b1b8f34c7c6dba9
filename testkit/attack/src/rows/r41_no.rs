//! 41: an approver's "no" is kept back until the policy has changed.

use super::steps::Goal;
use super::usual;
use crate::ground::{Ground, now};
use crate::row::{Attack, Outcome, Row};
use strongroom_guard::G;
use strongroom_journal::Body;
use strongroom_types::{ActBody, Code, Document as _, Tighten};
use strongroom_world::Who;

const AMOUNT: u64 = 300_000;

pub const ROW: Row = Row {
    id: "41",
    story: "An approver says no to a payment. The writer keeps the no back until the tenant has \
            changed something else, and appends it then: it was signed before that change.",
    attacks: &[Attack {
        guard: G::Reject,
        code: Code::IntentRejected,
        red_when: "a payment is signed to which an approver said no before",
        world: usual,
        run: after_a_change,
    }],
};

fn after_a_change(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let payment = ground.authorized(AMOUNT, &[])?;
    ground.wait_nodes()?;
    let goal = Goal::new(ground, &payment)?;
    let no = ActBody::Tighten(Tighten::Reject(payment.intent.digest()));
    let no = ground.ledger().signed_act(no, &[Who::Approver(1)]);

    let clerk = ground.world.person(Who::Clerk).credential.id;
    ground.tighten(Tighten::revoke(clerk))?;
    // Without its guard the no is refused as made for another version, and that is the attack.
    let _ = ground.order(&Body::Act(no), now());
    ground.wait_witnessed()?;
    goal.ask(ground)
}
