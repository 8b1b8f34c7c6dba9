//! Records that a replica takes from the bus.

use strongroom_types::{Code, NodeId, Refusal};
use strongroom_wire::{JournalBatch, Role, Senders, WitnessCosignature, open};

/// A verified record of a journal topic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Incoming {
    /// Entries, from the writer.
    Batch(JournalBatch),
    /// A cosignature, from the witness itself (what it signs is the follower's to verify).
    Cosignature(NodeId, WitnessCosignature),
}

/// Opens a record of `journal.entries` or of a witness's cosignatures. Deadlines play no part: an
/// entry stays true.
///
/// # Errors
/// What [`open`] refuses; `unknown_sender` when the sender's role does not say such things.
pub fn open_incoming(record: &[u8], senders: &dyn Senders) -> Result<Incoming, Refusal> {
    let envelope = open(
        record,
        senders,
        &[Role::Writer, Role::Signer, Role::Witness],
    )?;

    let role = senders.sender(envelope.from).map(|sender| sender.role);
    match role.ok_or_else(|| Refusal::new(Code::UnknownSender, envelope.from))? {
        Role::Writer => envelope.payload().map(Incoming::Batch),
        Role::Signer | Role::Witness => envelope
            .payload()
            .map(|cosignature| Incoming::Cosignature(envelope.from, cosignature)),
        // Services consume the journal; one that wrote to its topics would speak for the log or a
        // witness.
        Role::Api | Role::Approvals | Role::Transactions | Role::Coordinator => {
            Err(Refusal::new(Code::UnknownSender, envelope.from))
        }
    }
}
