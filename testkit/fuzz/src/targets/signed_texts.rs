//! Texts that people sign: canonical JSON, and each document read from it.

use super::{SEEDS, Target, same};
use crate::generate;
use rand_core::RngCore;
use strongroom_policy::Policy;
use strongroom_types::charter::Board;
use strongroom_types::json::Json;
use strongroom_types::proof::Assertion;
use strongroom_types::{
    Act, ActBody, Approval, Charter, CredentialId, DecisionCore, Destination, Document,
    Endorsement, Intent, IntentKind, MinorUnits, Name, Proof, RegistryRecord, Revocable, Scope,
    Signed, Tier, Tighten, Transfer, UnixMs,
};

pub(super) fn targets() -> Vec<Target> {
    vec![
        Target {
            name: "json",
            run: json,
            seeds: |_| texts(JSON),
        },
        Target {
            name: "signed_json",
            run: signed_json,
            seeds: |_| containers(),
        },
        Target {
            name: "intent",
            run: document::<Intent>,
            seeds: |rng| made(rng, intent),
        },
        Target {
            name: "decision_core",
            run: document::<DecisionCore>,
            seeds: |rng| made(rng, core),
        },
        Target {
            name: "approval",
            run: document::<Approval>,
            seeds: |rng| made(rng, approval),
        },
        Target {
            name: "act",
            run: document::<Act>,
            seeds: |rng| made(rng, act),
        },
        Target {
            name: "policy",
            run: policy,
            seeds: |_| texts(POLICY),
        },
    ]
}

const JSON: &[&str] = &[
    "{}",
    "[]",
    "\"\"",
    "true",
    r#"{"a":[true,false,{"b":"\"\\\b\f\n\r\t\u001f"}],"é":"ÿ","😀":[]}"#,
    r#"[[[[[[[[["deep"]]]]]]]]]"#,
];

const POLICY: &[&str] = &[
    r#"{"guards":[],"rules":[],"type":"strongroom/policy/v1"}"#,
    concat!(
        r#"{"guards":[{"addresses":["bc1qa","bc1qb"],"id":"g1","kind":"blocked_destinations"},"#,
        r#"{"amount_lte":"5","asset":"eip155:1/slip44:60","count_lte":"2","id":"g2","kind":"ceiling","scope":"tenant","window_seconds":"86400"},"#,
        r#"{"hours":{"days":["saturday"],"from":"22:00","to":"06:00","utc_offset_minutes":"-60"},"id":"g7","kind":"closed_hours"}],"#,
        r#""rules":[{"id":"rest","match":{"amount":{"gt":"1","lte":"100"},"#,
        r#""destinations":{"labels":["exchange"],"min_age_seconds":"3600","types":["allow_listed"]},"kinds":["transfer"],"#,
        r#""velocity":[{"amount_lte":"50","scope":"initiator","window_seconds":"60"}]},"#,
        r#""then":{"groups":[{"approvals":"1","group":"grp_01010101010101010101010101010101"}],"ordered":false,"tier":"one_of_n","time_lock_seconds":"0"}}],"#,
        r#""type":"strongroom/policy/v1"}"#
    ),
];

