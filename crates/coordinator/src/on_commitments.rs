//! A signer's new nonce commitments.

use crate::run::RunName;
use crate::stage::{CoordinatorStage, KeyName, Records, Step};
use strongroom_wire::NonceCommitment;

impl CoordinatorStage {
    /// Fills the stock; runs that waited for it may go on.
    pub(crate) fn on_commitments(
        &mut self,
        step: Step<'_>,
        key: KeyName,
        commitments: Vec<NonceCommitment>,
    ) -> Records {
        self.stock.add(key, step.signer, commitments);

        // Every run is looked at, not only those of this key: which run waits for what is not worth
        // an index.
        let names: Vec<RunName> = self.runs.keys().copied().collect();
        let mut records = Vec::new();
        for name in names {
            records.extend(self.advance(step.now, name)?);
        }
        Ok(records)
    }
}
