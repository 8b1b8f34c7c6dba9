//! Texts of bounded length and safe characters.

use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;
use std::io;
use std::str::FromStr;
use strongroom_guard::{G, guard};
use unicode_normalization::is_nfc;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

/// Version of the Unicode tables by which a [`Name`] is read. It is part of the formats: with
/// another table, one replica would accept a text that another one refuses.
pub const UNICODE_VERSION: (u8, u8, u8) = (18, 0, 0);

const _: () = {
    let (major, minor, patch) = UNICODE_VERSION;
    let forms = unicode_normalization::UNICODE_VERSION;
    assert!(forms.0 == major && forms.1 == minor && forms.2 == patch);
    let categories = unicode_properties::UNICODE_VERSION;
    assert!(categories.0 == major as u64);
    assert!(categories.1 == minor as u64 && categories.2 == patch as u64);
};

/// Decodes exactly `N` bytes of lower-case hex; anything else is `None`.
#[must_use]
pub fn lower_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let lower = text
        .bytes()
        .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    // Upper case is refused, because it would be a second text of the same bytes.
    if !lower {
        return None;
    }

    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

/// Longest [`Name`] in bytes, which is enough for any label that a screen shows on one line.
pub const NAME_BYTES_MAX: usize = 128;

/// A short text for people, such that two different names look different: 1–128 bytes of UTF-8 in
/// Unicode normalization form C, with only visible characters and inner spaces (U+0020).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize)]
pub struct Name(String);

/// Text that is not a [`Name`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a name is 1 to 128 bytes of visible characters and inner spaces, in Unicode normal form C"
)]
pub struct NotAName;

impl Name {
    /// The name as a string slice.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        // Outer spaces and other normal forms are refused, because with them two different names
        // could look the same.
        let sized = !text.is_empty() && text.len() <= NAME_BYTES_MAX;
        if !sized
            || text.trim() != text
            || guard(G::NoHiddenText, !text.chars().all(is_visible))
            || !is_nfc(text)
        {
            return Err(NotAName);
        }
        Ok(Self(text.to_owned()))
    }
}

/// Characters that show nothing although their category is one of letters, marks or symbols: those
/// with `Default_Ignorable_Code_Point`, and blank ones. Ranges, both ends included; pinned with
/// [`UNICODE_VERSION`].
const BLANK: [(char, char); 17] = [
    // Combining grapheme joiner.
    ('\u{34f}', '\u{34f}'),
    // Fillers of Hangul; inherent vowels of Khmer.
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    // Variation selectors of Mongolian.
    ('\u{180b}', '\u{180f}'),
    // The braille pattern without dots.
    ('\u{2800}', '\u{2800}'),
    // Filler of Hangul, and its half width.
    ('\u{3164}', '\u{3164}'),
    ('\u{ffa0}', '\u{ffa0}'),
    // Variation selectors, which only choose the glyph of the character before them.
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{e0100}', '\u{e01ef}'),
    // Joiners and selectors of Tifinagh, Brahmi, Zanabazar Square, Soyombo and Duployan: they stack
    // or shape their neighbours and have no glyph of their own.
    ('\u{2d7f}', '\u{2d7f}'),
    ('\u{1107f}', '\u{1107f}'),
    ('\u{11a47}', '\u{11a47}'),
    ('\u{11a99}', '\u{11a99}'),
    ('\u{1bc9d}', '\u{1bc9d}'),
    // Egyptian hieroglyphs: the sign that mirrors its neighbour, the full and the half blank.
    ('\u{13440}', '\u{13442}'),
    // Filler of Khitan, and the musical note without a head.
    ('\u{16fe4}', '\u{16fe4}'),
    ('\u{1d159}', '\u{1d159}'),
];

/// Whether a character is visible and does not change how its neighbours are shown.
#[must_use]
pub fn is_visible(c: char) -> bool {
    // ASCII is answered without the tables, which give the same answer. Most characters are ASCII,
    // and records with a name are read many times.
    if c.is_ascii() {
        return c == ' ' || c.is_ascii_graphic();
    }

    match c.general_category() {
        // Other space characters look like U+0020.
        GeneralCategory::SpaceSeparator => c == ' ',
        // Control characters and separators overwrite or break a line. Format characters are
        // invisible, or reorder the characters around them: `U+202E` shows an amount backwards.
        // Private and unassigned characters have no agreed shape, and an unassigned one may later
        // get any category.
        GeneralCategory::Control
        | GeneralCategory::Format
        | GeneralCategory::LineSeparator
        | GeneralCategory::ParagraphSeparator
        | GeneralCategory::PrivateUse
        | GeneralCategory::Surrogate
        | GeneralCategory::Unassigned => false,
        // Two names that differ only in a blank character look the same.
        _ => !BLANK.iter().any(|(from, to)| (*from..=*to).contains(&c)),
    }
}

/// Longest address literal, bytes.
pub const ADDRESS_BYTES_MAX: usize = 128;

