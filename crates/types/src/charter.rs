//! A tenant's charter: its first people, boards, lists and policy. Every first admin countersigns
//! the act that carries it.

use crate::credential::Credential;
use crate::fields::{Fields, FormError};
use crate::id::UserId;
use crate::json::Json;
use crate::registry::{AllowListEntry, Group, Plain, User};
use crate::text::Name;
use std::fmt;
use std::str::FromStr;

/// Most users, credentials, groups or allow-list entries of one charter.
pub const CHARTER_LIST_MAX: usize = 128;
/// Most admins or committee members.
pub const BOARD_MAX: usize = 24;

/// Users of whom `quorum` must sign. One human counts once, by whichever of their credentials of
/// class `key` or `passkey`.
#[derive(Clone, PartialEq, Eq, Debug, borsh::BorshSerialize, borsh::BorshDeserialize)]
pub struct Board {
    /// Members, ascending, distinct.
    pub members: Vec<UserId>,
    /// Number of members that must sign, 1 to all of them.
    pub quorum: u32,
}

impl Board {
    /// Reads a board; the quorum is between 1 and the number of members.
    pub fn read(f: &mut Fields) -> Result<Self, FormError> {
        let members: Vec<UserId> = f.parse_list("members", BOARD_MAX)?;
        // One board, one text. A doubled member would also allow a quorum that people cannot meet.
        if !members.is_sorted_by(|a, b| a < b) {
            return Err(FormError::invalid(
                "members",
                "must be ascending and distinct",
            ));
        }

        let quorum =
            u32::try_from(f.number("quorum")?).map_err(|e| FormError::invalid("quorum", e))?;

        // Zero would be met without any signature.
        if quorum == 0 || quorum as usize > members.len() {
            return Err(FormError::invalid(
                "quorum",
                "must be between 1 and the number of members",
            ));
        }

        Ok(Self { members, quorum })
    }

    /// Writes the board.
    #[must_use]
    pub fn write(&self) -> Json {
        Json::object([
            ("members", Json::texts(&self.members)),
            ("quorum", Json::text(self.quorum)),
        ])
    }
}

/// Board of a scope, by what it signs.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Debug,
    borsh::BorshSerialize,
    borsh::BorshDeserialize,
)]
pub enum BoardName {
    /// Signs vaults, revocations, stop and resume; the platform's only board.
    Admins,
    /// Signs policy, registry loosenings and ceremonies of a tenant.
    Committee,
}

impl fmt::Display for BoardName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Admins => "admins",
            Self::Committee => "committee",
        })
    }
}

impl FromStr for BoardName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "admins" => Ok(Self::Admins),
            "committee" => Ok(Self::Committee),
            _ => Err("a board is admins or committee"),
        }
    }
}

/// A board that takes the place of the one in force.
#[derive(Clone, PartialEq, Eq, Debug, borsh::BorshSerialize, borsh::BorshDeserialize)]
pub struct NamedBoard {
    /// Board that is replaced.
    pub name: BoardName,
    /// Its members and quorum from then on.
    pub board: Board,
}

impl Plain for NamedBoard {
    fn read(f: &mut Fields) -> Result<Self, FormError> {
        Ok(Self {
            name: f.parse("board")?,
            board: Board::read(f)?,
        })
    }

    fn members(&self) -> Vec<(&'static str, Json)> {
        vec![
            ("board", Json::text(self.name)),
            ("members", Json::texts(&self.board.members)),
            ("quorum", Json::text(self.board.quorum)),
        ]
    }
}

/// First records of a tenant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Charter {
    /// The institution's name.
    pub name: Name,
    /// Signs vaults, revocations, stop and resume.
    pub admins: Board,
    /// Signs policy, registry loosenings and ceremonies.
    pub committee: Board,
    /// First users, at most [`CHARTER_LIST_MAX`], as in the lists below; admins and committee are
    /// among them.
    pub users: Vec<User>,
    /// First credentials; at least one of each admin and committee member that counts on a board.
    pub credentials: Vec<Credential>,
    /// First groups.
    pub groups: Vec<Group>,
    /// First trusted destinations.
    pub allow_list: Vec<AllowListEntry>,
    /// First policy: the canonical text of `strongroom/policy/v1`.
    pub policy: String,
    /// Least journal time between a loosening's proposal and its release, milliseconds.
    pub loosen_delay_ms: u64,
    /// Least journal time between a ceremony's proposal and its release, milliseconds.
    pub ceremony_delay_ms: u64,
}

impl Charter {
    /// Reads the charter.
    pub fn read(f: &mut Fields) -> Result<Self, FormError> {
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

    /// Writes the charter.
    #[must_use]
    pub fn write(&self) -> Json {
        fn list<T: Plain>(values: &[T]) -> Json {
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
