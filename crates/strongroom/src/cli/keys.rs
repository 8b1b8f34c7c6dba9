//! `keys`: key files. Private keys are never printed.

use super::fail::usage;
use clap::Subcommand;
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};
use strongroom_client::KeyFile;
use strongroom_host::SystemEntropy;
use strongroom_types::{CredentialClass, UserId};

/// Subcommands of `strongroom keys`.
#[derive(Subcommand, Debug)]
pub enum KeysCommand {
    /// Make a new key and write its file (mode 0600); prints the public part for the registry.
    Create {
        /// The new file.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// The human it belongs to (`usr_…`); a new id when absent.
        #[arg(long)]
        user: Option<UserId>,
        /// `key`: a person's key file, used through this command line; `program`: a client
        /// program's; `watch` and `feed`: keys of no human.
        #[arg(long)]
        class: CredentialClass,
    },
    /// Show the public part of a key file.
    Show {
        /// Key file.
        file: PathBuf,
    },
}

/// Makes a key file, or shows the public part of one.
pub fn run(command: &KeysCommand, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        KeysCommand::Create {
            out: file,
            user,
            class,
        } => {
            check_class(*class, *user)?;
            public(&KeyFile::create(file, *class, *user, &SystemEntropy)?, out)
        }
        KeysCommand::Show { file } => public(&open(file)?, out),
    }
}

/// Classes that a key file can hold, and whose they are.
fn check_class(class: CredentialClass, user: Option<UserId>) -> anyhow::Result<()> {
    match class {
        CredentialClass::Passkey => Err(usage("a passkey is made by its own device, not here")),
        CredentialClass::Watch | CredentialClass::Feed if user.is_some() => Err(usage(format!(
            "a key of class {class} belongs to no human: leave --user out"
        ))),
        CredentialClass::Key
        | CredentialClass::Program
        | CredentialClass::Watch
        | CredentialClass::Feed => Ok(()),
    }
}

/// Opens a key file.
pub fn open(file: &Path) -> anyhow::Result<KeyFile> {
    // A mistyped path is the caller's mistake, unlike a file that cannot be used.
    if !file.exists() {
        return Err(usage(format!("there is no key file {}", file.display())));
    }
    Ok(KeyFile::open(file)?)
}

fn public(key: &KeyFile, out: &mut dyn Write) -> anyhow::Result<()> {
    let credential = key.credential();
    let shown = json!({
        "id": credential.id.to_string(), "user": credential.user.map(|user| user.to_string()),
        "class": credential.class.to_string(), "algorithm": credential.key.algorithm(),
        "public_key": credential.key.to_hex(),
    });
    Ok(writeln!(out, "{shown}")?)
}
