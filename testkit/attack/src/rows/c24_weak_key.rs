//! C24, the verdict on signatures: a key under which every signature seems valid.

use super::force_and_sign;
use crate::ground::Ground;
use crate::row::{Attack, Outcome};
use strongroom_guard::G;
use strongroom_journal::Body;
use strongroom_types::credential::PublicKey;
use strongroom_types::{Code, Proof};
use strongroom_world::{ONE_OF_N_MAX, Who, WorldOptions};

/// The neutral point of the curve, as an Ed25519 public key.
const NEUTRAL: [u8; 32] = {
    let mut point = [0; 32];
    point[0] = 1;
    point
};

pub const WEAK_KEY: Attack = Attack {
    guard: G::StrictEd25519,
    code: Code::BadSignature,
    red_when: "a payment is signed whose approval no one made",
    world: with_weak_key,
    run: approved_by_no_one,
};

/// An approver was enrolled with a key that is none: its board was shown 64 digits like any others.
fn with_weak_key() -> WorldOptions {
    WorldOptions {
        charter: |charter, tenant| {
            let approver = tenant.person(Who::Approver(0)).credential.id;
            for credential in &mut charter.credentials {
                if credential.id == approver {
                    credential.key = PublicKey::Ed25519(NEUTRAL);
                }
            }
        },
        ..WorldOptions::default()
    }
}

/// The neutral point and zero: under the neutral key, a lax verifier takes it for a signature of
/// every text.
fn approved_by_no_one(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let payment = ground.payment(ONE_OF_N_MAX)?;
    let core = ground.ledger().core(&payment.intent);
    let approver = Who::Approver(0);
    let mut approval = ground.world.approve(approver, &payment.intent, &core, &[]);
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&NEUTRAL);
    for endorsement in &mut approval.endorsements {
        endorsement.proof = Proof::Ed25519(signature);
    }
    let attempt = payment.attempt.clone();
    let authorization = ground
        .world
        .authorization(&payment.intent, &core, vec![approval], attempt);
    force_and_sign(ground, &payment, &Body::Authorized(Box::new(authorization)))
}
