//! Ceremony messages of peers that are faster than this node: they were told of a run before it
//! was.
//!
//! Only the broadcast of round 1 can come early, since every later message needs this node's own. A
//! sender therefore has one message per key, each of it as long as round 1 can be, and a share of
//! this memory that is its own: what a hostile signer sends takes the place of its own messages.

use crate::ceremonies::CEREMONIES_MAX;
use crate::keys::KeyName;
use std::collections::{BTreeMap, VecDeque};
use strongroom_mpc_core::dkg::ROUND1_LEN_MAX;
use strongroom_types::UnixMs;

/// A ceremony message, and the roster index of its sender, which its envelope proves.
pub(crate) struct PeerMessage {
    pub(crate) from: u16,
    pub(crate) body: Vec<u8>,
}

/// A message of a run that this node has not been told to join.
pub(crate) struct EarlyMessage {
    pub(crate) name: KeyName,
    pub(crate) run: u32,
    pub(crate) body: Vec<u8>,
    /// Time at which the message is forgotten.
    pub(crate) until: UnixMs,
}

/// Early messages by their sender's roster index, which its envelope proves.
#[derive(Default)]
pub(crate) struct EarlyMessages(BTreeMap<u16, VecDeque<EarlyMessage>>);

impl EarlyMessages {
    /// Keeps a message that may be of round 1.
    pub(crate) fn keep(&mut self, from: u16, message: EarlyMessage) {
        // A record of the bus may be a hundred times as long as a message of round 1.
        if message.body.len() > ROUND1_LEN_MAX {
            return;
        }

        // Run numbers only ascend, so an older run of this key cannot start here. Of one run the
        // first message stays: a coordinator may forward it again.
        let of_sender = self.0.entry(from).or_default();
        let mut known = of_sender.iter_mut();
        if let Some(known) = known.find(|known| known.name == message.name) {
            if known.run < message.run {
                *known = message;
            }
            return;
        }

        // An honest sender takes part in no more ceremonies than this at once.
        if of_sender.len() >= CEREMONIES_MAX {
            of_sender.pop_front();
        }
        of_sender.push_back(message);
    }

    /// The messages of this run; those of older runs of the key are dropped.
    pub(crate) fn take(&mut self, name: KeyName, run: u32) -> Vec<PeerMessage> {
        let mut taken = Vec::new();
        self.retain(|from, message| {
            if message.name != name || message.run > run {
                return true;
            }
            if message.run == run {
                let body = std::mem::take(&mut message.body);
                taken.push(PeerMessage { from, body });
            }
            false
        });
        taken
    }

    /// Drops messages whose run never began here.
    pub(crate) fn drop_late(&mut self, now: UnixMs) {
        self.retain(|_, message| now < message.until);
    }

    fn retain(&mut self, mut keep: impl FnMut(u16, &mut EarlyMessage) -> bool) {
        self.0.retain(|from, messages| {
            messages.retain_mut(|message| keep(*from, message));
            !messages.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strongroom_types::{KeyId, TenantId};

    fn name(key: usize) -> KeyName {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&key.to_be_bytes());
        (TenantId([1; 16]), KeyId(id))
    }

    fn message(key: usize, run: u32, len: usize) -> EarlyMessage {
        EarlyMessage {
            name: name(key),
            run,
            body: vec![run as u8; len],
            until: UnixMs(9),
        }
    }

    /// Sender and body of each message of this run.
    fn taken(early: &mut EarlyMessages, name: KeyName, run: u32) -> Vec<(u16, Vec<u8>)> {
        let messages = early.take(name, run).into_iter();
        messages.map(|m| (m.from, m.body)).collect()
    }

    fn kept(early: &EarlyMessages) -> (usize, usize) {
        let all = early.0.values().flatten();
        let bytes = all.clone().map(|message| message.body.len()).sum();
        (all.count(), bytes)
    }

    #[test]
    fn hole_a_sender_fills_its_own_share_and_no_other() {
        let mut early = EarlyMessages::default();
        early.keep(1, message(1, 1, 10));
        for key in 0..5_000 {
            early.keep(2, message(key, 1, ROUND1_LEN_MAX));
            early.keep(3, message(key, 1, ROUND1_LEN_MAX + 1));
        }
        let most = CEREMONIES_MAX;
        assert_eq!(kept(&early), (most + 1, most * ROUND1_LEN_MAX + 10));
        assert_eq!(taken(&mut early, name(1), 1), [(1, vec![1; 10])]);
        assert_eq!(early.take(name(4_999), 1).len(), 1, "its newest ones");
    }

    #[test]
    fn one_message_per_key_and_sender_is_kept_that_of_the_newest_run() {
        let mut early = EarlyMessages::default();
        for run in [2, 1, 2, 3] {
            early.keep(1, message(1, run, run as usize));
        }
        early.keep(1, message(1, 3, 7));
        assert_eq!(kept(&early), (1, 3));
        assert!(
            early.take(name(1), 2).is_empty(),
            "a later run may begin yet"
        );
        assert_eq!(taken(&mut early, name(1), 3), [(1, vec![3; 3])]);
        early.keep(1, message(1, 1, 1));
        assert!(early.take(name(1), 2).is_empty());
        assert_eq!(kept(&early), (0, 0), "an older one never does");
    }

    #[test]
    fn messages_are_dropped_when_their_time_is_over() {
        let mut early = EarlyMessages::default();
        early.keep(1, message(1, 1, 1));
        early.drop_late(UnixMs(8));
        assert_eq!(kept(&early), (1, 1));
        early.drop_late(UnixMs(9));
        assert_eq!(kept(&early), (0, 0));
    }
}
