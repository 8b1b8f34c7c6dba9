//! Records as the coordinator reads them: opened, and from a sender that may say this.

use crate::quorum::SignerIndex;
use strongroom_journal::Genesis;
use strongroom_ports::bus::Delivered;
use strongroom_stage::StageError;
use strongroom_stage::post::{Cause, open_record};
use strongroom_wire::{Role, Senders, SignerMessage, SigningRequested, topics};

/// One opened record.
pub(crate) enum Inbox {
    /// A transaction to sign.
    SigningRequested(SigningRequested, Cause),
    /// A signer's message.
    FromSigner(SignerRecord),
}

/// A signer's message and its sender, as the envelope proves it.
pub(crate) struct SignerRecord {
    pub(crate) signer: SignerIndex,
    pub(crate) message: SignerMessage,
    pub(crate) cause: Cause,
    /// The record as it was signed, to be forwarded.
    pub(crate) sealed: Vec<u8>,
}

/// Opens a delivered record.
///
/// # Errors
/// Poison: not of a sender that may say this, or not of this kind.
pub(crate) fn open(
    delivered: &Delivered,
    genesis: &Genesis,
    senders: &dyn Senders,
) -> Result<Inbox, StageError> {
    if delivered.topic.as_str() == topics::SIGNING_REQUESTED {
        let (envelope, request) = open_record(delivered, senders, &[Role::Transactions])?;
        let cause = Cause::of(delivered, &envelope);
        return Ok(Inbox::SigningRequested(request, cause));
    }

    let (envelope, message) = open_record(delivered, senders, &[Role::Signer])?;
    let seat = genesis
        .signer_by_node(envelope.from)
        .ok_or_else(|| StageError::poison("not a signer"))?;

    // Each signer has its own topic: a flood on another's would hide that signer's answers.
    if delivered.topic.as_str() != topics::signer_outbox(envelope.from) {
        return Err(StageError::poison("a signer on another signer's topic"));
    }
    Ok(Inbox::FromSigner(SignerRecord {
        signer: SignerIndex(seat.index),
        message,
        cause: Cause::of(delivered, &envelope),
        sealed: delivered.record.payload.clone(),
    }))
}
