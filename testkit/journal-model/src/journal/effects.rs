//! The state after a step.

use super::entry::Entry;
use super::setup::{JournalModel, OwnTip};
use super::share::epoch_at;
use super::state::{AgePlusOne, Cosigned, JournalState, Question, Step};
use super::{SEATS, SIGNERS};
use crate::log::Log;

impl JournalModel {
    /// `None` when the step changes nothing.
    pub(super) fn after(&self, last: &JournalState, step: Step) -> Option<JournalState> {
        let mut state = last.clone();
        match step {
            Step::Tick => self.on_tick(&mut state),
            Step::Cosign { witness, entry } => self.on_cosign(&mut state, witness, entry),
            Step::Persist(witness) => state.disk[witness] = state.memory[witness],
            Step::CosignAgain(witness) => insert_cosignature(&mut state, witness),
            Step::Crash(seat) => self.on_crash(&mut state, seat),
            Step::Follow { signer, head } => set_acted_under(&mut state, signer, head),
            Step::Share {
                signer,
                head,
                attempt,
            } => self.on_share(&mut state, signer, head, attempt),
            Step::Decide { question, answer } => match question {
                Question::Loosening => state.loosening = answer,
                Question::Ceremony => state.ceremony = answer,
            },
            Step::Certify(signer) => {
                let keys = &mut state.keys[signer];
                keys.certified = true;
                if self.guards.durable_before_certified {
                    keys.new_on_disk = true;
                } else {
                    keys.new_in_memory = true;
                }
            }
            Step::Erase(signer) => state.keys[signer].old = false,
            Step::PutBack { witness, size } => {
                state.disk[witness] = state.disk[witness].prefix(size);
                state.memory[witness] = state.disk[witness];
                state.put_back.insert(witness);
            }
            Step::CatchUp { witness, head } => {
                state.memory[witness] = head;
                state.disk[witness] = head;
                state.put_back.remove(witness);
            }
            Step::Hand { witness, entry } => self.on_hand(&mut state, witness, entry),
        }
        (state != *last).then_some(state)
    }

    fn on_tick(&self, state: &mut JournalState) {
        // One past the last age that a rule or a property tells from older ones.
        let cosignature_max = (self.freshness + self.clock_spread() + 2) as AgePlusOne;
        let tightening_max = (self.staleness_max + 2) as AgePlusOne;

        let cosignatures = state.cosigned.iter_mut().flat_map(|row| &mut row.age);
        cosignatures.for_each(|age| grow(age, cosignature_max));
        let tightenings = state.witnessed.iter_mut().chain(&mut state.held);
        tightenings.for_each(|age| grow(age, tightening_max));
        grow(&mut state.proposed, 2);
    }

    fn on_cosign(&self, state: &mut JournalState, witness: usize, entry: Entry) {
        state.memory[witness] = state.memory[witness].with(entry);
        if self.guards.persist_first {
            state.disk[witness] = state.memory[witness];
        }
        if entry == Entry::Propose && state.proposed == 0 {
            state.proposed = 1;
        }
        insert_cosignature(state, witness);

        for (index, entry) in Entry::TIGHTENINGS.into_iter().enumerate() {
            let is_covered =
                |row: &Cosigned| row.head.has(entry) && self.is_witnessed(state, row.head);
            if state.witnessed[index] == 0
                && self.offers(entry)
                && state.cosigned.iter().any(is_covered)
            {
                state.witnessed[index] = 1;
            }
        }
    }

    fn on_crash(&self, state: &mut JournalState, seat: usize) {
        state.memory[seat] = state.disk[seat];
        if seat < SIGNERS {
            state.acted_under[seat] = if self.guards.restart_floor {
                state.disk[seat]
            } else {
                Log::EMPTY
            };
            state.keys[seat].new_in_memory = false;
        }
    }

    fn on_hand(&self, state: &mut JournalState, witness: usize, entry: Entry) {
        state.handed[witness].insert(entry);

        // Every quorum then has one of them: w - k seats are outside of it.
        let Some(index) = entry.tightening_index() else {
            return;
        };
        let holders = (0..SEATS).filter(|seat| state.handed[*seat].has(entry));
        let outside_quorum = self.witnesses.members.count() - self.witnesses.quorum;
        if state.held[index] == 0 && holders.count() as u32 > outside_quorum {
            state.held[index] = 1;
        }
    }

    fn on_share(&self, state: &mut JournalState, signer: usize, head: Log, attempt: Entry) {
        let epoch = epoch_at(head);
        let is_past = |age: AgePlusOne| age as i8 - 1 > self.staleness_max;
        for (index, entry) in Entry::TIGHTENINGS.into_iter().enumerate() {
            let forbids = match entry {
                Entry::Stop => true,
                Entry::CeremonyFinished => epoch == 0,
                _ => attempt.intent() == Some(1),
            };
            if !forbids {
                continue;
            }

            state.violations.late |= is_past(state.witnessed[index]);
            state.violations.own_head |= state.ever_under[signer].has(entry);
            state.violations.handed |= is_past(state.held[index]);
            state.violations.own_tip |= self.guards.own_tip != OwnTip::NotAsked
                && Entry::HANDED.contains(&entry)
                && state.memory[signer].has(entry);
        }

        state.shares[epoch][signer].insert(attempt);
        if self.signers_follow || self.guards.journal_first {
            set_acted_under(state, signer, head);
        }
    }
}

/// An age grows up to a cap; "never" stays.
fn grow(age: &mut AgePlusOne, max: AgePlusOne) {
    if *age > 0 && *age < max {
        *age += 1;
    }
}

fn set_acted_under(state: &mut JournalState, signer: usize, head: Log) {
    state.acted_under[signer] = head;
    for entry in Entry::TIGHTENINGS {
        if head.has(entry) {
            state.ever_under[signer].insert(entry);
        }
    }
}

/// A cosignature of age 0 over the witness's tip.
fn insert_cosignature(state: &mut JournalState, witness: usize) {
    let head = state.memory[witness];
    match state.cosigned.binary_search_by_key(&head, |row| row.head) {
        Ok(index) => state.cosigned[index].age[witness] = 1,
        Err(index) => {
            let mut age = [0; SEATS];
            age[witness] = 1;
            state.cosigned.insert(index, Cosigned { head, age });
        }
    }
}
