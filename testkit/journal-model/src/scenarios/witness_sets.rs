//! Changes of the witness set.

use super::Expected::{Breaks, Holds};
use super::Scenario;
use crate::journal::Entry::{Authorize1, Authorize2, Revoke, WitnessSet as Change};
use crate::journal::{JournalModel, WitnessSet, log_of};
use crate::property::Goal::{FullLength, Signs, SignsUnderNewWitnesses};
use crate::property::Property::OneHistory;

pub(super) fn scenarios() -> Vec<Scenario> {
    // Two seats of four change at once: the rule bears more than the one at a time that is allowed.
    let changed = || JournalModel {
        witnesses: WitnessSet::new(0b00_1111, 3),
        witnesses_after: WitnessSet::new(0b11_0110, 3),
        ..JournalModel::new(&[Authorize1, Authorize2, Change], 2)
    };
    let deep = JournalModel {
        size_max: 3,
        crashes: false,
        ..changed()
    };
    let revoked = JournalModel {
        has_clock: true,
        crashes: false,
        start: log_of(&[Authorize1]),
        witnesses_after: WitnessSet::new(0b01_0111, 3),
        alphabet: &[Authorize1, Revoke, Change],
        size_max: 3,
        ..changed()
    };

    let scenario = Scenario::journal;
    let signs = Holds(&[Signs, FullLength, SignsUnderNewWitnesses]);
    vec![
        scenario("witness set, joint", changed(), signs),
        scenario(
            "witness set, new set alone",
            changed().but(|guards| guards.joint_change = false),
            Breaks(&[OneHistory]),
        ),
        scenario(
            "witness set, joint, deep",
            deep,
            Holds(&[Signs, SignsUnderNewWitnesses]),
        ),
        scenario("witness set, revocation, clock", revoked, signs),
    ]
}
