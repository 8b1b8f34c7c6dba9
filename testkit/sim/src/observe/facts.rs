//! Reading entries as facts, from the texts that people signed.

use super::vaults::Vaults;
use crate::history::{Attempted, Authorized, Fact, Loosening, Released, Tightening};
use std::collections::{BTreeMap, BTreeSet};
use strongroom_journal::{Authorization, Body, Entry, Genesis};
use strongroom_policy::{GuardKind, Policy, Rule};
use strongroom_tlog::Checkpoint;
use strongroom_types::charter::Board;
use strongroom_types::{
    Act, ActBody, AllowListId, Approval, Attempt, AttemptKind, CredentialId, DecisionCore,
    Destination, Digest, Document as _, Intent, RegistryRecord, Revocable, Scope, Signed, TenantId,
    Tighten, UserId, VaultId,
};
use strongroom_world::Tenant;

/// Reads entries in order; remembers proposals until they are released.
pub(crate) struct Reader {
    tenants: BTreeMap<TenantId, Tenant>,
    users: BTreeMap<CredentialId, UserId>,
    /// Credentials that genesis gives to the admins of the platform.
    platform_keys: BTreeSet<CredentialId>,
    proposals: BTreeMap<Digest, RegistryRecord>,
    /// Rules that match initiators of some group, by policy.
    of_groups: BTreeSet<(Digest, String)>,
    /// Entries of the allow-list by address, where automatic payments need one.
    listed: BTreeMap<String, AllowListId>,
    pub(super) vaults: Vaults,
}

impl Reader {
    pub(crate) fn new(tenants: &[Tenant], genesis: &Genesis) -> Self {
        let people = |tenant: &Tenant| {
            let all = tenant.all_people().into_iter();
            all.map(|who| tenant.person(who).credential)
                .collect::<Vec<_>>()
        };

        // From the charters, which do not change: no seed registers another person of a tenant.
        let users = tenants.iter().flat_map(people);
        let users = users.filter_map(|c| Some((c.id, c.user?))).collect();
        let charters = tenants.iter().map(Tenant::charter);
        let lists = charters.filter(|charter| needs_list(&charter.policy));
        let listed = lists.flat_map(|charter| charter.allow_list);
        let by_id = tenants.iter().map(|tenant| (tenant.id, tenant.clone()));
        Self {
            tenants: by_id.collect(),
            users,
            platform_keys: genesis.admin_credentials.iter().map(|c| c.id).collect(),
            proposals: BTreeMap::new(),
            of_groups: BTreeSet::new(),
            listed: listed.map(|entry| (entry.address, entry.id)).collect(),
            vaults: Vaults::default(),
        }
    }

    /// The human behind a credential.
    pub(crate) fn user(&self, credential: CredentialId) -> Option<UserId> {
        self.users.get(&credential).copied()
    }

    pub(crate) fn fact(&mut self, entry: &Entry) -> Fact {
        match &entry.body {
            Body::Authorized(authorization) => self.authorized(entry, authorization),
            Body::Attempt(further) => Fact::Attempt {
                intent: further.attempt.intent,
                attempted: attempted(entry, &further.attempt),
            },
            Body::Finished(finished) => {
                self.vaults.on_finished(finished);
                Fact::Finished(finished.key, finished.certificates.len())
            }
            Body::Act(signed) => self.act(signed),
            Body::Witnessed(witnessed) => {
                let checkpoint = Checkpoint::parse(&witnessed.checkpoint).unwrap();
                let times = witnessed.cosignatures.iter().map(|c| c.time_s);
                Fact::Witnessed {
                    size: checkpoint.size(),
                    time_ms: times.max().unwrap_or(0).saturating_mul(1_000),
                }
            }
            Body::Genesis(_) | Body::Tick => Fact::Other,
        }
    }

