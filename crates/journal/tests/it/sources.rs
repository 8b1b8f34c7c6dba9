//! Where the policy tells sources apart, a new vault is the committee's matter, too.

use crate::{code, ready};
use strongroom_policy::{Guard, GuardKind, Rule, Sources, VelocityScope, Window, is_tighter};
use strongroom_types::{ActBody, Code, Document as _, Refusal, RegistryRecord, Vault, VaultId};
use strongroom_world::{Ledger, Who};

const ADMIN: [Who; 1] = [Who::Admin(0)];

/// A tenant whose first rule is for these sources only.
fn with_sources(sources: Sources) -> Ledger {
    under(|first, _| first.matches.sources = Some(Box::new(sources)))
}

/// A tenant whose first rule and guards are changed.
fn under(change: impl FnOnce(&mut Rule, &mut Vec<Guard>)) -> Ledger {
    let mut ledger = ready();
    let mut policy = ledger.world.tenant.policy(&Default::default());
    let mut rules = policy.rules.to_vec();
    change(&mut rules[0], &mut policy.guards);
    policy.rules = rules.into();
    let record = RegistryRecord::Policy(policy.to_text());
    if is_tighter(&ledger.world.tenant.policy(&Default::default()), &policy) {
        let put = ActBody::Put(record);
        ledger.act(put, &ledger.committee()).unwrap();
    } else {
        ledger.put_and_release(record);
    }
    ledger
}

fn window(scope: VelocityScope) -> Window {
    Window {
        scope,
        window_seconds: 3600,
        amount_lte: Some(500_000.into()),
        count_lte: None,
    }
}

/// A vault made by the admins would have an empty window of its own.
#[test]
fn hole_admins_alone_create_no_vault_where_each_has_a_window() {
    let by_rule = |scope| under(|first, _| first.matches.velocity = vec![window(scope)]);
    let by_guard = |scope| {
        let asset = strongroom_world::NATIVE.parse().unwrap();
        let window = window(scope);
        let id = "ceiling".parse().unwrap();
        let kind = GuardKind::Ceiling { asset, window };
        under(|_, guards| guards.push(Guard { id, kind }))
    };
    for ledger in [
        by_rule(VelocityScope::Vault),
        by_guard(VelocityScope::Vault),
    ] {
        assert_eq!(code(put_vault(&ledger, &[], &ADMIN)), Code::QuorumMissing);
    }
    for ledger in [
        by_rule(VelocityScope::Tenant),
        by_guard(VelocityScope::Tenant),
    ] {
        put_vault(&ledger, &[], &ADMIN).unwrap();
    }
}

fn put_vault(ledger: &Ledger, tags: &[&str], who: &[Who]) -> Result<u64, Refusal> {
    let vault = Vault {
        id: VaultId([9; 16]),
        account: 1,
        tags: tags.iter().map(|tag| tag.parse().unwrap()).collect(),
        ..ledger.world.tenant.first_vault()
    };
    let put = ActBody::Put(RegistryRecord::Vault(vault));
    ledger.clone().act(put, who)
}

#[test]
fn hole_admins_alone_create_no_vault_where_tags_choose_the_rule() {
    let tags = Some(vec!["hot".parse().unwrap()]);
    let ledger = with_sources(Sources { vaults: None, tags });
    let both = [Who::Admin(0), Who::Committee(0), Who::Committee(1)];
    for tags in [&["hot"][..], &["cold"], &[]] {
        let alone = code(put_vault(&ledger, tags, &ADMIN));
        assert_eq!(alone, Code::QuorumMissing, "{tags:?}");
        let committee = code(put_vault(&ledger, tags, &both[1..]));
        assert_eq!(committee, Code::QuorumMissing, "{tags:?}");
        put_vault(&ledger, tags, &both).unwrap();
    }
}

#[test]
fn a_rule_that_names_vaults_tells_new_ones_apart_as_well() {
    let vaults = Some(vec![ready().world.tenant.vault]);
    let ledger = with_sources(Sources { vaults, tags: None });
    assert_eq!(code(put_vault(&ledger, &[], &ADMIN)), Code::QuorumMissing);
}

#[test]
fn tags_that_no_rule_reads_are_the_admins_alone() {
    put_vault(&ready(), &["hot"], &ADMIN).unwrap();
}
