//! The answers to a row that count, by the journal's rules.

use crate::store::TxRow;
use strongroom_journal::apply::{Ballot, Tally, initiator};
use strongroom_replica::SharedFollower;
use strongroom_types::{
    Approval, Code, DecisionCore, Document as _, Intent, Refusal, Signed, UnixMs,
};
use strongroom_wire::TransactionState;

/// Reads the answers to a row with this replica's tip.
pub(crate) fn with_tally<R>(
    journal: &SharedFollower,
    (row, answers): (&TxRow, &[Signed]),
    now: UnixMs,
    read: impl FnOnce(&Tally<'_>) -> Result<R, Refusal>,
) -> Result<R, Refusal> {
    let internal = |e| Refusal::new(Code::Internal, e);
    let intent = Intent::parse(&row.signed.text).map_err(internal)?;
    let core = DecisionCore::parse(&row.core).map_err(internal)?;

    journal.read(|follower| {
        let state = follower.state();
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
        read(&Tally::new(state, ballot, answers.iter().cloned()))
    })
}

/// Whether an answer is to the decision that a row shows.
pub(crate) fn is_to_decision(row: &TxRow, answer: &Signed) -> bool {
    let decision = DecisionCore::digest_of(&row.core);
    Approval::parse(&answer.text).is_ok_and(|approval| approval.core == decision)
}

/// The answers that clients are shown: those to the row's decision, and of a row that waits for
/// people those that count. An approver of a later group names them, and one that counts no more
/// would spoil the approval.
pub(crate) fn shown_answers(
    journal: &SharedFollower,
    row: &TxRow,
    answers: Vec<Signed>,
    now: UnixMs,
) -> Vec<Signed> {
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
    let counts = |answer: &Signed| counted.contains(&Approval::digest_of(&answer.text));
    answers.into_iter().filter(counts).collect()
}
