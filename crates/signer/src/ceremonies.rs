//! Key generations under way on this machine, in memory: a restart forgets them, and a new run
//! begins.

use crate::held::Asker;
use crate::keys::KeyName;
use std::collections::{BTreeMap, VecDeque};
use strongroom_mpc_core::dkg::DkgSession;
use strongroom_types::UnixMs;

/// Most runs of one ceremony.
pub const RUNS_MAX: u32 = 16;
/// Life of a run in milliseconds; one that has not ended by then ends without a key.
pub const RUN_MS_MAX: u64 = 120_000;
/// Most ceremonies at once.
pub const CEREMONIES_MAX: usize = 32;
/// Most messages kept for runs that have not begun here yet.
pub const EARLY_MAX: usize = 1_024;

/// One run of a ceremony.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct CeremonyRun {
    /// Key that the ceremony makes.
    pub(crate) name: KeyName,
    /// Number of the run, from 1.
    pub(crate) number: u32,
}

/// A run that this signer takes part in.
pub(crate) struct RunningCeremony {
    pub(crate) run: u32,
    pub(crate) session: DkgSession,
    /// The coordinator that started it.
    pub(crate) asker: Asker,
    pub(crate) until: UnixMs,
    /// Public result, once there is one.
    pub(crate) public: Vec<u8>,
}

/// A message of a run that this node has not been told to join.
pub(crate) struct Early {
    pub(crate) name: KeyName,
    pub(crate) run: u32,
    /// Roster index of the sender, from its envelope.
    pub(crate) from: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) until: UnixMs,
}

#[derive(Default)]
pub(crate) struct Ceremonies {
    running: BTreeMap<KeyName, RunningCeremony>,
    early: VecDeque<Early>,
}

impl Ceremonies {
    pub(crate) fn len(&self) -> usize {
        self.running.len()
    }

    /// Whether one more ceremony would be too many. A next run of the same one is not one more.
    pub(crate) fn is_full_for(&self, name: KeyName) -> bool {
        self.running.len() >= CEREMONIES_MAX && !self.running.contains_key(&name)
    }

    pub(crate) fn is_running(&self, name: KeyName, run: u32) -> bool {
        self.running
            .get(&name)
            .is_some_and(|running| running.run == run)
    }

    pub(crate) fn get(&self, name: KeyName) -> Option<&RunningCeremony> {
        self.running.get(&name)
    }

    pub(crate) fn get_mut(&mut self, name: KeyName) -> Option<&mut RunningCeremony> {
        self.running.get_mut(&name)
    }

    /// Begins a run; an older one of the same ceremony ends without a word.
    pub(crate) fn begin(&mut self, name: KeyName, running: RunningCeremony) {
        self.running.insert(name, running);
    }

    pub(crate) fn end(&mut self, name: KeyName) -> Option<RunningCeremony> {
        self.running.remove(&name)
    }

    /// Ceremonies that run.
    pub(crate) fn names(&self) -> Vec<KeyName> {
        self.running.keys().copied().collect()
    }

    /// Ceremonies whose run has lasted too long.
    pub(crate) fn late(&self, now: UnixMs) -> Vec<KeyName> {
        let late =
            |(name, running): (&KeyName, &RunningCeremony)| (now >= running.until).then_some(*name);
        self.running.iter().filter_map(late).collect()
    }

    /// Keeps a message for later, unless there are too many: a peer must not be able to fill this
    /// machine's memory.
    pub(crate) fn keep_early(&mut self, early: Early) {
        if self.early.len() < EARLY_MAX {
            self.early.push_back(early);
        }
    }

    /// The kept messages of this run, with their senders; those of older runs are dropped.
    pub(crate) fn take_early(&mut self, name: KeyName, run: u32) -> Vec<(u16, Vec<u8>)> {
        // Older runs will never begin here: their numbers are used up.
        let mut taken = Vec::new();
        self.early.retain_mut(|early| {
            if early.name != name || early.run > run {
                return true;
            }
            if early.run == run {
                taken.push((early.from, std::mem::take(&mut early.body)));
            }
            false
        });
        taken
    }

    /// Drops kept messages whose run never began here.
    pub(crate) fn drop_late_early(&mut self, now: UnixMs) {
        self.early.retain(|early| now < early.until);
    }
}
