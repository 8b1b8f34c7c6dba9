//! The check before a share.

use super::apply::is_revoked;
use super::entry::Entry;
use super::setup::{JournalModel, OwnTip};
use super::state::JournalState;
use crate::log::Log;

/// Epoch of the key at a head: 0, and 1 after the refresh.
pub(super) fn epoch_at(head: Log) -> usize {
    usize::from(head.has(Entry::CeremonyFinished))
}

/// Does this log forbid the attempt?
fn forbids(log: Log, attempt: Entry) -> bool {
    let is_withdrawn = log.has(Entry::Cancel1) || is_revoked(log);
    (attempt.intent() == Some(1) && is_withdrawn) || log.has(Entry::Stop)
}

impl JournalModel {
    /// Does `signer` release its share of `attempt` under `head`?
    pub(super) fn may_share(
        &self,
        state: &JournalState,
        signer: usize,
        head: Log,
        attempt: Entry,
    ) -> bool {
        let epoch = epoch_at(head);
        let keys = state.keys[signer];
        let has_key = if epoch == 0 { keys.old } else { keys.has_new() };
        if !has_key || state.shares[epoch][signer].has(attempt) {
            return false;
        }
        if !self.guards.journal_first {
            return self.may_share_from_memory(state, signer, attempt);
        }

        // A handed tightening binds this signer until the journal has it.
        let is_owed = Entry::HANDED.into_iter().any(|entry| {
            let concerns = entry == Entry::Stop || attempt.intent() == Some(1);
            concerns && state.handed[signer].has(entry)
        });
        head.has(attempt)
            && !(self.guards.inclusion_duty && is_owed)
            && !(self.guards.judged_at_head && forbids(head, attempt))
            && !(self.guards.own_tip == OwnTip::Tightens && forbids(state.memory[signer], attempt))
    }

    /// Without the journal: whatever pays the same intent and conflicts with all that this signer
    /// has signed.
    fn may_share_from_memory(&self, state: &JournalState, signer: usize, attempt: Entry) -> bool {
        let [old, new] = state.shares.map(|epoch| epoch[signer]);
        old.or(new).entries().all(|signed| {
            signed.intent() == attempt.intent() && signed.inputs() & attempt.inputs() != 0
        })
    }
}
