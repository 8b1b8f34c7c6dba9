//! Evidence of a decision, as one digest that stands in every refusal.

use borsh::BorshSerialize;
use strongroom_journal::model::AttemptRecord;
use strongroom_ports::chain::{Effects, Inspection};
use strongroom_types::{Digest, digest};
use strongroom_wire::encode;

/// Findings of the checks that ran. All of it can be computed again from the request and the
/// journal.
#[derive(Debug, Default)]
pub(crate) struct SignerEvidence {
    /// The attempt as the journal records it.
    pub(crate) attempt: Option<AttemptRecord>,
    /// The signer's own decoding of the transaction.
    pub(crate) inspection: Option<Inspection>,
    /// Effects that the intent asks for.
    pub(crate) expected: Option<Effects>,
}

impl SignerEvidence {
    /// Digest over the three parts in borsh: attempt record; every part of the inspection, in the
    /// order of its declaration; moves and authorities of the expected effects. Each is an option,
    /// so that what was not reached is told apart.
    pub(crate) fn digest(&self) -> Digest {
        let inspection = self.inspection.as_ref().map(|i| {
            [
                encode(&i.moves),
                encode(&i.authorities),
                encode(&i.opaque),
                encode(&i.returned),
                encode(&i.fee),
                encode(&i.conflicts),
                encode(&i.expiry),
                encode(&i.slots),
            ]
            .concat()
        });

        let expected = self
            .expected
            .as_ref()
            .map(|effects| [encode(&effects.moves), encode(&effects.authorities)].concat());

        digest(
            "strongroom/signer-evidence/v2",
            &[
                &option(self.attempt.as_ref()),
                &option(inspection.as_ref()),
                &option(expected.as_ref()),
            ],
        )
    }
}

fn option<T: BorshSerialize>(value: Option<&T>) -> Vec<u8> {
    encode(&value)
}
