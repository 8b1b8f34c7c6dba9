//! Records that the API consumes, parsed once.

use strongroom_ports::bus::Delivered;
use strongroom_stage::StageError;
use strongroom_stage::post::open_record;
use strongroom_types::NodeId;
use strongroom_wire::{
    IntentDecided, JournalResult, Marks, Role, Senders, TransactionChanged, topics,
};

/// Topics that the API consumes.
pub(super) const TOPICS: [&str; 3] = [
    topics::INTENT_DECIDED,
    topics::TRANSACTION_CHANGED,
    topics::JOURNAL_RESULTS,
];

/// One record, opened.
pub(super) enum Inbox {
    /// The approvals service decided.
    Decided(Box<IntentDecided>),
    /// The transactions service reports a state, with the timeline so far.
    Changed(Box<TransactionChanged>, Marks),
    /// The writer's answer to a submission of this API.
    JournalResult(JournalResult),
    /// The writer's answer to another submitter.
    Foreign,
}

/// Opens a record. Each topic has one sender: a record of another role is poison, even with a
/// valid signature.
pub(super) fn read(
    delivered: &Delivered,
    senders: &dyn Senders,
    node: NodeId,
) -> Result<Inbox, StageError> {
    match delivered.topic.as_str() {
        topics::INTENT_DECIDED => {
            let (_, decided) = open_record(delivered, senders, &[Role::Approvals])?;
            Ok(Inbox::Decided(Box::new(decided)))
        }
        topics::TRANSACTION_CHANGED => {
            let (_, changed) = open_record(delivered, senders, &[Role::Transactions])?;

            // Marks are not signed, so they decide nothing: they only show where the time went.
            let marks = Marks::from_bytes(&delivered.record.headers.marks);
            Ok(Inbox::Changed(Box::new(changed), marks))
        }
        topics::JOURNAL_RESULTS => {
            let (envelope, result) =
                open_record::<JournalResult>(delivered, senders, &[Role::Writer])?;

            // The topic carries the writer's answers to every submitter.
            if envelope.to == Some(node) {
                Ok(Inbox::JournalResult(result))
            } else {
                Ok(Inbox::Foreign)
            }
        }
        other => Err(StageError::poison(format!(
            "topic {other} is not one of the API's"
        ))),
    }
}
