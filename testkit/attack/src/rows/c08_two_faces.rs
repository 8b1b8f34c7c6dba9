//! C8, C21, C5 and C7: one of those who make a key lies to the others. The liar is signer 3, with
//! its own keys; signers 1 and 2 are honest processes.

use super::usual;
use crate::ground::{CHOSEN, Ended, Ground, Lies};
use crate::row::{Attack, Hold, Outcome, Row, Standing};
use std::collections::BTreeSet;
use strongroom_guard::G;
use strongroom_mpc_core::PublicKeyRecord;
use strongroom_types::Code;

pub const TWO_FACES: Row = Row {
    id: "C8",
    story: "Three signers make a key together. One of them, in the thief's hands, tells each of \
            the two others something else. They would end with two different keys, and money that \
            was paid to either could be lost.",
    attacks: &[Attack {
        guard: G::Echo,
        code: Code::CeremonyFault,
        red_when: "two honest signers certify two different keys in one run",
        world: usual,
        run: two_faces,
    }],
};

pub const CHOSEN_CHAIN_CODE: Row = Row {
    id: "C21",
    story: "All addresses of a key derive from a number to which every signer gives a part. One of \
            them waits for the parts of the others, and then gives another part than it had locked \
            in, so that the number is the one it wants.",
    attacks: &[Attack {
        guard: G::ChainCodeOpening,
        code: Code::CeremonyFault,
        red_when: "honest signers certify a chain code that one signer chose",
        world: usual,
        run: chosen_chain_code,
    }],
};

pub const COPIED_PROOF: Standing = Standing {
    id: "C5",
    story: "One of those who make a key sends another one's contribution as its own. It cannot \
            know the secret behind it; if no one asked for a proof, it could choose its part so \
            that it cancels the others'.",
    held_by: Hold::Library(
        "frost-core verifies each proof of knowledge, which names its signer, in part 2",
    ),
    code: Code::CeremonyFault,
    world: usual,
    run: copied_proof,
};

pub const LONGER_POLYNOMIAL: Standing = Standing {
    id: "C7",
    story: "One of those who make a key makes its part such that more signers are needed than was \
            agreed. The key would get addresses and money, and its quorum could not spend it.",
    held_by: Hold::Library(
        "frost-core refuses a commitment of another length in part 2, behind our own check of it",
    ),
    code: Code::CeremonyFault,
    world: usual,
    run: longer_polynomial,
};

fn lie(ground: &mut Ground, lies: Lies) -> anyhow::Result<Ended> {
    ground.mean_another_key();
    let proposal = ground.propose_ceremony()?;
    ground.release(proposal)?;
    ground.wait_nodes()?;
    ground.ceremony_with_liar(lies)
}

fn two_faces(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let ended = lie(
        ground,
        Lies {
            two_faces: true,
            ..Lies::default()
        },
    )?;
    let keys: BTreeSet<_> = ended.certified.values().collect();
    Ok(Outcome {
        harm: (keys.len() == 2).then(|| "signers 1 and 2 certify different keys".to_owned()),
        refused: ended.refused,
        ..Outcome::default()
    })
}

fn chosen_chain_code(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let ended = lie(
        ground,
        Lies {
            chosen: true,
            ..Lies::default()
        },
    )?;
    let mut harm = None;
    for public in ended.certified.values() {
        let code = PublicKeyRecord::from_bytes(public)?.chain_code;
        if code.starts_with(&CHOSEN) {
            harm = Some(format!("certified, as chosen: {}", hex::encode(code)));
        }
    }
    Ok(Outcome {
        harm,
        refused: ended.refused,
        ..Outcome::default()
    })
}

fn copied_proof(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let ended = lie(
        ground,
        Lies {
            copied: true,
            ..Lies::default()
        },
    )?;
    Ok(uncertified(ended))
}

fn longer_polynomial(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let ended = lie(
        ground,
        Lies {
            longer: true,
            ..Lies::default()
        },
    )?;
    Ok(uncertified(ended))
}

fn uncertified(ended: Ended) -> Outcome {
    let number = ended.certified.len();
    Outcome {
        harm: (number > 0).then(|| format!("{number} honest signers certify such a key")),
        refused: ended.refused,
        ..Outcome::default()
    }
}
