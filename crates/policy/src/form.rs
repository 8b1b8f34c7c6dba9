//! Reading and writing the recurring shapes of the text: words, sets, optional objects.

use std::fmt::Display;
use std::str::FromStr;
use strongroom_types::fields::{Fields, FormError};
use strongroom_types::json::Json;

/// Largest number of values in one list. The limit on the text would allow more.
pub(crate) const LIST_MAX: usize = 256;

/// Text that is none of the words expected here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected one of {expected}")]
pub struct NotAWord {
    /// The words, separated by commas.
    pub expected: &'static str,
}

/// An enum whose variants are words of the text form, ascending in declaration order.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self { $(Self::$variant => $text,)* })
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::form::NotAWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err(crate::form::NotAWord { expected: concat!($($text, ", ",)*) }),
                }
            }
        }
    };
}
pub(crate) use words;

/// Members of an object that is being written.
pub(crate) type Members<'a> = Vec<(&'static str, Json<'a>)>;

/// Adds a member if there is a value.
pub(crate) fn put<'a, T>(
    members: &mut Members<'a>,
    name: &'static str,
    value: Option<&'a T>,
    write: impl Fn(&'a T) -> Json<'a>,
) {
    members.extend(value.map(|value| (name, write(value))));
}

/// The text of a set.
pub(crate) fn texts<T: Display>(values: &Vec<T>) -> Json<'_> {
    Json::texts(values)
}

/// Takes a set: at least one value, ascending and distinct, so that there is one way to write it.
pub(crate) fn set<T>(f: &mut Fields<'_>, name: &str) -> Result<Vec<T>, FormError>
where
    T: FromStr<Err: Display> + Ord,
{
    let values: Vec<T> = f.parse_list(name, LIST_MAX)?;
    ascending(name, values)
}

/// Takes a set, if the member is present.
pub(crate) fn set_opt<T>(f: &mut Fields<'_>, name: &str) -> Result<Option<Vec<T>>, FormError>
where
    T: FromStr<Err: Display> + Ord,
{
    if f.has(name) {
        set(f, name).map(Some)
    } else {
        Ok(None)
    }
}

/// Checks that values are present, ascending and distinct.
pub(crate) fn ascending<T: Ord>(name: &str, values: Vec<T>) -> Result<Vec<T>, FormError> {
    // An empty set is refused, because readers could disagree about it: as "none" the rule would
    // never match, as "any" always.
    if values.is_empty() {
        return Err(FormError::invalid(
            name,
            "must not be empty; leave it out to mean any",
        ));
    }

    // One set has one text, so that equal policies have equal digests.
    if !values.is_sorted_by(|a, b| a < b) {
        return Err(FormError::invalid(name, "must be ascending and distinct"));
    }

    Ok(values)
}

/// Takes an object, if the member is present.
pub(crate) fn object_opt<T>(
    f: &mut Fields<'_>,
    name: &str,
    read: impl Fn(&mut Fields<'_>) -> Result<T, FormError>,
) -> Result<Option<T>, FormError> {
    if f.has(name) {
        f.object(name, read).map(Some)
    } else {
        Ok(None)
    }
}

/// Takes a number, if the member is present.
pub(crate) fn number_opt(f: &mut Fields<'_>, name: &str) -> Result<Option<u64>, FormError> {
    if f.has(name) {
        f.number(name).map(Some)
    } else {
        Ok(None)
    }
}

/// Takes a number between two bounds.
pub(crate) fn number_in(
    f: &mut Fields<'_>,
    name: &str,
    min: u64,
    max: u64,
) -> Result<u64, FormError> {
    let number = f.number(name)?;
    if (min..=max).contains(&number) {
        Ok(number)
    } else {
        Err(FormError::invalid(
            name,
            format!("must be between {min} and {max}"),
        ))
    }
}

/// Takes an array of objects. An error names the object in which it is.
pub(crate) fn objects<T>(
    f: &mut Fields<'_>,
    name: &str,
    max: usize,
    read: impl Fn(&mut Fields<'_>) -> Result<T, FormError>,
) -> Result<Vec<T>, FormError> {
    let one = |(at, json)| {
        // The message names the object by its path, because a table may have 256 rules of the same
        // shape.
        let path = format!("{name}[{at}]");

        let read_one = || {
            let mut fields = Fields::of(json, "value")?;
            let value = read(&mut fields)?;

            // An unknown member is refused: a misspelled condition that was ignored would widen the
            // rule.
            fields.end()?;

            Ok(value)
        };

        read_one().map_err(|error| within(&path, error))
    };

    f.list(name, max)?
        .into_iter()
        .enumerate()
        .map(one)
        .collect()
}

fn within(path: &str, error: FormError) -> FormError {
    match error {
        FormError::Json(error) => FormError::Json(error),
        FormError::OtherVersion { .. } => error,
        FormError::Missing(member) => FormError::Missing(format!("{path}.{member}")),
        FormError::Unknown(member) => FormError::Unknown(format!("{path}.{member}")),
        FormError::Invalid { member, reason } => FormError::Invalid {
            member: format!("{path}.{member}"),
            reason,
        },
    }
}
