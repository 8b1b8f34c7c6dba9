//! Loosenings of the policy, and refreshes of the key.

use super::Expected::{Breaks, Holds};
use super::Scenario;
use crate::journal::Entry::{
    Authorize1, Authorize3, CeremonyApproved, CeremonyFinished, Propose, Release, Veto,
};
use crate::journal::{Entry, JournalModel};
use crate::property::Goal::{FullLength, Signs, SignsInNewEpoch, SignsUnderLooserPolicy};
use crate::property::Property::{Approved, KeyKept};

/// A loosening, and an intent that needs it.
const LOOSENED: &[Entry] = &[Propose, Veto, Release, Authorize3];
/// A refresh, and an intent.
const REFRESHED: &[Entry] = &[CeremonyApproved, CeremonyFinished, Authorize1];

pub(super) fn scenarios() -> Vec<Scenario> {
    let loosened = |size_max| JournalModel {
        has_clock: true,
        ..JournalModel::new(LOOSENED, size_max)
    };
    let refreshed = || JournalModel {
        signers_follow: true,
        ..JournalModel::new(REFRESHED, 3)
    };
    let clocked = JournalModel {
        has_clock: true,
        crashes: false,
        ..refreshed()
    };

    let scenario = Scenario::journal;
    let signs_in_new_epoch = Holds(&[Signs, FullLength, SignsInNewEpoch]);
    vec![
        scenario(
            "loosening 3-of-4",
            loosened(3),
            Holds(&[Signs, FullLength, SignsUnderLooserPolicy]),
        ),
        scenario(
            "loosening, silence is consent",
            loosened(2).but(|guards| guards.positive_release = false),
            Breaks(&[Approved]),
        ),
        scenario("refresh 3-of-4", refreshed(), signs_in_new_epoch),
        scenario("refresh, clock", clocked, signs_in_new_epoch),
        scenario(
            "refresh, no committee",
            refreshed().but(|guards| guards.committee_asked = false),
            Breaks(&[Approved]),
        ),
        scenario(
            "refresh, certified before it is on disk",
            refreshed().but(|guards| guards.durable_before_certified = false),
            Breaks(&[KeyKept]),
        ),
        scenario(
            "refresh, erased before it is finished",
            refreshed().but(|guards| guards.erased_when_finished = false),
            Breaks(&[KeyKept]),
        ),
    ]
}
