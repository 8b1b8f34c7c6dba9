//! Strict parsers and writers that the text formats share: canonical base64 and canonical decimals.
//! Signatures are over text, so a second spelling of a value would be a second message.

use base64::{Engine, engine::general_purpose::STANDARD};

/// Standard base64 with padding (RFC 4648 §4).
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Decodes standard base64; `None` unless `text` is the one canonical encoding of the result (the
/// engine demands the padding and refuses set bits beyond the last byte; the tests pin that).
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Decodes exactly `N` bytes of canonical base64.
pub fn from_base64_exact<const N: usize>(text: &str) -> Option<[u8; N]> {
    from_base64(text)?.try_into().ok()
}

/// ASCII decimal without sign or leading zeros (`0` itself allowed).
pub fn decimal(text: &str) -> Option<u64> {
    // The digits are checked first, because `u64` also parses `+1` and `007`.
    let canonical =
        text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));

    if canonical { text.parse().ok() } else { None }
}

/// True if `text` has an ASCII control character (below U+0020).
pub fn has_control(text: &str) -> bool {
    text.bytes().any(|b| b < 0x20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_decimals_are_read() {
        assert_eq!(decimal("0"), Some(0));
        assert_eq!(decimal("18446744073709551615"), Some(u64::MAX));
        for bad in [
            "",
            "00",
            "01",
            "+1",
            "-1",
            " 1",
            "1 ",
            "18446744073709551616",
            "١",
        ] {
            assert_eq!(decimal(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn only_canonical_base64_is_read() {
        assert_eq!(from_base64("AA=="), Some(vec![0]));
        for bad in [
            "AB==", "AA=", "AA", "AA==\n", "A-==", " AA==", "AA==AA==", "A A=", "=",
        ] {
            assert_eq!(from_base64(bad), None, "{bad:?}");
        }
    }
}
