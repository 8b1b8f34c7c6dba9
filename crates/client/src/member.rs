//! Members of an artefact's line. Artefacts are files of other programs, read member by member so
//! that a report can name what is missing.

use crate::error::{ClientError, SourceError};
use serde_json::Value;
use strongroom_api_types::SignedText;
use strongroom_types::Signed;

/// A member that is there and does not read.
#[derive(Debug, thiserror::Error)]
#[error("member `{name}`")]
struct MemberError {
    name: String,
    source: SourceError,
}

fn wrong(name: &str, source: impl Into<SourceError>) -> ClientError {
    let name = name.to_owned();
    let source = source.into();
    ClientError::untrue(MemberError { name, source })
}

/// The text member `name`.
pub(crate) fn text<'a>(line: &'a Value, name: &str) -> Result<&'a str, ClientError> {
    let found = line.get(name).and_then(Value::as_str);
    found.ok_or_else(|| ClientError::untrue(format!("member `{name}` is missing")))
}

/// Lower-case hex of any length in the text member `name`.
pub(crate) fn bytes(line: &Value, name: &str) -> Result<Vec<u8>, ClientError> {
    hex::decode(text(line, name)?).map_err(|e| wrong(name, e))
}

/// The signed container in the member `name`.
pub(crate) fn signed(line: &Value, name: &str) -> Result<Signed, ClientError> {
    let member = line
        .get(name)
        .ok_or_else(|| ClientError::untrue(format!("member `{name}` is missing")))?;
    let shown: SignedText = serde_json::from_value(member.clone()).map_err(|e| wrong(name, e))?;
    shown.try_into().map_err(ClientError::untrue)
}
