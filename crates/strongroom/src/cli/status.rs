//! `status`.

use super::context::Context;
use super::show;
use anyhow::bail;
use clap::Args;
use std::io::Write;

/// State of the server's journal replica.
#[derive(Args, Debug)]
#[group(skip)]
pub struct Status {
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

/// Prints the status; fails when the server is another installation than the pinned one.
pub fn run(context: &Context, command: &Status, out: &mut dyn Write) -> anyhow::Result<()> {
    let status = context.anonymous()?.status()?;
    if command.json {
        show::json(out, &status)?;
    } else {
        let (mode, journal) = (status.mode.as_str(), &status.journal);
        writeln!(out, "platform  {} ({mode})", status.platform)?;
        writeln!(out, "genesis   {}", status.genesis)?;
        writeln!(
            out,
            "journal   {} entries, witnessed {}, fresh {} (quorum {} of {}, bears {} hostile)",
            journal.size,
            journal.witnessed,
            show::or_dash(journal.fresh),
            journal.quorum,
            journal.witnesses,
            journal.faults,
        )?;
        writeln!(out, "halted    {}", show::or_dash(status.halted.as_ref()))?;
    }

    // This fails only after the output: what answered is of use above all when it is the wrong
    // installation.
    let theirs = status.genesis.0;
    match context.pinned() {
        Some(pinned) if pinned != theirs => {
            bail!(
                "the server says genesis {theirs}, pinned is {pinned}: this is another installation"
            )
        }
        Some(_) | None => Ok(()),
    }
}
