//! 20: two histories, each with enough witnesses.

use super::usual;
use crate::ground::{Ground, now};
use crate::row::{Attack, Outcome, Row};
use std::collections::BTreeSet;
use strongroom_guard::G;
use strongroom_types::Code;
use strongroom_wire::JournalBatch;

pub const ROW: Row = Row {
    id: "20",
    story: "The keeper of the journal writes two histories and shows both. If enough witnesses \
            vouch for each, one half of the signers can be made to believe in a payment that the \
            other half will never see.",
    attacks: &[
        Attack {
            guard: G::OneTreePerSize,
            code: Code::Conflict,
            red_when: "two histories of one length are each cosigned by a whole quorum",
            world: usual,
            run: both_shown,
        },
        super::r20_genesis::QUORUM_SIZE,
        super::r20_genesis::THRESHOLD,
    ],
};

fn both_shown(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let mut other = ground.fork()?;
    ground.tick()?;
    ground.wait_nodes()?;
    let second = other.tick(now());
    let seats = ground.seats();
    for seat in &seats {
        ground.show(*seat, &second);
    }

    let mut both = BTreeSet::new();
    for seat in &seats {
        if ground.cosigns(*seat, &second)? && ground.cosigned_twice(*seat).is_some() {
            both.insert(*seat);
        }
    }
    let quorum = usize::try_from(ground.world.genesis.quorum)?;
    if both.len() >= quorum {
        let size = ground.size();
        return Ok(Outcome {
            harm: Some(format!(
                "two heads of {size} entries, each cosigned by the witnesses in seats {both:?}"
            )),
            ..Outcome::default()
        });
    }
    stopped(ground, &second)
}

/// The refusals of signers that a batch has stopped.
pub(super) fn stopped(ground: &mut Ground, by: &JournalBatch) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    let signers: Vec<u16> = ground.world.signers.iter().map(|s| s.index).collect();
    for seat in signers {
        if let Some(mut refused) = ground.refuses(seat)? {
            refused.stopped_by = Some(by.clone());
            outcome.refused.push(refused);
        }
    }
    Ok(outcome)
}
