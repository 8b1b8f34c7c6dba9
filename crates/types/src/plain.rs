//! Objects with named members that stand inside a document.

use crate::fields::{Fields, FormError};
use crate::json::Json;

/// Objects with named members, which charters and `put` acts contain.
pub trait Plain: Sized {
    /// Reads the members of the object.
    ///
    /// # Errors
    /// [`FormError`] when a member is missing or not in its only valid form.
    fn read(f: &mut Fields) -> Result<Self, FormError>;

    /// The members, in any order: canonical JSON sorts them.
    fn members(&self) -> Vec<(&'static str, Json)>;

    /// The object as JSON.
    fn to_json(&self) -> Json {
        object(self.members())
    }
}

/// A JSON object of these members.
pub(crate) fn object(members: Vec<(&'static str, Json)>) -> Json {
    Json::Object(
        members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}
