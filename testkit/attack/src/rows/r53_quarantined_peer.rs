//! 53: a signer in quarantine has the others sign along with it.

use super::usual;
use crate::evidence::{Refused, SignedPayment};
use crate::ground::Ground;
use crate::row::{Attack, Outcome, Row};
use strongroom_guard::G;
use strongroom_journal::Body;
use strongroom_types::{ActBody, Code, Tighten};

/// An honest signer.
const HONEST: u16 = 1;
/// The signer that is believed to be in a thief's hands.
const LOST: u16 = 2;

pub const ROW: Row = Row {
    id: "53",
    story: "A signer is believed to be in a thief's hands, and the platform takes it out of \
            service. The thief, who has its share of the key, needs one honest signer beside it, \
            and asks for a payment with the two of them as the quorum.",
    attacks: &[Attack {
        guard: G::PeersInService,
        code: Code::NotReady,
        red_when: "a payment is signed with the share of a signer in quarantine",
        world: usual,
        run: together,
    }],
};

fn together(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let payment = ground.authorized(300_000, &[])?;
    ground.wait_nodes()?;
    let request = ground.request(&payment, &[HONEST, LOST])?;
    let quarantine = ActBody::Tighten(Tighten::Quarantine(LOST));
    let act = ground.platform_act(quarantine)?;
    ground.submit(Body::Act(act))?;
    ground.wait_nodes()?;

    // The thief's own share is not in question: what counts is that of the honest signer.
    let mut answers = ground.answers(&[HONEST], &request)?;
    let refused = Refused::among(&answers);
    if !refused.is_empty() {
        return Ok(Outcome {
            refused,
            ..Outcome::default()
        });
    }
    answers.extend(ground.answers(&[LOST], &request)?);
    let signed = ground.add_up(&request, &answers)?;
    Ok(Outcome {
        harm: Some(format!("signed by signers {HONEST} and {LOST}")),
        stolen: Some(SignedPayment { payment, signed }),
        ..Outcome::default()
    })
}
