//! Acts of the platform's admin.

use super::People;
use crate::plan::PlannedAct;
use strongroom_types::{ActBody, Credential, RegistryRecord, Tighten, User};
use strongroom_world::{Who, World};

/// Who holds the second credential of the platform's admin, once it is in force.
const SECOND: Who = Who::Stranger;

/// A second credential of the platform's one admin: by it alone the board has its quorum.
fn second_credential(world: &World) -> Credential {
    Credential {
        user: Some(world.person(Who::PlatformAdmin).user.id),
        ..world.person(SECOND).credential
    }
}

/// A user of the platform that is put for the sake of the act.
fn next_user(world: &World) -> User {
    let mut user = world.person(Who::Clerk).user;
    user.id.0 = world.seed.id("platform user", world.next());
    user
}

impl People {
    /// An act of the platform's scope, and who signs it; none when there is nothing to act upon.
    pub(super) fn platform_body(&self, act: PlannedAct) -> Option<(ActBody, Vec<Who>)> {
        let world = &self.rig.world;
        let proposal = self.platform_proposals.last();
        let body = match act {
            PlannedAct::Quarantine(index) => ActBody::Tighten(Tighten::Quarantine(index)),
            PlannedAct::NewAdminKey => {
                ActBody::Put(RegistryRecord::Credential(second_credential(world)))
            }
            PlannedAct::ReleaseAdminKey(_) => ActBody::Release(*proposal?),
            PlannedAct::VetoAdminKey => ActBody::Tighten(Tighten::Veto(*proposal?)),
            PlannedAct::UseAdminKey => ActBody::Put(RegistryRecord::User(next_user(world))),
            _ => return None,
        };

        // By the second credential alone: an entry that takes it relies on the release of its
        // record.
        let who = match act {
            PlannedAct::UseAdminKey => SECOND,
            _ => Who::PlatformAdmin,
        };
        Some((body, vec![who]))
    }
}
