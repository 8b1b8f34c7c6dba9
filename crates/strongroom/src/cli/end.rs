//! The outcome of a transaction that a person asked to end.

use super::context::Context;
use super::keep::{NotInForce, keep};
use super::show;
use anyhow::bail;
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use strongroom_client::Client;
use strongroom_client::api::{ActState, TransactionInfo};
use strongroom_types::{Act, Code, Digest, Document as _, Signed, TransactionId};
use strongroom_wire::TransactionState;

/// Longest wait until the act is in force, and once more until the transaction has ended.
const WAIT: Duration = Duration::from_secs(20);
/// How long one request waits for a change, milliseconds.
const STEP_MS: u64 = 2_000;

/// Act that ends a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verb {
    /// By its initiator's user, or the admins' quorum.
    Cancel,
    /// The no of one person.
    Reject,
}

/// Signed cancel or no of a transaction.
pub struct Ending<'a> {
    /// Act that is sent.
    pub verb: Verb,
    /// Transaction that it is to end.
    pub tx: TransactionId,
    /// The act, signed.
    pub signed: &'a Signed,
    /// New file for the act; without it one beside the profile.
    pub keep_in: Option<&'a Path>,
    /// Whether the outcome is printed as one line of JSON.
    pub json: bool,
}

impl Ending<'_> {
    /// Keeps the act in a file, sends it, waits until the transaction has ended, and prints what
    /// became of it.
    ///
    /// An error unless it has ended without a signature: the journal takes a cancel or a no of a
    /// payment whose share is out as well, and a person who reads "cancelled" then pays twice.
    pub fn run(&self, context: &Context, out: &mut dyn Write) -> anyhow::Result<()> {
        let client = context.client()?;

        // The file is there before the act is sent: should this program end while it waits, its
        // person still has what can be handed. It stays when the act is in force, too, since only
        // the server says that it is.
        let file = self.file(context);
        keep(self.signed, &file)?;
        if !self.json {
            writeln!(out, "the signed act is in {}", file.display())?;
        }

        let act = self.in_force(&client).map_err(NotInForce::of(&file))?;
        self.wait(&client, (&act, &file), out)
    }

    fn file(&self, context: &Context) -> PathBuf {
        let verb = match self.verb {
            Verb::Cancel => "cancel",
            Verb::Reject => "reject",
        };

        // Part of the act's digest is in the name: a second act about the same transaction needs a
        // file of its own.
        let digest = Act::digest_of(&self.signed.text).to_string();
        let part = digest.get(..8).unwrap_or_default();
        let default = || context.beside_profile(&format!("{verb}-{}-{part}.json", self.tx));
        self.keep_in.map_or_else(default, Path::to_owned)
    }

    /// Sends the act and waits until it is in force; until then signers may still share.
    fn in_force(&self, client: &Client) -> anyhow::Result<Digest> {
        let Self {
            verb, tx, signed, ..
        } = self;
        let act = match verb {
            Verb::Cancel => client.cancel(*tx, signed)?,
            Verb::Reject => client.submit_act(signed)?,
        };
        if client.wait_act(&act, WAIT)? != ActState::InForce {
            bail!("act {act} is proposed: {tx} has not ended");
        }
        Ok(act)
    }

    fn wait(
        &self,
        client: &Client,
        (act, file): (&Digest, &Path),
        out: &mut dyn Write,
    ) -> anyhow::Result<()> {
        let Self { tx, json, .. } = self;
        let shown = self.until_ended(client)?;
        if *json {
            let shown = json!({
                "transaction": tx.to_string(), "act": act.to_string(),
                "act_state": ActState::InForce, "file": file.display().to_string(),
                "state": shown.state, "reason": shown.reason,
            });
            show::json(out, &shown)?;
        }

        let state = shown.state;
        if state.0.is_terminal() && !state.0.is_signed() {
            if !*json {
                writeln!(out, "{tx} is {state}; act {act} is in force")?;
            }
            return Ok(());
        }

        let why = shown.reason.map_or_else(String::new, |reason| {
            format!(" ({}: {})", reason.code, reason.detail)
        });
        bail!(
            "act {act} is in force, but the transaction is {state}{why}: a share may be out, and \
             it can still be paid. Do not sign another in its place; look again with `tx show {tx}`"
        )
    }

    fn until_ended(&self, client: &Client) -> anyhow::Result<TransactionInfo> {
        let mut left = u64::try_from(WAIT.as_millis())?;
        loop {
            let wait = left.min(STEP_MS);
            let shown = client.transaction(self.tx, Some(TransactionState::Signed), wait)?;

            // No end is told any more of a payment whose share may be out, so a longer wait is of
            // no use.
            let is_too_late = shown
                .reason
                .as_ref()
                .is_some_and(|reason| reason.code == Code::TooLate.as_str());
            let state = shown.state.0;
            if state.is_signed() || state.is_terminal() || is_too_late || left == 0 {
                return Ok(shown);
            }
            left = left.saturating_sub(wait);
        }
    }
}
