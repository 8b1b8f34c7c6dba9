//! C27: a signature that failed leaves nothing to be used again.

use super::c01_nonce_twice::{two_shares, with_partner_of};
use super::usual;
use crate::ground::{Answer, Ground};
use crate::row::{Attack, Outcome, Row};
use strongroom_guard::G;
use strongroom_types::Code;

pub const ROW: Row = Row {
    id: "C27",
    story: "A signer in the thief's hands sends rubbish, so the signature fails. The coordinator \
            tries again with an honest partner, and asks the first signer to use the same number \
            once more: it has given its share already.",
    attacks: &[Attack {
        guard: G::NonceOnce,
        code: Code::NonceUsed,
        red_when: "after a failed signature a signer gives another share on the same nonce",
        world: usual,
        run: tried_again,
    }],
};

fn tried_again(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let payment = ground.authorized(300_000, &[])?;
    ground.wait_nodes()?;
    let failing = ground.request(&payment, &[1, 3])?;
    let other = ground.request(&payment, &[2])?;

    // The thief's signer answers with the share of signer 1 instead of its own.
    let mut answers = ground.answers(&[1], &failing)?;
    if let Some(Answer::Shares(shares)) = answers.get(&1).cloned() {
        answers.insert(3, Answer::Shares(shares));
    }
    anyhow::ensure!(
        ground.add_up(&failing, &answers).is_err(),
        "rubbish makes a signature"
    );

    let again = with_partner_of(&failing, &other)?;
    two_shares(ground, &failing, &again)
}
