//! Whether a server's words can be shown to a person as they are.

use serde_json::Value;
use strongroom_types::text::is_visible;

/// Members that are texts of several lines or of another form, which are read and not shown: signed
/// texts, and proofs of the log.
const READ: [&str; 2] = ["text", "proof"];

/// The first member of an answer that has a character which is not visible, empty for a value
/// without a name; none where all can be shown.
pub(crate) fn hidden_in(value: &Value) -> Option<&str> {
    match value {
        Value::Object(members) => members.iter().find_map(|(name, value)| match value {
            Value::String(_) if READ.contains(&name.as_str()) => None,
            value => hidden_in(value).map(|within| if within.is_empty() { name } else { within }),
        }),
        Value::Array(items) => items.iter().find_map(hidden_in),
        Value::String(text) => (!text.chars().all(is_visible)).then_some(""),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_member_at_any_depth_is_found_and_texts_that_are_only_read_are_not() {
        let hidden = "a\u{1b}[8m";
        for value in [
            json!({ "detail": hidden }),
            json!({ "data": [{ "reason": { "detail": hidden } }] }),
            json!({ "words": ["a", hidden] }),
            json!([{ "x": [[hidden]] }]),
        ] {
            assert!(
                hidden_in(&value).is_some_and(|name| !name.is_empty()),
                "{value}"
            );
        }
        for value in [
            json!({ "text": hidden, "proof": "a\nb" }),
            json!({ "detail": "ä b", "n": 1, "none": null }),
        ] {
            assert_eq!(hidden_in(&value), None, "{value}");
        }
        assert_eq!(
            hidden_in(&json!({ "proof": { "signature": hidden } })),
            Some("signature")
        );
    }
}
