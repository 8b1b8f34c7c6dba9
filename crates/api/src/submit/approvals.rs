//! Taking approvers' answers.

use super::{Intake, SubmitError, Taken, approval_record};
use crate::store::{self, Answer, TxRow};
use crate::tally::with_tally;
use strongroom_journal::apply::CountedYes;
use strongroom_types::{
    Approval, Code, CredentialClass, Document as _, Refusal, Signed, TransactionId, UnixMs,
};
use strongroom_wire::TransactionState;

/// Takes an approver's signed answer to a transaction that waits for it. The same answer again is
/// taken once and sent again.
///
/// # Errors
/// The reason the journal would give; `not_found`, `conflict`; the store's.
pub fn approval(
    intake: &Intake,
    transaction: TransactionId,
    signed: &Signed,
) -> Result<Taken, SubmitError> {
    let now = intake.now();
    let digest = Approval::digest_of(&signed.text);

    let mut tx = intake.db.begin()?;
    let row = store::by_id(tx.as_mut(), transaction)?.ok_or(Code::NotFound)?;
    let answers = store::answers(tx.as_mut(), &row.intent)?;

    // A client that did not see its answer acknowledged sends it again and must not be told that
    // its human has answered already. What goes out is the text that was checked and stored.
    let known = answers.iter().find(|answer| answer.digest == digest);
    let waits = row.state() == TransactionState::PendingApproval;

    let answer = known.map_or(signed, |known| &known.signed);
    if !waits && known.is_none() {
        let detail = "the transaction is not waiting for approval";
        return Err(Refusal::new(Code::Conflict, detail).into());
    }
    if waits {
        // One that is known may have lapsed since: who gives it again must be told.
        check(intake, (&row, &answers), answer, now)?;
    }
    if known.is_none() {
        // One answer is kept of a credential to a decision, the newest: each of them is read again
        // for every further one, and by everyone who lists what waits.
        let own = Approval::parse(&signed.text).map_err(Refusal::from)?;
        let is_earlier = |answer: &&Answer| {
            let (theirs, own) = (&answer.document, &own);
            (theirs.approver, theirs.core) == (own.approver, own.core)
        };
        for earlier in answers.iter().filter(is_earlier) {
            store::delete_answer(tx.as_mut(), &earlier.digest)?;
        }

        // The insert is in one transaction with what was read: two yeses must not be taken for one
        // seat.
        store::insert_answer(tx.as_mut(), &digest, &row.intent, signed, now)?;
    }
    tx.commit()?;

    // Once the transaction is decided, the answer has arrived or comes too late: no copy is sent.
    let record = waits
        .then(|| approval_record(&mut intake.post(), now, &row, answer))
        .transpose()?;
    Ok(Taken { digest, record })
}

/// That an answer counts already, or else the journal's checks, that it is this group's turn, and
/// that one human answers once.
fn check(
    intake: &Intake,
    ballot: (&TxRow, &[Answer]),
    signed: &Signed,
    now: UnixMs,
) -> Result<(), Refusal> {
    with_tally(&intake.journal, ballot, now, |tally| {
        let digest = Approval::digest_of(&signed.text);
        if tally
            .counted()
            .iter()
            .any(|yes| yes.verified.digest == digest)
        {
            return Ok(());
        }

        let verified = tally.check(signed)?;
        let own = |yes: &&CountedYes| yes.verified.relied.user == verified.relied.user;

        // Answers count by human, not by credential: two keys of one person are still one pair of
        // eyes. One by `key` takes the place of another: a tier may ask for that class.
        let by_key = |class| class == CredentialClass::Key;
        match tally.counted().iter().find(own) {
            Some(yes) if by_key(yes.verified.class) || !by_key(verified.class) => {
                Err(Code::ApprovalDuplicateHuman.into())
            }
            Some(_) | None => Ok(()),
        }
    })
}
