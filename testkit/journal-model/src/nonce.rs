//! One signer's nonces over crash and restart. A package is a message and all commitments.

use stateright::Model;

use crate::property::{Goal, Property};

/// Nonces that a run makes at most, and packages that exist.
const NONCES: usize = 3;
const PACKAGES: u8 = 3;

/// A signer's nonces: their storage, and the rules in force.
#[derive(Clone, PartialEq, Debug)]
pub struct NonceModel {
    /// Unused nonces survive a restart, as in mailbox signing.
    pub on_disk: bool,
    /// A snapshot of the signer's memory can be taken and resumed later.
    pub memory_snapshots: bool,
    /// The rules.
    pub rules: NonceRules,
}

/// The rules; each can be switched off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NonceRules {
    /// The nonce is gone from the disk before its share leaves.
    pub burned_first: bool,
    /// A retry of the same package returns the stored share or is refused, and is never computed
    /// again. Off: "same request" is recognised by the message alone, and the share is recomputed.
    pub never_recomputed: bool,
}

impl NonceRules {
    /// Every rule in force.
    pub const ALL: NonceRules = NonceRules {
        burned_first: true,
        never_recomputed: true,
    };
}

impl NonceModel {
    /// Names of the rules that are switched off.
    pub fn off(&self) -> Vec<&'static str> {
        let NonceRules {
            burned_first,
            never_recomputed,
        } = self.rules;
        let rules = [
            ("burned_first", burned_first),
            ("never_recomputed", never_recomputed),
            ("memory_not_snapshotted", !self.memory_snapshots),
        ];
        crate::rules::off(&rules)
    }
}

/// Nonces as bits, the first lowest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NonceState {
    /// Nonces in memory.
    memory: u8,
    /// Nonces on disk.
    disk: u8,
    /// Memory as the snapshot holds it.
    snapshot: Option<u8>,
    /// Number of nonces that were made.
    made: u8,
    /// Packages that each nonce has answered, as bits.
    answered: [u8; NONCES],
    /// Message that each nonce answered last, counted from 1; 0 is none. Lost in a crash.
    last_message: [u8; NONCES],
}

/// One step of the signer or of the adversary, who picks the packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The signer makes a nonce and publishes its commitment.
    Commit,
    /// The signer releases a share. Packages 0 and 1 have one message and other commitments,
    /// package 2 has another message.
    Share {
        /// Index of the nonce.
        nonce: u8,
        /// Index of the package.
        package: u8,
    },
    /// The nonce's removal reaches the disk, after its share has left.
    Burn(u8),
    /// The signer crashes and starts again.
    Crash,
    /// A snapshot of its memory is taken.
    Snapshot,
    /// The snapshot is resumed.
    Resume,
}

/// Message of a package, counted from 1.
fn message(package: u8) -> u8 {
    1 + u8::from(package > 1)
}

impl Model for NonceModel {
    type State = NonceState;
    type Action = Step;

    fn init_states(&self) -> Vec<NonceState> {
        vec![NonceState {
            memory: 0,
            disk: 0,
            snapshot: None,
            made: 0,
            answered: [0; NONCES],
            last_message: [0; NONCES],
        }]
    }

    fn actions(&self, state: &NonceState, steps: &mut Vec<Step>) {
        if usize::from(state.made) < NONCES {
            steps.push(Step::Commit);
        }

        for nonce in 0..state.made {
            let in_memory = state.memory >> nonce & 1 == 1;
            let on_disk = state.disk >> nonce & 1 == 1;
            for package in 0..PACKAGES {
                let is_retry = state.last_message[usize::from(nonce)] == message(package);
                if in_memory || (!self.rules.never_recomputed && is_retry) {
                    steps.push(Step::Share { nonce, package });
                }
            }
            if self.on_disk && on_disk && !in_memory {
                steps.push(Step::Burn(nonce));
            }
        }

        steps.push(Step::Crash);
        if self.memory_snapshots {
            steps.push(Step::Snapshot);
            steps.push(Step::Resume);
        }
    }

    fn next_state(&self, last: &NonceState, step: Step) -> Option<NonceState> {
        let mut state = last.clone();
        match step {
            Step::Commit => {
                state.memory |= 1 << state.made;
                if self.on_disk {
                    state.disk |= 1 << state.made;
                }
                state.made += 1;
            }
            Step::Share { nonce, package } => {
                state.memory &= !(1 << nonce);
                if self.rules.burned_first {
                    state.disk &= !(1 << nonce);
                }
                state.answered[usize::from(nonce)] |= 1 << package;
                state.last_message[usize::from(nonce)] = message(package);
            }
            Step::Burn(nonce) => state.disk &= !(1 << nonce),
            Step::Crash => {
                state.memory = if self.on_disk { state.disk } else { 0 };
                state.last_message = [0; NONCES];
            }
            Step::Snapshot => state.snapshot = Some(state.memory),
            Step::Resume => state.memory = state.snapshot?,
        }
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<stateright::Property<Self>> {
        vec![
            stateright::Property::always(Property::OnePackage.name(), |_, state: &NonceState| {
                state.answered.iter().all(|set| set.count_ones() < 2)
            }),
            stateright::Property::sometimes(Goal::Signs.name(), |_, state: &NonceState| {
                state.answered[0] != 0
            }),
        ]
    }
}
