//! What the attacker did in an attempt, kept as it was sent or laid down: without it, a refusal
//! would be the answer to nothing.

use super::Ground;
use std::cell::RefCell;
use strongroom_wire::frame::ToSigner;

/// Where the attacker brought something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A record for a signer's inbox, sealed.
    Inbox,
    /// A batch of the journal, sealed.
    Batch,
    /// A witness's word, sealed.
    Cosignature,
    /// A body that was offered to the journal's writer.
    Submission,
    /// An answer of the API to a client.
    Answer,
    /// What was laid onto a node's disk, or taken from it.
    Disk,
    /// A genesis that was put in the place of the real one.
    Genesis,
    /// A process that was started beside an honest one, by its configuration.
    Process,
    /// A share that was put in the place of another.
    Share,
    /// Bytes on a socket that do not make a message.
    Bytes,
}

impl Kind {
    /// Whether attacks bring thousands of it.
    pub const fn comes_in_floods(self) -> bool {
        match self {
            Self::Inbox | Self::Batch | Self::Cosignature | Self::Submission => true,
            Self::Answer
            | Self::Disk
            | Self::Genesis
            | Self::Process
            | Self::Share
            | Self::Bytes => false,
        }
    }

    /// Its name in a folder of evidence.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Batch => "batch",
            Self::Cosignature => "cosignature",
            Self::Submission => "submission",
            Self::Answer => "answer",
            Self::Disk => "disk",
            Self::Genesis => "genesis",
            Self::Process => "process",
            Self::Share => "share",
            Self::Bytes => "bytes",
        }
    }
}

/// One thing that the attacker brought.
#[derive(Clone)]
pub struct HostileRecord {
    /// Seat of the node that got it; none where it went elsewhere.
    pub to: Option<u16>,
    /// Where it was brought.
    pub kind: Kind,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The records of an attempt. Nothing is kept before it begins.
#[derive(Default)]
pub(super) struct HostileRecords(RefCell<Option<Vec<HostileRecord>>>);

impl Ground {
    /// From here on the attempt is made: what the attacker brings is kept.
    pub fn begin_attempt(&self) {
        self.hostile.0.replace(Some(Vec::new()));
    }

    /// What the attacker brought since.
    pub fn hostile_records(&self) -> Vec<HostileRecord> {
        let kept = self.hostile.0.borrow().clone();
        kept.unwrap_or_default()
    }

    /// Keeps something that the attacker did without a frame to a node.
    pub fn keep_hostile(&self, kind: Kind, bytes: &[u8]) {
        self.keep_record(HostileRecord {
            to: None,
            kind,
            bytes: bytes.to_vec(),
        });
    }

    pub(super) fn keep_frame(&self, seat: u16, frame: &ToSigner) {
        let (kind, bytes) = match frame {
            ToSigner::Inbox(bytes) => (Kind::Inbox, bytes),
            ToSigner::Batch(bytes) => (Kind::Batch, bytes),
            ToSigner::Cosignature(bytes) => (Kind::Cosignature, bytes),
        };
        self.keep_record(HostileRecord {
            to: Some(seat),
            kind,
            bytes: bytes.clone(),
        });
    }

    fn keep_record(&self, record: HostileRecord) {
        if let Some(kept) = self.hostile.0.borrow_mut().as_mut() {
            kept.push(record);
        }
    }
}
