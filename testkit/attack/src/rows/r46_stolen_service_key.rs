//! 46, in part: a stolen key of the API opens nothing but the API's own messages. That such a key
//! can be revoked is not built.

use super::{QUORUM, brought, try_to_sign, usual};
use crate::ground::{Building, Ground, Kind, Payment, now};
use crate::row::{Attack, Elsewhere, Outcome, Row};
use anyhow::Context as _;
use strongroom_guard::G;
use strongroom_journal::Body;
use strongroom_types::{AttemptKind, Code};
use strongroom_wire::Role;
use strongroom_world::FRIEND;

pub const ROW: Row = Row {
    id: "46",
    story: "The key of the API's machine is stolen. With it the thief writes to the signers as if \
            they were the coordinator; and tells the journal of another transaction for a payment \
            that is being signed, as only the transactions service may, so that the signers give \
            the first one up.",
    attacks: &[
        Attack {
            guard: G::SenderRole,
            code: Code::UnknownSender,
            red_when: "a signer takes orders that the API's key signed",
            world: usual,
            run: as_coordinator,
        },
        Attack {
            guard: G::Submitter,
            code: Code::Unsupported,
            red_when: "an honest payment is signed no more, because of a record by the API's key",
            world: usual,
            run: as_transactions_service,
        },
    ],
};

const AMOUNT: u64 = 300_000;

fn as_coordinator(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let api = ground.world.service(Role::Api).clone();
    let record = ground.prepare_record(&api, 1, 1);
    brought(ground, 1, record)
}

/// The writer is an honest one, the role's own code in this process. The record is a further
/// attempt by all rules: it spends the payment's coin and pays its receiver.
fn as_transactions_service(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let intent = ground.world.intent(now(), AMOUNT, FRIEND);
    let coins = [ground.new_coin(AMOUNT)?];
    let building = Building::new(FRIEND, AMOUNT, &coins);
    let payment = Payment::new(intent, ground.build(&building)?);
    let body = ground.authorization(&payment, &[]);
    ground.submit(body)?;
    ground.wait_nodes()?;

    let dearer = Building {
        rate: 2 * building.rate,
        ..building
    };
    let second = payment.further(AttemptKind::Bump, ground.build(&dearer)?);
    let mut writer = ground.honest_writer()?;
    let body = Body::from(second.attempt);
    ground.keep_hostile(Kind::Submission, &strongroom_wire::encode(&body));
    if let Err(refusal) = writer.submit(Role::Api, &body)? {
        return Ok(Outcome {
            codes: vec![refusal.code],
            by: Some(Elsewhere::Journal),
            ..Outcome::default()
        });
    }

    ground.pass_on(&writer)?;
    ground.wait_witnessed()?;
    ground.wait_nodes()?;
    let outcome = try_to_sign(ground, &payment)?;
    let refusal = outcome.refused.first().context("the payment is signed")?;
    let code = refusal.refusal.code;
    anyhow::ensure!(outcome.refused.len() == QUORUM.len(), "some give a share");
    Ok(Outcome {
        harm: Some(format!("the honest payment is refused: {code}")),
        ..Outcome::default()
    })
}
