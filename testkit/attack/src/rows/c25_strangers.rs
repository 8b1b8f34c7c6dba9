//! C25: what comes from a stranger is ignored.

use super::usual;
use crate::ground::{Ground, refused};
use crate::row::{Attack, Elsewhere, Outcome, Row};
use strongroom_guard::G;
use strongroom_types::{Code, NodeId};
use strongroom_wire::Role;

pub const ROW: Row = Row {
    id: "C25",
    story: "Someone with access to the network, and with no key of the platform, writes to a \
            signer. If it answered, a stranger could keep it busy with signing refusals.",
    attacks: &[Attack {
        guard: G::IgnoreInauthentic,
        code: Code::UnknownSender,
        red_when: "a signer signs refusals for a stranger",
        world: usual,
        run: from_outside,
    }],
};

/// Records of the stranger.
const RECORDS: usize = 20;

fn from_outside(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let mut stranger = ground.world.service(Role::Coordinator).clone();
    stranger.node = NodeId([0xee; 16]);
    let mut outcome = Outcome::default();
    let mut answers = 0;
    for _ in 0..RECORDS {
        let record = ground.prepare_record(&stranger, 1, 1);
        outcome.codes.extend(ground.verdict(1, &record));
        outcome.by = Some(Elsewhere::Ignored);
        answers += ground.bring(1, record)?.iter().filter_map(refused).count();
    }
    if answers > 0 {
        outcome.harm = Some(format!(
            "signer 1 signed {answers} refusals for a stranger's {RECORDS} records"
        ));
    }
    Ok(outcome)
}
