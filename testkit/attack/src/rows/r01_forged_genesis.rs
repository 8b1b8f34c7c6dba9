//! 1: a signer is installed into a world of the attacker's.

use super::usual;
use crate::ground::Ground;
use crate::row::{Attack, Elsewhere, Outcome, Row};
use anyhow::Context as _;
use strongroom_guard::G;
use strongroom_journal::Body;
use strongroom_types::{Act, ActBody, Code, Document as _};

pub const ROW: Row = Row {
    id: "1",
    story: "While a signer is installed, the file that lists everyone who belongs to the platform \
            is exchanged. The thief's list names this signer and otherwise only the thief's own \
            machines: they would make a key together that the thief knows.",
    attacks: &[Attack {
        guard: G::GenesisPin,
        code: Code::GenesisMismatch,
        red_when: "the signer certifies a key whose other parts are all the thief's",
        world: usual,
        run: everyone_else_is_the_thief,
    }],
};

/// The honest signer, which is new: no database of its own speaks against the file.
const VICTIM: u16 = 1;

/// The thief's machines: signers and witness.
const HOSTILE: [u16; 3] = [2, 3, 4];

fn everyone_else_is_the_thief(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let honest = ground.world.signer(VICTIM).clone();
    let world = Ground::other_world(66, usual(), |world, genesis| {
        for (keys, seat) in world.signers.iter_mut().zip(&mut genesis.signers).take(1) {
            (*keys, *seat) = (honest.clone(), honest.seat());
        }
    });
    let mut beside = ground.install_beside(&world, &[VICTIM])?;
    beside.pin(VICTIM, ground.world.genesis.hash())?;
    beside.start_node(VICTIM)?;
    let ended = beside.started(VICTIM, 0)?;
    let mut outcome = Outcome {
        codes: ended.into_iter().collect(),
        by: Some(Elsewhere::Ended),
        ..Outcome::default()
    };
    if outcome.codes.is_empty() {
        outcome.harm = Some(make_key(&mut beside).context("in the thief's world")?);
    }
    ground.beside = Some(Box::new(beside));
    Ok(outcome)
}

fn make_key(beside: &mut Ground) -> anyhow::Result<String> {
    let tenant = beside.world.create_tenant(crate::ground::now());
    beside.enter(&Body::Act(tenant), &HOSTILE)?;
    let committee = beside.ledger().committee();
    let put = ActBody::Put(beside.world.ceremony_record());
    let proposal = beside.ledger().signed_act(put, &committee);
    beside.enter(&Body::Act(proposal.clone()), &HOSTILE)?;
    let release = ActBody::Release(Act::digest_of(&proposal.text));
    let release = beside.ledger().signed_act(release, &committee);
    beside.enter(&Body::Act(release), &HOSTILE)?;
    beside.wait_nodes()?;

    let certified = beside.ceremony_against_one(VICTIM)?;
    anyhow::ensure!(certified, "the signer does not certify");
    let status = beside.node(VICTIM)?.status()?;
    let shares = status.get("keys_candidate").cloned().unwrap_or_default();
    Ok(format!(
        "signer {VICTIM} certified a key with the thief's signers 2 and 3, and holds {shares} share"
    ))
}