fn texts(of: &[&str]) -> Vec<Vec<u8>> {
    of.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn json(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    Json::parse(text).is_ok_and(|value| same(value.to_text().as_bytes(), data))
}

/// A container of a text and its signatures, as files and the operator's socket carry it.
fn signed_json(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    Signed::from_json(text).is_ok_and(|signed| same(signed.to_json().to_text().as_bytes(), data))
}

fn containers() -> Vec<Vec<u8>> {
    let assertion = Assertion::new(vec![5; 37], b"{}".to_vec(), vec![0x30; 8]);
    let mut proofs = vec![Proof::Ed25519([1; 64]), Proof::P256([2; 64])];
    proofs.extend(assertion.map(Proof::WebAuthn));
    let endorsed = proofs.into_iter().map(|proof| Endorsement {
        credential: CredentialId([3; 16]),
        proof,
    });
    let signed = |endorsements| Signed {
        text: r#"{"a":"\""}"#.to_owned(),
        endorsements,
    };
    let texts = endorsed.map(|one| signed(vec![one]).to_json().to_text());
    texts
        .chain([signed(Vec::new()).to_json().to_text()])
        .map(String::into_bytes)
        .collect()
}

fn document<D: Document>(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    D::parse(text).is_ok_and(|value| same(value.to_text().as_bytes(), data))
}

/// A policy that loads also parses as a document, with the digest of the very text.
fn policy(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    if let Ok((policy, digest)) = Policy::load(text) {
        assert_eq!(digest, policy.digest());
    }
    document::<Policy>(data)
}

/// Texts of documents that read back; a generator may miss a rule of its document now and then.
fn made<D: Document>(
    rng: &mut dyn RngCore,
    make: fn(&mut dyn RngCore) -> Option<D>,
) -> Vec<Vec<u8>> {
    (0..SEEDS * 40)
        .filter_map(|_| make(rng))
        .map(|document| document.to_text())
        .filter(|text| D::parse(text).is_ok())
        .take(SEEDS)
        .map(String::into_bytes)
        .collect()
}

fn any<T: borsh::BorshDeserialize>(rng: &mut dyn RngCore) -> Option<T> {
    generate::value(rng)
}

fn time(rng: &mut dyn RngCore) -> UnixMs {
    UnixMs(u64::from(rng.next_u32()))
}

fn name() -> Option<Name> {
    "Treasury".parse().ok()
}

fn intent(rng: &mut dyn RngCore) -> Option<Intent> {
    let asset: strongroom_types::AssetId = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328/slip44:1"
        .parse()
        .ok()?;
    let to_vault = rng.next_u32().is_multiple_of(2);
    let destination = if to_vault {
        Destination::Vault(any(rng)?)
    } else {
        Destination::Address("bcrt1p5cyxn".to_owned())
    };
    let created = time(rng);
    Some(Intent {
        platform: any(rng)?,
        tenant: any(rng)?,
        vault: any(rng)?,
        initiator: any(rng)?,
        external_id: name()?,
        created,
        expires: UnixMs(created.0 + 60_000),
        chain: asset.chain(),
        kind: IntentKind::Transfer(vec![Transfer {
            asset,
            destination,
            amount: MinorUnits::from(1 + u64::from(rng.next_u32())),
            memo: to_vault.then(name).flatten(),
        }]),
        fee_max: MinorUnits::from(u64::from(rng.next_u32())),
        attempts_max: 5,
        purpose: None,
    })
}

fn core(rng: &mut dyn RngCore) -> Option<DecisionCore> {
    Some(DecisionCore {
        intent: any(rng)?,
        policy: any(rng)?,
        rule: "large".to_owned(),
        tier: Tier::MOfN,
        groups: any(rng)?,
        obligations: Vec::new(),
        ordered: rng.next_u32().is_multiple_of(2),
        time_lock_seconds: 0,
        decoder: "bitcoin/1".to_owned(),
    })
}

fn approval(rng: &mut dyn RngCore) -> Option<Approval> {
    Some(Approval {
        platform: any(rng)?,
        tenant: any(rng)?,
        intent: any(rng)?,
        core: any(rng)?,
        after: any(rng)?,
        approver: any(rng)?,
        rationale: any(rng)?,
        nonce: any(rng)?,
        expires: time(rng),
    })
}

fn act(rng: &mut dyn RngCore) -> Option<Act> {
    let body = match rng.next_u32() % 8 {
        0 => ActBody::CreateTenant {
            tenant: any(rng)?,
            charter: Box::new(charter(rng)?),
        },
        1 => ActBody::Release(any(rng)?),
        2 => ActBody::Resume,
        3 => ActBody::Tighten(tighten(rng)?),
        _ => ActBody::Put(any::<RegistryRecord>(rng)?),
    };
    let scope = if rng.next_u32().is_multiple_of(3) {
        Scope::Platform
    } else {
        Scope::Tenant(any(rng)?)
    };
    Some(Act {
        platform: any(rng)?,
        scope,
        id: any(rng)?,
        version: rng.next_u64(),
        expires: time(rng),
        body,
    })
}

fn revocable(rng: &mut dyn RngCore) -> Option<Revocable> {
    Some(match rng.next_u32() % 4 {
        0 => Revocable::Credential(any(rng)?),
        1 => Revocable::User {
            id: any(rng)?,
            boards: any(rng)?,
        },
        2 => Revocable::AllowList(any(rng)?),
        _ => Revocable::Key(any(rng)?),
    })
}

fn tighten(rng: &mut dyn RngCore) -> Option<Tighten> {
    Some(match rng.next_u32() % 6 {
        0 => Tighten::Revoke(revocable(rng)?),
        1 => Tighten::LeaveGroup {
            group: any(rng)?,
            user: any(rng)?,
        },
        2 => Tighten::Cancel(any(rng)?),
        3 => Tighten::Reject(any(rng)?),
        4 => Tighten::Pause {
            vault: any(rng)?,
            until: time(rng),
        },
        _ => Tighten::Stop,
    })
}

fn charter(rng: &mut dyn RngCore) -> Option<Charter> {
    let board = |member| Board {
        members: vec![member],
        quorum: 1,
    };
    Some(Charter {
        name: name()?,
        admins: board(any(rng)?),
        committee: board(any(rng)?),
        users: any(rng)?,
        credentials: any(rng)?,
        groups: any(rng)?,
        allow_list: any(rng)?,
        policy: "{}".to_owned(),
        loosen_delay_ms: 2_000,
        ceremony_delay_ms: 2_000,
    })
}
