//! C10 and C11: messages of another run of a ceremony.

use super::usual;
use crate::ground::{Ground, refused};
use crate::row::{Attack, Outcome, Row};
use anyhow::Context as _;
use strongroom_guard::G;
use strongroom_types::Code;
use strongroom_wire::{CoordinatorMessage, SignerMessage};

pub const REPLAYED: Row = Row {
    id: "C10",
    story: "The making of a key was begun, and begun again. The coordinator kept what a signer \
            said the first time and puts it into the second run, so that the honest signer seems \
            to contradict itself. Then it asks that signer to take up the first run once more.",
    attacks: &[Attack {
        guard: G::Session,
        code: Code::Replayed,
        red_when: "an honest run ends and an honest signer is named as the one at fault",
        world: usual,
        run: from_the_first_run,
    }],
};

pub const NO_BLAME: Row = Row {
    id: "C11",
    story: "As before: a message of another run reaches a signer. It is not that message's sender \
            who is to blame, since anyone may have kept and sent it; who blamed the sender \
            could be made to shut out every honest signer.",
    attacks: &[Attack {
        guard: G::IgnoreNotBlame,
        code: Code::Replayed,
        red_when: "an honest run ends and an honest signer is named as the one at fault",
        world: usual,
        run: from_the_first_run,
    }],
};

fn from_the_first_run(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let signers = [1, 2, 3];
    ground.mean_another_key();
    let proposal = ground.propose_ceremony()?;
    ground.release(proposal)?;
    ground.wait_nodes()?;

    // The first run gets no further than its first message.
    let before = ground.said.len();
    ground.start_ceremony(1, &[2]);
    let old = ground.until("signer 2's first message", |ground| {
        let mut said = ground.said.iter().skip(before);
        let is_first = |said: &&crate::ground::Said| {
            said.seat == 2 && matches!(said.message, SignerMessage::Ceremony(_))
        };
        Ok(said.find(is_first).map(|said| said.sealed.clone()))
    })?;

    let mut relayed = ground.said.len();
    let from = relayed;
    ground.start_ceremony(2, &[1]);
    ground.ask_of(1, &CoordinatorMessage::Relay(old));
    ground.start_ceremony(2, &[2, 3]);
    let ended = ground.until("the second run does not end", |ground| {
        relayed = ground.relay_from(relayed);
        let mut refusals = ground.said.iter().skip(from).filter_map(refused);
        if let Some(refusal) = refusals.next() {
            return Ok(Some(Some(refusal)));
        }
        Ok(ground.certified(&signers).map(|_| None))
    })?;
    if let Some(refusal) = ended {
        let detail = &refusal.refusal.detail;
        let harm = detail.contains("by signers [2]");
        return Ok(Outcome {
            harm: harm.then(|| format!("signer {} ended the run: {detail}", refusal.seat)),
            refused: vec![refusal],
            ..Outcome::default()
        });
    }

    let again = ground.said.len();
    ground.start_ceremony(1, &[2]);
    let refusal = ground.until("no answer to the first run", |ground| {
        Ok(ground.said.iter().skip(again).find_map(refused))
    });
    Ok(Outcome {
        refused: vec![refusal.context("the first run, asked for once more")?],
        ..Outcome::default()
    })
}
