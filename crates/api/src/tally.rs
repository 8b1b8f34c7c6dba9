//! The answers to a row that count, by the journal's rules.

use crate::store::{Answer, CoreText, TxRow};
use strongroom_journal::apply::{Ballot, Tally, initiator};
use strongroom_replica::SharedFollower;
use strongroom_types::{Code, Refusal, UnixMs};
use strongroom_wire::TransactionState;

/// Reads the answers to a row with this replica's tip.
pub(crate) fn with_tally<R>(
    journal: &SharedFollower,
    (row, answers): (&TxRow, &[Answer]),
    now: UnixMs,
    read: impl FnOnce(&Tally<'_>) -> Result<R, Refusal>,
) -> Result<R, Refusal> {
    // A row that waits for answers shows the decision that they are to.
    let core = row.core.as_ref().ok_or(Code::Internal)?;

    journal.read(|follower| {
        let state = follower.state();
        // The row's intent was verified when it was taken, but its initiator may have been revoked
        // since.
        let initiator = initiator(state, &row.document, &row.signed, &row.intent)?;
        let ballot = Ballot {
            platform: row.document.platform,
            tenant: row.document.tenant,
            intent: row.intent,
            initiator,
            core: &core.document,
            at: now,
        };
        let signed = answers.iter().map(|answer| answer.signed.clone());
        read(&Tally::new(state, ballot, signed))
    })
}

/// Whether an answer is to the decision that a row shows.
pub(crate) fn is_to_decision(row: &TxRow, answer: &Answer) -> bool {
    let decision = row.core.as_ref().map(CoreText::digest);
    decision == Some(answer.document.core)
}

/// The answers that clients are shown: those to the row's decision, and of a row that waits for
/// people those that count. An approver of a later group names them, and one that counts no more
/// would spoil the approval.
pub(crate) fn shown_answers(
    journal: &SharedFollower,
    row: &TxRow,
    answers: Vec<Answer>,
    now: UnixMs,
) -> Vec<Answer> {
    if row.state() != TransactionState::PendingApproval {
        let mut answers = answers;
        answers.retain(|answer| is_to_decision(row, answer));
        return answers;
    }
    let counted = with_tally(journal, (row, &answers), now, |tally| {
        let counted = tally.counted().iter().map(|yes| yes.verified.digest);
        Ok(counted.collect::<Vec<_>>())
    });
    // No answer counts when the intent's initiator was revoked.
    let counted = counted.unwrap_or_default();
    let counts = |answer: &Answer| counted.contains(&answer.digest);
    answers.into_iter().filter(counts).collect()
}
