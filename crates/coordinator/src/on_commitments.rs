//! A signer's new nonce commitments.

use crate::quorum::roster;
use crate::run::RunName;
use crate::stage::{CoordinatorStage, Records, SignerContext};
use crate::stock::KeyName;
use strongroom_journal::model::KeyRecord;
use strongroom_signing::is_commitment;
use strongroom_wire::NonceCommitment;

impl CoordinatorStage {
    /// Fills the stock; runs that waited for it may go on.
    pub(crate) fn on_commitments(
        &mut self,
        from: SignerContext<'_>,
        key: KeyName,
        mut commitments: Vec<NonceCommitment>,
    ) -> Records {
        // A signer that makes up keys, or has no share of this one, must not fill the stock.
        let (tenant, id) = key;
        let Some(record) = self.key(tenant, id).filter(|key| holds_share(key, from)) else {
            return Ok(Vec::new());
        };

        // No more commitments are read than are ever asked for at once. Bytes that no signer can
        // decode would make honest signers refuse the request, or make it too large for a record.
        commitments.truncate(usize::try_from(self.pace.stock).unwrap_or(usize::MAX));
        commitments.retain(|claimed| is_commitment(claimed, record.plan.suite));
        self.stock.add(key, from.signer, commitments);

        // Every run is looked at and not only those of this key: an index of what each run waits
        // for is not worth its upkeep.
        let names: Vec<RunName> = self.runs.keys().copied().collect();
        let mut records = Vec::new();
        for name in names {
            records.extend(self.advance(from.now, name)?);
        }
        Ok(records)
    }
}

fn holds_share(key: &KeyRecord, from: SignerContext<'_>) -> bool {
    roster(key).contains(&from.signer)
}
