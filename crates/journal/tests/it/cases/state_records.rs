//! One value of each record of the state.

use super::*;

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
        external_id: "payroll-7".parse().unwrap(),
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
        counts_from: UnixMs(9),
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

fn waiting_record() -> WaitingRecord {
    let tenant = TenantId([2; 16]);
    let of = [
        WaitingOf::Proposal(tenant, Digest([3; 32])),
        WaitingOf::Act(Scope::Platform),
        WaitingOf::Lock(tenant, Digest([1; 32])),
        WaitingOf::Pause(tenant, UserId([20; 16])),
        WaitingOf::Tenant(tenant),
        WaitingOf::PlatformProposal(Digest([3; 32])),
    ];
    let items = of.into_iter().zip(7..);
    WaitingRecord {
        witnessed: 6,
        items: items
            .map(|(of, seq)| WaitingItem { seq, at: AT, of })
            .collect(),
    }
}

fn waiting_act(effect: WaitingChange) -> WaitingAct {
    WaitingAct {
        digest: Digest([22; 32]),
        version: 9,
        expires: AT,
        effect,
    }
}

fn minute() -> MinuteCount {
    MinuteCount {
        minute: 29_453_760,
        entries: 4,
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
        minute: minute(),
        minute_bytes: 4096,
        intents_open: 5,
        proposals_open: 6,
    }
}

pub(super) fn records() -> Vec<Case> {
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
        until: strongroom_types::UnixMs(1_767_312_000_000),
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
                admins: Board {
                    members: vec![UserId([12; 16])],
                    quorum: 1,
                },
            }),
        ),
        (
            "state_record_platform_proposals",
            bytes(&vec![PlatformProposal {
                act: Digest([26; 32]),
                proposal: proposal(board_record()),
            }]),
        ),
        ("state_record_tenant", bytes(&tenant_record())),
        ("state_record_waiting", bytes(&waiting_record())),
        ("state_record_used_act", bytes(&ActStanding::Released)),
        (
            "state_record_user",
            bytes(&UserRecord {
                name: name("Ada"),
                revoked: true,
                board_keys: 2,
                intents_open: 3,
            }),
        ),
        (
            "state_record_credential",
            bytes(&CredentialRecord {
                credential: credential(),
                revoked: true,
                tightenings: minute(),
                kept: 7,
            }),
        ),
        (
            "state_record_listed",
            bytes(&ListedRecord {
                entry: entry.clone(),
                since: Some(AT),
                removed: true,
            }),
        ),
        (
            "state_record_group",
            bytes(&GroupRecord {
                group: group.clone(),
                left: vec![UserId([13; 16])],
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
            "state_record_proposal_board",
            bytes(&proposal(board_record())),
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
            "state_record_held",
            bytes(&HeldRecord {
                intent: Digest([1; 32]),
                until: AT,
            }),
        ),
        (
            "state_record_holder",
            bytes(&HolderRecord {
                keys: vec![Digest([2; 32])],
            }),
        ),
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
