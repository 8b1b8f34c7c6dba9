//! C4: many signatures at one time, their parts mixed. The attack that breaks schemes without
//! binding factors needs hundreds of open signatures and a solver, and is not made here: this row
//! shows what it would rest on, that no share counts for another signature than its own.

use super::{QUORUM, usual};
use crate::ground::{Answer, Ground, Kind, Payment};
use crate::row::{Elsewhere, Hold, Outcome, Standing};
use anyhow::Context as _;
use std::collections::BTreeMap;
use strongroom_signing::SharesFault;
use strongroom_types::Code;
use strongroom_wire::SigningRequest;

pub const ROW: Standing = Standing {
    id: "C4",
    story: "Several payments are signed at one time. The coordinator, with a signer of its own, \
            puts shares that were given for one payment into the signature of another.",
    held_by: Hold::Library(
        "frost-core's binding factors (RFC 9591 section 4.4) tie each share to one message, one \
         quorum and all of its commitments",
    ),
    code: Code::SigningFailed,
    world: usual,
    run: mixed,
};

/// Payments that are signed at one time.
const PAYMENTS: usize = 3;

struct Session {
    payment: Payment,
    request: SigningRequest,
    answers: BTreeMap<u16, Answer>,
}

fn mixed(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let mut sessions = Vec::new();
    for _ in 0..PAYMENTS {
        let payment = ground.authorized(300_000, &[])?;
        ground.wait_nodes()?;
        let request = ground.request(&payment, &QUORUM)?;
        sessions.push(Session {
            payment,
            request,
            answers: BTreeMap::new(),
        });
    }
    for session in &mut sessions {
        session.answers = ground.answers(&QUORUM, &session.request)?;
    }

    // Every share of signer 1 beside the other shares of every payment but its own.
    let mut outcome = Outcome::default();
    for (at, of) in sessions.iter().enumerate() {
        for (other, to) in sessions.iter().enumerate().filter(|(to, _)| *to != at) {
            let mut answers = to.answers.clone();
            let share = of.answers.get(&1).context("a share")?.clone();
            if let Answer::Shares(shares) = &share {
                ground.keep_hostile(Kind::Share, &shares.concat());
            }
            answers.insert(1, share);
            match ground.add_up(&to.request, &answers) {
                Ok(_) => {
                    let intent = to.payment.attempt.intent;
                    let harm =
                        format!("the share for payment {at} signs payment {other}, {intent}");
                    outcome.harm = Some(harm);
                }
                Err(error) => {
                    let fault = error.downcast_ref::<SharesFault>();
                    let culprits = fault.context("another fault")?.culprits();
                    anyhow::ensure!(culprits == [1], "named as liars: {culprits:?}");
                    outcome.codes.push(Code::SigningFailed);
                    outcome.by = Some(Elsewhere::Coordinator);
                }
            }
        }
    }
    Ok(outcome)
}
