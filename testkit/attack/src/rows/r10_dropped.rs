//! 10: a cancel is dropped on its way to the journal.

use super::steps::Goal;
use super::{QUORUM, usual};
use crate::ground::Ground;
use crate::row::{Attack, Outcome, Row};
use strongroom_guard::G;
use strongroom_types::{ActBody, Code, Document as _, Tighten};
use strongroom_world::Who;

const AMOUNT: u64 = 300_000;

pub const ROW: Row = Row {
    id: "10",
    story: "A client cancels a payment, and the journal's writer drops the cancel. The client \
            hands it to the signers' operators, or has them stop their signers. The coordinator \
            asks for the payment.",
    attacks: &[
        Attack {
            guard: G::HandedCounts,
            code: Code::TighteningPending,
            red_when: "signers that hold the client's cancel sign the payment",
            world: usual,
            run: handed,
        },
        Attack {
            guard: G::LocalStop,
            code: Code::StoppedLocally,
            red_when: "signers that their operators stopped sign the payment",
            world: usual,
            run: stopped,
        },
    ],
};

fn authorized(ground: &mut Ground) -> anyhow::Result<Goal> {
    let payment = ground.authorized(AMOUNT, &[])?;
    ground.wait_nodes()?;
    Goal::new(ground, &payment)
}

fn handed(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let goal = authorized(ground)?;
    let cancel = ActBody::Tighten(Tighten::Cancel(goal.payment.intent.digest()));
    let cancel = ground.ledger().signed_act(cancel, &[Who::InitiatorKey]);
    ground.hand(&QUORUM, &cancel)?;
    goal.ask(ground)
}

fn stopped(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let goal = authorized(ground)?;
    for seat in QUORUM {
        ground.node(seat)?.operator(&["stop"])?;
    }
    goal.ask(ground)
}
