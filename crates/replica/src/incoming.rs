//! Records that a replica takes from the bus.

use strongroom_types::{Code, NodeId, Refusal, UnixMs};
use strongroom_wire::{JournalBatch, Role, Senders, WitnessCosignature, open};

/// A verified record of a journal topic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Incoming {
    /// Entries that the writer published.
    Batch(JournalBatch),
    /// A cosignature that the witness itself sent. The follower verifies what it signs.
    Cosignature {
        /// Node that cosigned, which also sealed the record.
        witness: NodeId,
        /// Its clock when it sent this record, which may repeat an older cosignature.
        made: UnixMs,
        /// Its statement, not verified yet.
        cosignature: WitnessCosignature,
    },
}

/// Opens a record of `journal.entries` or of a witness's cosignatures. Deadlines are not checked,
/// because an entry does not expire.
///
/// # Errors
/// What [`open`] refuses; `unknown_sender` when the sender's role publishes no journal records.
pub fn open_incoming(record: &[u8], senders: &dyn Senders) -> Result<Incoming, Refusal> {
    let envelope = open(
        record,
        senders,
        &[Role::Writer, Role::Signer, Role::Witness],
    )?;

    let role = senders.sender(envelope.from).map(|sender| sender.role);
    match role.ok_or_else(|| Refusal::new(Code::UnknownSender, envelope.from))? {
        Role::Writer => envelope.payload().map(Incoming::Batch),
        Role::Signer | Role::Witness => Ok(Incoming::Cosignature {
            witness: envelope.from,
            made: envelope.created,
            cosignature: envelope.payload()?,
        }),
        // Services only read the journal. A record from one of them is refused, because it would
        // speak for the log or for a witness.
        Role::Api | Role::Approvals | Role::Transactions | Role::Coordinator => {
            Err(Refusal::new(Code::UnknownSender, envelope.from))
        }
    }
}
