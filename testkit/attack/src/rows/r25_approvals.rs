//! 25: approvals that are none.

use super::{force_and_sign, usual};
use crate::ground::{Ground, Payment};
use crate::row::{Attack, Outcome, Row};
use strongroom_guard::G;
use strongroom_journal::{Authorization, Body};
use strongroom_types::{Code, DecisionCore, Signed, Tighten};
use strongroom_world::{ONE_OF_N_MAX, Who, WorldOptions, forge};

pub const ROW: Row = Row {
    id: "25",
    story: "A payment needs people's approvals, and the thief has others instead: the initiator's \
            own one, one person's twice, one that was given for another payment, one that is \
            forged. Or there are too few, or none by a key that shows its own words.",
    attacks: &[
        Attack {
            guard: G::NotInitiator,
            code: Code::ApprovalByInitiator,
            red_when: "a payment is signed that only its initiator approved",
            world: initiator_may_approve,
            run: by_the_initiator,
        },
        Attack {
            guard: G::DistinctHumans,
            code: Code::ApprovalDuplicateHuman,
            red_when: "a payment is signed that one person approved twice where two are asked for",
            world: usual,
            run: one_person_twice,
        },
        Attack {
            guard: G::ApprovalSubject,
            code: Code::ApprovalWrongDigest,
            red_when: "a payment is signed on the approval of another one",
            world: usual,
            run: of_another_payment,
        },
        Attack {
            guard: G::CredentialInForce,
            code: Code::CredentialRevoked,
            red_when: "a payment is signed that a revoked key approved",
            world: usual,
            run: by_a_revoked_key,
        },
        Attack {
            guard: G::KeyApproval,
            code: Code::ApprovalMissing,
            red_when: "a large payment is signed that programs alone approved",
            world: usual,
            run: by_programs_alone,
        },
        Attack {
            guard: G::ApprovalCount,
            code: Code::ApprovalMissing,
            red_when: "a payment is signed that one person approved where two are asked for",
            world: usual,
            run: too_few,
        },
        Attack {
            guard: G::ApproverInGroup,
            code: Code::ApprovalNotEligible,
            red_when: "a payment is signed that someone outside the group approved",
            world: usual,
            run: not_of_the_group,
        },
        Attack {
            guard: G::ApprovalSignature,
            code: Code::BadSignature,
            red_when: "a payment is signed on a forged approval",
            world: usual,
            run: forged,
        },
    ],
};

/// The initiator is one of the approvers, as in a small firm.
fn initiator_may_approve() -> WorldOptions {
    WorldOptions {
        charter: |charter, tenant| {
            let initiator = tenant.person(Who::InitiatorKey).user.id;
            let mut groups = charter.groups.iter_mut();
            if let Some(approvers) = groups.find(|group| group.id == tenant.approvers) {
                approvers.members.push(initiator);
                approvers.members.sort_unstable();
            }
        },
        ..usual()
    }
}

/// A payment with these approvals, which the writer appends whatever the rules say.
fn approved_by(
    ground: &mut Ground,
    amount: u64,
    approvals: impl FnOnce(&Ground, &Payment, &DecisionCore) -> Vec<Signed>,
) -> anyhow::Result<Outcome> {
    let payment = ground.payment(amount)?;
    let core = ground.ledger().core(&payment.intent);
    let approvals = approvals(ground, &payment, &core);
    let attempt = payment.attempt.clone();
    let authorization: Authorization =
        ground
            .world
            .authorization(&payment.intent, &core, approvals, attempt);
    force_and_sign(ground, &payment, &Body::Authorized(Box::new(authorization)))
}

fn by(who: Who) -> impl FnOnce(&Ground, &Payment, &DecisionCore) -> Vec<Signed> {
    move |ground, payment, core| vec![ground.world.approve(who, &payment.intent, core, &[])]
}

fn by_the_initiator(ground: &mut Ground) -> anyhow::Result<Outcome> {
    approved_by(ground, ONE_OF_N_MAX, by(Who::InitiatorKey))
}

fn too_few(ground: &mut Ground) -> anyhow::Result<Outcome> {
    approved_by(ground, ONE_OF_N_MAX + 1, by(Who::Approver(0)))
}

fn not_of_the_group(ground: &mut Ground) -> anyhow::Result<Outcome> {
    approved_by(ground, ONE_OF_N_MAX, by(Who::Clerk))
}

fn forged(ground: &mut Ground) -> anyhow::Result<Outcome> {
    approved_by(ground, ONE_OF_N_MAX, |ground, payment, core| {
        let approver = Who::Approver(0);
        let mut approval = ground.world.approve(approver, &payment.intent, core, &[]);
        approval.endorsements.iter_mut().for_each(forge);
        vec![approval]
    })
}

/// Both approvals are real: one by their key, one by their program.
fn one_person_twice(ground: &mut Ground) -> anyhow::Result<Outcome> {
    approved_by(ground, ONE_OF_N_MAX + 1, |ground, payment, core| {
        let both = [Who::Approver(0), Who::ApproverProgram(0)];
        let approve = |who| ground.world.approve(who, &payment.intent, core, &[]);
        both.map(approve).to_vec()
    })
}

/// The approver agreed to a small payment, and the thief shows that for a large one.
fn of_another_payment(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let small = ground.payment(ONE_OF_N_MAX / 50)?;
    let core = ground.ledger().core(&small.intent);
    let approver = Who::Approver(0);
    let approval = ground.world.approve(approver, &small.intent, &core, &[]);
    approved_by(ground, ONE_OF_N_MAX, |_, _, _| vec![approval])
}

fn by_a_revoked_key(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let approver = Who::Approver(0);
    let credential = ground.world.person(approver).credential.id;
    ground.tighten(Tighten::revoke(credential))?;
    approved_by(ground, ONE_OF_N_MAX, by(approver))
}

fn by_programs_alone(ground: &mut Ground) -> anyhow::Result<Outcome> {
    approved_by(ground, ONE_OF_N_MAX + 1, |ground, payment, core| {
        let both = [Who::ApproverProgram(0), Who::ApproverProgram(1)];
        let approve = |who| ground.world.approve(who, &payment.intent, core, &[]);
        both.map(approve).to_vec()
    })
}
