//! Records of services: sealed envelopes, every payload, and the frames of a signer's sockets.

use super::{SEEDS, Target, same, with_choice};
use crate::generate;
use borsh::{BorshDeserialize, BorshSerialize};
use ed25519_dalek::SigningKey;
use rand_core::RngCore;
use std::io::{self, Read};
use std::sync::OnceLock;
use strongroom_ports::bus::Headers;
use strongroom_stage::DeadLetter;
use strongroom_types::{Digest, NodeId, Scope, Signed, UnixMs};
use strongroom_wire::envelope::Heading;
use strongroom_wire::frame::{
    AdminReply, AdminRequest, FrameRead, Frames, FromSigner, PublicRecord, ToSigner, read_frame,
    write_frame,
};
use strongroom_wire::{
    ApprovalSubmitted, CoordinatorMessage, Envelope, IntentDecided, IntentReturned,
    IntentSubmitted, JournalBatch, JournalResult, JournalSubmitted, Marks, NodeKey, Role, Senders,
    SignerMessage, SigningFinished, SigningRequested, TransactionChanged, WitnessCosignature,
    decode, encode, open, seal,
};

macro_rules! records {
    ($($name:literal: $type:ty,)*) => {
        vec![$(Target { name: $name, run: record::<$type>, seeds: record_seeds::<$type> },)*]
    };
}

pub(super) fn targets() -> Vec<Target> {
    let mut targets = records![
        "signed": Signed,
        "envelope_unsealed": Envelope,
        "marks": Marks,
        "intent_submitted": IntentSubmitted,
        "approval_submitted": ApprovalSubmitted,
        "intent_decided": IntentDecided,
        "intent_returned": IntentReturned,
        "signing_requested": SigningRequested,
        "coordinator_message": CoordinatorMessage,
        "signer_message": SignerMessage,
        "signing_finished": SigningFinished,
        "transaction_changed": TransactionChanged,
        "journal_submitted": JournalSubmitted,
        "journal_result": JournalResult,
        "journal_batch": JournalBatch,
        "witness_cosignature": WitnessCosignature,
        "frame_to_signer": ToSigner,
        "frame_from_signer": FromSigner,
        "frame_admin_request": AdminRequest,
        "frame_admin_reply": AdminReply,
        "signer_public_record": PublicRecord,
        "record_headers": Headers,
        "dead_letter": DeadLetter,
    ];
    targets.push(Target {
        name: "envelope",
        run: envelope,
        seeds: |_| sealed().clone(),
    });
    targets.push(Target {
        name: "frame",
        run: frame,
        seeds: frames,
    });
    targets.push(Target {
        name: "frames_in_parts",
        run: frames_in_parts,
        seeds: streams,
    });
    targets
}

pub(super) fn record<T: BorshSerialize + BorshDeserialize>(data: &[u8]) -> bool {
    decode::<T>(data).is_ok_and(|value| same(&encode(&value), data))
}

pub(super) fn record_seeds<T: BorshSerialize + BorshDeserialize>(
    rng: &mut dyn RngCore,
) -> Vec<Vec<u8>> {
    (0..SEEDS)
        .filter_map(|_| generate::value::<T>(rng))
        .map(|value| encode(&value))
        .filter(|bytes| record::<T>(bytes))
        .collect()
}

/// One registered sender.
struct Registry(NodeKey);

const GENESIS: Digest = Digest([7; 32]);
const NODE: NodeId = NodeId([1; 16]);

impl Registry {
    fn new() -> Self {
        let public_key = SigningKey::from_bytes(&[9; 32]).verifying_key().to_bytes();
        Self(NodeKey {
            node: NODE,
            role: Role::Coordinator,
            public_key,
        })
    }
}

impl Senders for Registry {
    fn genesis(&self) -> Digest {
        GENESIS
    }

    fn sender(&self, node: NodeId) -> Option<&NodeKey> {
        (node == self.0.node).then_some(&self.0)
    }
}

/// The only envelopes that the registered sender ever signed.
fn sealed() -> &'static Vec<Vec<u8>> {
    static SEALED: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    SEALED.get_or_init(|| {
        let key = SigningKey::from_bytes(&[9; 32]);
        (0..4)
            .map(|sequence| {
                let heading = Heading {
                    genesis: GENESIS,
                    from: NODE,
                    to: None,
                    session: [0; 16],
                    cause: [0; 16],
                    sequence,
                    created: UnixMs(1),
                    deadline: UnixMs(2),
                };
                let text = Signed {
                    text: "{}".to_owned(),
                    endorsements: Vec::new(),
                };
                let payload = JournalSubmitted {
                    submission: [3; 16],
                    scope: Scope::Platform,
                    body: encode(&text),
                };
                seal(heading, &payload, &key)
            })
            .collect()
    })
}

/// Opens an envelope: anything accepted but those very bytes would be a forgery or a second
/// encoding.
fn envelope(data: &[u8]) -> bool {
    let accepted = open(data, &Registry::new(), &[Role::Coordinator]).is_ok();
    assert!(
        !accepted || sealed().iter().any(|known| known == data),
        "an envelope that no one signed"
    );
    accepted
}

fn frame(data: &[u8]) -> bool {
    let mut rest = data;
    let Ok(Some(bytes)) = read_frame(&mut rest) else {
        return false;
    };
    let mut again = Vec::new();
    let consumed = data.len() - rest.len();
    write_frame(&mut again, &bytes).is_ok_and(|()| same(&again, data.split_at(consumed).0))
}

fn frames(rng: &mut dyn RngCore) -> Vec<Vec<u8>> {
    (0..SEEDS)
        .filter_map(|length| {
            let mut bytes = vec![0; length * 7];
            rng.fill_bytes(&mut bytes);
            let mut framed = Vec::new();
            write_frame(&mut framed, &bytes).ok().map(|()| framed)
        })
        .collect()
}

/// A stream that gives at most `size` bytes to one read.
struct InParts<'a> {
    rest: &'a [u8],
    size: usize,
}

impl Read for InParts<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(self.size);
        let part = buffer.get_mut(..most).unwrap_or_default();
        self.rest.read(part)
    }
}

/// Frames of a stream and whether it ended between two of them, by the reader of whole frames.
fn whole(mut stream: &[u8]) -> (Vec<Vec<u8>>, bool) {
    let mut frames = Vec::new();
    loop {
        match read_frame(&mut stream) {
            Ok(Some(frame)) => frames.push(frame),
            Ok(None) => return (frames, true),
            Err(_) => return (frames, false),
        }
    }
}

/// The first byte is the size of a part. Both readers of frames must find the same ones, or a signer
/// and its link would disagree on where a record begins.
fn frames_in_parts(data: &[u8]) -> bool {
    let Some((size, stream)) = data.split_first() else {
        return false;
    };
    let size = usize::from(*size) + 1;
    let mut reader = Frames::new(InParts { rest: stream, size });
    let mut found = Vec::new();
    let ended = loop {
        match reader.next_frame() {
            Ok(FrameRead::Frame(frame)) => found.push(frame),
            Ok(FrameRead::Nothing) => {}
            Ok(FrameRead::End) => break true,
            Err(_) => break false,
        }
    };
    assert_eq!((found, ended), whole(stream), "the two readers disagree");
    ended
}

fn streams(rng: &mut dyn RngCore) -> Vec<Vec<u8>> {
    let frames = frames(rng);
    let pairs = frames.iter().zip(frames.iter().rev());
    pairs
        .zip([0, 3, 63])
        .map(|((one, other), size)| with_choice(size, &[&one[..], &other[..]].concat()))
        .collect()
}
