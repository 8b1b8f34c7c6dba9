//! Boards: the people whose quorum signs for a scope.

use crate::fields::{Fields, FormError};
use crate::id::UserId;
use crate::json::Json;
use crate::plain::Plain;
use std::fmt;
use std::str::FromStr;

/// Largest number of members of one board.
pub const BOARD_MAX: usize = 24;

/// Users of whom `quorum` must sign. One human counts once, whichever of their credentials of class
/// `key` or `passkey` they sign with.
#[derive(Clone, PartialEq, Eq, Debug, borsh::BorshSerialize, borsh::BorshDeserialize)]
pub struct Board {
    /// Members, ascending, distinct.
    pub members: Vec<UserId>,
    /// Number of members that must sign, 1 to all of them.
    pub quorum: u32,
}

impl Board {
    /// Reads a board; the quorum is between 1 and the number of members.
    pub fn read(f: &mut Fields<'_>) -> Result<Self, FormError> {
        let members: Vec<UserId> = f.parse_list("members", BOARD_MAX)?;
        // Members must be ascending and distinct, so that one board has one text. A doubled member
        // would also allow a quorum that people cannot meet.
        if !members.is_sorted_by(|a, b| a < b) {
            return Err(FormError::invalid(
                "members",
                "must be ascending and distinct",
            ));
        }

        let quorum =
            u32::try_from(f.number("quorum")?).map_err(|e| FormError::invalid("quorum", e))?;

        // A quorum of zero would be met without any signature.
        if quorum == 0 || quorum as usize > members.len() {
            return Err(FormError::invalid(
                "quorum",
                "must be between 1 and the number of members",
            ));
        }

        Ok(Self { members, quorum })
    }

    /// The board as JSON.
    #[must_use]
    pub fn write(&self) -> Json<'_> {
        Json::object([
            ("members", Json::texts(&self.members)),
            ("quorum", Json::text(self.quorum)),
        ])
    }
}

/// Name of a board of a scope.
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
    /// Members and quorum that replace the board in force.
    pub board: Board,
}

impl Plain for NamedBoard {
    fn read(f: &mut Fields<'_>) -> Result<Self, FormError> {
        Ok(Self {
            name: f.parse("board")?,
            board: Board::read(f)?,
        })
    }

    fn members(&self) -> Vec<(&'static str, Json<'_>)> {
        vec![
            ("board", Json::text(self.name)),
            ("members", Json::texts(&self.board.members)),
            ("quorum", Json::text(self.board.quorum)),
        ]
    }
}
