//! What hostile parts know: every record and frame is visible to an operator of the bus.

use crate::reading::Opener;
use std::collections::{BTreeMap, BTreeSet};
use strongroom_journal::{Body, SealedEntry};
use strongroom_ports::bus::Record;
use strongroom_signing::request_digest;
use strongroom_types::{Act, ActBody, Digest, Document as _, Tighten};
use strongroom_wire::frame::FromSigner;
use strongroom_wire::{
    CoordinatorMessage, JournalBatch, NonceCommitment, SignerMessage, SigningRequest,
    SigningRequested, decode, topics,
};

/// Everything that hostile parts remember of what crossed the wire.
#[derive(Default)]
pub(super) struct Tap {
    /// Requests of the coordinator, each once.
    pub(super) asked: Vec<SigningRequest>,
    /// Digests of the requests in `asked`.
    known: BTreeSet<Digest>,
    /// What the transactions service asked to have signed.
    pub(super) wanted: Vec<SigningRequested>,
    /// Attempts that a hostile part opened and no signer was asked for yet.
    pub(super) opened: Vec<SigningRequested>,
    /// Number of the newest further attempt of an intent in the journal.
    numbers: BTreeMap<Digest, u32>,
    /// Intents that are cancelled in the journal.
    pub(super) cancelled: BTreeSet<Digest>,
    /// Further attempts that were made up so far.
    turns: usize,
    /// Requests that a signer answered with shares.
    pub(super) shared: BTreeSet<Digest>,
    /// Commitments that signers published and that were not taken here, by roster index.
    commitments: BTreeMap<u16, Vec<NonceCommitment>>,
}

impl Tap {
    pub(super) fn on_record(&mut self, opener: &Opener, record: &Record) {
        match record.topic.as_str() {
            topics::JOURNAL_ENTRIES => {
                if let Some((_, batch)) = opener.open::<JournalBatch>(&record.payload) {
                    self.on_batch(&batch);
                }
            }
            topics::SIGNING_REQUESTED => {
                if let Some((_, wanted)) = opener.open::<SigningRequested>(&record.payload)
                    // It is asked for again until it is signed.
                    && !self.wanted.iter().any(|w| w.attempt == wanted.attempt)
                {
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

    /// Attempts in the journal, of which the next one has the next number, and cancels.
    fn on_batch(&mut self, batch: &JournalBatch) {
        let sealed = batch.entries.iter().filter_map(|bytes| decode(bytes).ok());
        for sealed in sealed.collect::<Vec<SealedEntry>>() {
            match sealed.open().map(|entry| entry.body) {
                Ok(Body::Attempt(further)) => {
                    let attempt = further.attempt;
                    self.numbers.insert(attempt.intent, attempt.number);
                }
                Ok(Body::Act(signed)) => {
                    let body = Act::parse(&signed.text).map(|act| act.body);
                    if let Ok(ActBody::Tighten(Tighten::Cancel(intent))) = body {
                        self.cancelled.insert(intent);
                    }
                }
                _ => {}
            }
        }
    }

    /// What was asked for in turn, as a further attempt of the same transaction.
    pub(super) fn next_attempt(&mut self) -> Option<SigningRequested> {
        let at = self.turns % self.wanted.len().max(1);
        self.turns += 1;

        // The number that the journal takes next, else the attempt is refused for its number.
        let mut wanted = self.wanted.get(at)?.clone();
        let newest = self.numbers.get(&wanted.attempt.intent).copied();
        wanted.attempt.number = newest.unwrap_or(1) + 1;
        Some(wanted)
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
