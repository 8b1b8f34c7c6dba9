//! Schema migrations, one text for every dialect.

use super::{DbError, DbErrorKind, Tx};

/// One step of a component's schema. It must not be edited after its release.
///
/// The text may hold several statements and uses seven words that each adapter replaces: `{i64}`,
/// `{bool}`, `{text}` (compared by bytes, not by a locale), `{blob}`, `{identity}` (an ascending
/// primary key that the database assigns), and at the end of `CREATE TABLE` either `{strict}` or,
/// for small rows that are inserted and deleted by a wide key, `{strict_by_key}` (where the engine
/// has it, rows are stored in the order of their key, without a second tree).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// Owner of these tables (`stage`, `replica`, …); versions count within it.
    pub component: &'static str,
    /// Version within the component: 1, 2, 3, … without gaps.
    pub version: i64,
    /// The statements, separated by `;`.
    pub sql: &'static str,
}

/// An adapter's replacements for a migration's seven words.
#[derive(Debug, Clone, Copy)]
pub struct TypeWords {
    /// Type of 64-bit signed integers.
    pub i64: &'static str,
    /// Type of booleans.
    pub bool: &'static str,
    /// Type of texts, compared by bytes.
    pub text: &'static str,
    /// Type of byte strings.
    pub blob: &'static str,
    /// Type of an ascending primary key that the database assigns.
    pub identity: &'static str,
    /// Text after the closing bracket of a table.
    pub strict: &'static str,
    /// The same text for a table whose rows are stored in the order of the primary key.
    pub strict_by_key: &'static str,
}

impl Migration {
    /// The statements in one dialect.
    ///
    /// # Errors
    /// [`DbErrorKind::Schema`] on an unknown `{word}`.
    pub fn render(&self, words: &TypeWords) -> Result<String, DbError> {
        let mut out = String::with_capacity(self.sql.len() + 64);
        let mut rest = self.sql;
        while let Some((before, after)) = rest.split_once('{') {
            let (word, tail) = after
                .split_once('}')
                .ok_or_else(|| self.error("unclosed `{`"))?;

            out.push_str(before);
            out.push_str(match word {
                "i64" => words.i64,
                "bool" => words.bool,
                "text" => words.text,
                "blob" => words.blob,
                "identity" => words.identity,
                "strict" => words.strict,
                "strict_by_key" => words.strict_by_key,
                // The error is made here, where it can name the migration; an engine would only
                // call it bad SQL.
                other => return Err(self.error(&format!("unknown type word `{other}`"))),
            });
            rest = tail;
        }
        out.push_str(rest);
        Ok(out)
    }

    fn error(&self, what: &str) -> DbError {
        let detail = format!("migration {} {}: {what}", self.component, self.version);
        DbError::new(DbErrorKind::Schema, detail)
    }
}

/// The table in which every adapter keeps its applied migrations.
pub const SCHEMA_VERSION: Migration = Migration {
    component: "schema",
    version: 0,
    sql: "CREATE TABLE IF NOT EXISTS schema_version (
              component {text} NOT NULL, version {i64} NOT NULL, sql {text} NOT NULL,
              PRIMARY KEY (component, version)) {strict};",
};

/// Number of columns of [`SCHEMA_VERSION`]. Other programs may have a table of that name too.
const COLUMNS: i64 = 3;

/// Refuses a database of another program, or of a build from before [`SCHEMA_VERSION`]: if it were
/// used, its rows would be taken for rows of this program. `relations` is the number of tables,
/// indexes and views in it, `columns` the number of [`SCHEMA_VERSION`]'s columns that a table
/// `schema_version` in it has. All adapters call it before they change anything.
///
/// # Errors
/// [`DbErrorKind::Schema`] when the database has relations, but not this program's list of versions.
pub fn refuse_foreign(relations: i64, columns: i64) -> Result<(), DbError> {
    if relations == 0 || columns == COLUMNS {
        return Ok(());
    }
    let what = "it belongs to another program or an older build: it has tables, and no list of \
                their versions";
    Err(DbError::new(DbErrorKind::Schema, what))
}

