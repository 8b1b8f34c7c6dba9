//! 21: records are changed on their way.

use super::{brought, usual};
use crate::ground::Ground;
use crate::row::{Attack, Outcome, Row};
use anyhow::Context as _;
use strongroom_guard::G;
use strongroom_types::Code;
use strongroom_wire::Role;

/// Length of the signature that a sealed record ends with, bytes.
const SIGNATURE_LEN: usize = 64;

pub const ROW: Row = Row {
    id: "21",
    story: "The one who carries the platform's messages changes one on its way: the coordinator asked \
            for one thing and the signer is told another. Or a service that has no business with \
            the signers writes to them in its own name.",
    attacks: &[
        Attack {
            guard: G::EnvelopeSignature,
            code: Code::BadEnvelopeSignature,
            red_when: "a signer answers a message that was changed on its way",
            world: usual,
            run: one_byte_changed,
        },
        Attack {
            guard: G::SenderRole,
            code: Code::UnknownSender,
            red_when: "a signer takes orders from the transactions service",
            world: usual,
            run: by_the_transactions_service,
        },
    ],
};

/// One nonce was asked for; on the way it becomes seventeen.
fn one_byte_changed(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let coordinator = ground.world.service(Role::Coordinator).clone();
    let mut record = ground.prepare_record(&coordinator, 1, 1);

    // The number is the last field of the last field that is signed: its lowest byte comes first.
    let at = record.len().checked_sub(SIGNATURE_LEN + 4);
    let at = at.context("a record with a signature")?;
    *record.get_mut(at).context("the number")? ^= 0x10;
    brought(ground, 1, record)
}

fn by_the_transactions_service(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let service = ground.world.service(Role::Transactions).clone();
    let record = ground.prepare_record(&service, 1, 1);
    brought(ground, 1, record)
}
