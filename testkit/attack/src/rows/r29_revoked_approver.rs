//! 29: an approver is revoked between authorization and share.

use super::held_back::append;
use super::steps::Goal;
use super::{QUORUM, ask_for, try_to_sign, usual};
use crate::ground::{Ground, now};
use crate::row::{Attack, Outcome, Row};
use strongroom_guard::G;
use strongroom_journal::Body;
use strongroom_types::{ActBody, Code, Tighten};
use strongroom_world::{ONE_OF_N_MAX, Who};

pub const ROW: Row = Row {
    id: "29",
    story: "A payment was approved and is in the journal. Then its approver is dismissed and their \
            key revoked. The coordinator, who kept the request, asks the signers for it now.",
    attacks: &[
        Attack {
            guard: G::ApprovalInForce,
            code: Code::ApprovalNoLongerInForce,
            red_when: "the payment is signed after the revocation is witnessed",
            world: usual,
            run: after_the_revocation,
        },
        Attack {
            guard: G::TipCounts,
            code: Code::ApprovalNoLongerInForce,
            red_when: "the payment is signed by signers that have the revocation, because too few \
                       witnesses have seen it",
            world: usual,
            run: before_the_witnesses,
        },
        Attack {
            guard: G::BetweenCounts,
            code: Code::TenantStopped,
            red_when: "the payment is signed under a head of before a stop by signers whose log \
                       has the stop",
            world: usual,
            run: behind_a_resume,
        },
    ],
};

fn after_the_revocation(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let payment = ground.authorized(ONE_OF_N_MAX, &[Who::Approver(0)])?;
    let approver = ground.world.person(Who::Approver(0)).credential.id;
    ground.tighten(Tighten::revoke(approver))?;
    ground.wait_nodes()?;
    try_to_sign(ground, &payment)
}

fn approved(ground: &mut Ground) -> anyhow::Result<Goal> {
    let payment = ground.authorized(ONE_OF_N_MAX, &[Who::Approver(0)])?;
    ground.wait_nodes()?;
    Goal::new(ground, &payment)
}

/// The network brings the revocation to the signers that are asked, and to no one else.
fn before_the_witnesses(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let goal = approved(ground)?;
    let approver = ground.world.person(Who::Approver(0)).credential.id;
    let (ledger, revoke) = (ground.ledger(), Tighten::revoke(approver));
    let act = ledger.signed_act(ActBody::Tighten(revoke), &ledger.admins());
    ground.cut_off.extend([2, 4]);
    append(ground, &Body::Act(act), now())?;
    ask_for(ground, &goal.payment, &goal.request, None)
}

/// The tenant is stopped and resumed. The network brings that to the signers, and none of the
/// cosignatures of the others.
fn behind_a_resume(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let goal = approved(ground)?;
    ground.deaf.extend(QUORUM);
    ground.tighten(Tighten::Stop)?;
    let ledger = ground.ledger();
    let resume = ledger.signed_act(ActBody::Resume, &ledger.admins());
    ground.submit(Body::Act(resume))?;
    ask_for(ground, &goal.payment, &goal.request, None)
}
