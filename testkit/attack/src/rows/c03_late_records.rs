//! C3: records come twice, out of order, and hours late.

use super::{QUORUM, usual};
use crate::ground::{Ground, now, refused};
use crate::row::{Attack, Outcome, Row};
use std::time::Duration;
use strongroom_guard::G;
use strongroom_types::Code;
use strongroom_wire::{CoordinatorMessage, Role};

pub const ROW: Row = Row {
    id: "C3",
    story: "The network delivers the coordinator's messages late, twice and in another order. A \
            request that came after its time must draw no new numbers from a signer, or a flood of \
            old ones would use up its stock.",
    attacks: &[Attack {
        guard: G::Deadline,
        code: Code::DeadlineExpired,
        red_when: "signers make nonces for requests that came after their time",
        world: usual,
        run: late_and_twice,
    }],
};

/// How long the requests are good, milliseconds.
const LIFE_MS: u64 = 200;

fn late_and_twice(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let (tenant, key) = (ground.world.tenant.id, ground.world.tenant.key);
    let coordinator = ground.world.service(Role::Coordinator).clone();
    let deadline = now().plus(LIFE_MS);
    let mut records = Vec::new();
    for seat in QUORUM {
        for count in [5, 6] {
            let message = CoordinatorMessage::Prepare { tenant, key, count };
            let to = Some(ground.world.seat(seat).node);
            let record = ground.seal_as(&coordinator, to, &message, deadline);
            records.push((seat, record));
        }
    }
    ground.wait(Duration::from_millis(2 * LIFE_MS))?;

    // In the opposite order, and each twice.
    let mut outcome = Outcome::default();
    let mut served = 0;
    for (seat, record) in records.into_iter().rev() {
        for _ in 0..2 {
            let said = ground.bring(seat, record.clone())?;
            let refusals = said.iter().filter_map(refused);
            let before = outcome.refused.len();
            outcome.refused.extend(refusals);
            served += said.len() - (outcome.refused.len() - before);
        }
    }
    if served > 0 {
        outcome.harm = Some(format!("{served} answers to requests whose time was over"));
    }
    Ok(outcome)
}
