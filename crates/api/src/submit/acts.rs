//! Taking acts.

use super::{Intake, SubmitError, Taken, act_record};
use crate::store::{self, OfferedAct};
use strongroom_journal::apply::signed_act;
use strongroom_stage::post::id_from;
use strongroom_types::{Signed, digest};
use strongroom_wire::encode;

/// Takes a signed act. One that was refused may be offered again, with more signatures: the
/// submission is named by text, signatures and time.
///
/// # Errors
/// The reason the journal would give for a signature; the store's.
pub fn act(intake: &Intake, signed: &Signed) -> Result<Taken, SubmitError> {
    let now = intake.now();

    // A bearer key says who is connected, not who signs: without this, each could fill the table
    // and the writer's topic.
    let (act, name) = intake.journal.read(|f| signed_act(f.state(), signed))?;

    let mut tx = intake.db.begin()?;
    let waiting = store::act(tx.as_mut(), &name)?.filter(|row| !row.done);
    let joined = waiting
        .as_ref()
        .map_or_else(|| signed.clone(), |row| row.signed.joined(signed));
    // What is under way keeps its signatures: the text offered again with fewer of them must not
    // take its place, nor the answer to it.
    if waiting.is_some_and(|row| row.signed == joined) {
        return Ok(Taken {
            digest: name,
            record: None,
        });
    }
    let signed = &joined;

    // The time is part of the id: an act that was refused for a reason that has passed is offered
    // again as it is, and the writer must not take the second offer for a copy of the first.
    let submission = id_from(digest(
        "strongroom/act-submission/v1",
        &[&encode(signed), &now.0.to_be_bytes()],
    ));

    let offered = OfferedAct {
        digest: &name,
        submission: &submission,
        signed,
        expires: act.expires,
    };
    store::insert_act(tx.as_mut(), &offered, now)?;
    tx.commit()?;

    // The record is made after the commit, because what is not committed must not be published
    // (docs/adr/0014).
    let record = act_record(&mut intake.post(), now, signed, submission)?;
    Ok(Taken {
        digest: name,
        record: Some(record),
    })
}
