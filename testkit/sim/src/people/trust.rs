//! Persons and addresses on which payments rest.

use super::People;
use crate::plan::PlannedAct;
use strongroom_policy::{Initiators, Policy, Rule};
use strongroom_types::{
    ActBody, AllowListId, Document as _, RegistryRecord, Revocable, Tier, Tighten, UnixMs,
};
use strongroom_world::{Tenant, Who};

/// A policy with one more rule: what asks one approver asks no one, if an approver asks for it.
fn with_own_rule(tenant: &Tenant, policy: Policy) -> Policy {
    let is_of = |tier: Tier| move |rule: &Rule| rule.then.tier == tier;
    let mut rules = policy.rules.to_vec();
    let small = rules.iter().find(|rule| is_of(Tier::Auto)(rule)).cloned();
    let medium = rules.iter().position(is_of(Tier::OneOfN));

    if let (Some(small), Some(at)) = (small, medium) {
        let mut own = rules[at].clone();
        own.id = "own".parse().unwrap();
        own.then = small.then;
        own.matches.initiators = Some(Box::new(Initiators {
            users: None,
            groups: Some(vec![tenant.approvers]),
        }));
        rules.insert(at, own);
    }
    Policy {
        rules: rules.into(),
        ..policy
    }
}

impl People {
    /// An act about what payments rest on, and who signs it; none when there is nothing to act
    /// upon.
    pub(super) fn trust_body(&self, now: u64, act: PlannedAct) -> Option<(ActBody, Vec<Who>)> {
        let world = &self.rig.world;
        let tenant = &world.tenant;
        let revoke = |what| ActBody::Tighten(Tighten::Revoke(what));
        Some(match act {
            PlannedAct::RevokePerson(n) => {
                let id = world.person(Who::Approver(n)).user.id;
                let boards = Vec::new();
                (
                    revoke(Revocable::User { id, boards }),
                    tenant.admin_quorum(),
                )
            }
            PlannedAct::Unlist => {
                let entry = Revocable::AllowList(tenant.friend);
                (revoke(entry), tenant.admin_quorum())
            }
            PlannedAct::List => {
                // What relied on the old entry must not find one under its id.
                let mut entry = tenant.charter().allow_list.pop()?;
                entry.id = AllowListId(world.seed.id("more addresses", now));
                let put = ActBody::Put(RegistryRecord::AllowList(entry));
                (put, tenant.committee_quorum())
            }
            PlannedAct::ApproversPolicy => {
                let policy = with_own_rule(tenant, tenant.policy(&self.plan.policy(0)));
                let put = ActBody::Put(RegistryRecord::Policy(policy.to_text()));
                (put, tenant.committee_quorum())
            }
            PlannedAct::PauseAll(ms) => {
                let until = UnixMs(now).plus(ms);
                let pause = Tighten::Pause { vault: None, until };
                (ActBody::Tighten(pause), vec![Who::Admin(1)])
            }
            _ => return None,
        })
    }
}
