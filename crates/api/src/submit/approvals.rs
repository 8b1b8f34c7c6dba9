//! Taking approvers' answers.

use super::{Intake, SubmitError, Taken, approval_record};
use crate::store::{self, TxRow};
use strongroom_journal::apply::{Ballot, check_for_any_group, initiator};
use strongroom_journal::state::{Lookup as _, State};
use strongroom_types::{
    Approval, Code, DecisionCore, Document as _, Intent, Refusal, Signed, TransactionId, UnixMs,
    UserId,
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
    drop(tx);

    // A client that did not see its answer acknowledged sends it again and must not be told that
    // its human has answered already. What goes out is the text that was checked and stored.
    let known = answers
        .iter()
        .find(|answer| Approval::digest_of(&answer.text) == digest);
    let waits = row.state() == TransactionState::PendingApproval;

    if known.is_none() {
        if !waits {
            let detail = "the transaction is not waiting for approval";
            return Err(Refusal::new(Code::Conflict, detail).into());
        }
        check(intake, &row, signed, &answers, now)?;
        let mut tx = intake.db.begin()?;
        store::insert_answer(tx.as_mut(), &digest, &row.intent, signed, now)?;
        tx.commit()?;
    }

    let answer = known.unwrap_or(signed);
    // Once it is decided, the answer has arrived or comes too late: a copy changes nothing.
    let record = waits
        .then(|| approval_record(&mut intake.post(), now, &row, answer))
        .transpose()?;
    Ok(Taken { digest, record })
}

/// The checks that do not depend on the other approvers' answers, by the journal's rules, and that
/// one human answers once.
fn check(
    intake: &Intake,
    row: &TxRow,
    signed: &Signed,
    answers: &[Signed],
    now: UnixMs,
) -> Result<(), Refusal> {
    let internal = |e| Refusal::new(Code::Internal, e);
    let intent = Intent::parse(&row.signed.text).map_err(internal)?;
    let core = DecisionCore::parse(&row.core).map_err(internal)?;
    let (approval, _) = signed.open::<Approval>()?;

    intake.journal.read(|f| {
        let state = f.state();
        // The row's intent was verified when it was taken, but its initiator may have been revoked
        // since.
        let initiator = initiator(state, &intent, &row.signed, &row.intent)?;
        let ballot = Ballot {
            platform: intent.platform,
            tenant: intent.tenant,
            intent: row.intent,
            initiator,
            core: &core,
            at: now,
        };

        let verified = check_for_any_group(state, &ballot, signed, &approval)?;
        // Answers count by human, not by credential: two keys of one person are still one pair of
        // eyes.
        if has_answered(state, &intent, answers, verified.relied.user) {
            return Err(Code::ApprovalDuplicateHuman.into());
        }
        Ok(())
    })
}

/// Whether one of the answers is by a credential of this human.
fn has_answered(state: &State, intent: &Intent, answers: &[Signed], user: UserId) -> bool {
    answers.iter().any(|answer| {
        Approval::parse(&answer.text)
            .ok()
            .and_then(|earlier| state.credential(intent.tenant, earlier.approver).ok())
            .is_some_and(|record| record.credential.user == Some(user))
    })
}
