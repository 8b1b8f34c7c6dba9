//! The command line.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use strongroom_types::Digest;

// The codes are stable: service managers and runbooks decide by them whether to restart.
const EXIT_CODES: &str = "\
Exit codes:
   0  done
   1  anything not listed (the message says what)
   2  wrong command line
  10  the genesis file is not the pinned one, or this node does not fit it (genesis_mismatch, invalid_reference)
  11  the store is damaged, of a role, another installation or program, or of another build (store_corrupt, store_newer)
  12  the disk or the boot marker was put back, cloned or lost, or a cosignature under this key shows another life of it:
      the key is retired for good, at the start or while the node runs (signer_retired);
      make new keys with `init` and have the node readmitted under them
  13  the disk is full (disk_full)
  14  the configuration cannot be used
  15  another process runs on this data folder

Environment: STRONGROOM_LOG sets the log levels on stderr (default `info`).";

const CONFIG: &str = "\
The configuration is TOML; every path may be relative to the file's own folder:

  data         = \"/var/lib/strongroom-signer\"     # made by `init`
  marker       = \"/var/lib/strongroom-boot/marker\" # made by `init --marker`; outside of `data` and of its backups
  genesis      = \"genesis.bin\"
  genesis_hash = \"64 hex digits\"                  # compared by operators as 16 words before it is written here
  node         = \"nod_…\"                          # this node's seat in genesis
  link_socket  = \"/run/strongroom/link.sock\"      # the link process listens there
  admin_socket = \"/run/strongroom/admin.sock\"     # optional; default: admin.sock in `data`
  network      = \"regtest\"                        # optional: decode this network only
                                                  # (mainnet, testnet4, regtest; default: all of genesis)
  [local_rules]                                   # optional; they only tighten
  native_per_intent_max = \"1000000\"               # base units
  native_per_day_max    = \"50000000\"              # per vault, over all its payments in the journal
  vaults = [\"vlt_…\"]
  chains = [\"bip122:…\"]";

/// A signer that decides for itself; without shares, a witness.
#[derive(Parser)]
#[command(name = "strongroom-signer", version, after_help = EXIT_CODES)]
pub struct Cli {
    /// The one subcommand.
    #[command(subcommand)]
    pub command: Command,
}

/// Commands of a node's operator.
#[derive(Subcommand)]
pub enum Command {
    /// Make this node's keys and print its public record (JSON) for genesis.
    Init {
        /// Data folder; made with mode 0700, keys in files of mode 0600. Keys that exist are never
        /// overwritten.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// File of the boot marker, outside of DIR and of its backups: the `marker` of the
        /// configuration. It must not exist: each node has its own. Default: DIR.marker, beside
        /// DIR. Without it `run` takes this node for one whose disk was lost.
        #[arg(long, value_name = "FILE")]
        marker: Option<PathBuf>,
        /// For an independent witness, which never holds shares.
        #[arg(long)]
        witness: bool,
    },
    /// Follow the journal, cosign, and answer the coordinator.
    #[command(after_help = CONFIG)]
    Run {
        /// The configuration file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Show where the running node stands: one `name: value` per line.
    Status(At),
    /// Share nothing any more, at once and after every restart, until `resume-local`. Works while
    /// the node is not running, too.
    Stop(At),
    // This does not go over the socket, unlike `stop`: what loosens asks for a person at the
    // machine.
    /// Undo `stop`. The node must not be running.
    ResumeLocal(At),
    /// Hand a signed tightening (revocation, cancel, stop, …) straight to the running node: it
    /// refuses at once what that forbids, and soon cosigns nothing without it. `status` shows it as
    /// `tightening_DIGEST`: owed, in the journal, or by which entry and why it ended.
    Hand {
        /// JSON of the signed container: {"endorsements":[…],"text":"…"}.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Folder and socket of the node.
        #[command(flatten)]
        at: At,
    },
    // Names its evidence, so that a script cannot lift a freeze that no person has looked at.
    /// Lift the freeze after the log signed two trees of one size, once people have found that the
    /// line of this node's database is the one that lives. The node must be running; restart it
    /// then. It goes on refusing the losing head; a further batch of the losing line freezes it
    /// again, so cut that line off first. A split at unequal sizes halts without being kept: it has
    /// no evidence to lift, and a restart forgets it.
    Unfreeze {
        /// Digest of the evidence, as `status` shows it under `frozen`.
        #[arg(long, value_name = "DIGEST")]
        evidence: Digest,
        /// Folder and socket of the node.
        #[command(flatten)]
        at: At,
    },
    /// Show a genesis file: its hash, the 16 words to compare, who takes part, and what weakens the
    /// claim.
    ShowGenesis {
        /// The genesis file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// Folder and socket of a node.
#[derive(Args)]
pub struct At {
    /// Its data folder.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Its admin socket, when that is not DIR/admin.sock.
    #[arg(long, value_name = "SOCKET")]
    pub socket: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_manual_names_every_command() {
        let manual = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/signer.md");
        let manual = std::fs::read_to_string(manual).unwrap();
        let cli = Cli::command();
        for name in cli.get_subcommands().map(clap::Command::get_name) {
            let is_named = manual.contains(&format!("`strongroom-signer {name} "))
                || manual.contains(&format!("`{name}"));
            assert!(is_named, "docs/signer.md lacks `{name}`");
        }
    }
}
