//! Objects with named members that stand inside a document.

use crate::fields::{Fields, FormError};
use crate::json::Json;

/// Objects with named members, which charters and `put` acts contain.
pub trait Plain: Sized {
    /// Reads the members of the object.
    ///
    /// # Errors
    /// [`FormError`] when a member is missing or not in its only valid form.
    fn read(f: &mut Fields<'_>) -> Result<Self, FormError>;

    /// The members, in any order: canonical JSON sorts them.
    fn members(&self) -> Vec<(&'static str, Json<'_>)>;

    /// The object as JSON.
    fn to_json(&self) -> Json<'_> {
        Json::object(self.members())
    }
}
