//! 60: the journal's keeper signs for another state than the entries give.

use super::{r20_split_view::stopped, usual};
use crate::ground::{Ground, now};
use crate::row::{Attack, Outcome, Row};
use strongroom_guard::G;
use strongroom_journal::Body;
use strongroom_journal::writer::Offer;
use strongroom_tlog::Hash;
use strongroom_types::{Code, Scope};

pub const ROW: Row = Row {
    id: "60",
    story: "With each entry the keeper of the journal signs what the books look like after it. It \
            signs for other books than the entries make: a node that believes the signature would \
            believe balances, limits and people that no one has entered.",
    attacks: &[Attack {
        guard: G::StateRoot,
        code: Code::Conflict,
        red_when: "a quorum of witnesses vouches for a state that the entries do not give",
        world: usual,
        run: other_books,
    }],
};

fn other_books(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let tick = Offer {
        scope: Scope::Platform,
        body: Body::Tick,
    };
    let batch = ground.forge(&tick, now(), Hash([0x60; 32]))?;
    ground.publish(&batch);
    let mut vouch = 0;
    for seat in ground.seats() {
        vouch += u32::from(ground.cosigns(seat, &batch)?);
    }
    if vouch >= ground.world.genesis.quorum {
        return Ok(Outcome {
            harm: Some(format!(
                "{vouch} witnesses vouch for a state that is not there"
            )),
            ..Outcome::default()
        });
    }
    stopped(ground, &batch)
}
