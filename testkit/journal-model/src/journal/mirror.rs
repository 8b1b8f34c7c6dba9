//! Signers 0 and 1 as mirror images: of two states that differ in their order only, one is kept.

use super::state::JournalState;

impl JournalState {
    /// The lesser of the state and its mirror image.
    pub(super) fn mirrored(self) -> JournalState {
        let mut image = self.clone();
        image.disk.swap(0, 1);
        image.memory.swap(0, 1);
        image.acted_under.swap(0, 1);
        image.handed.swap(0, 1);
        image.put_back = self.put_back.with_first_two_swapped();
        image.ever_under.swap(0, 1);
        image.keys.swap(0, 1);
        image.cosigned.iter_mut().for_each(|row| row.age.swap(0, 1));
        image.shares.iter_mut().for_each(|epoch| epoch.swap(0, 1));

        if image.signers_key() < self.signers_key() {
            image
        } else {
            self
        }
    }

    /// Everything that says something about one signer.
    fn signers_key(&self) -> impl Ord + '_ {
        let logs = (self.memory, self.disk, self.acted_under);
        let signers = (self.keys, self.shares, self.ever_under);
        (logs, signers, &self.cosigned, self.handed, self.put_back)
    }
}
