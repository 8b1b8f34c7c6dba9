//! A text that people or client programs sign: canonical JSON with a `type` member that is its
//! signature domain.

use crate::digest::{Digest, digest};
use crate::fields::{Fields, FormError};
use crate::json::{Json, TEXT_BYTES_MAX};
use strongroom_guard::{G, guard};

/// One kind of signed text. `write` returns all members except `type`, and `read` takes them back.
pub trait Document: Sized {
    /// The `type` member, and the domain tag of the digest that is signed.
    const TYPE: &'static str;

    /// Reads the document from its members.
    fn read(fields: &mut Fields<'_>) -> Result<Self, FormError>;

    /// The members of this document, without `type`.
    fn write(&self) -> Vec<(&'static str, Json<'_>)>;

    /// Canonical text of the document, which is what people sign.
    fn to_text(&self) -> String {
        json(self).to_text()
    }

    /// Reads a canonical text: right type, known members only, and the value re-encodes to the same
    /// text.
    fn parse(text: &str) -> Result<Self, FormError> {
        // The inner `parse` writes the whole document again, which also checks the form of its
        // JSON. If the text is not canonical JSON, that is the error reported.
        parse(text).map_err(|why| Json::parse(text).err().map_or(why, FormError::Json))
    }

    /// Digest that a signature over a text of this type signs.
    #[must_use]
    fn digest_of(text: &str) -> Digest {
        // The digest is of the text as it was received, because the signature is over these bytes
        // and not over a value.
        digest(Self::TYPE, &[text.as_bytes()])
    }

    /// Digest that a signature over this document signs.
    fn digest(&self) -> Digest {
        Self::digest_of(&self.to_text())
    }
}

/// The whole document.
fn json<D: Document>(document: &D) -> Json<'_> {
    let mut members = document.write();
    members.push(("type", Json::str(D::TYPE)));
    Json::object(members)
}

fn parse<D: Document>(text: &str) -> Result<D, FormError> {
    let mut fields = Fields::of(Json::read(text, TEXT_BYTES_MAX)?, "document")?;

    // The type is the domain of the signature's digest, so a text must not be read as another type.
    let kind = fields.text("type")?;
    if kind != D::TYPE {
        return Err(other_type(&kind, D::TYPE));
    }

    let value = D::read(&mut fields)?;
    fields.end()?;

    // One comparison checks order, escapes and values: every other spelling is another text, with
    // another digest.
    if guard(G::StrictCodec, !json(&value).is_written(text)) {
        return Err(FormError::invalid("document", "not in canonical form"));
    }
    Ok(value)
}

/// Refusal of a text whose `type` is not `expected`. If the text is of another version, the refusal
/// says so, so that its owner signs again instead of searching for a damaged byte.
fn other_type(found: &str, expected: &str) -> FormError {
    let versions = versioned(found).zip(versioned(expected));
    match versions {
        Some(((kind, found), (same, read))) if kind == same => FormError::OtherVersion {
            kind: kind.to_owned(),
            found,
            read,
        },
        _ => FormError::invalid("type", format!("expected {expected}")),
    }
}

/// Kind and version of a `type` of the form `kind/v1`.
fn versioned(text: &str) -> Option<(&str, u32)> {
    let (kind, version) = text.rsplit_once("/v")?;
    Some((kind, version.parse().ok()?))
}
