//! A value of every payload and of every variant.

use borsh::{BorshDeserialize, BorshSerialize};
use ed25519_dalek::SigningKey;
use std::fmt::Debug;
use strongroom_types::*;
use strongroom_wire::envelope::Heading;
use strongroom_wire::frame::{AdminReply, AdminRequest, FromSigner, PublicRecord, ToSigner};
use strongroom_wire::*;

const AT: UnixMs = UnixMs(1_767_225_600_000);
const TENANT: TenantId = TenantId([2; 16]);
const VAULT: VaultId = VaultId([3; 16]);
const KEY: KeyId = KeyId([16; 16]);
const SESSION: SessionId = SessionId([18; 16]);

fn bytes<T: BorshSerialize + BorshDeserialize + PartialEq + Debug>(value: &T) -> Vec<u8> {
    let bytes = encode(value);
    assert_eq!(decode::<T>(&bytes).unwrap(), *value);
    bytes
}

pub fn signed() -> Signed {
    let endorsement = |n: u8| Endorsement {
        credential: CredentialId([n; 16]),
        proof: Proof::Ed25519([n + 16; 64]),
    };
    Signed {
        text: "{\"a\":\"b\"}".to_owned(),
        endorsements: vec![endorsement(1), endorsement(2)],
    }
}

pub fn attempt() -> Attempt {
    let key = |text: &str| ConflictKey::Coin(text.to_owned());
    Attempt {
        intent: Digest([1; 32]),
        number: 2,
        kind: AttemptKind::Bump,
        parent: None,
        anchor: key("a:0"),
        conflict_keys: vec![key("a:0"), key("b:1")],
        unsigned_digest: Digest([5; 32]),
        fee_max: 772.into(),
    }
}

fn commitment(n: u8) -> NonceCommitment {
    NonceCommitment {
        boot: [n; 16],
        number: 7,
        commitment: vec![n; 3],
    }
}

fn refusal() -> SignerRefusal {
    SignerRefusal {
        session: SESSION,
        request: Digest([6; 32]),
        code: Code::JournalStale,
        detail: "no fresh head".to_owned(),
        evidence: Digest([7; 32]),
        head: 9,
        at: AT,
    }
}

