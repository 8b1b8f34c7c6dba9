//! 47: a split view was seen; then the node is started again.

use super::usual;
use crate::ground::{Ground, now};
use crate::row::{Attack, Outcome, Row};
use strongroom_guard::G;
use strongroom_types::Code;

pub const ROW: Row = Row {
    id: "47",
    story: "A signer has seen proof that the keeper of the journal writes two histories, and has \
            stopped. The thief has it started again, and shows it one of the two.",
    attacks: &[Attack {
        guard: G::DurableFreeze,
        code: Code::Conflict,
        red_when: "a signer that held the proof gives shares after its restart",
        world: usual,
        run: started_again,
    }],
};

fn started_again(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let mut other = ground.fork()?;
    let payment = ground.authorized(300_000, &[])?;
    ground.wait_nodes()?;
    let second = other.tick(now());
    ground.show(1, &second);
    anyhow::ensure!(
        !ground.cosigns(1, &second)?,
        "signer 1 follows both histories"
    );

    let ended = ground.restart(1)?;
    anyhow::ensure!(ended.is_none(), "signer 1 ended: {ended:?}");
    ground.order(&strongroom_journal::Body::Tick, now())?;
    ground.wait_witnessed()?;
    if let Some(mut refused) = ground.refuses(1)? {
        refused.stopped_by = Some(second);
        return Ok(Outcome {
            refused: vec![refused],
            ..Outcome::default()
        });
    }

    ground.wait_nodes()?;
    let mut outcome = super::try_to_sign(ground, &payment)?;
    if outcome.harm.is_some() {
        outcome.harm = Some("signer 1 saw two histories, and signs on one of them".to_owned());
        outcome.stolen = None;
    }
    Ok(outcome)
}