    fn authorized(&self, entry: &Entry, authorization: &Authorization) -> Fact {
        let intent = Intent::parse(&authorization.intent.text).unwrap();
        let core = DecisionCore::parse(&authorization.core).unwrap();
        let approvals = authorization.approvals.iter();
        let approvals = approvals.map(|a| Approval::parse(&a.text).unwrap());
        let approvals: Vec<Approval> = approvals.collect();
        let approvers: Vec<CredentialId> = approvals.iter().map(|a| a.approver).collect();
        let ends = approvals.iter().map(|approval| approval.expires.0);

        let users = |of: &[CredentialId]| {
            of.iter()
                .filter_map(|id| self.users.get(id).copied())
                .collect()
        };
        let credentials: Vec<_> = approvers
            .iter()
            .copied()
            .chain([intent.initiator])
            .collect();

        // A rule for the members of a group rests on the initiator's membership as well.
        let is_of_group = self.of_groups.contains(&(core.policy, core.rule.clone()));
        let initiator = Some(intent.initiator).filter(|_| is_of_group);
        let members: Vec<_> = approvers.iter().copied().chain(initiator).collect();
        let spend = intent
            .total()
            .and_then(|total| total.checked_add(intent.fee_max));

        // By the texts that people signed: what the entry says of them besides counts for nothing.
        let attempt = &authorization.attempt;
        let pays = self.vaults.pays(&intent);
        Fact::Authorized(Box::new(Authorized {
            intent: Intent::digest_of(&authorization.intent.text),
            tenant: intent.tenant,
            vaults: vaults(&intent),
            at_ms: entry.at.0,
            spend: spend.and_then(|spend| spend.to_u64()).unwrap(),
            anchor: attempt.anchor.to_string(),
            listed: self.relied_on(&approvers, &pays),
            pays,
            into: self.vaults.paid_into(&intent),
            attempts: vec![attempted(entry, attempt)],
            lock_ms: core.time_lock_seconds * 1_000,
            users: users(&credentials),
            members: users(&members),
            approved_until_ms: ends.min().unwrap_or(u64::MAX),
            credentials,
            policy: core.policy,
            key: self.tenants[&intent.tenant].key,
            expires_ms: intent.expires.0,
        }))
    }

    /// A payment that no one approved relies on the list, if the policy asks for that.
    fn relied_on(&self, approvers: &[CredentialId], pays: &[(String, u64)]) -> Vec<AllowListId> {
        let addresses = pays.iter().filter(|_| approvers.is_empty());
        let listed = addresses.filter_map(|(address, _)| self.listed.get(address));
        listed.copied().collect()
    }

    fn act(&mut self, signed: &Signed) -> Fact {
        let act = Act::parse(&signed.text).unwrap();
        let digest = Act::digest_of(&signed.text);

        match act.body {
            ActBody::Tighten(what) => Fact::Tighten(tightening(&what), digest),
            ActBody::Resume => Fact::Released(Box::new(Released {
                what: Loosening::Resume,
                proposal: None,
                signed: signed.endorsements.len(),
                expires_ms: act.expires.0,
            })),
            ActBody::Put(record) if act.scope == Scope::Platform => {
                self.put_of_platform(digest, record, signed)
            }
            ActBody::Put(RegistryRecord::Vault(vault)) => {
                self.vaults.on_put(&vault);
                Fact::Released(Box::new(Released {
                    what: Loosening::Vault(vault.id),
                    proposal: None,
                    signed: signed.endorsements.len(),
                    expires_ms: act.expires.0,
                }))
            }
            ActBody::Put(RegistryRecord::Policy(text)) if is_tighter(&text) => {
                self.tighter(act.scope, digest, (&text, signed))
            }
            ActBody::Put(record) => self.put(digest, record),
            ActBody::Release(proposal) => match self.released(&proposal) {
                None => Fact::Other,
                Some(what) => Fact::Released(Box::new(Released {
                    what,
                    proposal: Some(proposal),
                    signed: self.signed_by_committee(act.scope, signed),
                    expires_ms: act.expires.0,
                })),
            },
            ActBody::CreateTenant { .. } => Fact::Other,
        }
    }
}

impl Reader {
    /// A policy, a ceremony and an address wait for their delay; other records are in force or nothing to the
    /// properties.
    fn put(&mut self, act: Digest, record: RegistryRecord) -> Fact {
        let waits = matches!(
            record,
            RegistryRecord::Policy(_) | RegistryRecord::Ceremony(_) | RegistryRecord::AllowList(_)
        );
        if !waits {
            return Fact::Other;
        }
        if let RegistryRecord::Policy(text) = &record {
            self.of_groups.extend(rules_of_groups(text));
        }
        self.proposals.insert(act, record);
        Fact::Proposed(act)
    }

    /// Every record of the platform waits.
    fn put_of_platform(&mut self, act: Digest, record: RegistryRecord, signed: &Signed) -> Fact {
        self.proposals.insert(act, record);

        // Signed by a credential that genesis does not name, it relies on that one's release.
        let is_further = |id: &CredentialId| !self.platform_keys.contains(id);
        let mut signers = signed.endorsements.iter().map(|e| e.credential);
        match signers.find(is_further) {
            Some(further) => Fact::ProposedBy(further),
            None => Fact::Proposed(act),
        }
    }

