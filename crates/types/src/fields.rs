//! Reading of the members of one object. Every member is taken by name, and none may be left over.

use crate::json::{Json, JsonError};
use crate::text::address;
use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

/// Reason for which a text is not the document it claims to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// The text is not canonical JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A required member is missing.
    #[error("member `{0}` is missing")]
    Missing(String),
    /// A document of this kind in another version of its format.
    #[error(
        "version {found} of `{kind}` is not read by this build, which reads version {read} only"
    )]
    OtherVersion {
        /// `type` without its version.
        kind: String,
        /// Version that the text names.
        found: u32,
        /// The only version that this build reads.
        read: u32,
    },
    /// A member that this kind of object does not have.
    #[error("unknown member `{0}`")]
    Unknown(String),
    /// A member with a value of the wrong kind or form.
    #[error("member `{member}`: {reason}")]
    Invalid {
        /// Name of the member.
        member: String,
        /// Rule that it breaks.
        reason: String,
    },
}

impl FormError {
    /// An error for a member whose value is not acceptable.
    pub fn invalid(member: &str, reason: impl Display) -> Self {
        Self::Invalid {
            member: member.to_owned(),
            reason: reason.to_string(),
        }
    }
}

/// The members of one object, taken one by one.
pub struct Fields<'a> {
    members: Vec<(Cow<'a, str>, Json<'a>)>,
}

impl<'a> Fields<'a> {
    /// The members of `json`, which must be an object.
    pub fn of(json: Json<'a>, what: &str) -> Result<Self, FormError> {
        match json {
            Json::Object(members) => Ok(Self { members }),
            _ => Err(FormError::invalid(what, "expected an object")),
        }
    }

    /// Whether a member is present.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.members.iter().any(|(member, _)| member == name)
    }

    /// Takes a member of any kind.
    pub fn json(&mut self, name: &str) -> Result<Json<'a>, FormError> {
        // It is taken out, so that `end` sees the members that nothing asked for.
        let at = self.members.iter().position(|(member, _)| member == name);
        at.map(|at| self.members.swap_remove(at).1)
            .ok_or_else(|| FormError::Missing(name.to_owned()))
    }

    /// Takes a text member.
    pub fn text(&mut self, name: &str) -> Result<String, FormError> {
        self.str(name).map(Cow::into_owned)
    }

    /// Takes a text member as it stands in the object's text. One that has escapes there is a copy.
    pub fn str(&mut self, name: &str) -> Result<Cow<'a, str>, FormError> {
        match self.json(name)? {
            Json::Text(text) => Ok(text),
            _ => Err(FormError::invalid(name, "expected a string")),
        }
    }

    /// Takes a text member that is an address literal ([`address`]).
    pub fn address(&mut self, name: &str) -> Result<String, FormError> {
        address(self.text(name)?).map_err(|e| FormError::invalid(name, e))
    }

    /// Takes a text member and parses it.
    pub fn parse<T: FromStr<Err: Display>>(&mut self, name: &str) -> Result<T, FormError> {
        parse_text(name, &self.str(name)?)
    }

    /// Takes a text member, if it is present, and parses it.
    pub fn parse_opt<T: FromStr<Err: Display>>(
        &mut self,
        name: &str,
    ) -> Result<Option<T>, FormError> {
        if self.has(name) {
            self.parse(name).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Takes a canonical decimal number held as text.
    pub fn number(&mut self, name: &str) -> Result<u64, FormError> {
        // Numbers are texts, because many readers round JSON numbers above 2^53 (docs/adr/0002).
        let text = self.str(name)?;
        crate::time::canonical_u64(&text).map_err(|e| FormError::invalid(name, e))
    }

    /// Takes a boolean member.
    pub fn bool(&mut self, name: &str) -> Result<bool, FormError> {
        match self.json(name)? {
            Json::Bool(value) => Ok(value),
            _ => Err(FormError::invalid(name, "expected true or false")),
        }
    }

    /// Takes an array member of at most `max` values.
    pub fn list(&mut self, name: &str, max: usize) -> Result<Vec<Json<'a>>, FormError> {
        // The bound is asked before any value is read: a list that is too long costs no more work.
        match self.json(name)? {
            Json::List(values) if values.len() <= max => Ok(values),
            Json::List(_) => Err(FormError::invalid(name, format!("more than {max} values"))),
            _ => Err(FormError::invalid(name, "expected an array")),
        }
    }

    /// Takes an array of texts, each parsed.
    pub fn parse_list<T: FromStr<Err: Display>>(
        &mut self,
        name: &str,
        max: usize,
    ) -> Result<Vec<T>, FormError> {
        let parse = |json| match json {
            Json::Text(text) => parse_text(name, &text),
            _ => Err(FormError::invalid(name, "expected strings")),
        };
        self.list(name, max)?.into_iter().map(parse).collect()
    }

    /// Takes an array of objects, each read by `read`.
    pub fn objects<T>(
        &mut self,
        name: &str,
        max: usize,
        read: impl Fn(&mut Fields<'_>) -> Result<T, FormError>,
    ) -> Result<Vec<T>, FormError> {
        self.list(name, max)?
            .into_iter()
            .map(|json| read_object(json, name, &read))
            .collect()
    }

    /// Takes one object member, read by `read`.
    pub fn object<T>(
        &mut self,
        name: &str,
        read: impl Fn(&mut Fields<'_>) -> Result<T, FormError>,
    ) -> Result<T, FormError> {
        let json = self.json(name)?;
        read_object(json, name, &read)
    }

    /// Checks that every member has been taken.
    pub fn end(self) -> Result<(), FormError> {
        // A member that this build does not know may restrict what the others allow. Ignoring it
        // could do more than was signed.
        match self.members.into_iter().next() {
            Some((name, _)) => Err(FormError::Unknown(name.into_owned())),
            None => Ok(()),
        }
    }
}

fn read_object<T>(
    json: Json<'_>,
    what: &str,
    read: impl Fn(&mut Fields<'_>) -> Result<T, FormError>,
) -> Result<T, FormError> {
    let mut fields = Fields::of(json, what)?;
    let value = read(&mut fields)?;

    // Here and not by each reader, so that none of them can forget it.
    fields.end()?;
    Ok(value)
}

fn parse_text<T: FromStr<Err: Display>>(name: &str, text: &str) -> Result<T, FormError> {
    text.parse().map_err(|e| FormError::invalid(name, e))
}