/// Text that is not an address literal of any chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to 128 visible ASCII characters")]
pub struct NotAnAddress;

/// Gives back an address literal, which is 1 to [`ADDRESS_BYTES_MAX`] visible ASCII characters.
/// Whether a chain has such an address is known to the chain's codec only.
///
/// # Errors
/// [`NotAnAddress`] for every other text.
pub fn address(text: String) -> Result<String, NotAnAddress> {
    // Only visible ASCII is accepted, because people compare addresses on screens: in Unicode,
    // letters of two alphabets look alike, and some characters reorder others. A guard on such a
    // text, or one with a space, would block nothing.
    let plain = text.bytes().all(|b| b.is_ascii_graphic());
    if plain && (1..=ADDRESS_BYTES_MAX).contains(&text.len()) {
        Ok(text)
    } else {
        Err(NotAnAddress)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl BorshDeserialize for Name {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let text = String::deserialize_reader(reader)?;
        text.parse()
            .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_of_every_script_direction_are_taken_as_they_are() {
        for name in [
            "Treasury 7, cold (EU)",
            "Казначейство",
            "Θησαυροφυλάκιο",
            "כספת ראשית",
            "خزينة الشركة",
            "ދިވެހި",
            "abc שלום 123",
            "金庫一号",
            "금고",
            "कोषागार",
            "ห้องนิรภัย",
            "ᠮᠣᠩᠭᠣᠯ",
            "Café Zürich",
            "€ 100 → vault",
            "🏦",
        ] {
            assert_eq!(name.parse::<Name>().unwrap().as_str(), name, "{name}");
        }
    }

    #[test]
    fn hole_names_with_characters_that_hide_or_reorder_are_refused() {
        let hidden = [
            '\u{0}',
            '\u{a}',
            '\u{1b}',
            '\u{7f}',
            '\u{85}',
            '\u{a0}',
            '\u{ad}',
            '\u{61c}',
            '\u{180e}',
            '\u{2003}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{200e}',
            '\u{200f}',
            '\u{2028}',
            '\u{2029}',
            '\u{202a}',
            '\u{202b}',
            '\u{202c}',
            '\u{202d}',
            '\u{202e}',
            '\u{202f}',
            '\u{2060}',
            '\u{2066}',
            '\u{2067}',
            '\u{2068}',
            '\u{2069}',
            '\u{3000}',
            '\u{feff}',
            '\u{e0041}',
        ];
        let shapeless = [
            '\u{378}',
            '\u{e000}',
            '\u{fffe}',
            '\u{fdd0}',
            '\u{f0000}',
            '\u{10ffff}',
        ];
        for c in hidden.into_iter().chain(shapeless) {
            let code = u32::from(c);
            assert!(format!("a{c}b").parse::<Name>().is_err(), "U+{code:04X}");
        }
    }

    #[test]
    fn hole_names_with_blank_letters_marks_and_symbols_are_refused() {
        let blank = [
            0x034f, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x180b, 0x180c, 0x180d, 0x180f, 0x2800, 0x3164,
            0xfe00, 0xfe0f, 0xffa0, 0x2d7f, 0x1107f, 0x11a47, 0x11a99, 0x13440, 0x13441, 0x13442,
            0x1bc9d, 0x16fe4, 0x1d159, 0xe0100, 0xe01ef,
        ];
        for code in blank {
            let c = char::from_u32(code).unwrap();
            for text in [format!("Alice{c}"), format!("{c}"), format!("Al{c}ice")] {
                assert!(text.parse::<Name>().is_err(), "U+{code:04X}");
            }
        }
        // Characters next to the ranges are visible, so they are accepted.
        for c in ['\u{2801}', '\u{3165}', '\u{fe10}', '\u{17b3}', '\u{e14}'] {
            let code = u32::from(c);
            assert!(format!("a{c}b").parse::<Name>().is_ok(), "U+{code:04X}");
        }
    }

    #[test]
    fn one_text_has_one_normal_form() {
        for (other, normal) in [
            ("Cafe\u{301}", "Caf\u{e9}"),
            ("\u{212b}ngström", "\u{c5}ngström"),
            ("\u{1100}\u{1173}\u{11b7}", "\u{ae08}"),
            ("a\u{323}\u{307}", "\u{1ea1}\u{307}"),
        ] {
            assert!(other.parse::<Name>().is_err(), "{other:?}");
            assert!(normal.parse::<Name>().is_ok(), "{normal:?}");
        }
    }

    #[test]
    fn name_is_bounded_and_has_no_outer_space() {
        assert!("a".repeat(NAME_BYTES_MAX).parse::<Name>().is_ok());
        for bad in [
            "",
            " ",
            " a",
            "a ",
            &"a".repeat(NAME_BYTES_MAX + 1),
            &"é".repeat(65),
        ] {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
        assert!("a  b".parse::<Name>().is_ok());
    }
}
