//! Persons and addresses on which payments rest.

use super::People;
use crate::plan::PlannedAct;
use strongroom_types::{ActBody, AllowListId, RegistryRecord, Revocable, Tighten, UnixMs};
use strongroom_world::Who;

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
            PlannedAct::PauseAll(ms) => {
                let until = UnixMs(now).plus(ms);
                let pause = Tighten::Pause { vault: None, until };
                (ActBody::Tighten(pause), vec![Who::Admin(1)])
            }
            _ => return None,
        })
    }
}
