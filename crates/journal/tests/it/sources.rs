//! Where the policy tells sources apart, a new vault is the committee's matter, too.

use crate::{code, ready};
use strongroom_policy::{Policy, Sources};
use strongroom_types::{ActBody, Code, Document as _, Refusal, RegistryRecord, Vault, VaultId};
use strongroom_world::{Ledger, Who};

const ADMIN: [Who; 1] = [Who::Admin(0)];

/// A tenant whose first rule is for these sources only.
fn with_sources(sources: Sources) -> Ledger {
    let mut ledger = ready();
    let policy = ledger.world.tenant.policy(&Default::default());
    let mut rules = policy.rules.to_vec();
    rules[0].matches.sources = Some(Box::new(sources));
    let policy = Policy {
        rules: rules.into(),
        ..policy
    };
    ledger.put_and_release(RegistryRecord::Policy(policy.to_text()));
    ledger
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
