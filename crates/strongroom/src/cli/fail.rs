//! Errors as the command line prints them: message, stable code, and what to do.

use super::keep::NotInForce;
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
    // The reader of the output has gone (`… | head`), which is not an error that is worth a
    // message.
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

    // A refusal may be the server's own invention, so that this is said beside every reason.
    if let Some(kept) = error.chain().find_map(|e| e.downcast_ref::<NotInForce>()) {
        let _ = writeln!(err, "  if it stays so: {}", kept.advice());
    }

    // A script must be able to tell its own mistake from a refusal.
    ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
}

fn code_of(error: &anyhow::Error) -> Option<String> {
    // Context may be wrapped around a refusal, and the code is what stays the same between
    // releases. A refusal below an error of the client only says how that was found: an answer that
    // is not true asks for more than a page about its cause.
    let found = error.chain().find_map(|cause| {
        let of_client = cause.downcast_ref::<ClientError>();
        let of_client = of_client.map(|error| error.code().map(ToOwned::to_owned));
        of_client.or_else(|| {
            let refusal = cause.downcast_ref::<Refusal>()?;
            Some(Some(refusal.code.to_string()))
        })
    });
    found.flatten()
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

#[cfg(test)]
mod tests {
    use super::*;
    use strongroom_types::Code;

    fn shown(error: impl Into<anyhow::Error>) -> String {
        let mut text = Vec::new();
        report(&error.into(), &mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_refusal_is_printed_with_its_code_and_page() {
        let refusal = Refusal::new(Code::BadSignature, "of the act");
        assert_eq!(
            shown(anyhow::Error::from(refusal).context("act.json")),
            "error: act.json: bad_signature: of the act\n  what to do: look for bad_signature in docs/errors\n"
        );
    }

    #[test]
    fn an_untrue_answer_is_printed_with_its_cause_and_its_own_advice() {
        let refusal = Refusal::new(Code::BadSignature, "of the act");
        let text = shown(ClientError::Untrue(refusal.into()));
        let start = "error: the server's answer is not true: bad_signature: of the act\n  what to do: do not sign";
        assert!(text.starts_with(start), "{text}");
    }
}
