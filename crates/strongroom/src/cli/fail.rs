//! Errors: what happened, its stable code, and what to do.

use std::fmt;
use std::io::Write;
use std::process::ExitCode;
use strongroom_client::ClientError;
use strongroom_types::Refusal;

/// Wrong usage: something the caller must give is missing or contradicts itself.
#[derive(Debug)]
pub struct Usage(pub String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// A usage error.
pub fn usage(what: impl fmt::Display) -> anyhow::Error {
    Usage(what.to_string()).into()
}

/// Prints an error and gives the exit code: 2 for wrong usage, else 1.
pub fn report(error: &anyhow::Error, err: &mut dyn Write) -> ExitCode {
    // The reader of the output has gone (`… | head`): not an error that is worth a message.
    let pipe = error
        .root_cause()
        .downcast_ref::<std::io::Error>()
        .map(std::io::Error::kind);
    if pipe == Some(std::io::ErrorKind::BrokenPipe) {
        return ExitCode::FAILURE;
    }

    let _ = writeln!(err, "error: {error:#}");
    if let Some(code) = code_of(error) {
        let _ = writeln!(err, "  what to do: look for {code} in docs/errors");
    } else if let Some(hint) = hint(error) {
        let _ = writeln!(err, "  what to do: {hint}");
    }

    // A script must be able to tell its own mistake from a refusal.
    ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
}

fn code_of(error: &anyhow::Error) -> Option<String> {
    // Context may be wrapped around a refusal, and the code is what stays the same between
    // releases.
    error.chain().find_map(|cause| {
        let of_client = cause
            .downcast_ref::<ClientError>()
            .and_then(ClientError::code)
            .map(ToOwned::to_owned);
        of_client.or_else(|| {
            cause
                .downcast_ref::<Refusal>()
                .map(|refusal| refusal.code.to_string())
        })
    })
}

fn hint(error: &anyhow::Error) -> Option<&'static str> {
    match error
        .chain()
        .find_map(|cause| cause.downcast_ref::<ClientError>())?
    {
        ClientError::Transport(_) => {
            Some("is the server running, and is --url right? `strongroom doctor` looks")
        }
        ClientError::Untrue(_) => {
            Some("do not sign or pay anything; tell your security team and keep the answer")
        }
        ClientError::NotProved(_) => {
            Some("do not use it; if it was made just now, try again in a few seconds")
        }
        ClientError::TooLong(_) => Some("look again later: it may still happen"),
        ClientError::Refused { .. } | ClientError::Rule(_) => None,
    }
}
