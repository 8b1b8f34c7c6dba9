//! Records that a tightening revokes permanently.

use crate::board::NamedBoard;
use crate::fields::{Fields, FormError};
use crate::id::{AllowListId, CredentialId, KeyId, UserId};
use crate::json::Json;
use crate::plain::Plain as _;

/// Largest number of boards that one act replaces: a scope has two.
const BOARDS_MAX: usize = 2;

/// A record that `revoke` names. The kind determines who must sign.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Revocable {
    /// A credential is no longer in force (admins' quorum).
    Credential(CredentialId),
    /// A user and all their credentials are no longer in force (admins' quorum).
    User {
        /// User whose credentials no longer count.
        id: UserId,
        /// New boards in place of those that the user's removal would leave below their quorum;
        /// ascending by name, distinct (they need both boards' quorums).
        boards: Vec<NamedBoard>,
    },
    /// A destination is no longer trusted (admins' quorum).
    AllowList(AllowListId),
    /// A key no longer signs anything (committee's quorum).
    Key(KeyId),
}

impl Revocable {
    pub(crate) fn read(f: &mut Fields<'_>) -> Result<Self, FormError> {
        Ok(match f.text("kind")?.as_str() {
            "credential" => Self::Credential(f.parse("id")?),
            "user" => Self::User {
                id: f.parse("id")?,
                boards: read_boards(f)?,
            },
            "allow_list" => Self::AllowList(f.parse("id")?),
            "key" => Self::Key(f.parse("id")?),

            // An unknown kind is refused and not ignored: every replica must read the same change
            // from one text.
            other => {
                let reason = format!("`{other}` cannot be revoked");
                return Err(FormError::invalid("kind", reason));
            }
        })
    }

    pub(crate) fn write(&self) -> Json<'_> {
        let (kind, id) = match self {
            Self::Credential(id) => ("credential", Json::text(id)),
            Self::User { id, boards } if boards.is_empty() => ("user", Json::text(id)),
            Self::User { id, boards } => {
                let boards = boards.iter().map(NamedBoard::to_json).collect();
                return Json::object([
                    ("boards", Json::List(boards)),
                    ("id", Json::text(id)),
                    ("kind", Json::text("user")),
                ]);
            }
            Self::AllowList(id) => ("allow_list", Json::text(id)),
            Self::Key(id) => ("key", Json::text(id)),
        };

        Json::object([("id", id), ("kind", Json::text(kind))])
    }
}

/// Boards that a revocation replaces. The member is absent, or has at most one board of each name.
fn read_boards(f: &mut Fields<'_>) -> Result<Vec<NamedBoard>, FormError> {
    if !f.has("boards") {
        return Ok(Vec::new());
    }
    let boards = f.objects("boards", BOARDS_MAX, NamedBoard::read)?;

    // An empty list is refused, so that one meaning has one text: if no board is replaced, the
    // member is left out.
    if boards.is_empty() || !boards.is_sorted_by(|a, b| a.name < b.name) {
        return Err(FormError::invalid(
            "boards",
            "must be ascending by name, distinct and not empty",
        ));
    }
    Ok(boards)
}

macro_rules! revocable {
    ($($variant:ident $id:ident)*) => {$(
        impl From<$id> for Revocable {
            fn from(id: $id) -> Self {
                Self::$variant(id)
            }
        }
    )*};
}

revocable! {
    Credential CredentialId
    AllowList AllowListId
    Key KeyId
}

impl From<UserId> for Revocable {
    fn from(id: UserId) -> Self {
        let boards = Vec::new();
        Self::User { id, boards }
    }
}
