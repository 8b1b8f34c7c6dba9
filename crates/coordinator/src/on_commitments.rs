//! A signer's new nonce commitments.

use crate::run::RunName;
use crate::stage::{CoordinatorStage, Records, SignerContext};
use crate::stock::KeyName;
use strongroom_wire::NonceCommitment;

impl CoordinatorStage {
    /// Fills the stock; runs that waited for it may go on.
    pub(crate) fn on_commitments(
        &mut self,
        from: SignerContext<'_>,
        key: KeyName,
        commitments: Vec<NonceCommitment>,
    ) -> Records {
        self.stock.add(key, from.signer, commitments);

        // Every run is looked at, not only those of this key: which run waits for what is not worth
        // an index.
        let names: Vec<RunName> = self.runs.keys().copied().collect();
        let mut records = Vec::new();
        for name in names {
            records.extend(self.advance(from.now, name)?);
        }
        Ok(records)
    }
}
