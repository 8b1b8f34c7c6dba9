//! An act of every kind.

use crate::texts::{ADDRESS, CHAIN, NOW, intent, name, policy};
use strongroom_types::charter::{Board, BoardName, NamedBoard};
use strongroom_types::credential::{BackupPolicy, PublicKey, RelyingParty};
use strongroom_types::*;

fn user() -> User {
    User {
        id: UserId([12; 16]),
        name: name("Ada Lovelace"),
    }
}

pub fn credential(class: CredentialClass) -> Credential {
    Credential {
        id: CredentialId([4; 16]),
        user: Some(user().id),
        class,
        key: PublicKey::Ed25519([13; 32]),
        web: None,
    }
}

/// The base point of P-256, compressed (SEC 2 §2.4.2), as a public key.
pub fn p256() -> PublicKey {
    let hex = "036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
    PublicKey::from_text("p256", hex).unwrap()
}

pub fn passkey() -> Credential {
    Credential {
        key: p256(),
        web: Some(RelyingParty {
            rp_id: "example.org".to_owned(),
            origins: vec![
                "https://example.org".to_owned(),
                "https://sign.example.org:8443".to_owned(),
            ],
            backup: BackupPolicy::SyncedAllowed,
        }),
        ..credential(CredentialClass::Passkey)
    }
}

pub fn feed() -> Credential {
    Credential {
        user: None,
        key: p256(),
        ..credential(CredentialClass::Feed)
    }
}

fn group() -> Group {
    Group {
        id: GroupId([6; 16]),
        name: name("approvers"),
        members: vec![UserId([12; 16]), UserId([14; 16])],
    }
}

pub fn entry() -> AllowListEntry {
    AllowListEntry {
        id: AllowListId([15; 16]),
        chain: CHAIN.parse().unwrap(),
        address: ADDRESS.to_owned(),
        label: name("exchange"),
    }
}

pub fn charter() -> Charter {
    let board = |first: u8| Board {
        members: vec![UserId([first; 16]), UserId([first + 1; 16])],
        quorum: 2,
    };
    Charter {
        name: name("Example Bank"),
        admins: board(20),
        committee: board(30),
        users: vec![user()],
        credentials: vec![
            credential(CredentialClass::Key),
            credential(CredentialClass::Program),
        ],
        groups: vec![group()],
        allow_list: vec![entry()],
        policy: policy().to_text(),
        loosen_delay_ms: 86_400_000,
        ceremony_delay_ms: 172_800_000,
    }
}

fn board(name: BoardName) -> NamedBoard {
    let board = Board {
        members: vec![UserId([20; 16]), UserId([21; 16])],
        quorum: 2,
    };
    NamedBoard { name, board }
}

fn plan(suite: Suite) -> CeremonyPlan {
    CeremonyPlan {
        key: KeyId([16; 16]),
        suite,
        min_signers: 2,
        roster: vec![1, 2, 3],
    }
}

fn bodies() -> Vec<(&'static str, ActBody)> {
    let put = ActBody::Put;
    let tighten = ActBody::Tighten;
    let act = digest("test", &[b"act"]);
    let vault = Vault {
        id: VaultId([3; 16]),
        name: name("main"),
        key: KeyId([16; 16]),
        account: 999_999,
        tags: vec![name("cold"), name("hot")],
    };
    vec![
        (
            "create_tenant",
            ActBody::CreateTenant {
                tenant: TenantId([2; 16]),
                charter: Box::new(charter()),
            },
        ),
        ("put_user", put(RegistryRecord::User(user()))),
        (
            "put_credential",
            put(RegistryRecord::Credential(credential(CredentialClass::Key))),
        ),
        (
            "put_credential_passkey",
            put(RegistryRecord::Credential(passkey())),
        ),
        (
            "put_credential_feed",
            put(RegistryRecord::Credential(feed())),
        ),
        ("put_group", put(RegistryRecord::Group(group()))),
        ("put_allow_list", put(RegistryRecord::AllowList(entry()))),
        (
            "put_policy",
            put(RegistryRecord::Policy(policy().to_text())),
        ),
        ("put_vault", put(RegistryRecord::Vault(vault))),
        (
            "put_ceremony_taproot",
            put(RegistryRecord::Ceremony(plan(Suite::FrostSecp256k1Tr))),
        ),
        (
            "put_ceremony_secp256k1",
            put(RegistryRecord::Ceremony(plan(Suite::FrostSecp256k1))),
        ),
        (
            "put_ceremony_ed25519",
            put(RegistryRecord::Ceremony(plan(Suite::FrostEd25519))),
        ),
        (
            "put_board_admins",
            put(RegistryRecord::Board(board(BoardName::Admins))),
        ),
        (
            "put_board_committee",
            put(RegistryRecord::Board(board(BoardName::Committee))),
        ),
        ("release", ActBody::Release(act)),
        ("resume", ActBody::Resume),
        (
            "revoke_credential",
            tighten(Tighten::revoke(CredentialId([4; 16]))),
        ),
        ("revoke_user", tighten(Tighten::revoke(user().id))),
        (
            "revoke_user_and_replace_boards",
            tighten(Tighten::Revoke(Revocable::User {
                id: user().id,
                boards: vec![board(BoardName::Admins), board(BoardName::Committee)],
            })),
        ),
        (
            "leave_group",
            tighten(Tighten::LeaveGroup {
                group: group().id,
                user: user().id,
            }),
        ),
        ("revoke_allow_list", tighten(Tighten::revoke(entry().id))),
        ("cancel", tighten(Tighten::Cancel(intent().digest()))),
        ("reject", tighten(Tighten::Reject(intent().digest()))),
        (
            "pause_tenant",
            tighten(Tighten::Pause {
                vault: None,
                until: NOW.plus(1),
            }),
        ),
        (
            "pause_vault",
            tighten(Tighten::Pause {
                vault: Some(VaultId([3; 16])),
                until: NOW.plus(1),
            }),
        ),
        ("stop", tighten(Tighten::Stop)),
        ("revoke_key", tighten(Tighten::revoke(KeyId([16; 16])))),
        ("veto", tighten(Tighten::Veto(act))),
        ("quarantine", tighten(Tighten::Quarantine(3))),
    ]
}

pub fn acts() -> Vec<(String, Act)> {
    let act = |(kind, body): (&str, ActBody)| {
        let scope = match kind {
            "create_tenant" | "quarantine" => Scope::Platform,
            _ => Scope::Tenant(TenantId([2; 16])),
        };
        let act = Act {
            platform: PlatformId([1; 16]),
            scope,
            id: ActId([17; 16]),
            version: 7,
            expires: NOW,
            body,
        };
        (format!("act_{kind}"), act)
    };
    bodies().into_iter().map(act).collect()
}
