//! What a decision was made from, as one digest that stands in every refusal.

use borsh::BorshSerialize;
use strongroom_journal::model::AttemptRecord;
use strongroom_ports::chain::{Effects, Inspection};
use strongroom_types::{Digest, digest};
use strongroom_wire::encode;

/// What the signer saw, as far as it came. All of it can be computed again from the request and the
/// journal.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    /// The attempt as the journal records it.
    pub(crate) attempt: Option<AttemptRecord>,
    /// The signer's own decoding of the transaction.
    pub(crate) inspection: Option<Inspection>,
    /// What the intent says the transaction should do.
    pub(crate) expected: Option<Effects>,
}

impl Evidence {
    /// Digest over the three parts in borsh: attempt record; moves, returned value, fee, conflict
    /// keys and slots of the inspection; moves of the expected effects. Each an option, so what was
    /// not reached is told apart.
    pub(crate) fn digest(&self) -> Digest {
        let inspection = self.inspection.as_ref().map(|i| {
            let mut bytes = encode(&i.moves);
            bytes.extend(encode(&i.returned));
            bytes.extend(encode(&i.fee));
            bytes.extend(encode(&i.conflicts));
            bytes.extend(encode(&i.slots));
            bytes
        });
        let expected = self.expected.as_ref().map(|effects| &effects.moves);
        digest(
            "strongroom/signer-evidence/v1",
            &[
                &option(self.attempt.as_ref()),
                &option(inspection.as_ref()),
                &option(expected),
            ],
        )
    }
}

fn option<T: BorshSerialize>(value: Option<&T>) -> Vec<u8> {
    encode(&value)
}
