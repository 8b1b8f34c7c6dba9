//! The port's SQL in SQLite's dialect.

use strongroom_ports::db::TypeWords;

/// Type words of a migration.
pub(crate) const WORDS: TypeWords = TypeWords {
    i64: "INTEGER",
    bool: "INTEGER",
    text: "TEXT",
    blob: "BLOB",
    identity: "INTEGER PRIMARY KEY AUTOINCREMENT",
    strict: "STRICT",
    strict_by_key: "STRICT, WITHOUT ROWID",
};

/// Rewrites `$n` as `?n` outside of quotes. SQLite would take `$2` for a *named* parameter and
/// number it by its place.
pub(crate) fn numbered_parameters(sql: &str) -> String {
    let mut quoted = false;
    let mut out = String::with_capacity(sql.len());
    let mut chars = sql.chars().peekable();
    while let Some(c) = chars.next() {
        // A doubled quote switches twice, so the scan stays within the quoted text.
        quoted ^= c == '\'';
        let number = !quoted && c == '$' && chars.peek().is_some_and(char::is_ascii_digit);
        out.push(if number { '?' } else { c });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_rewritten_outside_quotes_only() {
        assert_eq!(
            numbered_parameters("a = $2 AND b = $10"),
            "a = ?2 AND b = ?10"
        );
        assert_eq!(
            numbered_parameters("a = '$1' AND b = $x"),
            "a = '$1' AND b = $x"
        );
    }
}
