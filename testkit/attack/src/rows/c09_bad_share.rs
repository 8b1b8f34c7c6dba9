//! C9: a signer gives a wrong share. A false complaint cannot be sent: no message carries one.

use super::{QUORUM, usual};
use crate::ground::{Answer, Ground, Kind};
use crate::row::{Attack, Elsewhere, Outcome, Row};
use anyhow::Context as _;
use strongroom_guard::G;
use strongroom_signing::SharesFault;
use strongroom_types::Code;

pub const ROW: Row = Row {
    id: "C9",
    story: "A signer in the thief's hands gives a wrong share. If no one checked what comes out, a \
            worthless transaction would be sent, and no one would know whose fault it is.",
    attacks: &[Attack {
        guard: G::SignatureVerified,
        code: Code::SigningFailed,
        red_when: "a transaction without a valid signature is handed over to be sent",
        world: usual,
        run: wrong_share,
    }],
};

/// The shares are added up by the crates that the coordinator uses, in this process.
fn wrong_share(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let payment = ground.authorized(300_000, &[])?;
    ground.wait_nodes()?;
    let request = ground.request(&payment, &QUORUM)?;
    let good = ground.answers(&QUORUM, &request)?;
    let valid = ground.add_up(&request, &good)?;

    let mut bad = good;
    let Some(Answer::Shares(shares)) = bad.get_mut(&3) else {
        anyhow::bail!("signer 3 refuses an honest payment")
    };
    let last = shares.first_mut().and_then(|share| share.last_mut());
    *last.context("a share")? ^= 1;
    ground.keep_hostile(Kind::Share, &shares.concat());

    match ground.add_up(&request, &bad) {
        // For one nonce, message and key there is one valid signature: any other is none.
        Ok(signed) if signed != valid => Ok(Outcome {
            harm: Some("handed over to be sent, with a signature that is not valid".to_owned()),
            ..Outcome::default()
        }),
        Ok(_) => anyhow::bail!("the wrong share is the right one"),
        Err(error) => {
            let fault = error.downcast_ref::<SharesFault>();
            let culprits = fault.context("another fault")?.culprits();
            anyhow::ensure!(culprits == [3], "named as liars: {culprits:?}");
            Ok(Outcome {
                codes: vec![Code::SigningFailed],
                by: Some(Elsewhere::Coordinator),
                ..Outcome::default()
            })
        }
    }
}
