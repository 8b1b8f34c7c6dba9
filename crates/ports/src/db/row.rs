//! Result rows with typed getters.

use std::fmt;

use super::{DbError, DbErrorKind};

/// One value of a result row.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// NULL of any type.
    Null,
    /// Integer; SQLite's booleans too.
    I64(i64),
    /// Boolean of PostgreSQL.
    Bool(bool),
    /// Text, UTF-8.
    Text(String),
    /// Byte string.
    Blob(Vec<u8>),
}

/// One result row; columns count from 0. Getters return [`DbErrorKind::Type`] on a missing column,
/// an unexpected NULL or another type.
#[derive(Clone, PartialEq, Eq)]
pub struct Row(Vec<Value>);

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No value is printed: it may be customer data or a wrapped secret.
        write!(f, "Row({} columns)", self.0.len())
    }
}

macro_rules! getter {
    ($(#[$doc:meta])* $name:ident, $opt:ident -> $type:ty, $($pattern:pat => $value:expr),+) => {
        $(#[$doc])*
        pub fn $name(&self, column: usize) -> Result<$type, DbError> {
            self.$opt(column)?.ok_or_else(|| Self::mismatch(column, stringify!($name), "NULL"))
        }
        /// The same for a nullable column; `None` for NULL.
        pub fn $opt(&self, column: usize) -> Result<Option<$type>, DbError> {
            match self.0.get(column) {
                Some(Value::Null) => Ok(None),
                $(Some($pattern) => Ok(Some($value)),)+
                Some(_) => Err(Self::mismatch(column, stringify!($name), "another type")),
                None => Err(Self::mismatch(column, stringify!($name), "no such column")),
            }
        }
    };
}

impl Row {
    /// A row of these values, for adapters.
    #[must_use]
    pub fn new(values: Vec<Value>) -> Self {
        Self(values)
    }

    getter!(
        /// An integer.
        i64, i64_opt -> i64, Value::I64(v) => *v);
    getter!(
        /// A boolean (SQLite keeps 0 and 1).
        bool, bool_opt -> bool, Value::Bool(v) => *v, Value::I64(0) => false, Value::I64(1) => true);
    getter!(
        /// A text, as stored.
        text, text_opt -> &str, Value::Text(v) => v.as_str());
    getter!(
        /// A byte string, as stored.
        blob, blob_opt -> &[u8], Value::Blob(v) => v.as_slice());

    /// A non-negative integer.
    pub fn u64(&self, column: usize) -> Result<u64, DbError> {
        // This program never wrote a negative number. One is refused, because a cast would make it
        // huge.
        u64::try_from(self.i64(column)?)
            .map_err(|_| Self::mismatch(column, "u64", "a negative number"))
    }

    /// A non-negative integer or NULL.
    pub fn u64_opt(&self, column: usize) -> Result<Option<u64>, DbError> {
        let value = self.i64_opt(column)?;
        value
            .map(u64::try_from)
            .transpose()
            .map_err(|_| Self::mismatch(column, "u64", "a negative number"))
    }

    /// Bytes of a fixed length.
    pub fn array<const N: usize>(&self, column: usize) -> Result<[u8; N], DbError> {
        let bytes = self.blob(column)?;
        bytes
            .try_into()
            .map_err(|_| Self::mismatch(column, "array", "another length"))
    }

    fn mismatch(column: usize, wanted: &str, found: &str) -> DbError {
        DbError::new(
            DbErrorKind::Type,
            format!("column {column}: wanted {wanted}, found {found}"),
        )
    }
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

    #[test]
    fn row_getters_never_panic_and_never_guess() {
        let row = Row::new(vec![
            Value::I64(-1),
            Value::Null,
            Value::Text("t".into()),
            Value::Blob(vec![1, 2]),
        ]);
        assert_eq!(row.i64(0).unwrap(), -1);
        assert!(row.u64(0).is_err() && row.bool(0).is_err() && row.text(0).is_err());
        assert!(row.i64(1).is_err());
        assert_eq!(row.i64_opt(1).unwrap(), None);
        assert_eq!(row.array::<2>(3).unwrap(), [1, 2]);
        assert!(row.array::<3>(3).is_err() && row.i64(9).is_err() && row.i64_opt(9).is_err());
    }
}
