//! Canonical JSON (RFC 8785) restricted to strings, booleans, arrays and objects.
//!
//! `serde_json::Value` drops duplicate members and many readers round 2^53+1, so this module has a
//! strict reader of its own. It refuses numbers, null, duplicate members and every text that does
//! not re-encode to itself.

use std::borrow::Cow;
use std::fmt::{self, Write};
use strongroom_guard::{G, guard};

/// Longest accepted text in bytes: 64 KiB, so that an intent and its approvals fit one entry.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Deepest accepted nesting. Strongroom's deepest document uses 6; typed data of other chains,
/// which clients sign through such texts, nests deeper.
pub const DEPTH_MAX: usize = 32;
/// Initial capacity of a text that is written, bytes; most texts fit.
const TEXT_CAPACITY: usize = 1024;
/// Largest number of members of one object; Strongroom's widest document has 17.
pub const MEMBERS_MAX: usize = 64;

/// A value of the restricted JSON, which borrows from the text that it was read from, or from what it
/// was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json<'a> {
    /// `true` or `false`.
    Bool(bool),
    /// A string.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Json<'a>>),
    /// An object. Its members may be in any order here and are sorted when they are written.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

/// Reason for which a text is not canonical JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// The text is longer than its kind may be, which for a document is [`TEXT_BYTES_MAX`].
    #[error("text of {bytes} bytes is longer than {most}")]
    TooLong {
        /// Length of the text, bytes.
        bytes: usize,
        /// Longest accepted length, bytes.
        most: usize,
    },
    /// The text is nested deeper than [`DEPTH_MAX`].
    #[error("nested deeper than {DEPTH_MAX}")]
    TooDeep,
    /// A member name occurs twice in one object.
    #[error("duplicate member `{0}`")]
    Duplicate(String),
    /// The text is not JSON, or has a number, null or white space; the byte offset of that place.
    #[error(
        "unexpected input at byte {0}: only strings, booleans, arrays and objects without white space"
    )]
    Unexpected(usize),
    /// The text is valid JSON, but not in RFC 8785 form.
    #[error("not in RFC 8785 canonical form")]
    NotCanonical,
}

impl<'a> Json<'a> {
    /// Reads a text that is exactly the canonical form of its value.
    pub fn parse(text: &'a str) -> Result<Self, JsonError> {
        Self::parse_within(text, TEXT_BYTES_MAX)
    }

    /// As [`Self::parse`], of a text of at most `most` bytes.
    pub(crate) fn parse_within(text: &'a str, most: usize) -> Result<Self, JsonError> {
        let value = Self::read(text, most)?;

        // Signatures are over texts. If one value had two texts, people could be shown one and sign
        // the digest of the other.
        if guard(G::StrictCodec, !value.is_written(text)) {
            return Err(JsonError::NotCanonical);
        }
        Ok(value)
    }

    /// Whether this is the value's canonical text.
    pub(crate) fn is_written(&self, text: &str) -> bool {
        // Compared while it is written, and never kept: a text with a secret in it has then no copy
        // here that would have to be wiped.
        let mut rest = Rest(text);
        self.write(&mut rest).is_ok() && rest.0.is_empty()
    }

    /// Reads a text that may be another form of its value. The caller must compare it with the
    /// canonical text.
    pub(crate) fn read(text: &'a str, most: usize) -> Result<Self, JsonError> {
        if text.len() > most {
            let bytes = text.len();
            return Err(JsonError::TooLong { bytes, most });
        }

        let mut reader = Reader { text, at: 0 };
        let value = reader.value(0)?;

        // Bytes after the value would be signed but never read, so they are refused.
        if guard(G::StrictCodec, reader.at != text.len()) {
            return Err(JsonError::Unexpected(reader.at));
        }
        Ok(value)
    }