    fn released(&mut self, proposal: &Digest) -> Option<Loosening> {
        match self.proposals.get(proposal)? {
            RegistryRecord::Policy(text) => {
                let (_, digest) = strongroom_policy::Policy::load(text).ok()?;
                Some(Loosening::Policy(digest))
            }
            RegistryRecord::Ceremony(plan) => {
                Some(Loosening::Ceremony(plan.key, plan.roster.clone()))
            }
            RegistryRecord::Credential(credential) => Some(Loosening::AdminKey(credential.id)),
            RegistryRecord::AllowList(entry) => {
                self.listed.insert(entry.address.clone(), entry.id);
                None
            }
            _ => None,
        }
    }

    /// A tighter policy is in force at once, if its board signed it.
    fn tighter(&self, scope: Scope, act: Digest, (text, signed): (&str, &Signed)) -> Fact {
        let quorum = self.committee(scope).map(|board| board.quorum as usize);

        // Counted here again: were the product to take one with too few signatures, it would be no
        // tightening, and what it forbids would not be.
        let is_signed = quorum.is_some_and(|q| self.signed_by_committee(scope, signed) >= q);
        let read = Policy::load(text).ok().filter(|_| is_signed);
        match read.and_then(|(policy, digest)| Some((digest, most(&policy)?))) {
            Some((policy, most)) => Fact::Tighten(Tightening::Policy { policy, most }, act),
            None => Fact::Other,
        }
    }

    fn committee(&self, scope: Scope) -> Option<Board> {
        match scope {
            Scope::Platform => None,
            Scope::Tenant(id) => Some(self.tenants.get(&id)?.charter().committee),
        }
    }

    fn signed_by_committee(&self, scope: Scope, signed: &Signed) -> usize {
        let Some(committee) = self.committee(scope) else {
            return 0;
        };

        // Humans and not signatures: two credentials of one member are one voice.
        let credentials = signed.endorsements.iter();
        let users = credentials.filter_map(|e| self.users.get(&e.credential));
        let members = users.filter(|user| committee.members.contains(user));
        members.collect::<BTreeSet<_>>().len()
    }
}

fn attempted(entry: &Entry, attempt: &Attempt) -> Attempted {
    Attempted {
        number: attempt.number,
        unsigned: attempt.unsigned_digest,
        is_cancel: attempt.kind == AttemptKind::Cancel,
        at_ms: entry.at.0,
    }
}

/// Most that one payment moves under a policy, if it says so. Of the policies of a plan only the
/// tighter one does.
fn most(policy: &Policy) -> Option<u64> {
    policy.guards.iter().find_map(|guard| match &guard.kind {
        GuardKind::AmountMax { lte, .. } => lte.to_u64(),
        _ => None,
    })
}

/// Rules that match initiators of some group alone. No charter's policy has one.
fn rules_of_groups(text: &str) -> Vec<(Digest, String)> {
    let Ok((policy, digest)) = Policy::load(text) else {
        return Vec::new();
    };
    let asks = |rule: &&Rule| {
        let initiators = rule.matches.initiators.as_ref();
        initiators.is_some_and(|of| of.groups.is_some())
    };
    let rules = policy.rules.iter().filter(asks);
    rules.map(|rule| (digest, rule.id.to_string())).collect()
}

fn is_tighter(text: &str) -> bool {
    Policy::load(text).is_ok_and(|(policy, _)| most(&policy).is_some())
}

/// Whether a rule of this policy asks where a payment goes.
fn needs_list(policy: &str) -> bool {
    let asks = |rule: &Rule| rule.matches.destinations.is_some();
    Policy::load(policy).is_ok_and(|(policy, _)| policy.rules.iter().any(asks))
}

/// Vaults that an intent uses, the one that pays first.
fn vaults(intent: &Intent) -> Vec<VaultId> {
    let into = intent
        .transfers()
        .iter()
        .filter_map(|t| match &t.destination {
            Destination::Vault(vault) => Some(*vault),
            Destination::Address(_) => None,
        });
    std::iter::once(intent.vault).chain(into).collect()
}

/// A tightening as the properties know it.
pub(crate) fn tightening(what: &Tighten) -> Tightening {
    match what {
        Tighten::Revoke(Revocable::Credential(id)) => Tightening::Credential(*id),
        Tighten::Revoke(Revocable::User { id, .. }) => Tightening::User(*id),
        Tighten::Revoke(Revocable::Key(key)) => Tightening::Key(*key),
        Tighten::Revoke(Revocable::AllowList(id)) => Tightening::Listed(*id),
        Tighten::LeaveGroup { user, .. } => Tightening::Member(*user),
        // After either nothing more is paid for the intent.
        Tighten::Cancel(intent) | Tighten::Reject(intent) => Tightening::Cancel(*intent),
        Tighten::Stop => Tightening::Stop,
        Tighten::Pause { until, .. } => Tightening::Pause(until.0),
        Tighten::Quarantine(index) => Tightening::Quarantine(*index),
        Tighten::Veto(act) => Tightening::Veto(*act),
    }
}
