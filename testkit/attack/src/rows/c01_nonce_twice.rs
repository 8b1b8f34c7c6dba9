//! C1: one nonce is used for two signatures.

use super::usual;
use crate::ground::{Answer, Ground};
use crate::row::{Attack, Outcome, Row};
use anyhow::Context as _;
use strongroom_guard::G;
use strongroom_types::{Code, SessionId};
use strongroom_wire::SigningRequest;

pub const ROW: Row = Row {
    id: "C1",
    story: "For each signature a signer draws a number that it uses once. The coordinator asks for \
            two shares on the same number, with another partner each time. From a few of them the \
            signer's part of the key can be computed.",
    attacks: &[Attack {
        guard: G::NonceOnce,
        code: Code::NonceUsed,
        red_when: "a signer gives two shares on one nonce",
        world: usual,
        run: two_partners,
    }],
};

/// An honest payment, asked for with signer 3 and then with signer 2 as the partner.
fn two_partners(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let payment = ground.authorized(300_000, &[])?;
    ground.wait_nodes()?;
    let first = ground.request(&payment, &[1, 3])?;
    let other = ground.request(&payment, &[2])?;
    let second = with_partner_of(&first, &other)?;
    two_shares(ground, &first, &second)
}

/// The victim's commitment of one request beside the partner's of another.
pub(super) fn with_partner_of(
    first: &SigningRequest,
    other: &SigningRequest,
) -> anyhow::Result<SigningRequest> {
    let mut second = first.clone();
    second.session = SessionId([0xc1; 16]);
    for (slot, partners) in second.commitments.iter_mut().zip(&other.commitments) {
        slot.retain(|(seat, _)| *seat == 1);
        slot.extend(partners.iter().cloned());
    }
    let whole = second.commitments.iter().all(|slot| slot.len() == 2);
    whole.then_some(second).context("two in each slot")
}

/// Asks signer 1 for both; two different shares on one nonce are the harm.
pub(super) fn two_shares(
    ground: &mut Ground,
    first: &SigningRequest,
    second: &SigningRequest,
) -> anyhow::Result<Outcome> {
    let given = ground.answers(&[1], first)?;
    let Some(Answer::Shares(given)) = given.get(&1) else {
        anyhow::bail!("signer 1 refuses an honest payment")
    };

    let answers = ground.answers(&[1], second)?;
    let harm = match answers.get(&1) {
        Some(Answer::Shares(again)) if again != given => Some(format!(
            "signer 1 gave two shares on one nonce: {} and {}",
            given.iter().map(hex::encode).collect::<String>(),
            again.iter().map(hex::encode).collect::<String>(),
        )),
        _ => None,
    };
    Ok(Outcome {
        harm,
        refused: crate::evidence::Refused::among(&answers),
        ..Outcome::default()
    })
}