    /// The value as RFC 8785 canonical text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = String::with_capacity(TEXT_CAPACITY);
        // The result is dropped, because writing to a string does not fail.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut impl Write) -> fmt::Result {
        match self {
            Self::Bool(value) => out.write_str(if *value { "true" } else { "false" }),
            Self::Text(value) => write_string(value, out),
            Self::List(values) => {
                out.write_char('[')?;
                for (at, value) in values.iter().enumerate() {
                    if at > 0 {
                        out.write_char(',')?;
                    }
                    value.write(out)?;
                }
                out.write_char(']')
            }
            Self::Object(members) => {
                // RFC 8785 §3.2.3 sorts by UTF-16 code units, which is not the order of UTF-8 bytes
                // for characters beyond U+FFFF.
                let mut sorted: Vec<_> = members.iter().collect();
                sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));

                out.write_char('{')?;
                for (at, (name, value)) in sorted.into_iter().enumerate() {
                    if at > 0 {
                        out.write_char(',')?;
                    }
                    write_string(name, out)?;
                    out.write_char(':')?;
                    value.write(out)?;
                }
                out.write_char('}')
            }
        }
    }

    /// A text value from anything that prints.
    pub fn text(value: impl ToString) -> Self {
        Self::Text(Cow::Owned(value.to_string()))
    }

    /// A text value as it stands.
    #[must_use]
    pub const fn str(value: &'a str) -> Self {
        Self::Text(Cow::Borrowed(value))
    }

    /// A list of texts from anything that prints.
    pub fn texts<T: ToString>(values: impl IntoIterator<Item = T>) -> Self {
        Self::List(values.into_iter().map(Self::text).collect())
    }

    /// An object with these members.
    #[must_use]
    pub fn object(members: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        let members = members.into_iter();
        Self::Object(members.map(|(name, value)| (name.into(), value)).collect())
    }
}

/// The part of an expected text that is still to be written. Writing anything else fails.
struct Rest<'a>(&'a str);

impl Write for Rest<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(part).ok_or(fmt::Error)?;
        Ok(())
    }
}

