//! A value of every stored and hashed thing, with its bytes. Made by hand: these must not follow
//! the test world.

use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt::Debug;
use strongroom_journal::entry::Leaf;
use strongroom_journal::genesis::{ChainSeat, SignerSeat, WitnessSeat};
use strongroom_journal::model::*;
use strongroom_journal::*;
use strongroom_policy::{Kind, Payment, Terms};
use strongroom_types::charter::Board;
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

pub fn genesis() -> Genesis {
    let signer = |n: u8| SignerSeat {
        index: n.into(),
        node: NodeId([n; 16]),
        signing_key: [n + 10; 32],
        witness_key: [n + 20; 32],
        sealing_key: vec![n + 30; 4],
        location: name("site"),
        operator: name("operator"),
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

fn intent_record() -> IntentRecord {
    let attempt = AttemptRecord {
        number: 1,
        kind: AttemptKind::Bump,
        parent: None,
        seq: 7,
        at: AT,
        unsigned_digest: Digest([2; 32]),
        fee_max: 772.into(),
    };
    let relied = ReliedApproval {
        credential: CredentialId([4; 16]),
        user: UserId([12; 16]),
        group: GroupId([6; 16]),
        expires: AT,
    };
    IntentRecord {
        seq: 7,
        standing: IntentStanding::Cancelled,
        vault: VaultId([3; 16]),
        chain: CHAIN.parse().unwrap(),
        initiator: CredentialId([4; 16]),
        initiator_user: UserId([12; 16]),
        expires: AT,
        approvals: vec![relied],
        allow_list: vec![AllowListId([15; 16])],
        lock_ms: 7,
        locked_until: AT,
        anchor: ConflictKey::Coin("a:0".to_owned()),
        fee_max: 1544.into(),
        attempts_max: 3,
        spend: Spend {
            amounts: vec![(ASSET.parse().unwrap(), 5.into())],
            at: AT,
        },
        attempts: vec![attempt],
    }
}

fn open_intent() -> OpenIntentRecord {
    let destinations = [
        Destination::Address("bcrt1p".to_owned()),
        Destination::Vault(VaultId([13; 16])),
    ];
    let need = GroupNeed {
        group: GroupId([6; 16]),
        approvals: 1,
    };
    OpenIntentRecord {
        payment: Payment {
            kind: Kind::Transfer,
            vault: VaultId([3; 16]),
            initiator: CredentialId([4; 16]),
            chain: CHAIN.parse().unwrap(),
            assets: vec![ASSET.parse().unwrap()],
            transfers: 2,
            amount: Some(5.into()),
            fee_max: 1544.into(),
            destinations: destinations.to_vec(),
        },
        policy: Digest([3; 32]),
        rule: "medium".to_owned(),
        met: Terms {
            tier: Tier::OneOfN,
            time_lock_seconds: 60,
            ordered: true,
            groups: vec![need],
        },
    }
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

fn waiting_record() -> WaitingRecord {
    let tenant = TenantId([2; 16]);
    let of = [
        WaitingOf::Proposal(tenant, Digest([3; 32])),
        WaitingOf::Act(Scope::Platform),
        WaitingOf::Lock(tenant, Digest([1; 32])),
        WaitingOf::Pause(tenant, UserId([20; 16])),
        WaitingOf::Tenant(tenant),
    ];
    let items = of.into_iter().zip(7..);
    WaitingRecord {
        witnessed: 6,
        items: items
            .map(|(of, seq)| WaitingItem { seq, at: AT, of })
            .collect(),
    }
}

fn waiting_act(what: WaitingChange) -> WaitingAct {
    WaitingAct {
        id: ActId([21; 16]),
        digest: Digest([22; 32]),
        version: 9,
        expires: AT,
        what,
    }
}

fn tenant_record() -> TenantRecord {
    let board = Board {
        members: vec![UserId([20; 16])],
        quorum: 1,
    };
    TenantRecord {
        name: name("Example Bank"),
        version: 9,
        admins: board.clone(),
        committee: board,
        policy: Digest([3; 32]),
        loosen_delay_ms: 1,
        ceremony_delay_ms: 2,
        stopped: true,
        paused_until: AT,
        pauses: vec![AdminPause {
            admin: UserId([20; 16]),
            witnessed_at: Some(AT),
        }],
        witnessed_at: Some(AT),
        waiting: Some(waiting_act(WaitingChange::Release(Digest([3; 32])))),
        minute: (29_453_760, 4),
        intents_open: 5,
        proposals_open: 6,
    }
}

fn records() -> Vec<Case> {
    let public = PublicKey {
        group_key: vec![1; 33],
        chain_code: [2; 32],
        record: vec![3; 4],
        transcript: Digest([4; 32]),
    };
    let key = KeyRecord {
        plan: plan(),
        session: Digest([1; 32]),
        epoch: 1,
        public: Some(public),
        revoked: true,
    };
    let entry = AllowListEntry {
        id: AllowListId([15; 16]),
        chain: CHAIN.parse().unwrap(),
        address: "bcrt1p".to_owned(),
        label: name("exchange"),
    };
    let vault = Vault {
        id: VaultId([3; 16]),
        name: name("main"),
        key: KeyId([16; 16]),
        account: 5,
        tags: vec![name("hot")],
    };
    let ended = EndedRecord {
        by: vec![UserId([12; 16])],
        by_all: true,
        rejected: true,
        until: AT,
    };
    let proposal = |record| ProposalRecord {
        record,
        id: ActId([21; 16]),
        delay_ms: 5,
        witnessed_at: Some(AT),
    };
    let group = Group {
        id: GroupId([6; 16]),
        name: name("approvers"),
        members: vec![UserId([12; 16])],
    };
    vec![
        (
            "state_record_position",
            bytes(&JournalEnd {
                next_seq: 258,
                last_at: AT,
            }),
        ),
        (
            "state_record_platform",
            bytes(&PlatformRecord {
                version: 2,
                stopped: true,
                quarantined: vec![1, 3],
                waiting: Some(waiting_act(WaitingChange::Resume)),
            }),
        ),
        ("state_record_tenant", bytes(&tenant_record())),
        ("state_record_waiting", bytes(&waiting_record())),
        ("state_record_used_act", bytes(&ActStanding::Released)),
        (
            "state_record_user",
            bytes(&UserRecord {
                name: name("Ada"),
                revoked: true,
            }),
        ),
        (
            "state_record_credential",
            bytes(&CredentialRecord {
                credential: credential(),
                revoked: true,
            }),
        ),
        (
            "state_record_listed",
            bytes(&ListedRecord {
                entry: entry.clone(),
                since: Some(AT),
            }),
        ),
        (
            "state_record_proposal_user",
            bytes(&proposal(RegistryRecord::User(User {
                id: UserId([12; 16]),
                name: name("Ada"),
            }))),
        ),
        (
            "state_record_proposal_credential",
            bytes(&proposal(RegistryRecord::Credential(credential()))),
        ),
        (
            "state_record_proposal_group",
            bytes(&proposal(RegistryRecord::Group(group))),
        ),
        (
            "state_record_proposal_allow_list",
            bytes(&proposal(RegistryRecord::AllowList(entry))),
        ),
        (
            "state_record_proposal_policy",
            bytes(&proposal(RegistryRecord::Policy("{}".to_owned()))),
        ),
        (
            "state_record_proposal_vault",
            bytes(&proposal(RegistryRecord::Vault(vault.clone()))),
        ),
        (
            "state_record_proposal_ceremony",
            bytes(&proposal(RegistryRecord::Ceremony(plan()))),
        ),
        (
            "state_record_vault",
            bytes(&VaultRecord {
                vault,
                paused_until: AT,
            }),
        ),
        ("state_record_key", bytes(&key)),
        ("state_record_intent", bytes(&intent_record())),
        ("state_record_open_intent", bytes(&open_intent())),
        (
            "state_record_bucket",
            bytes(&Bucket {
                amount: 258.into(),
                count: 3,
            }),
        ),
        ("state_record_ended", bytes(&ended)),
    ]
}

pub fn cases() -> Vec<Case> {
    let genesis_file = genesis();
    let of_genesis = vec![
        ("genesis", bytes(&genesis_file)),
        ("genesis_hash", genesis_file.hash().0.to_vec()),
    ];
    [of_genesis, entries(), records()].concat()
}
