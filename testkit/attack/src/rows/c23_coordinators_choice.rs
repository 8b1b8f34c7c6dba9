//! C23 and C6: what a coordinator or a committee may not choose.

use super::{QUORUM, r20_split_view::stopped, usual};
use crate::ground::{Forced, Ground, now};
use crate::row::{Hold, Outcome, Standing};
use strongroom_journal::Body;
use strongroom_types::{ActBody, Code, RegistryRecord};

pub const SWAPPED: Standing = Standing {
    id: "C23",
    story: "The coordinator tells the signers who takes part in a signature. It names one who \
            holds no part of the key. The bytes that are signed, the address's path and everything \
            else it cannot name at all: each signer takes them from the payment itself.",
    held_by: Hold::Structure(
        "a request to sign carries no message, no path and no tweak; its roster is the key's",
    ),
    code: Code::PackageInvalid,
    world: usual,
    run: a_stranger_takes_part,
};

pub const INDEX_ZERO: Standing = Standing {
    id: "C6",
    story: "A member of the committee plans a key of which one part belongs to a signer with the \
            number zero. By the arithmetic of such keys, that part would be the whole secret.",
    held_by: Hold::Library(
        "frost-core has no identifier zero; plan, genesis and parameters refuse it before",
    ),
    code: Code::Malformed,
    world: usual,
    run: signer_zero,
};

fn a_stranger_takes_part(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let payment = ground.authorized(300_000, &[])?;
    ground.wait_nodes()?;
    let mut request = ground.request(&payment, &QUORUM)?;
    for slot in &mut request.commitments {
        for (seat, _) in slot.iter_mut().filter(|(seat, _)| *seat == 3) {
            *seat = 9;
        }
    }
    let answers = ground.answers(&[1], &request)?;
    let refused = crate::evidence::Refused::among(&answers);
    let harm = refused
        .is_empty()
        .then(|| "a share for a stranger's signature".to_owned());
    Ok(Outcome {
        harm,
        refused,
        ..Outcome::default()
    })
}

fn signer_zero(ground: &mut Ground) -> anyhow::Result<Outcome> {
    ground.mean_another_key();
    let mut plan = ground.world.plan();
    plan.roster = vec![0, 1, 2];
    let committee = ground.ledger().committee();
    let put = ActBody::Put(RegistryRecord::Ceremony(plan));
    let act = ground.ledger().signed_act(put, &committee);
    match ground.force(&Body::Act(act), now())? {
        Forced::Taken(seq) => Ok(Outcome {
            harm: Some(format!("entry {seq} plans a key with a signer zero")),
            ..Outcome::default()
        }),
        // The meant key is made by no one, but a halted signer says so before it looks for a key.
        Forced::Stopped(_, batch) => stopped(ground, &batch),
    }
}