/// Writes a string by RFC 8785 §3.2.2.2: two-letter escapes where they exist, `\u00xx` for the
/// other control characters, and every other character as it is.
fn write_string(value: &str, out: &mut impl Write) -> fmt::Result {
    out.write_char('"')?;
    let mut plain = 0;
    for (at, byte) in value.bytes().enumerate() {
        let short = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            0x08 => "\\b",
            0x09 => "\\t",
            0x0a => "\\n",
            0x0c => "\\f",
            0x0d => "\\r",
            0x00..=0x1f => "\\u00",
            _ => continue,
        };

        // The escaped byte is ASCII, so both ends of the slice are character boundaries.
        out.write_str(value.get(plain..at).unwrap_or_default())?;
        out.write_str(short)?;
        if short.len() > 2 {
            write!(out, "{byte:02x}")?;
        }
        plain = at + 1;
    }

    out.write_str(value.get(plain..).unwrap_or_default())?;
    out.write_char('"')
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.peek() != Some(byte) {
            return Err(JsonError::Unexpected(self.at));
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Json<'a>, JsonError> {
        // The reader is recursive, so its depth is bounded: a text of brackets would otherwise use
        // up the stack.
        if guard(G::JsonDepth, depth > DEPTH_MAX) {
            return Err(JsonError::TooDeep);
        }

        match self.peek() {
            Some(b'"') => self.string().map(Json::Text),
            Some(b'[') => self.list(depth),
            Some(b'{') => self.object(depth),
            Some(b't') => self.word(b"true").map(|()| Json::Bool(true)),
            Some(b'f') => self.word(b"false").map(|()| Json::Bool(false)),
            // Everything else is refused. That includes numbers, because readers round them
            // differently, and null (docs/adr/0002).
            _ => Err(JsonError::Unexpected(self.at)),
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), JsonError> {
        word.iter().try_for_each(|byte| self.expect(*byte))
    }

    fn list(&mut self, depth: usize) -> Result<Json<'a>, JsonError> {
        self.expect(b'[')?;

        let mut values = Vec::new();
        if self.peek() != Some(b']') {
            values.push(self.value(depth + 1)?);
            while self.peek() == Some(b',') {
                self.at += 1;
                values.push(self.value(depth + 1)?);
            }
        }

        self.expect(b']')?;
        Ok(Json::List(values))
    }

    fn object(&mut self, depth: usize) -> Result<Json<'a>, JsonError> {
        self.expect(b'{')?;
        let mut members: Vec<(Cow<'a, str>, Json<'a>)> = Vec::new();
        if self.peek() != Some(b'}') {
            loop {
                let name = self.string()?;
                // Readers disagree on which of two equal members counts, so people could be shown
                // one while the other is judged. The search is short, because the number of members
                // is bounded below.
                if members.iter().any(|(known, _)| *known == name) {
                    return Err(JsonError::Duplicate(name.into_owned()));
                }

                self.expect(b':')?;
                members.push((name, self.value(depth + 1)?));

                if self.peek() != Some(b',') || members.len() == MEMBERS_MAX {
                    break;
                }
                self.at += 1;
            }
        }
        self.expect(b'}')?;
        Ok(Json::Object(members))
    }

    /// Reads one string. It finds the closing quote itself and leaves escapes to the JSON library.
    fn string(&mut self) -> Result<Cow<'a, str>, JsonError> {
        let start = self.at;
        self.expect(b'"')?;
        let mut plain = true;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    // An escaped quote does not end the string.
                    plain = false;
                    self.at += 2;
                }
                Some(byte) => {
                    // A control character makes the string go through the library below, which
                    // refuses it.
                    plain &= byte >= 0x20;
                    self.at += 1;
                }
                None => return Err(JsonError::Unexpected(start)),
            }
        }
        self.at += 1;

        // Both ends are quotes, which are ASCII, so the slice is always there.
        let raw = self
            .text
            .get(start..self.at)
            .ok_or(JsonError::Unexpected(start))?;

        if plain {
            return raw
                .get(1..raw.len() - 1)
                .map(Cow::Borrowed)
                .ok_or(JsonError::Unexpected(start));
        }

        // The library decodes the escapes, which can be malformed in many ways, such as half of a
        // surrogate pair.
        serde_json::from_str(raw)
            .map(Cow::Owned)
            .map_err(|_| JsonError::Unexpected(start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::Fields;
    use proptest::prelude::*;
    use serde::ser::{Serialize, Serializer};

    fn json() -> impl Strategy<Value = Json<'static>> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Json::Bool),
            ".{0,12}".prop_map(Json::text)
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Json::List),
                prop::collection::btree_map(".{0,8}", inner, 0..6).prop_map(|m| Json::Object(
                    m.into_iter().map(|(k, v)| (k.into(), v)).collect()
                )),
            ]
        })
    }

    /// A value as serde sees it, for the RFC 8785 implementation with which this one is compared.
    struct Other<'a>(&'a Json<'a>);

    impl Serialize for Other<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self.0 {
                Json::Bool(value) => serializer.serialize_bool(*value),
                Json::Text(value) => serializer.serialize_str(value),
                Json::List(values) => serializer.collect_seq(values.iter().map(Other)),
                Json::Object(members) => {
                    serializer.collect_map(members.iter().map(|(name, value)| (name, Other(value))))
                }
            }
        }
    }

    fn same_as_the_other_implementation(value: &Json<'_>) {
        assert_eq!(
            value.to_text(),
            serde_json_canonicalizer::to_string(&Other(value)).unwrap()
        );
    }

    #[test]
    fn every_character_is_written_as_another_implementation_of_rfc_8785_does() {
        for char in (0..0x3000)
            .chain(0xd000..0x1_1000)
            .filter_map(char::from_u32)
        {
            let name = format!("a{char}");
            same_as_the_other_implementation(&Json::object([(&*name, Json::text(char))]));
        }
    }

    proptest! {
        #[test]
        fn texts_are_those_of_another_implementation_of_rfc_8785(value in json()) {
            same_as_the_other_implementation(&value);
        }

        #[test]
        fn what_is_written_reads_back_to_the_same_text(value in json()) {
            let text = value.to_text();
            prop_assert_eq!(Json::parse(&text).unwrap().to_text(), text);
        }

        /// Beside the text itself: every beginning of it, a longer one, and one with another last
        /// byte.
        #[test]
        fn what_is_compared_is_the_text_that_is_written(value in json(), other in ".{0,12}") {
            let text = value.to_text();
            let compared = |with: &str| assert_eq!(value.is_written(with), text == with, "{with}");
            compared(&text);
            (0..text.len()).filter_map(|end| text.get(..end)).for_each(compared);

            // The last byte is a quote, a bracket, a brace or an `e`.
            let before = text.get(..text.len() - 1).unwrap();
            for last in ["\"", "]", "}", "e"] {
                compared(&format!("{text}{last}"));
                compared(&format!("{before}{last}"));
            }

            compared(&other);
            compared(&format!("{text}{other}"));
            compared(&format!("{other}{text}"));
        }

        #[test]
        fn arbitrary_text_never_panics(text in ".{0,200}") {
            let _ = Json::parse(&text);
        }
    }

    #[test]
    fn what_is_not_canonical_is_refused() {
        // Names are compared as they are read: an escape does not make another name.
        for duplicate in [r#"{"a":"1","a":"2"}"#, r#"{"a":"1","\u0061":"2"}"#] {
            let twice = Err(JsonError::Duplicate("a".into()));
            assert_eq!(Json::parse(duplicate), twice, "{duplicate}");
        }
        for bad in [
            "1",
            "null",
            r#"{"a":1}"#,
            r#" "a""#,
            r#"["a", "b"]"#,
            r#"["a",]"#,
            r#"{"a":"b"}x"#,
            "",
            "\"",
            "\"\\",
        ] {
            assert!(
                matches!(Json::parse(bad), Err(JsonError::Unexpected(_))),
                "{bad}"
            );
        }
        for bad in [r#"{"b":"1","a":"2"}"#, r#""\u0061""#, r#""\/""#] {
            assert_eq!(Json::parse(bad), Err(JsonError::NotCanonical), "{bad}");
        }
    }

    #[test]
    fn deep_and_long_texts_are_refused() {
        assert_eq!(Json::parse(&"[".repeat(5000)), Err(JsonError::TooDeep));
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Json::parse(&nested(DEPTH_MAX + 1)).is_ok());
        assert_eq!(Json::parse(&nested(DEPTH_MAX + 2)), Err(JsonError::TooDeep));
        let long = format!("\"{}\"", "a".repeat(TEXT_BYTES_MAX));
        assert_eq!(
            Json::parse(&long),
            Err(JsonError::TooLong {
                bytes: TEXT_BYTES_MAX + 2,
                most: TEXT_BYTES_MAX,
            })
        );
    }

    /// A member of it could be a secret, and a copy would not be wiped.
    #[test]
    fn a_text_without_escapes_is_read_without_a_copy() {
        let mut fields = Fields::of(Json::parse(r#"{"a":"ab","b":"\n"}"#).unwrap(), "it").unwrap();
        assert!(matches!(fields.str("a"), Ok(Cow::Borrowed("ab"))));
        assert!(matches!(fields.str("b"), Ok(Cow::Owned(text)) if text == "\n"));
    }

    #[test]
    fn members_sort_by_utf16_code_units() {
        let value = Json::object([
            ("\u{fb33}", Json::Bool(true)),
            ("\u{1f600}", Json::Bool(false)),
        ]);
        assert_eq!(value.to_text(), "{\"\u{1f600}\":false,\"\u{fb33}\":true}");
    }
}
