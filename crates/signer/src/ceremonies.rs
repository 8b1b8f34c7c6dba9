//! Key generations under way on this machine, in memory: a restart forgets them, and a new run
//! begins.

use crate::held::Asker;
use crate::keys::KeyName;
use std::collections::BTreeMap;
use strongroom_mpc_core::dkg::DkgSession;
use strongroom_types::UnixMs;

/// Life of a run in milliseconds; one that has not ended by then ends without a key.
pub const RUN_MS_MAX: u64 = 120_000;
/// Most ceremonies at once.
pub const CEREMONIES_MAX: usize = 32;

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

#[derive(Default)]
pub(crate) struct Ceremonies {
    running: BTreeMap<KeyName, RunningCeremony>,
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

    pub(crate) fn remove(&mut self, name: KeyName) -> Option<RunningCeremony> {
        self.running.remove(&name)
    }

    /// Keys whose ceremonies run here now.
    pub(crate) fn names(&self) -> Vec<KeyName> {
        self.running.keys().copied().collect()
    }

    /// Keys of the ceremonies whose run has lasted longer than [`RUN_MS_MAX`].
    pub(crate) fn late(&self, now: UnixMs) -> Vec<KeyName> {
        let late =
            |(name, running): (&KeyName, &RunningCeremony)| (now >= running.until).then_some(*name);
        self.running.iter().filter_map(late).collect()
    }
}
