//! A tenant's charter: its first people, boards, lists and policy. Every first admin countersigns
//! the act that carries it.

use crate::credential::Credential;
use crate::fields::{Fields, FormError};
use crate::json::Json;
use crate::plain::Plain;
use crate::registry::{AllowListEntry, Group, User};
use crate::text::Name;

pub use crate::board::{BOARD_MAX, Board, BoardName, NamedBoard};

/// Largest number of users, of credentials, of groups and of allow-list entries in one charter.
pub const CHARTER_LIST_MAX: usize = 128;
/// First records of a tenant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Charter {
    /// Name of the institution, shown to people.
    pub name: Name,
    /// Board that signs vaults, revocations, stop and resume.
    pub admins: Board,
    /// Board that signs policy, registry loosenings and ceremonies.
    pub committee: Board,
    /// First users, admins and committee among them. This list and the ones below have at most
    /// [`CHARTER_LIST_MAX`] elements each.
    pub users: Vec<User>,
    /// First credentials. Each admin and committee member has at least one that counts on a board.
    pub credentials: Vec<Credential>,
    /// First groups of approvers.
    pub groups: Vec<Group>,
    /// First entries of the allow-list.
    pub allow_list: Vec<AllowListEntry>,
    /// First policy: the canonical text of `strongroom/policy/v1`.
    pub policy: String,
    /// Smallest journal time between a loosening's proposal and its release, milliseconds.
    pub loosen_delay_ms: u64,
    /// Smallest journal time between a ceremony's proposal and its release, milliseconds.
    pub ceremony_delay_ms: u64,
}

impl Charter {
    /// Reads a charter from its members.
    pub fn read(f: &mut Fields<'_>) -> Result<Self, FormError> {
        Ok(Self {
            name: f.parse("name")?,
            admins: f.object("admins", Board::read)?,
            committee: f.object("committee", Board::read)?,
            users: f.objects("users", CHARTER_LIST_MAX, User::read)?,
            credentials: f.objects("credentials", CHARTER_LIST_MAX, Credential::read)?,
            groups: f.objects("groups", CHARTER_LIST_MAX, Group::read)?,
            allow_list: f.objects("allow_list", CHARTER_LIST_MAX, AllowListEntry::read)?,
            policy: f.text("policy")?,
            loosen_delay_ms: f.number("loosen_delay_ms")?,
            ceremony_delay_ms: f.number("ceremony_delay_ms")?,
        })
    }

    /// The charter as JSON.
    #[must_use]
    pub fn write(&self) -> Json<'_> {
        fn list<T: Plain>(values: &[T]) -> Json<'_> {
            Json::List(values.iter().map(Plain::to_json).collect())
        }

        Json::object([
            ("admins", self.admins.write()),
            ("allow_list", list(&self.allow_list)),
            ("ceremony_delay_ms", Json::text(self.ceremony_delay_ms)),
            ("committee", self.committee.write()),
            ("credentials", list(&self.credentials)),
            ("groups", list(&self.groups)),
            ("loosen_delay_ms", Json::text(self.loosen_delay_ms)),
            ("name", Json::text(&self.name)),
            ("policy", Json::text(&self.policy)),
            ("users", list(&self.users)),
        ])
    }
}
