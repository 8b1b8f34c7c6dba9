//! Reading entries as facts, from the texts that people signed.

use super::vaults::Vaults;
use crate::history::{Attempted, Authorized, Fact, Loosening, Released, Tightening};
use std::collections::{BTreeMap, BTreeSet};
use strongroom_journal::{Authorization, Body, Entry};
use strongroom_tlog::Checkpoint;
use strongroom_types::{
    Act, ActBody, Approval, Attempt, CredentialId, DecisionCore, Digest, Document as _, Intent,
    RegistryRecord, Revocable, Scope, Signed, Tighten, UserId,
};
use strongroom_world::World;

/// Reads entries in order; remembers proposals until they are released.
pub(crate) struct Reader {
    world: World,
    users: BTreeMap<CredentialId, UserId>,
    committee: Vec<UserId>,
    proposals: BTreeMap<Digest, RegistryRecord>,
    pub(super) vaults: Vaults,
}

impl Reader {
    pub(crate) fn new(world: World) -> Self {
        let people = world.tenant.all_people();
        let users = people
            .iter()
            .map(|who| world.person(*who).credential)
            .filter_map(|c| Some((c.id, c.user?)))
            .collect();
        let committee = world.tenant.charter().committee.members;
        Self {
            world,
            users,
            committee,
            proposals: BTreeMap::new(),
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
                Fact::Witnessed(checkpoint.size())
            }
            Body::Genesis(_) | Body::Tick => Fact::Other,
        }
    }

    fn authorized(&self, entry: &Entry, authorization: &Authorization) -> Fact {
        let intent = Intent::parse(&authorization.intent.text).unwrap();
        let core = DecisionCore::parse(&authorization.core).unwrap();
        let approvals = authorization
            .approvals
            .iter()
            .map(|a| Approval::parse(&a.text).unwrap().approver);
        let approvers: Vec<CredentialId> = approvals.collect();
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
        let spend = intent
            .total()
            .and_then(|total| total.checked_add(intent.fee_max));
        let attempt = &authorization.attempt;
        Fact::Authorized(Box::new(Authorized {
            intent: Intent::digest_of(&authorization.intent.text),
            at_ms: entry.at.0,
            spend: spend.and_then(|spend| spend.to_u64()).unwrap(),
            anchor: attempt.anchor.to_string(),
            pays: self.vaults.pays(&intent),
            into: self.vaults.paid_into(&intent),
            attempts: vec![attempted(entry, attempt)],
            lock_ms: core.time_lock_seconds * 1_000,
            users: users(&credentials),
            members: users(&approvers),
            credentials,
            policy: core.policy,
            key: self.world.tenant.key,
            expires_ms: intent.expires.0,
        }))
    }

    fn act(&mut self, signed: &Signed) -> Fact {
        let act = Act::parse(&signed.text).unwrap();
        let digest = Act::digest_of(&signed.text);
        match act.body {
            ActBody::Tighten(what) => match tightening(&what) {
                Some(what) => Fact::Tighten(what, digest),
                None => Fact::Other,
            },
            ActBody::Resume => Fact::Released(Box::new(Released {
                what: Loosening::Resume,
                proposal: None,
                signed: signed.endorsements.len(),
                expires_ms: act.expires.0,
            })),
            ActBody::Put(record) if act.scope == Scope::Platform => {
                self.put_of_platform(digest, record, signed)
            }
            ActBody::Put(record) => self.put(digest, record),
            ActBody::Release(proposal) => match self.released(&proposal) {
                None => Fact::Other,
                Some(what) => Fact::Released(Box::new(Released {
                    what,
                    proposal: Some(proposal),
                    signed: self.signed_by_committee(signed),
                    expires_ms: act.expires.0,
                })),
            },
            ActBody::CreateTenant { .. } => Fact::Other,
        }
    }
}

impl Reader {
    /// A policy and a ceremony wait for their delay; other records are in force or nothing to the
    /// properties.
    fn put(&mut self, act: Digest, record: RegistryRecord) -> Fact {
        if let RegistryRecord::Vault(vault) = &record {
            self.vaults.on_put(vault);
        }
        let waits = matches!(
            record,
            RegistryRecord::Policy(_) | RegistryRecord::Ceremony(_)
        );
        if !waits {
            return Fact::Other;
        }
        self.proposals.insert(act, record);
        Fact::Proposed(act)
    }

    /// Every record of the platform waits.
    fn put_of_platform(&mut self, act: Digest, record: RegistryRecord, signed: &Signed) -> Fact {
        self.proposals.insert(act, record);
        let known = &self.world.genesis.admin_credentials;
        let is_further = |id: &CredentialId| known.iter().all(|known| known.id != *id);
        let mut signers = signed.endorsements.iter().map(|e| e.credential);
        match signers.find(is_further) {
            Some(further) => Fact::ProposedBy(further),
            None => Fact::Proposed(act),
        }
    }

    fn released(&self, proposal: &Digest) -> Option<Loosening> {
        match self.proposals.get(proposal)? {
            RegistryRecord::Policy(text) => {
                let (_, digest) = strongroom_policy::Policy::load(text).ok()?;
                Some(Loosening::Policy(digest))
            }
            RegistryRecord::Ceremony(plan) => {
                Some(Loosening::Ceremony(plan.key, plan.roster.clone()))
            }
            RegistryRecord::Credential(credential) => Some(Loosening::AdminKey(credential.id)),
            _ => None,
        }
    }

    fn signed_by_committee(&self, signed: &Signed) -> usize {
        let credentials = signed.endorsements.iter();
        let users = credentials.filter_map(|e| self.users.get(&e.credential));
        let members = users.filter(|user| self.committee.contains(user));
        members.collect::<BTreeSet<_>>().len()
    }
}

fn attempted(entry: &Entry, attempt: &Attempt) -> Attempted {
    Attempted {
        number: attempt.number,
        unsigned: attempt.unsigned_digest,
        at_ms: entry.at.0,
    }
}

/// The part of a tightening that the properties know.
pub(crate) fn tightening(what: &Tighten) -> Option<Tightening> {
    Some(match what {
        Tighten::Revoke(Revocable::Credential(id)) => Tightening::Credential(*id),
        Tighten::Revoke(Revocable::User { id, .. }) => Tightening::User(*id),
        Tighten::Revoke(Revocable::Key(key)) => Tightening::Key(*key),
        Tighten::LeaveGroup { user, .. } => Tightening::Member(*user),
        // After either nothing more is paid for the intent.
        Tighten::Cancel(intent) | Tighten::Reject(intent) => Tightening::Cancel(*intent),
        Tighten::Stop => Tightening::Stop,
        Tighten::Pause { until, .. } => Tightening::Pause(until.0),
        Tighten::Quarantine(index) => Tightening::Quarantine(*index),
        Tighten::Veto(act) => Tightening::Veto(*act),
        Tighten::Revoke(Revocable::AllowList(_)) => return None,
    })
}