type Case = (&'static str, Vec<u8>);

pub fn cases() -> Vec<Case> {
    [
        requests(),
        coordinator(),
        signer(),
        outcomes(),
        journal(),
        frames(),
        envelopes(),
    ]
    .concat()
}

fn requests() -> Vec<Case> {
    let decided = |decided| IntentDecided {
        intent: signed(),
        core: "{}".to_owned(),
        approvals: vec![signed()],
        decided,
    };
    let requested = SigningRequested {
        tenant: TENANT,
        vault: VAULT,
        key: KEY,
        attempt: attempt(),
        unsigned: vec![1, 2, 3],
        slots: vec![SigningSlot {
            path: vec![86, 1],
            tweak: Tweak::Bip341,
            message: vec![4; 32],
        }],
    };
    vec![
        (
            "intent_submitted",
            bytes(&IntentSubmitted {
                intent: signed(),
                size: 9,
            }),
        ),
        (
            "approval_submitted",
            bytes(&ApprovalSubmitted { approval: signed() }),
        ),
        ("intent_decided_pending", bytes(&decided(Decided::Pending))),
        (
            "intent_decided_approved",
            bytes(&decided(Decided::Approved)),
        ),
        (
            "intent_decided_refused",
            bytes(&decided(Decided::Refused(
                Code::PolicyBlocked,
                "no".to_owned(),
            ))),
        ),
        (
            "intent_returned",
            bytes(&IntentReturned {
                intent: signed(),
                code: Code::DecisionChanged,
                detail: "the policy moved".to_owned(),
            }),
        ),
        ("signing_requested", bytes(&requested)),
    ]
}

fn coordinator() -> Vec<Case> {
    let request = SigningRequest {
        session: SESSION,
        tenant: TENANT,
        intent: Digest([1; 32]),
        attempt: 2,
        key: KEY,
        unsigned: vec![1, 2, 3],
        commitments: vec![vec![(1, commitment(1)), (3, commitment(3))], vec![]],
    };
    vec![
        (
            "coordinator_message_prepare",
            bytes(&CoordinatorMessage::Prepare {
                tenant: TENANT,
                key: KEY,
                count: 256,
            }),
        ),
        (
            "coordinator_message_sign",
            bytes(&CoordinatorMessage::Sign(request)),
        ),
        (
            "coordinator_message_ceremony",
            bytes(&CoordinatorMessage::Ceremony {
                tenant: TENANT,
                key: KEY,
                run: 1,
            }),
        ),
        (
            "coordinator_message_relay",
            bytes(&CoordinatorMessage::Relay(vec![9; 4])),
        ),
    ]
}

fn signer() -> Vec<Case> {
    let ceremony = |to| CeremonyMessage {
        tenant: TENANT,
        key: KEY,
        run: 1,
        to,
        body: vec![8; 2],
    };
    let commitments = SignerMessage::Commitments {
        tenant: TENANT,
        key: KEY,
        commitments: vec![commitment(1)],
    };
    let shares = SignerMessage::Shares {
        session: SESSION,
        request: Digest([6; 32]),
        shares: vec![vec![1; 2], vec![2; 2]],
        head: 9,
        covered_us: 1_767_225_600_000_000,
    };
    let certificate = SignerMessage::Certificate {
        tenant: TENANT,
        key: KEY,
        signature: vec![3; 64],
        public: vec![4; 2],
        transcript: Digest([5; 32]),
    };
    vec![
        ("signer_message_commitments", bytes(&commitments)),
        ("signer_message_shares", bytes(&shares)),
        (
            "signer_message_refused",
            bytes(&SignerMessage::Refused(refusal())),
        ),
        (
            "signer_message_ceremony_to_all",
            bytes(&SignerMessage::Ceremony(ceremony(None))),
        ),
        (
            "signer_message_ceremony_to_one",
            bytes(&SignerMessage::Ceremony(ceremony(Some(2)))),
        ),
        ("signer_message_certificate", bytes(&certificate)),
    ]
}

fn outcomes() -> Vec<Case> {
    let finished = |outcome| SigningFinished {
        intent: Digest([1; 32]),
        attempt: 2,
        vault: VAULT,
        outcome,
    };
    let plain = TransactionChanged {
        intent: Digest([1; 32]),
        state: TransactionState::Received,
        reason: None,
        refusals: vec![],
        network_id: None,
        signed: None,
        at: AT,
    };
    let full = TransactionChanged {
        state: TransactionState::Failed,
        reason: Some((Code::SigningFailed, "two refused".to_owned())),
        refusals: vec![refusal()],
        network_id: Some("ab".to_owned()),
        signed: Some(vec![1, 2]),
        ..plain.clone()
    };
    vec![
        (
            "signing_finished_signed",
            bytes(&finished(Outcome::Signed(vec![vec![1; 64]]))),
        ),
        (
            "signing_finished_failed",
            bytes(&finished(Outcome::Failed(vec![refusal()]))),
        ),
        ("transaction_changed", bytes(&plain)),
        ("transaction_changed_with_everything", bytes(&full)),
    ]
}

fn journal() -> Vec<Case> {
    let result = |result| JournalResult {
        submission: [1; 16],
        result,
    };
    let batch = JournalBatch {
        first_seq: 5,
        entries: vec![vec![1; 3], vec![2; 3]],
        note: "origin\n5\n".to_owned(),
    };
    let cosignature = WitnessCosignature {
        body: "origin\n5\n".to_owned(),
        time_s: 1_767_225_600,
        signature: [2; 64],
    };
    vec![
        (
            "journal_submitted",
            bytes(&JournalSubmitted {
                submission: [1; 16],
                scope: Scope::Tenant(TenantId([2; 16])),
                body: vec![1],
            }),
        ),
        ("journal_result_position", bytes(&result(Ok(5)))),
        (
            "journal_result_refused",
            bytes(&result(Err((Code::AnchorTaken, "a:0".to_owned())))),
        ),
        ("journal_batch", bytes(&batch)),
        ("witness_cosignature", bytes(&cosignature)),
    ]
}

fn frames() -> Vec<Case> {
    let public = PublicRecord {
        signing_key: [1; 32],
        witness_key: [2; 32],
        sealing_key: vec![3; 4],
        measurement: Digest([4; 32]),
    };
    let marks = Layer::ALL
        .iter()
        .enumerate()
        .fold(Marks::default(), |marks, (at, layer)| {
            marks.with(*layer, at as u64)
        });
    vec![
        ("to_signer_inbox", bytes(&ToSigner::Inbox(vec![1]))),
        ("to_signer_batch", bytes(&ToSigner::Batch(vec![1]))),
        (
            "to_signer_cosignature",
            bytes(&ToSigner::Cosignature(vec![1])),
        ),
        (
            "from_signer_hello",
            bytes(&FromSigner::Hello { next_seq: 5 }),
        ),
        ("from_signer_outbox", bytes(&FromSigner::Outbox(vec![1]))),
        (
            "from_signer_cosignature",
            bytes(&FromSigner::Cosignature(vec![1])),
        ),
        (
            "from_signer_submission",
            bytes(&FromSigner::Submission(vec![1])),
        ),
        ("admin_request_status", bytes(&AdminRequest::Status)),
        ("admin_request_stop", bytes(&AdminRequest::Stop)),
        (
            "admin_request_hand",
            bytes(&AdminRequest::Hand("{}".to_owned())),
        ),
        (
            "admin_request_unfreeze",
            bytes(&AdminRequest::Unfreeze(Digest([7; 32]))),
        ),
        (
            "admin_reply_status",
            bytes(&AdminReply::Status("x: y".to_owned())),
        ),
        ("admin_reply_done", bytes(&AdminReply::Done)),
        (
            "admin_reply_refused",
            bytes(&AdminReply::Refused("no".to_owned())),
        ),
        ("public_record", bytes(&public)),
        ("marks", marks.to_bytes()),
    ]
}

pub fn heading(to: Option<NodeId>) -> Heading {
    Heading {
        genesis: Digest([1; 32]),
        from: NodeId([2; 16]),
        to,
        session: [3; 16],
        cause: [5; 16],
        sequence: 4,
        created: AT,
        deadline: AT.plus(5),
    }
}

fn envelopes() -> Vec<Case> {
    let key = SigningKey::from_bytes(&[7; 32]);
    let payload = JournalSubmitted {
        submission: [1; 16],
        scope: Scope::Platform,
        body: vec![1],
    };
    let roles = [
        Role::Api,
        Role::Approvals,
        Role::Transactions,
        Role::Coordinator,
        Role::Writer,
        Role::Signer,
        Role::Witness,
    ];
    let node_keys = roles
        .map(|role| NodeKey {
            node: NodeId([2; 16]),
            role,
            public_key: [9; 32],
        })
        .to_vec();
    vec![
        ("envelope_to_all", seal(heading(None), &payload, &key)),
        (
            "envelope_to_one",
            seal(heading(Some(NodeId([8; 16]))), &payload, &key),
        ),
        ("node_key", bytes(&node_keys)),
    ]
}
