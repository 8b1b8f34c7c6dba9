//! Schema numbers, size limits, and the refusal of second encodings.

use crate::cases::cases;
use strongroom_types::{Code, Digest, KeyId, NodeId, Scope, SessionId, TenantId};
use strongroom_wire::*;

#[test]
fn schema_numbers_do_not_change() {
    let numbers = [
        IntentSubmitted::SCHEMA,
        ApprovalSubmitted::SCHEMA,
        IntentDecided::SCHEMA,
        SigningRequested::SCHEMA,
        CoordinatorMessage::SCHEMA,
        SignerMessage::SCHEMA,
        SigningFinished::SCHEMA,
        TransactionChanged::SCHEMA,
        JournalSubmitted::SCHEMA,
        JournalResult::SCHEMA,
        JournalBatch::SCHEMA,
        WitnessCosignature::SCHEMA,
        IntentReturned::SCHEMA,
    ];
    assert_eq!(
        numbers.map(|schema| schema.0),
        std::array::from_fn(|at| at as u16 + 1)
    );
}

/// A transaction that no record can ask shares for would keep its payment waiting for good.
#[test]
fn the_largest_request_fits_into_a_record() {
    const UNSIGNED: usize = 60 * 1024;
    const ENVELOPE: usize = 1024;
    for signers in 2..=64 {
        let commitment = NonceCommitment {
            boot: [1; 16],
            number: 1,
            commitment: vec![2; 66],
        };
        let slot = (0..signers).map(|index| (index, commitment.clone()));
        let slot: Vec<_> = slot.collect();
        let slots_max = SigningRequest::slots_max(usize::from(signers));
        let request = SigningRequest {
            session: SessionId([1; 16]),
            tenant: TenantId([2; 16]),
            intent: Digest([3; 32]),
            attempt: 1,
            key: KeyId([4; 16]),
            unsigned: vec![5; UNSIGNED],
            commitments: vec![slot; slots_max],
        };
        let bytes = encode(&CoordinatorMessage::Sign(request)).len();
        assert!(bytes + ENVELOPE <= codec::RECORD_BYTES_MAX, "{signers}");
        assert!(slots_max >= 31, "{signers}: enough to pay from");
    }
    assert!(SigningRequest::slots_max(7) >= 256);
}

#[test]
fn topic_names_do_not_change() {
    let node = NodeId([0x0a; 16]);
    let names = [
        topics::INTENT_SUBMITTED,
        topics::APPROVAL_SUBMITTED,
        topics::INTENT_DECIDED,
        topics::INTENT_RETURNED,
        topics::SIGNING_REQUESTED,
        topics::SIGNING_FINISHED,
        topics::TRANSACTION_CHANGED,
        topics::JOURNAL_SUBMITTED,
        topics::JOURNAL_RESULTS,
        topics::JOURNAL_ENTRIES,
    ];
    let whats = [
        "intent.submitted",
        "approval.submitted",
        "intent.decided",
        "intent.returned",
        "signing.requested",
        "signing.finished",
        "transaction.changed",
        "journal.submitted",
        "journal.results",
        "journal.entries",
    ];
    assert_eq!(
        names.map(str::to_owned),
        whats.map(|what| format!("strongroom.{what}.v1"))
    );
    let id = "nod_0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";
    assert_eq!(
        topics::signer_inbox(node),
        format!("strongroom.signer.{id}.inbox.v1")
    );
    assert_eq!(
        topics::signer_outbox(node),
        format!("strongroom.signer.{id}.outbox.v1")
    );
    assert_eq!(
        topics::cosignatures(node),
        format!("strongroom.witness.{id}.cosignatures.v1")
    );
}

#[test]
fn a_record_with_more_or_fewer_bytes_is_refused() {
    for (name, bytes) in cases()
        .into_iter()
        .filter(|(name, _)| name.starts_with("journal_batch"))
    {
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(
            decode::<JournalBatch>(&longer).unwrap_err().code,
            Code::Malformed,
            "{name}"
        );
        for cut in 0..bytes.len() {
            assert_eq!(
                decode::<JournalBatch>(&bytes[..cut]).unwrap_err().code,
                Code::Malformed,
                "{name} {cut}"
            );
        }
    }
}

#[test]
fn a_record_beyond_256_kib_is_refused() {
    let body = |len: usize| {
        encode(&JournalSubmitted {
            submission: [0; 16],
            scope: Scope::Platform,
            body: vec![0; len],
        })
    };
    let fixed = body(0).len();
    assert!(decode::<JournalSubmitted>(&body(codec::RECORD_BYTES_MAX - fixed)).is_ok());
    let refusal =
        decode::<JournalSubmitted>(&body(codec::RECORD_BYTES_MAX - fixed + 1)).unwrap_err();
    assert_eq!(refusal.code, Code::RecordTooLarge);
}

#[test]
fn frames_are_a_big_endian_length_and_the_bytes() {
    let mut written = Vec::new();
    frame::write_frame(&mut written, b"abc").unwrap();
    assert_eq!(written, b"\0\0\0\x03abc");
    let mut reader = &written[..];
    assert_eq!(frame::read_frame(&mut reader).unwrap().unwrap(), b"abc");
    assert!(frame::read_frame(&mut reader).unwrap().is_none());
    for cut in 1..written.len() {
        let half = frame::read_frame(&mut &written[..cut]);
        assert!(half.is_err(), "{cut} bytes of a frame are not a clean end");
    }
    assert!(frame::write_frame(&mut Vec::new(), &vec![0; frame::FRAME_BYTES_MAX + 1]).is_err());
    let too_long = u32::try_from(frame::FRAME_BYTES_MAX + 1)
        .unwrap()
        .to_be_bytes();
    assert!(frame::read_frame(&mut &too_long[..]).is_err());
}
