//! 9: a loosening is called a tightening.

use super::{force_and_sign, usual};
use crate::ground::{Ground, now};
use crate::row::{Attack, Outcome, Row};
use strongroom_guard::G;
use strongroom_journal::Body;
use strongroom_policy::AmountRange;
use strongroom_types::{ActBody, Code, Document as _, RegistryRecord};
use strongroom_world::{ONE_OF_N_MAX, STRANGER};

pub const ROW: Row = Row {
    id: "9",
    story: "The committee signs a new table of rules that it was told is stricter. It is laxer: \
            large payments need no one any more. At once, without the delay that a laxer table \
            has, the thief asks for such a payment.",
    attacks: &[Attack {
        guard: G::Tighter,
        code: Code::ApprovalMissing,
        red_when: "a payment is signed that only the laxer table allows, before its release",
        world: usual,
        run: at_once,
    }],
};

fn at_once(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let tenant = &ground.world.tenant;
    let mut laxer = tenant.policy(&ground.world.options.policy);
    let mut rules = laxer.rules.to_vec();
    if let Some(small) = rules.first_mut() {
        small.matches.amount = Some(Box::new(AmountRange {
            gt: None,
            lte: Some((10 * ONE_OF_N_MAX).into()),
        }));
    }
    laxer.rules = rules.into();

    let put = ActBody::Put(RegistryRecord::Policy(laxer.to_text()));
    let committee = ground.ledger().committee();
    let act = ground.ledger().signed_act(put, &committee);
    ground.submit(Body::Act(act))?;

    let amount = 2 * ONE_OF_N_MAX;
    let payment = ground.payment_of(ground.world.intent(now(), amount, STRANGER))?;
    let body = ground.authorization(&payment, &[]);
    force_and_sign(ground, &payment, &body)
}
