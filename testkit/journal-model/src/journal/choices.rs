//! Steps that are possible in a state. Their order fixes the order of the search.

use super::SIGNERS;
use super::entry::Entry;
use super::setup::JournalModel;
use super::state::{Decision, JournalState, Question, Step};
use crate::log::Log;

impl JournalModel {
    /// Disks that are put back, and tightenings that people hand to a witness.
    pub(super) fn faults_and_hands(
        &self,
        state: &JournalState,
        witness: usize,
        steps: &mut Vec<Step>,
    ) {
        let tip = state.memory[witness];
        if state.put_back.has(witness) && !self.guards.put_back_key_retired {
            let heads = state.cosigned.iter().map(|row| row.head);
            let is_ahead = |head: &Log| tip.is_prefix_of(*head) && head.size() > tip.size();
            steps.extend(
                heads
                    .filter(|head| is_ahead(head) && self.is_witnessed(state, *head))
                    .map(|head| Step::CatchUp { witness, head }),
            );
        }

        // One witness's disk at most is put back: w = 4 bears one fault.
        let disk = state.disk[witness];
        if self.disks_put_back && !disk.is_empty() && state.put_back.count() == 0 {
            steps.extend((0..disk.size()).map(|size| Step::PutBack { witness, size }));
        }

        if self.tightenings_handed {
            let is_new = |entry: &Entry| self.offers(*entry) && !state.handed[witness].has(*entry);
            steps.extend(
                Entry::HANDED
                    .into_iter()
                    .filter(is_new)
                    .map(|entry| Step::Hand { witness, entry }),
            );
        }
    }

    /// Steps in which a witness cosigns, persists or crashes.
    pub(super) fn cosignatures(&self, state: &JournalState, witness: usize, steps: &mut Vec<Step>) {
        let tip = state.memory[witness];
        let is_put_back = state.put_back.has(witness);
        let owes = self.owes(state, witness);
        if tip.size() < self.size_max && !is_put_back {
            // While a handed tightening is missing, nothing else is cosigned.
            let may = |entry: Entry| !owes || state.handed[witness].has(entry);
            steps.extend(
                self.alphabet
                    .iter()
                    .filter(|entry| may(**entry) && self.applies(state, tip, **entry))
                    .map(|entry| Step::Cosign {
                        witness,
                        entry: *entry,
                    }),
            );
        }

        if !self.guards.persist_first && tip != state.disk[witness] {
            steps.push(Step::Persist(witness));
        }
        if self.has_clock && !tip.is_empty() && !is_put_back && !owes {
            steps.push(Step::CosignAgain(witness));
        }

        let signer_forgets = witness < SIGNERS
            && (!state.acted_under[witness].is_empty() || state.keys[witness].new_in_memory);
        if self.crashes && (tip != state.disk[witness] || signer_forgets) {
            steps.push(Step::Crash(witness));
        }
    }

    /// Was this witness handed a tightening that its tip has not?
    fn owes(&self, state: &JournalState, witness: usize) -> bool {
        let is_missing =
            |entry: Entry| state.handed[witness].has(entry) && !state.memory[witness].has(entry);
        self.guards.inclusion_duty && Entry::TIGHTENINGS.into_iter().any(is_missing)
    }

    /// Answers that the committee may still give.
    pub(super) fn decisions(&self, state: &JournalState, steps: &mut Vec<Step>) {
        let questions = [
            (Question::Loosening, Entry::Propose, state.loosening),
            (Question::Ceremony, Entry::CeremonyApproved, state.ceremony),
        ];
        for (question, entry, decided) in questions {
            if self.offers(entry) && decided == Decision::Undecided {
                let answers = [Decision::No, Decision::Yes];
                steps.extend(answers.map(|answer| Step::Decide { question, answer }));
            }
        }
    }

    /// Heads that a signer follows, and shares that it releases.
    pub(super) fn shares(&self, state: &JournalState, signer: usize, steps: &mut Vec<Step>) {
        if self.signers_follow {
            let heads = self.heads(state, signer, false);
            steps.extend(
                heads
                    .into_iter()
                    .filter(|head| *head != state.acted_under[signer])
                    .map(|head| Step::Follow { signer, head }),
            );
        }

        let heads = if self.guards.journal_first {
            self.heads(state, signer, self.guards.freshness)
        } else {
            vec![Log::EMPTY]
        };
        for head in heads {
            steps.extend(
                self.alphabet
                    .iter()
                    .copied()
                    .filter(|entry| entry.intent().is_some())
                    .filter(|attempt| self.may_share(state, signer, head, *attempt))
                    .map(|attempt| Step::Share {
                        signer,
                        head,
                        attempt,
                    }),
            );
        }
    }

    /// A signer's part in a refresh.
    pub(super) fn refresh_steps(&self, state: &JournalState, signer: usize, steps: &mut Vec<Step>) {
        if !self.offers(Entry::CeremonyApproved) {
            return;
        }

        let (keys, head) = (state.keys[signer], state.acted_under[signer]);
        if !keys.has_new() && head.has(Entry::CeremonyApproved) {
            steps.push(Step::Certify(signer));
        }
        let is_early = !self.guards.erased_when_finished && keys.certified;
        if keys.old && (head.has(Entry::CeremonyFinished) || is_early) {
            steps.push(Step::Erase(signer));
        }
    }
}
