//! How often each pattern besides the phrases is there as yet. Some of these hits are right as they
//! are, so the numbers are not all on their way to 0; but none grows.

use super::{Hits, REFUSING, RELATIVE, REPEATED, SHARED, SHORT, SPOKEN, UNTYPED};

/// A number that grew is refused, and one that fell is lowered here, or it could grow back.
const KNOWN: [(&str, usize); 7] = [
    // Both are descriptions in `docs/openapi.json`.
    (RELATIVE, 2),
    // "Amount, satoshi.": a noun and its unit are enough.
    (SHORT, 36),
    (REPEATED, 0),
    // The end of a log, of a window and of an object that is read: a noun each time.
    (SPOKEN, 4),
    (REFUSING, 1),
    (SHARED, 23),
    (UNTYPED, 52),
];

/// One line per pattern that is there more or less often than it was.
pub(super) fn changes(hits: &Hits) -> Vec<String> {
    compare(hits, &KNOWN)
}

fn compare(hits: &Hits, known: &[(&str, usize)]) -> Vec<String> {
    let mut changes = Vec::new();
    for (name, known) in known {
        let places = hits.0.get(name).map_or(&[][..], Vec::as_slice);
        let count = places.len();
        if count > *known {
            let places = places.join("\n    ");
            changes.push(format!("{name}: {count}, were {known}\n    {places}"));
        } else if count < *known {
            changes.push(format!(
                "{name}: {count}, were {known}: lower it in xtask/src/prose/words/known.rs"
            ));
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn a_number_that_grew_and_one_that_fell_are_changes() {
        let mut hits = Hits::default();
        hits.add(SHORT, Path::new("demo.rs"), 7, "The file.");
        assert_eq!(compare(&hits, &[(SHORT, 1), (SPOKEN, 0)]), [""; 0]);

        let grown = compare(&hits, &[(SHORT, 0)]);
        assert!(
            grown.len() == 1 && grown[0].contains("demo.rs:7: The file."),
            "{grown:?}"
        );
        let fallen = compare(&hits, &[(SHORT, 2)]);
        assert!(
            fallen.len() == 1 && fallen[0].contains("lower it"),
            "{fallen:?}"
        );
        assert_eq!(compare(&hits, &[(SPOKEN, 1)]).len(), 1);
    }

    #[test]
    fn every_pattern_besides_the_phrases_has_its_number() {
        let hits = Hits::default();
        let rows = hits.rows().into_iter().map(|(name, _)| name);
        let others: Vec<&str> = rows
            .filter(|name| super::super::PATTERNS.iter().all(|p| p.name != *name))
            .collect();
        assert_eq!(others, KNOWN.map(|(name, _)| name));
    }
}
