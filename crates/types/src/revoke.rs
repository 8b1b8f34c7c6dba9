//! Records that a tightening takes out of force for good.

use crate::act::Tighten;
use crate::fields::{Fields, FormError};
use crate::id::{AllowListId, CredentialId, KeyId, UserId};
use crate::json::Json;

/// A record that `revoke` names. Its kind says who must sign.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Revocable {
    /// A credential is no longer in force (admins' quorum).
    Credential(CredentialId),
    /// A user and all their credentials are no longer in force (admins' quorum).
    User(UserId),
    /// A destination is no longer trusted (admins' quorum).
    AllowList(AllowListId),
    /// A key signs nothing any more (committee's quorum).
    Key(KeyId),
}

impl Revocable {
    pub(crate) fn read(f: &mut Fields) -> Result<Self, FormError> {
        Ok(match f.text("kind")?.as_str() {
            "credential" => Self::Credential(f.parse("id")?),
            "user" => Self::User(f.parse("id")?),
            "allow_list" => Self::AllowList(f.parse("id")?),
            "key" => Self::Key(f.parse("id")?),
            // Never read as nothing: every replica must see the same change in one text.
            other => {
                let reason = format!("`{other}` cannot be revoked");
                return Err(FormError::invalid("kind", reason));
            }
        })
    }

    pub(crate) fn write(&self) -> Json {
        let (kind, id) = match self {
            Self::Credential(id) => ("credential", Json::text(id)),
            Self::User(id) => ("user", Json::text(id)),
            Self::AllowList(id) => ("allow_list", Json::text(id)),
            Self::Key(id) => ("key", Json::text(id)),
        };
        Json::object([("id", id), ("kind", Json::text(kind))])
    }
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
    User UserId
    AllowList AllowListId
    Key KeyId
}

impl Tighten {
    /// A `revoke` of what an id names.
    pub fn revoke(id: impl Into<Revocable>) -> Self {
        Self::Revoke(id.into())
    }
}
