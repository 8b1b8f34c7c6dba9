//! A value of every stored and hashed thing, with its bytes. Made by hand: these must not follow
//! the test world.

mod state_records;

use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt::Debug;
use strongroom_journal::entry::Leaf;
use strongroom_journal::genesis::{ChainSeat, SignerSeat, WitnessSeat};
use strongroom_journal::model::*;
use strongroom_journal::*;
use strongroom_policy::{Kind, Payment, Terms};
use strongroom_types::charter::{Board, BoardName, NamedBoard};
use strongroom_types::*;
use strongroom_wire::{NodeKey, Role, decode, encode};

const AT: UnixMs = UnixMs(1_767_225_600_000);
const CHAIN: &str = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328";
const ASSET: &str = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328/slip44:1";

type Case = (&'static str, Vec<u8>);

fn bytes<T: BorshSerialize + BorshDeserialize + PartialEq + Debug>(value: &T) -> Vec<u8> {
    let bytes = encode(value);
    assert_eq!(decode::<T>(&bytes).unwrap(), *value);
    bytes
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn signed(n: u8) -> Signed {
    let endorsement = Endorsement {
        credential: CredentialId([n; 16]),
        proof: Proof::Ed25519([n + 1; 64]),
    };
    Signed {
        text: "{}".to_owned(),
        endorsements: vec![endorsement],
    }
}

fn attempt() -> Attempt {
    let anchor = ConflictKey::Coin("a:0".to_owned());
    Attempt {
        intent: Digest([1; 32]),
        number: 1,
        kind: AttemptKind::Pay,
        parent: None,
        anchor: anchor.clone(),
        conflict_keys: vec![anchor],
        unsigned_digest: Digest([2; 32]),
        fee_max: 772.into(),
    }
}

fn credential() -> Credential {
    Credential {
        id: CredentialId([4; 16]),
        user: Some(UserId([12; 16])),
        class: CredentialClass::Key,
        key: credential::PublicKey::Ed25519([13; 32]),
        web: None,
    }
}

fn plan() -> CeremonyPlan {
    CeremonyPlan {
        key: KeyId([16; 16]),
        suite: Suite::FrostSecp256k1Tr,
        min_signers: 2,
        roster: vec![1, 2, 3],
    }
}

fn board_record() -> RegistryRecord {
    RegistryRecord::Board(NamedBoard {
        name: BoardName::Committee,
        board: Board {
            members: vec![UserId([12; 16]), UserId([13; 16])],
            quorum: 2,
        },
    })
}

/// By hand, since its bytes are pinned: the test kit's genesis changes with what tests need, and
/// here each field has a value of its own, so that two that were swapped would show.
pub fn genesis() -> Genesis {
    let signer = |n: u8| SignerSeat {
        index: n.into(),
        node: NodeId([n; 16]),
        signing_key: [n + 10; 32],
        witness_key: [n + 20; 32],
        sealing_key: vec![n + 30; 4],
        location: name("site"),
        operator: name(&format!("operator {n}")),
        hardware: name("software"),
        measurement: Digest([n; 32]),
    };
    let witness = WitnessSeat {
        node: NodeId([9; 16]),
        signing_key: [90; 32],
        witness_key: [91; 32],
        operator: name("independent"),
    };
    let chain = ChainSeat {
        chain: CHAIN.parse().unwrap(),
        native: ASSET.parse().unwrap(),
        decoder: "bitcoin/1".to_owned(),
        row: Digest([41; 32]),
    };
    Genesis {
        version: strongroom_journal::genesis::VERSION,
        platform: PlatformId([1; 16]),
        mode: Mode::Production,
        created: AT,
        signers: vec![signer(1), signer(2), signer(3)],
        witnesses: vec![witness],
        admin_users: vec![User {
            id: UserId([12; 16]),
            name: name("Ada"),
        }],
        admin_credentials: vec![credential()],
        admins: Board {
            members: vec![UserId([12; 16])],
            quorum: 1,
        },
        services: vec![NodeKey {
            node: NodeId([50; 16]),
            role: Role::Writer,
            public_key: [51; 32],
        }],
        origin: "strongroom.example/journal".to_owned(),
        log_key: [52; 32],
        quorum: 3,
        faults: 1,
        chains: vec![chain],
        bounds: Bounds::production(),
    }
}

fn bodies() -> Vec<(&'static str, Body)> {
    let authorization = Authorization {
        intent: signed(1),
        core: "{}".to_owned(),
        approvals: vec![signed(2), signed(3)],
        attempt: attempt(),
        facts: vec![signed(4)],
    };
    let further = FurtherAttempt {
        attempt: Attempt {
            number: 3,
            kind: AttemptKind::Child,
            parent: Some(2),
            ..attempt()
        },
        facts: vec![signed(5)],
        reopen: Some(vec![6; 3]),
    };
    let finished = Finished {
        key: KeyId([16; 16]),
        transcript: Digest([6; 32]),
        public: vec![7; 3],
        certificates: vec![(1, [8; 64]), (2, [9; 64])],
    };
    vec![
        ("genesis", Body::Genesis(Digest([5; 32]))),
        ("tick", Body::Tick),
        ("act", Body::Act(signed(1))),
        ("authorized", Body::Authorized(Box::new(authorization))),
        ("attempt", Body::from(attempt())),
        ("attempt_with_everything", Body::Attempt(Box::new(further))),
        ("finished", Body::Finished(Box::new(finished))),
        ("witnessed", Body::Witnessed(witnessed())),
    ]
}

fn entries() -> Vec<Case> {
    let mut cases = Vec::new();
    for (kind, body) in bodies() {
        let scope = match body {
            Body::Genesis(_) | Body::Tick | Body::Witnessed(_) => Scope::Platform,
            _ => Scope::Tenant(TenantId([2; 16])),
        };
        let entry = Entry {
            version: entry::VERSION,
            seq: 258,
            at: AT,
            scope,
            body,
        };
        let sealed = SealedEntry::new(&entry, [40; 32]);
        assert_eq!(sealed.open().unwrap(), entry);
        let leaf: Leaf = sealed.leaf(&entry);
        assert!(encode(&leaf).len() < 1024);
        cases.push((format!("entry_{kind}").leak() as &str, bytes(&entry)));
        cases.push((format!("leaf_{kind}").leak(), bytes(&leaf)));
        cases.push((
            format!("leaf_hash_{kind}").leak(),
            sealed.leaf_hash(&entry).0.to_vec(),
        ));
        if kind == "tick" {
            cases.push(("sealed_entry", bytes(&sealed)));
        }
    }
    cases
}

fn witnessed() -> Witnessed {
    let seat = |n: u8| SeatCosignature {
        witness: NodeId([n; 16]),
        time_s: 1_767_225_600,
        signature: [n; 64],
    };
    Witnessed {
        checkpoint: "strongroom.example/journal\n".to_owned(),
        cosignatures: vec![seat(1), seat(2)],
    }
}

/// Ids of conflict keys of each kind, under which the state has them.
fn state_conflicts() -> Vec<Case> {
    let account = "eip155:1:0xab".to_owned();
    let keys = [
        ("state_conflict_coin", ConflictKey::Coin("a:0".to_owned())),
        (
            "state_conflict_sequence",
            ConflictKey::Sequence { account, number: 7 },
        ),
        ("state_conflict_once", ConflictKey::Once(Digest([2; 32]))),
    ];
    let (vault, chain) = (VaultId([3; 16]), CHAIN.parse().unwrap());
    let id = |key: ConflictKey| keyspace::conflict(vault, &chain, &key);
    keys.map(|(name, key)| (name, id(key).0.to_vec())).to_vec()
}

pub fn cases() -> Vec<Case> {
    let genesis_file = genesis();
    let of_genesis = vec![
        ("genesis", bytes(&genesis_file)),
        ("genesis_hash", genesis_file.hash().0.to_vec()),
    ];
    let (entries, records) = (entries(), state_records::records());
    [of_genesis, entries, records, state_conflicts()].concat()
}
