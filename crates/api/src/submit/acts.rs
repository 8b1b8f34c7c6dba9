//! Taking acts.

use super::{Intake, SubmitError, Taken, act_record};
use crate::store::{self, OfferedAct};
use strongroom_journal::apply::signed_act;
use strongroom_stage::post::id_from;
use strongroom_types::signed::ENDORSEMENTS_MAX;
use strongroom_types::{Act, Digest, Endorsement, Refusal, Signed, UnixMs, digest};
use strongroom_wire::encode;

/// Takes a signed act, and offers it at once, also when it is under way or was refused before: a
/// reason may have passed, and an offer or the answer to it may be lost.
///
/// # Errors
/// The reason the journal would give for its time or a signature; the store's.
pub fn act(intake: &Intake, signed: &Signed) -> Result<Taken, SubmitError> {
    let now = intake.now();

    // A bearer key says who is connected, not who signs: without this, each could fill the table
    // and the writer's topic.
    let (act, name) = check(intake, signed, now)?;

    let mut tx = intake.db.begin()?;
    let waiting = store::act(tx.as_mut(), &name)?.filter(|row| !row.done);
    let joined = waiting.as_ref().map_or_else(
        || signed.clone(),
        |row| joined(intake, &row.signed, signed, now),
    );

    // The time is part of the id: an act that was refused for a reason that has passed is offered
    // again as it is, and an answer to the refused offer must not end this one.
    let submission = match waiting {
        Some(row) if row.signed == joined => row.submission,
        Some(_) | None => id_from(digest(
            "strongroom/act-submission/v1",
            &[&encode(&joined), &now.0.to_be_bytes()],
        )),
    };

    let offered = OfferedAct {
        digest: &name,
        submission: &submission,
        signed: &joined,
        expires: act.expires,
    };
    store::insert_act(tx.as_mut(), &offered, now)?;
    tx.commit()?;

    // The record is made after the commit, because what is not committed must not be published
    // (docs/adr/0014).
    let record = act_record(&mut intake.post(), now, &joined, submission)?;
    Ok(Taken {
        digest: name,
        record: Some(record),
    })
}

fn check(intake: &Intake, signed: &Signed, now: UnixMs) -> Result<(Act, Digest), Refusal> {
    intake.journal.read(|f| signed_act(f.state(), signed, now))
}

/// The signatures that are under way with those that are posted now: the text posted again with
/// fewer must not take their place, nor the answer to them.
///
/// One that verifies no more, as of a credential that was revoked since, would have the whole act
/// refused. If all are more than an act may have, those that are posted now have their place: of the
/// others none is known to count.
fn joined(intake: &Intake, under_way: &Signed, posted: &Signed, now: UnixMs) -> Signed {
    let is_posted = |e: &Endorsement| {
        posted
            .endorsements
            .iter()
            .any(|p| p.credential == e.credential)
    };
    let verifies = |e: &Endorsement| {
        let alone = Signed {
            text: posted.text.clone(),
            endorsements: vec![e.clone()],
        };
        check(intake, &alone, now).is_ok()
    };

    let mut room = ENDORSEMENTS_MAX.saturating_sub(posted.endorsements.len());
    let mut kept = under_way.clone();
    kept.endorsements.retain(|e| {
        if is_posted(e) {
            return true;
        }
        let has_place = room > 0 && verifies(e);
        room -= usize::from(has_place);
        has_place
    });
    kept.joined(posted)
}
