//! 44: one key counts as two people, or one person as two.

use super::steps::{Goal, approved, propose};
use super::usual;
use crate::ground::{Ground, Payment, now};
use crate::row::{Attack, Outcome, Row};
use strongroom_guard::G;
use strongroom_journal::Body;
use strongroom_types::{
    ActBody, Approval, Code, Credential, CredentialId, DecisionCore, Document as _, RegistryRecord,
    Signed, Tighten,
};
use strongroom_world::{ONE_OF_N_MAX, STRANGER, Who, WorldOptions};

pub const ROW: Row = Row {
    id: "44",
    story: "Two people must agree, and one is enough: their key is enrolled once more as a \
            colleague's, or they hold two keys of their own and sign with both. Or the admins \
            dismiss so many of the committee that those who are left can decide nothing.",
    attacks: &[
        Attack {
            guard: G::KeyOnce,
            code: Code::AlreadyExists,
            red_when: "a payment is signed that one key approved as two people",
            world: usual,
            run: enrolled_twice,
        },
        Attack {
            guard: G::BoardsCountHumans,
            code: Code::QuorumMissing,
            red_when: "a payment is signed during a stop that one of two admins ended",
            world: admin_with_two_keys,
            run: signed_twice,
        },
        Attack {
            guard: G::BoardAble,
            code: Code::BoardBelowQuorum,
            red_when: "no act of the committee can be signed any more",
            world: usual,
            run: committee_of_one,
        },
    ],
};

/// The key of the first approver, under the name of the second.
fn twin(ground: &Ground) -> Credential {
    Credential {
        id: CredentialId([0x44; 16]),
        user: Some(ground.world.person(Who::Approver(1)).user.id),
        ..ground.world.person(Who::Approver(0)).credential
    }
}

fn approve_as_twin(ground: &Ground, payment: &Payment, core: &DecisionCore) -> Signed {
    let mut person = ground.world.person(Who::Approver(0));
    person.credential = twin(ground);
    let approver = person.credential.id;
    let approval = Approval {
        approver,
        ..ground
            .world
            .approval(Who::Approver(0), &payment.intent, core, &[])
    };
    Signed::by(&approval, &person.signing())
}

fn enrolled_twice(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let intent = ground.world.intent(now(), 2 * ONE_OF_N_MAX, STRANGER);
    let payment = ground.payment_of(intent)?;
    let goal = Goal::new(ground, &payment)?;

    // The committee believes that it is the colleague's new key.
    let enrolment = RegistryRecord::Credential(twin(ground));
    let release = propose(ground, enrolment)?;
    let committee = ground.ledger().committee();
    let release = ground.ledger().signed_act(release, &committee);
    if let Some(outcome) = goal.force_act(ground, &release)? {
        return Ok(outcome);
    }

    let core = ground.ledger().core(&payment.intent);
    let own = ground
        .world
        .approve(Who::Approver(0), &payment.intent, &core, &[]);
    let other = approve_as_twin(ground, &payment, &core);
    let body = approved(ground, &payment, vec![own, other]);
    if let Some(outcome) = goal.force(ground, &body)? {
        return Ok(outcome);
    }
    goal.ask(ground)
}

/// Two admins must sign, and the first has two keys.
fn admin_with_two_keys() -> WorldOptions {
    WorldOptions {
        admins: (2, 2),
        charter: |charter, tenant| {
            charter.credentials.push(Credential {
                user: Some(tenant.person(Who::Admin(0)).user.id),
                ..tenant.person(Who::Stranger).credential
            });
        },
        ..usual()
    }
}

fn signed_twice(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let payment = ground.authorized(300_000, &[])?;
    ground.tighten(Tighten::Stop)?;
    let goal = Goal::new(ground, &payment)?;
    let both_of_one = [Who::Admin(0), Who::Stranger];
    let resume = ground.ledger().signed_act(ActBody::Resume, &both_of_one);
    if let Some(outcome) = goal.force_act(ground, &resume)? {
        return Ok(outcome);
    }
    goal.ask(ground)
}

fn committee_of_one(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let payment = ground.authorized(300_000, &[])?;
    ground.wait_nodes()?;
    let goal = Goal::new(ground, &payment)?;
    let admins = ground.ledger().admins();
    for dismissed in [Who::Committee(1), Who::Committee(2)] {
        let user = ground.world.person(dismissed).user.id;
        let revoke = ActBody::Tighten(Tighten::revoke(user));
        let act = ground.ledger().signed_act(revoke, &admins);
        if let Some(outcome) = goal.force_act(ground, &act)? {
            return Ok(outcome);
        }
    }

    // An honest act by everyone who is left.
    let policy = ground.world.tenant.policy(&ground.world.options.policy);
    let put = ActBody::Put(RegistryRecord::Policy(policy.to_text()));
    let act = ground.ledger().signed_act(put, &[Who::Committee(0)]);
    let harm = match ground.order(&Body::Act(act), now()) {
        Ok(_) => None,
        Err(refusal) => Some(format!("an act of all who are left: {}", refusal.code)),
    };
    Ok(Outcome {
        harm,
        ..Outcome::default()
    })
}
