//! Records as the coordinator reads them: opened, and from a sender that may say this.

use crate::quorum::SignerIndex;
use strongroom_journal::Genesis;
use strongroom_stage::inbox::{Route, Routes};
use strongroom_stage::post::Cause;
use strongroom_wire::{Role, SignerMessage, SigningRequested, topics};

/// One opened record.
pub(crate) enum Inbox {
    /// A transaction to sign.
    SigningRequested(SigningRequested),
    /// A signer's message.
    FromSigner(SignerIndex, SignerMessage),
}

/// A signer's message and its sender, as the envelope proves it.
pub(crate) struct SignerRecord {
    pub(crate) signer: SignerIndex,
    pub(crate) message: SignerMessage,
    pub(crate) cause: Cause,
    /// The record as it was signed, to be forwarded.
    pub(crate) sealed: Vec<u8>,
}

/// Topics that the coordinator reads, each with the party that it believes there. Each signer has
/// its own topic, so that one that floods delays its own answers only.
pub(crate) fn routes(genesis: &Genesis) -> Routes<Inbox> {
    let outboxes = genesis.signers.iter().map(|seat| {
        let signer = SignerIndex(seat.index);
        Route::new(
            topics::signer_outbox(seat.node),
            &[Role::Signer],
            move |message| Ok(Inbox::FromSigner(signer, message)),
        )
        .only_from(seat.node)
    });
    let requests = Route::new(
        topics::SIGNING_REQUESTED,
        &[Role::Transactions],
        |request| Ok(Inbox::SigningRequested(request)),
    );
    Routes::new(outboxes.chain([requests]))
}
