//! `status`.

use super::context::Context;
use super::show;
use anyhow::bail;
use clap::Args;
use serde_json::Value;
use std::io::Write;

/// Where the server's journal replica stands.
#[derive(Args, Debug)]
pub struct Status {
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(context: &Context, command: &Status, out: &mut dyn Write) -> anyhow::Result<()> {
    let status = context.anonymous()?.status()?;
    if command.json {
        show::json(out, &status)?;
    } else {
        let number = |pointer: &str| {
            status
                .pointer(pointer)
                .and_then(Value::as_u64)
                .map_or_else(|| "-".to_owned(), |n| n.to_string())
        };
        writeln!(
            out,
            "platform  {} ({})",
            show::member(&status, "/platform"),
            show::member(&status, "/mode")
        )?;
        writeln!(out, "genesis   {}", show::member(&status, "/genesis"))?;
        writeln!(
            out,
            "journal   {} entries, witnessed {}, fresh {} (quorum {} of {}, bears {} hostile)",
            number("/journal/size"),
            number("/journal/witnessed"),
            number("/journal/fresh"),
            number("/journal/quorum"),
            number("/journal/witnesses"),
            number("/journal/faults"),
        )?;
        writeln!(out, "halted    {}", show::member(&status, "/halted"))?;
    }
    let theirs = show::member(&status, "/genesis");
    match context.pinned() {
        Some(pinned) if pinned.to_string() != theirs => {
            bail!(
                "the server says genesis {theirs}, pinned is {pinned}: this is another installation"
            )
        }
        Some(_) | None => Ok(()),
    }
}
