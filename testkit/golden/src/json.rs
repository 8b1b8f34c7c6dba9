//! Golden files that are a list of JSON objects, each with its `name`.

use serde_json::Value;
use std::path::Path;

/// Compares the cases whose name starts with `prefix` with the objects whose name does.
///
/// # Panics
/// When they differ, when no case has the prefix, or when a case is without a name.
pub fn compare(file: &Path, cases: Vec<Value>, prefix: &str) {
    let kept = std::fs::read_to_string(file).unwrap();
    let kept: Vec<Value> = serde_json::from_str(&kept).unwrap();

    let is_named = |case: &Value| case["name"].as_str().unwrap().starts_with(prefix);
    let only = |cases: Vec<Value>| cases.into_iter().filter(is_named).collect::<Vec<_>>();
    let (made, kept) = (only(cases), only(kept));

    // Two empty lists are equal: a misspelt prefix would compare nothing.
    assert!(!made.is_empty(), "no case begins with {prefix:?}");
    assert_eq!(made, kept);
}

/// Rewrites the file when the run is blessed, then compares every case with it.
///
/// # Panics
/// As [`compare`].
pub fn bless_and_compare(file: &Path, cases: Vec<Value>) {
    if super::is_blessed() {
        let text = serde_json::to_string_pretty(&cases).unwrap();
        std::fs::write(file, text + "\n").unwrap();
    }
    compare(file, cases, "");
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn differs(name: &str, kept: Value, prefix: &'static str) -> bool {
        let file = format!("golden-json-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(file);
        std::fs::write(&path, kept.to_string()).unwrap();

        let made = vec![
            json!({"name": "entry", "text": "a"}),
            json!({"name": "leaf", "text": "b"}),
        ];
        let differs = std::panic::catch_unwind(|| compare(&path, made, prefix)).is_err();
        std::fs::remove_file(path).unwrap();
        differs
    }

    #[test]
    fn objects_that_differ_in_any_way_from_the_file_are_noticed() {
        let entry = json!({"name": "entry", "text": "a"});
        let leaf = json!({"name": "leaf", "text": "b"});
        let changed = json!({"name": "leaf", "text": "c"});

        assert!(!differs("same", json!([entry, leaf]), ""));
        assert!(differs("changed", json!([entry, changed]), "leaf"));
        assert!(differs("missing", json!([entry]), ""));
        assert!(differs("extra", json!([entry, leaf, changed]), ""));
        assert!(!differs("other", json!([entry, changed]), "entry"));
    }

    #[test]
    fn a_prefix_without_a_case_and_an_object_without_a_name_are_noticed() {
        assert!(differs(
            "typo",
            json!([{"name": "entry", "text": "a"}]),
            "entyr"
        ));
        assert!(differs("unnamed", json!([{"text": "a"}]), "entry"));
    }
}
