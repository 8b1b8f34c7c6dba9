//! 11: a thief's key is enrolled as Alice's.

use super::steps::{Goal, approved};
use super::usual;
use crate::ground::Ground;
use crate::row::{Attack, Outcome, Row};
use strongroom_guard::G;
use strongroom_types::{Act, ActBody, Code, Credential, Document as _, RegistryRecord};
use strongroom_world::{ONE_OF_N_MAX, Who};

pub const ROW: Row = Row {
    id: "11",
    story: "One member of the committee works with a thief. Alone, they enrol the thief's key as a \
            second key of Alice, who approves payments. The thief approves one in her name.",
    attacks: &[Attack {
        guard: G::CommitteeSigns,
        code: Code::QuorumMissing,
        red_when: "a payment is signed on an approval by the enrolled key",
        world: usual,
        run: by_one_member,
    }],
};

fn by_one_member(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let payment = ground.payment(ONE_OF_N_MAX)?;
    let goal = Goal::new(ground, &payment)?;

    let alice = ground.world.person(Who::Approver(0)).user.id;
    let thief = Credential {
        user: Some(alice),
        ..ground.world.person(Who::Stranger).credential
    };
    let member = [Who::Committee(0)];
    let put = ActBody::Put(RegistryRecord::Credential(thief));
    let enrolment = ground.ledger().signed_act(put, &member);
    if let Some(outcome) = goal.force_act(ground, &enrolment)? {
        return Ok(outcome);
    }
    let release = ActBody::Release(Act::digest_of(&enrolment.text));
    let release = ground.ledger().signed_act(release, &member);
    if let Some(outcome) = goal.force_act(ground, &release)? {
        return Ok(outcome);
    }

    let core = ground.ledger().core(&payment.intent);
    let approval = ground
        .world
        .approve(Who::Stranger, &payment.intent, &core, &[]);
    let body = approved(ground, &payment, vec![approval]);
    if let Some(outcome) = goal.force(ground, &body)? {
        return Ok(outcome);
    }
    goal.ask(ground)
}
