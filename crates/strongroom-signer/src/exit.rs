//! Errors as one message and a stable exit code.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;
use strongroom_ports::db::DbError;
use strongroom_signer_core::Fatal;
use strongroom_types::{Code, Refusal};

/// The configuration cannot be used; the error below it says where and why.
#[derive(Debug, thiserror::Error)]
#[error("configuration")]
pub struct BadConfig(#[source] pub anyhow::Error);

/// Another process runs on this data folder.
#[derive(Debug, thiserror::Error)]
#[error("another process runs on {0}")]
pub struct AlreadyRunning(pub String);

/// Says on stderr what went wrong and what to do, and gives the exit code.
pub fn report(error: &anyhow::Error) -> ExitCode {
    let code = code(error);
    let mut text = format!("strongroom-signer: {error}");
    for cause in error.chain().skip(1) {
        let _ = write!(text, ": {cause}");
    }

    if let Some(code) = code {
        let _ = write!(text, " [{code}]");
        if let Some(advice) = advice(code) {
            let _ = write!(text, "\n{advice}");
        }
    }

    // The result is dropped, because nothing can be done about a closed stderr.
    let _ = writeln!(std::io::stderr(), "{text}");
    ExitCode::from(status(error, code))
}

/// The refusal code behind an error, if there is one.
fn code(error: &anyhow::Error) -> Option<Code> {
    // The causes are searched too: context is wrapped around a refusal, and scripts rely on its
    // code.
    error.chain().find_map(|cause| {
        if let Some(fatal) = cause.downcast_ref::<Fatal>() {
            return Some(fatal.code());
        }
        if let Some(error) = cause.downcast_ref::<DbError>() {
            return Some(Fatal::Store(error.clone()).code());
        }
        cause.downcast_ref::<Refusal>().map(|refusal| refusal.code)
    })
}

fn status(error: &anyhow::Error, code: Option<Code>) -> u8 {
    if error.chain().any(|cause| cause.is::<BadConfig>()) {
        return 14;
    }
    if error.chain().any(|cause| cause.is::<AlreadyRunning>()) {
        return 15;
    }

    // These are told apart because the cures differ: a retired key needs new keys, a full disk
    // needs space, and a backup put back would turn a damaged store into a retired key.
    match code {
        Some(
            Code::GenesisMismatch
            | Code::InvalidReference
            | Code::QuorumTooSmallForF
            | Code::Unsupported,
        ) => 10,
        Some(Code::StoreCorrupt | Code::StoreNewer) => 11,
        Some(Code::SignerRetired) => 12,
        Some(Code::DiskFull) => 13,
        Some(_) | None => 1,
    }
}

fn advice(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::GenesisMismatch => {
            "The genesis file is not the one whose hash is pinned. Compare its 16 words (`show-genesis`) with the \
             other operators before you change anything."
        }
        Code::StoreCorrupt => {
            "Do not put a backup back: that retires this node's key. Move the data folder away, make new keys with \
             `init`, and have the node readmitted under them."
        }
        Code::SignerRetired => {
            "What this node cosigned since that copy is not on this disk, so its key never cosigns or shares again. \
             Make new keys with `init` in another folder, and have the node readmitted under them."
        }
        Code::DiskFull => "Nothing was lost and nothing was released. Make room and start again.",
        Code::StoreNewer => {
            "Run the build that wrote this store, or a newer one. If another program wrote it, `data` is a wrong path."
        }
        _ => return None,
    })
}
