//! 3: a key is made that no committee released.

use super::usual;
use crate::ground::{Ground, now, refused};
use crate::row::{Attack, Outcome, Row};
use std::collections::BTreeSet;
use strongroom_guard::G;
use strongroom_journal::Body;
use strongroom_types::{ActBody, Code};
use strongroom_wire::CoordinatorMessage;

pub const ROW: Row = Row {
    id: "3",
    story: "The coordinator has the signers make a key that no one released: one that the \
            committee has only proposed, or one whose release the keeper of the journal shows to \
            the signers and to no witness. The party that controls the making of a key may know it.",
    attacks: &[
        Attack {
            guard: G::CeremonyReleased,
            code: Code::CeremonyNotApproved,
            red_when: "all signers certify a key that the committee has not released",
            world: usual,
            run: proposed_only,
        },
        Attack {
            guard: G::CeremonyWitnessed,
            code: Code::CeremonyNotApproved,
            red_when: "all signers certify a key whose release no quorum has witnessed",
            world: usual,
            run: released_in_secret,
        },
    ],
};

/// How long the coordinator gives its requests, milliseconds: signers wait that long for a release.
const LIFE_MS: u64 = 2_500;

fn proposed_only(ground: &mut Ground) -> anyhow::Result<Outcome> {
    ground.mean_another_key();
    let committee = ground.ledger().committee();
    let put = ActBody::Put(ground.world.ceremony_record());
    let proposal = ground.ledger().signed_act(put, &committee);
    order(ground, &Body::Act(proposal))?;
    ground.wait_witnessed()?;
    ground.wait_nodes()?;
    begin(ground)
}

fn released_in_secret(ground: &mut Ground) -> anyhow::Result<Outcome> {
    ground.mean_another_key();
    let proposal = ground.propose_ceremony()?;
    ground.wait_nodes()?;

    ground.unheard.extend(ground.seats());
    let committee = ground.ledger().committee();
    let release = ActBody::Release(proposal);
    let release = ground.ledger().signed_act(release, &committee);
    order(ground, &Body::Act(release))?;
    begin(ground)
}

fn order(ground: &mut Ground, body: &Body) -> anyhow::Result<()> {
    let ordered = ground.order(body, now());
    ordered.map_err(|refusal| anyhow::anyhow!("the committee's act: {refusal}"))?;
    Ok(())
}

/// Asks all signers to make the key, and relays what they say to each other.
fn begin(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let signers: Vec<u16> = ground.world.signers.iter().map(|s| s.index).collect();
    let (tenant, key) = (ground.world.tenant.id, ground.world.tenant.key);
    let message = CoordinatorMessage::Ceremony {
        tenant,
        key,
        run: 1,
    };
    let before = ground.said.len();
    for seat in &signers {
        ground.ask_within(*seat, &message, LIFE_MS);
    }

    let mut relayed = before;
    ground.until("the signers neither refuse nor certify", |ground| {
        relayed = ground.relay_from(relayed);
        if let Some(finished) = ground.certified(&signers) {
            let number = finished.certificates.len();
            let harm = format!("{number} signers certify the key {}", finished.key);
            return Ok(Some(Outcome {
                harm: Some(harm),
                ..Outcome::default()
            }));
        }
        let refused: Vec<_> = ground
            .said
            .iter()
            .skip(before)
            .filter_map(refused)
            .collect();
        let seats: BTreeSet<u16> = refused.iter().map(|refused| refused.seat).collect();
        Ok((seats.len() == signers.len()).then(|| Outcome {
            refused,
            ..Outcome::default()
        }))
    })
}
