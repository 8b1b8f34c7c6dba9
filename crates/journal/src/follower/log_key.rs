//! The log's key: what it signed, and nothing of what came beside it.

use crate::genesis::Genesis;
use strongroom_tlog::{Checkpoint, NoteVerifier, verify_note};
use strongroom_types::{Code, Refusal};

/// Verifies the notes of this journal's log.
///
/// It is another key than the one under which the writer's records travel on the bus: a record from
/// the writer says nothing about the journal before this key has.
#[derive(Clone, Debug)]
pub struct LogKey {
    verifier: NoteVerifier,
    origin: String,
}

impl LogKey {
    /// The log key of genesis.
    ///
    /// # Errors
    /// `invalid_reference` when key or origin cannot be used.
    pub fn new(genesis: &Genesis) -> Result<Self, Refusal> {
        let verifier = NoteVerifier::new(&genesis.origin, &genesis.log_key);
        Ok(Self {
            verifier: verifier.map_err(|e| Refusal::new(Code::InvalidReference, e))?,
            origin: genesis.origin.clone(),
        })
    }

    /// Checkpoint and body of a note that the log signed.
    ///
    /// # Errors
    /// `bad_signature`; `malformed` when it is not a checkpoint of this log.
    pub fn open_note(&self, note: &str) -> Result<(Checkpoint, String), Refusal> {
        // C2SP signed-note: only the log's own key counts, other signatures are passed over.
        let verified = verify_note(note, std::slice::from_ref(&self.verifier));
        let body = verified
            .map_err(|e| Refusal::new(Code::BadSignature, format!("checkpoint: {e}")))?
            .body;

        // One key may sign several logs; a checkpoint of another one says nothing about this one.
        let checkpoint = Checkpoint::parse(&body).map_err(|e| Refusal::new(Code::Malformed, e))?;
        if checkpoint.origin() != self.origin {
            return Err(Refusal::new(Code::Malformed, "checkpoint of another log"));
        }
        Ok((checkpoint, body))
    }
}
