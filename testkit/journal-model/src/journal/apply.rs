//! The rules by which every honest witness refuses to append.

use super::entry::Entry;
use super::setup::{ConflictRule, JournalModel};
use super::state::{Decision, JournalState};
use crate::log::Log;

/// Is the approver of intent 1 revoked, and not enrolled again since?
pub(super) fn is_revoked(log: Log) -> bool {
    log.last_position(Entry::Revoke).is_some_and(|revoked| {
        log.last_position(Entry::EnrolReplayed)
            .is_none_or(|enrolled| enrolled < revoked)
    })
}

/// The attempt 1 of intent 1 in this log.
fn first_attempt(log: Log) -> Option<Entry> {
    [Entry::Authorize1Z, Entry::Authorize1]
        .into_iter()
        .find(|entry| log.has(*entry))
}

impl JournalModel {
    /// May `entry` follow `log`?
    pub(super) fn applies(&self, state: &JournalState, log: Log, entry: Entry) -> bool {
        if log.has(entry) {
            return false;
        }

        let is_stopped = log.has(Entry::Stop);
        match entry {
            Entry::Authorize1 | Entry::Authorize1Z => {
                let is_forbidden = is_stopped || is_revoked(log) || log.has(Entry::Cancel1);
                let exceeds = self.guards.windows_sum && log.has(Entry::Authorize2);
                !is_forbidden && first_attempt(log).is_none() && !exceeds
            }
            Entry::Authorize2 => !is_stopped && !self.exceeds_limit(log),
            Entry::Authorize3 => !is_stopped && self.is_looser(state, log),
            Entry::AttemptXZ | Entry::AttemptYV | Entry::AttemptZ => {
                let is_forbidden = is_stopped || is_revoked(log) || log.has(Entry::Cancel1);
                let conflicts = |first| self.conflicts(first, entry);
                !is_forbidden && first_attempt(log).is_some_and(conflicts)
            }
            Entry::SettledForged => first_attempt(log).is_some(),
            Entry::EnrolReplayed => !self.guards.single_use && is_revoked(log),
            Entry::Veto => log.has(Entry::Propose) && state.loosening == Decision::No,
            Entry::Release => {
                let is_open = log.has(Entry::Propose) && !log.has(Entry::Veto);
                is_open && state.proposed > 1 && state.loosening == Decision::Yes
            }
            Entry::CeremonyApproved => {
                !self.guards.committee_asked || state.ceremony == Decision::Yes
            }
            Entry::CeremonyFinished => {
                log.has(Entry::CeremonyApproved) && state.keys.iter().all(|keys| keys.certified)
            }
            Entry::Cancel1 | Entry::Revoke | Entry::Stop | Entry::WitnessSet | Entry::Propose => {
                true
            }
        }
    }

    /// Would intent 2 exceed the limit that intent 1 has used?
    fn exceeds_limit(&self, log: Log) -> bool {
        let is_given_back =
            log.has(Entry::SettledForged) && !self.guards.settled_gives_nothing_back;
        self.guards.windows_sum && first_attempt(log).is_some() && !is_given_back
    }

    /// Is the looser policy in force?
    fn is_looser(&self, state: &JournalState, log: Log) -> bool {
        if self.guards.positive_release {
            log.has(Entry::Release)
        } else {
            log.has(Entry::Propose) && state.proposed > 1 && !log.has(Entry::Veto)
        }
    }

    /// Does a later attempt spend what it must have in common with attempt 1?
    fn conflicts(&self, first: Entry, later: Entry) -> bool {
        match self.guards.conflict {
            ConflictRule::Anchor => later.inputs() & first.anchor() != 0,
            ConflictRule::AnyInput => later.inputs() & first.inputs() != 0,
            ConflictRule::None => true,
        }
    }
}
