//! The outcome of a transaction that a person asked to end.

use super::show;
use anyhow::bail;
use serde_json::json;
use std::io::Write;
use std::time::Duration;
use strongroom_client::Client;
use strongroom_client::api::{ActState, TransactionInfo};
use strongroom_types::{Code, Digest, TransactionId};
use strongroom_wire::TransactionState;

/// Longest wait until the act is in force, and once more until the transaction has ended.
const WAIT: Duration = Duration::from_secs(20);
/// How long one request waits for a change, milliseconds.
const STEP_MS: u64 = 2_000;

/// A cancel or a no that the server took.
pub struct Ending {
    /// Transaction that it is to end.
    pub tx: TransactionId,
    /// Digest of the act.
    pub act: Digest,
}

impl Ending {
    /// Waits until the transaction has ended, and prints what became of it.
    ///
    /// An error unless it has ended without a signature: the journal takes a cancel or a no of a
    /// payment whose share is out as well, and a person who reads "cancelled" then pays twice.
    pub fn wait(&self, client: &Client, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
        let Self { tx, act } = self;

        // The act is awaited first: until it is in force signers may still share.
        let act_state = client.wait_act(act, WAIT)?;
        if act_state != ActState::InForce {
            bail!("act {act} is proposed: {tx} has not ended");
        }

        let shown = self.until_ended(client)?;
        if json {
            let shown = json!({
                "transaction": tx.to_string(), "act": act.to_string(), "act_state": act_state,
                "state": shown.state, "reason": shown.reason,
            });
            show::json(out, &shown)?;
        }

        let state = shown.state;
        if state.0.is_terminal() && !state.0.is_signed() {
            if !json {
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
