//! What hostile parts know: every record and frame is visible to an operator of the bus.

use crate::reading::Opener;
use std::collections::{BTreeMap, BTreeSet};
use strongroom_ports::bus::Record;
use strongroom_signing::request_digest;
use strongroom_types::Digest;
use strongroom_wire::frame::FromSigner;
use strongroom_wire::{
    CoordinatorMessage, NonceCommitment, SignerMessage, SigningRequest, SigningRequested, topics,
};

#[derive(Default)]
pub(super) struct Tap {
    /// Requests of the coordinator, each once.
    pub(super) asked: Vec<SigningRequest>,
    known: BTreeSet<Digest>,
    /// What the transactions service asked to have signed.
    pub(super) wanted: Vec<SigningRequested>,
    /// Requests that a signer answered with shares.
    pub(super) shared: BTreeSet<Digest>,
    /// Commitments that signers published and that were not taken here, by roster index.
    commitments: BTreeMap<u16, Vec<NonceCommitment>>,
}

impl Tap {
    pub(super) fn on_record(&mut self, opener: &Opener, record: &Record) {
        match record.topic.as_str() {
            topics::SIGNING_REQUESTED => {
                if let Some((_, wanted)) = opener.open::<SigningRequested>(&record.payload) {
                    self.wanted.push(wanted);
                }
            }
            topic if topic.contains(".signer.") && topic.ends_with(".inbox.v1") => {
                if let Some((_, CoordinatorMessage::Sign(request))) = opener.open(&record.payload)
                    && self.known.insert(request_digest(&request))
                {
                    self.asked.push(request);
                }
            }
            _ => {}
        }
    }

    pub(super) fn on_frame(&mut self, opener: &Opener, signer: u16, frame: &FromSigner) {
        let FromSigner::Outbox(record) = frame else {
            return;
        };
        match opener.open::<SignerMessage>(record) {
            Some((_, SignerMessage::Shares { request, .. })) => {
                self.shared.insert(request);
            }
            Some((_, SignerMessage::Commitments { commitments, .. })) => {
                let known = self.commitments.entry(signer).or_default();
                known.extend(commitments);
            }
            _ => {}
        }
    }

    /// A new boot of a signer: what it committed to is gone.
    pub(super) fn on_start(&mut self, signer: u16) {
        self.commitments.remove(&signer);
    }

    /// Takes the newest commitment of a signer, which the honest coordinator uses last.
    pub(super) fn take(&mut self, signer: u16) -> Option<NonceCommitment> {
        self.commitments.get_mut(&signer)?.pop()
    }
}
