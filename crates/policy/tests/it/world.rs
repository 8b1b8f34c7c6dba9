//! A small tenant: two vaults, two users, two groups, two addresses, one ledger; and short
//! constructors for tables and intents.

use std::collections::{BTreeMap, BTreeSet};
use strongroom_policy::*;
use strongroom_types::*;

pub const CHAIN: &str = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328";
pub const ASSET: &str = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328/slip44:1";
/// Thursday 2026-01-01 00:00 UTC.
pub const NOW: UnixMs = UnixMs(1_767_225_600_000);
pub const FRIEND: &str = "bcrt1pfriend";
pub const STRANGER: &str = "bcrt1pstranger";

/// One authorized intent in the world's ledger.
#[derive(Clone, Debug)]
pub struct Spend {
    pub at: UnixMs,
    pub vault: VaultId,
    pub user: UserId,
    pub amount: MinorUnits,
}

#[derive(Clone, Debug, Default)]
pub struct World {
    pub vaults: BTreeMap<VaultId, Vault>,
    pub users: BTreeMap<CredentialId, UserId>,
    pub members: BTreeSet<(GroupId, UserId)>,
    pub listed: BTreeMap<String, Listed>,
    pub ledger: Vec<Spend>,
    /// Vaults whose key is revoked or not generated.
    pub keyless: BTreeSet<VaultId>,
    /// Whether no window's sum is known.
    pub windows_unknown: bool,
}

impl PolicyView for World {
    fn vault(&self, id: VaultId) -> Option<Vault> {
        self.vaults.get(&id).cloned()
    }

    fn can_receive(&self, id: VaultId) -> bool {
        self.vaults.contains_key(&id) && !self.keyless.contains(&id)
    }

    fn user_of(&self, credential: CredentialId) -> Option<UserId> {
        self.users.get(&credential).copied()
    }

    fn in_group(&self, group: GroupId, user: UserId) -> bool {
        self.members.contains(&(group, user))
    }

    fn allow_list(&self, chain: &ChainId, address: &str) -> Option<Listed> {
        self.listed
            .get(address)
            .filter(|_| chain.as_str() == CHAIN)
            .cloned()
    }

    fn spent(
        &self,
        scope: WindowScope,
        asset: &AssetId,
        window_ms: u64,
        at: UnixMs,
    ) -> Option<Spent> {
        if self.windows_unknown {
            return None;
        }
        let inside = self.ledger.iter().filter(|spend| {
            let mine = match scope {
                WindowScope::Vault(vault) => spend.vault == vault,
                WindowScope::Tenant => true,
                WindowScope::Initiator(user) => spend.user == user,
            };
            mine && asset.as_str() == ASSET && at.since(spend.at) < window_ms
        });
        inside.into_iter().try_fold(Spent::default(), |sum, spend| {
            Some(Spent {
                amount: sum.amount.checked_add(spend.amount)?,
                count: sum.count.checked_add(1)?,
            })
        })
    }
}

pub fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub fn chain() -> ChainId {
    CHAIN.parse().unwrap()
}

pub fn asset() -> AssetId {
    ASSET.parse().unwrap()
}

pub fn units(n: u64) -> MinorUnits {
    n.into()
}

pub fn most() -> MinorUnits {
    MinorUnits::from_be_bytes([0xff; 32])
}

pub fn vault(n: u8) -> VaultId {
    VaultId([n; 16])
}

pub fn user(n: u8) -> UserId {
    UserId([n; 16])
}

pub fn credential(n: u8) -> CredentialId {
    CredentialId([n; 16])
}

pub fn group(n: u8) -> GroupId {
    GroupId([n; 16])
}

pub fn entry(n: u8) -> AllowListId {
    AllowListId([n; 16])
}

/// Vault 1 is tagged `hot`, vault 2 `cold`; credential n is user n's; user 1 is in group 1, user 2
/// in group 2; `FRIEND` is on the allow-list (label `exchange`, entry 1) for one hour; nothing was
/// spent.
pub fn world() -> World {
    let a_vault = |n: u8, tag: &str| {
        let id = vault(n);
        let tags = vec![name(tag)];
        (
            id,
            Vault {
                id,
                name: name("v"),
                key: KeyId([9; 16]),
                account: n.into(),
                tags,
            },
        )
    };
    let listed = Listed {
        id: entry(1),
        label: name("exchange"),
        since: UnixMs(NOW.0 - 3_600_000),
    };
    World {
        vaults: [a_vault(1, "hot"), a_vault(2, "cold")].into(),
        users: [(credential(1), user(1)), (credential(2), user(2))].into(),
        members: [(group(1), user(1)), (group(2), user(2))].into(),
        listed: [(FRIEND.to_owned(), listed)].into(),
        ..World::default()
    }
}

