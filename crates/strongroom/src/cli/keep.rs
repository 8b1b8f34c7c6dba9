//! Signed tightenings in files, which their people can have handed to signers and witnesses.
//!
//! A writer can leave an act out, and an API can say what it likes of it. A tightening that its
//! people hold in a file reaches every signer and witness all the same (`strongroom-signer hand`).

use anyhow::Context as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use strongroom_types::{Act, ActBody, Document as _, Signed};

/// A tightening that is not known to be in force, and the file that holds it.
#[derive(Debug, thiserror::Error)]
#[error("the act in {} is not known to be in force", file.display())]
pub struct NotInForce {
    /// File that `strongroom-signer hand` reads.
    pub file: PathBuf,
    /// Answer of the server, or its absence.
    #[source]
    pub why: anyhow::Error,
}

impl NotInForce {
    /// Adds the file to the error of sending the act in it.
    pub fn of(file: &Path) -> impl Fn(anyhow::Error) -> anyhow::Error {
        move |why| {
            let file = file.to_owned();
            anyhow::Error::new(Self { file, why })
        }
    }

    /// The person's way past the server.
    pub fn advice(&self) -> String {
        format!(
            "keep {0}, and give it to the operators of all signers and witnesses: \
             `strongroom-signer hand {0}` at each of them needs neither API nor writer",
            self.file.display()
        )
    }
}

/// Writes a signed act to a new file, durably, in the form that `strongroom-signer hand` reads.
///
/// # Errors
/// The file system's; a file that exists is never overwritten.
pub fn keep(signed: &Signed, file: &Path) -> anyhow::Result<()> {
    // A file that is there may hold the only copy of an act that is still to be handed.
    let write = || -> std::io::Result<()> {
        let mut to = OpenOptions::new().write(true).create_new(true).open(file)?;
        writeln!(to, "{}", signed.to_json().to_text())?;
        to.sync_all()
    };
    write().with_context(|| {
        format!(
            "cannot keep the signed act in {}, so nothing was sent: name a new file with --out",
            file.display()
        )
    })
}

/// Whether a text is an act that signers and witnesses take by hand.
pub fn is_tightening(signed: &Signed) -> bool {
    Act::parse(&signed.text).is_ok_and(|act| matches!(act.body, ActBody::Tighten(_)))
}