/// The rows of [`SCHEMA_VERSION`], as (component, version, sql): the migrations that the database has
/// had, of all components, in the order of their versions.
///
/// # Errors
/// The database's.
pub fn applied(tx: &mut dyn Tx) -> Result<Vec<(String, i64, String)>, DbError> {
    let sql = "SELECT component, version, sql FROM schema_version ORDER BY component, version";
    let rows = tx.query(sql, &[])?;
    rows.iter()
        .map(|row| {
            let (component, version, sql) = (row.text(0)?, row.i64(1)?, row.text(2)?);
            Ok((component.to_owned(), version, sql.to_owned()))
        })
        .collect()
}

/// The migrations of `wanted` that are still to be run, given those that are [`applied`]. All
/// adapters use it, so that they refuse the same schemas.
///
/// # Errors
/// As [`crate::db::Db::migrate`].
pub fn pending<'m>(
    wanted: &'m [Migration],
    applied: &[(String, i64, String)],
) -> Result<Vec<&'m Migration>, DbError> {
    let mut last: Vec<(&str, i64)> = Vec::new();
    let mut out = Vec::new();
    for migration in wanted {
        // Several components may be migrated in one call, each with its own version numbers.
        let before = match last
            .iter_mut()
            .find(|(component, _)| *component == migration.component)
        {
            Some(slot) => std::mem::replace(&mut slot.1, migration.version),
            None => {
                last.push((migration.component, migration.version));
                0
            }
        };

        if migration.version != before + 1 {
            return Err(migration.error("versions must count 1, 2, 3, …"));
        }
        match applied
            .iter()
            .find(|(c, v, _)| c == migration.component && *v == migration.version)
        {
            Some((_, _, sql)) if sql == migration.sql => {}
            // A changed text is refused: installations would have different tables under one
            // version number.
            Some(_) => return Err(migration.error("its text changed after it was applied")),
            None => out.push(migration),
        }
    }

    // A newer database is refused: a program that was rolled back would write rows that the newer
    // tables do not fit. Components that are not wanted here belong to another stage.
    for (component, version, _) in applied {
        let newest = last.iter().find(|(c, _)| c == component).map(|(_, v)| *v);
        if let Some(newest) = newest.filter(|newest| version > newest) {
            let what = format!(
                "the database is newer than this program: {component} is at version {version}, \
                 this program knows {newest}"
            );
            return Err(DbError::new(DbErrorKind::Schema, what));
        }
    }

    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )]
    use super::*;

    const A1: Migration = Migration {
        component: "a",
        version: 1,
        sql: "CREATE TABLE a (x {i64}) {strict};",
    };
    const A2: Migration = Migration {
        component: "a",
        version: 2,
        sql: "x",
    };

    #[test]
    fn migrations_refuse_a_newer_database_an_edit_and_a_gap() {
        let applied = |m: &Migration| (m.component.to_owned(), m.version, m.sql.to_owned());
        assert_eq!(pending(&[A1, A2], &[applied(&A1)]).unwrap(), [&A2]);
        assert!(
            pending(&[A1, A2], &[applied(&A1), applied(&A2)])
                .unwrap()
                .is_empty()
        );
        let newer = pending(&[A1], &[applied(&A1), applied(&A2)]).unwrap_err();
        assert_eq!(newer.kind(), DbErrorKind::Schema);
        assert!(newer.to_string().contains("newer"));
        let edited = Migration { sql: "other", ..A1 };
        assert!(
            pending(&[edited], &[applied(&A1)])
                .unwrap_err()
                .to_string()
                .contains("changed")
        );
        assert!(pending(&[A2], &[]).is_err());
        assert!(
            pending(&[A1], &[("other".into(), 9, String::new()), applied(&A1)])
                .unwrap()
                .is_empty()
        );
    }
}
