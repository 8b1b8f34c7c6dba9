//! 51: the firm's people are coerced, and a signer's operator has rules too.

use super::{try_to_sign, usual};
use crate::ground::Ground;
use crate::row::{Attack, Outcome, Row};
use std::io::Write as _;
use strongroom_guard::G;
use strongroom_types::Code;

/// The operator's cap of one payment.
const CAP: u64 = 500_000;
/// The signer whose operator has a rule.
const SEAT: u16 = 3;

pub const ROW: Row = Row {
    id: "51",
    story: "A thief has everyone at the firm sign, or has their keys: in the journal all is in \
            order. The operator of one signer, another company, wrote a cap into that signer's own \
            file, and the payment is above it.",
    attacks: &[Attack {
        guard: G::OperatorRules,
        code: Code::LocalRule,
        red_when: "a payment is signed by a signer whose operator's cap it passes",
        world: usual,
        run: above_the_cap,
    }],
};

fn above_the_cap(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let node = ground.node(SEAT)?;
    node.kill()?;
    let config = node.files().config();
    let mut config = std::fs::File::options().append(true).open(config)?;
    write!(config, "[local_rules]\nnative_per_intent_max = \"{CAP}\"\n")?;

    ground.until("the old connection did not end", |ground| {
        Ok((!ground.node(SEAT)?.is_connected()).then_some(()))
    })?;
    ground.node(SEAT)?.start_process()?;
    ground.until("the signer did not come back", |ground| {
        Ok(ground.node(SEAT)?.is_connected().then_some(()))
    })?;

    let payment = ground.authorized(CAP + 1, &[])?;
    ground.wait_nodes()?;
    try_to_sign(ground, &payment)
}
