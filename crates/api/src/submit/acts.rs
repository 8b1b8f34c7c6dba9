//! Taking acts.

use super::{Intake, SubmitError, Taken, act_record};
use crate::store;
use strongroom_stage::post::id_from;
use strongroom_types::{Act, Document as _, Signed, digest};
use strongroom_wire::encode;

/// Takes a signed act. One that was refused may be offered again, with more signatures: the
/// submission is named by text, signatures and time.
///
/// # Errors
/// The store's.
pub fn act(intake: &Intake, signed: &Signed) -> Result<Taken, SubmitError> {
    let now = intake.now();
    let name = Act::digest_of(&signed.text);

    // The time is part of the id: an act that was refused for a reason that has passed is offered
    // again as it is, and the writer must not take the second offer for a copy of the first.
    let submission = id_from(digest(
        "strongroom/act-submission/v1",
        &[&encode(signed), &now.0.to_be_bytes()],
    ));

    let mut tx = intake.db.begin()?;
    store::insert_act(tx.as_mut(), &name, &submission, signed, now)?;
    tx.commit()?;

    // The record is made after the commit, because what is not committed must not be published
    // (docs/adr/0014).
    let record = act_record(&mut intake.post(), now, signed, submission)?;
    Ok(Taken {
        digest: name,
        record: Some(record),
    })
}
