//! `doctor`: what commonly goes wrong on the client's side.

use super::context::{Context, now};
use super::show;
use anyhow::bail;
use clap::Args;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use strongroom_client::api::StatusInfo;
use strongroom_client::proof::Trust;
use strongroom_client::{KeyFile, with_causes};
use strongroom_types::UnixMs;

/// Less free space than this is a problem: 1 GiB.
const FREE_BYTES_MIN: u64 = 1 << 30;

/// Looks for what commonly goes wrong.
#[derive(Args, Debug)]
#[group(skip)]
pub struct Doctor {
    /// Key files to look at; may be given several times.
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// Folder whose disk is looked at.
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
}

/// Result of one look: fine, or what to do about it.
type Finding = Result<String, String>;

/// Prints the findings; fails when one of them is a problem.
pub fn run(context: &Context, command: &Doctor, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut findings = vec![("disk", disk(&command.dir))];
    findings.extend(command.key.iter().map(|file| ("key file", key_file(file))));
    if let Some(file) = context.api_key_file() {
        findings.push(("API key file", mode(file)));
    }
    findings.extend(server(context));

    let mut wrong = 0;
    for (what, finding) in findings {
        match finding {
            Ok(fine) => writeln!(out, "ok    {what}: {fine}")?,
            Err(problem) => {
                wrong += 1;
                writeln!(out, "WRONG {what}: {problem}")?;
            }
        }
    }

    // All findings are printed before the command fails: one cause often shows in several.
    match wrong {
        0 => Ok(()),
        1 => bail!("1 problem found"),
        _ => bail!("{wrong} problems found"),
    }
}

fn key_file(file: &Path) -> Finding {
    KeyFile::open(file)
        .map(|key| format!("{} is {}", file.display(), key.credential().id))
        .map_err(|e| with_causes(&e))
}

fn mode(file: &Path) -> Finding {
    let meta = std::fs::metadata(file).map_err(|e| format!("{}: {e}", file.display()))?;
    match meta.permissions().mode() & 0o777 {
        mode if mode & 0o077 == 0 => Ok(format!("{} is for its owner only", file.display())),
        mode => Err(format!(
            "{0} has mode {mode:o}: chmod 600 {0}",
            file.display()
        )),
    }
}

fn disk(dir: &Path) -> Finding {
    let stat = rustix::fs::statvfs(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let told = format!("{} MiB free at {}", free >> 20, dir.display());
    if free >= FREE_BYTES_MIN {
        Ok(told)
    } else {
        Err(format!("{told}; at least 1024 MiB are needed"))
    }
}

fn server(context: &Context) -> Vec<(&'static str, Finding)> {
    let Ok(url) = context.url() else {
        return vec![(
            "server",
            Err("no --url and no profile: nothing else can be looked at".to_owned()),
        )];
    };
    let status = context.anonymous().and_then(|client| Ok(client.status()?));
    let status = match status {
        Ok(status) => status,
        Err(error) => return vec![("server", Err(format!("{error:#}"))), ("port", port(url))],
    };

    let mut findings = vec![
        ("server", Ok(format!("{url} answers"))),
        ("journal", journal(&status)),
    ];
    findings.push(("genesis", genesis(context, &status)));
    findings.push(("clock", clock(context, &status)));
    findings
}

/// Whether any process listens on the port of a server that gave no answer.
fn port(url: &str) -> Finding {
    let port = url
        .rsplit_once(':')
        .and_then(|(_, port)| port.trim_end_matches('/').parse::<u16>().ok());
    let Some(port) = port else {
        return Err(format!("{url} names no port"));
    };

    // Taking the port tells, without a byte sent to whatever else may listen there.
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Err(format!(
            "nothing listens on 127.0.0.1:{port}: start the server, or give another --url"
        )),
        Err(_) => Err(format!(
            "something listens on 127.0.0.1:{port}, but it does not answer as a Strongroom API"
        )),
    }
}

fn journal(status: &StatusInfo) -> Finding {
    if let Some(code) = &status.halted {
        return Err(format!("the server's replica has stopped: {code}"));
    }

    // Without a fresh head no signer shares, however well the server answers.
    match status.journal.fresh {
        Some(fresh) => Ok(format!(
            "{} entries, fresh up to {fresh}",
            status.journal.size
        )),
        None => Err(
            "no fresh witnessed head: are the signers and witnesses running, and their clocks right?"
                .to_owned(),
        ),
    }
}

fn genesis(context: &Context, status: &StatusInfo) -> Finding {
    let theirs = status.genesis.0;
    match context.pinned() {
        Some(pinned) if pinned == theirs => Ok("the server is the pinned installation".to_owned()),
        Some(pinned) => Err(format!("the server says {theirs}, pinned is {pinned}")),
        None => Err(
            "no genesis hash is pinned: nothing can be proved (--genesis, --genesis-hash)"
                .to_owned(),
        ),
    }
}

/// This machine's clock against the witnesses' signed times, which no server can make up.
fn clock(context: &Context, status: &StatusInfo) -> Finding {
    let proved = context.genesis().and_then(|genesis| {
        let note = context.client()?.journal_checkpoint()?;
        let (_, at_s) = Trust::new(&genesis)?.checkpoint(&note)?;
        Ok((at_s, genesis.bounds.freshness_ms, genesis.bounds.skew_ms))
    });

    // Cosignatures carry signed times of a quorum; the time in a status is only what the server
    // says.
    let own = now();
    match proved {
        Ok((at_s, freshness_ms, skew_ms)) => {
            let at = UnixMs(at_s.saturating_mul(1000));
            let told = format!(
                "witnesses cosigned at {}, here it is {}",
                show::time(at),
                show::time(own)
            );

            // Ahead by what honest clocks may differ, behind by as much as a head stays fresh:
            // outside of that this machine finds no head fresh.
            let fits =
                at <= own.plus(skew_ms) && own.since(at) <= freshness_ms.saturating_add(skew_ms);
            if fits {
                Ok(told)
            } else {
                Err(format!(
                    "{told}: set this clock, or see why witnesses are silent"
                ))
            }
        }
        Err(error) => {
            let theirs = UnixMs(status.now_ms);
            let apart = own.since(theirs).max(theirs.since(own));
            let told = format!(
                "{apart} ms apart from the server's; the witnesses' could not be compared ({error:#})"
            );
            if apart <= 5_000 { Ok(told) } else { Err(told) }
        }
    }
}