impl World {
    /// This world with one more spend of `amount` by user 1 from vault 1, `age_ms` ago.
    pub fn spent_before(mut self, amount: u64, age_ms: u64) -> Self {
        let at = UnixMs(NOW.0 - age_ms);
        self.ledger.push(Spend {
            at,
            vault: vault(1),
            user: user(1),
            amount: units(amount),
        });
        self
    }
}

pub fn to(address: &str) -> Destination {
    Destination::Address(address.to_owned())
}

/// User 1 pays `amount` from vault 1 to each destination, fee cap 10.
pub fn intent(amount: u64, destinations: &[Destination]) -> Intent {
    let transfer = |destination: &Destination| Transfer {
        asset: asset(),
        destination: destination.clone(),
        amount: units(amount),
        memo: None,
    };
    Intent {
        platform: PlatformId([1; 16]),
        tenant: TenantId([1; 16]),
        vault: vault(1),
        initiator: credential(1),
        external_id: name("x"),
        created: NOW,
        expires: NOW.plus(60_000),
        chain: chain(),
        kind: IntentKind::Transfer(destinations.iter().map(transfer).collect()),
        fee_max: units(10),
        attempts_max: 1,
        purpose: None,
    }
}

/// An intent that pays 100 to `FRIEND`.
pub fn plain() -> Intent {
    intent(100, &[to(FRIEND)])
}

pub fn then(tier: Tier, groups: &[(u8, u32)]) -> Then {
    let need = |(n, approvals): &(u8, u32)| GroupNeed {
        group: group(*n),
        approvals: *approvals,
    };
    let groups = groups.iter().map(need).collect();
    Then {
        tier,
        time_lock_seconds: 0,
        ordered: false,
        groups,
        fee_max: None,
    }
}

pub fn auto() -> Then {
    then(Tier::Auto, &[])
}

pub fn rule(id: &str, matches: Match, then: Then) -> Rule {
    Rule {
        id: name(id),
        matches,
        then,
    }
}

/// A rule that matches anything.
pub fn every(id: &str, then: Then) -> Rule {
    rule(id, Match::default(), then)
}

pub fn guard(id: &str, kind: GuardKind) -> Guard {
    Guard { id: name(id), kind }
}

pub fn policy(guards: Vec<Guard>, rules: Vec<Rule>) -> Policy {
    Policy {
        guards,
        rules: rules.into(),
    }
}

/// Edits a copy of the rules and puts it in their place, as [`Rules`] can only be replaced as a
/// whole.
pub fn edit_rules(policy: &mut Policy, edit: impl FnOnce(&mut Vec<Rule>)) {
    let mut rules = policy.rules.to_vec();
    edit(&mut rules);
    policy.rules = rules.into();
}

pub fn ask_at(policy: &Policy, world: &World, intent: &Intent, at: UnixMs) -> Decision {
    ask_moment(policy, world, intent, Moment::Entry(at))
}

pub fn ask_moment(policy: &Policy, world: &World, intent: &Intent, moment: Moment) -> Decision {
    let payment = Payment::from(intent);
    let question = Question {
        payment: &payment,
        intent_digest: intent.digest(),
        moment,
        decoder: "bitcoin/1",
    };
    let decision = evaluate(policy, policy.digest(), world, &question);
    let (explained, _) = explain(policy, policy.digest(), world, &question);
    assert_eq!(decision, explained, "explaining changes nothing");
    assert_eq!(decision.core.tier == Tier::Block, decision.block.is_some());
    decision
}

pub fn ask(policy: &Policy, world: &World, intent: &Intent) -> Decision {
    ask_at(policy, world, intent, NOW)
}

/// The rule's name and tier.
pub fn outcome(policy: &Policy, world: &World, intent: &Intent) -> (String, Tier) {
    let decision = ask(policy, world, intent);
    (decision.core.rule, decision.core.tier)
}

/// The blocking guard's or rule's name and code; panics when nothing blocks.
pub fn blocked(policy: &Policy, world: &World, intent: &Intent) -> (String, Code) {
    let decision = ask(policy, world, intent);
    (decision.core.rule, decision.block.expect("blocked").code)
}

/// Whether an `auto` rule with these conditions matches.
pub fn matches(wanted: &Match, world: &World, intent: &Intent) -> bool {
    ask(
        &policy(vec![], vec![rule("r", wanted.clone(), auto())]),
        world,
        intent,
    )
    .block
    .is_none()
}
