//! Options of a world.

use crate::tenant::Tenant;
use crate::world::START;
use strongroom_journal::Bounds;
use strongroom_policy::Window;
use strongroom_types::{Charter, UnixMs};

/// Options of a world. Everything else follows from the seed.
#[derive(Clone, Debug)]
pub struct WorldOptions {
    /// n: signers, each also a witness.
    pub signers: u16,
    /// t: signers needed for a signature; f is t − 1, at least 1.
    pub min_signers: u16,
    /// Independent witnesses.
    pub witnesses: u16,
    /// Coordinators; one of every other service.
    pub coordinators: u64,
    /// Delay of loosenings and ceremonies, milliseconds.
    pub delay_ms: u64,
    /// Delay of loosenings where it is longer than that of ceremonies, milliseconds.
    pub loosen_delay_ms: Option<u64>,
    /// Delay of platform changes where it is not that of loosenings, milliseconds.
    pub platform_delay_ms: Option<u64>,
    /// Life of a released ceremony where it is not the usual one, milliseconds.
    pub ceremony_life_ms: Option<u64>,
    /// Admins of the tenant, and how many must sign.
    pub admins: (usize, u32),
    /// Committee of the tenant, and how many must sign.
    pub committee: (usize, u32),
    /// Approvers in the group that approves.
    pub approvers: usize,
    /// Whether [`crate::FRIEND`] is on the allow-list.
    pub allow_list: bool,
    /// The tenant's policy.
    pub policy: PolicyOptions,
    /// Time at which the world begins, of entry 0.
    pub start: UnixMs,
    /// Last word on the bounds.
    pub tune: fn(&mut Bounds),
    /// Last word on the tenant's charter.
    pub charter: fn(&mut Charter, &Tenant),
}

impl Default for WorldOptions {
    /// 2-of-3 and one independent witness (3-of-4 cosign), no delay, 2 admins of whom 1 signs, 3
    /// committee members of whom 2 sign, 3 approvers.
    fn default() -> Self {
        Self {
            signers: 3,
            min_signers: 2,
            witnesses: 1,
            coordinators: 1,
            delay_ms: 0,
            loosen_delay_ms: None,
            platform_delay_ms: None,
            ceremony_life_ms: None,
            admins: (2, 1),
            committee: (3, 2),
            approvers: 3,
            allow_list: true,
            policy: PolicyOptions::default(),
            start: START,
            tune: |_| {},
            charter: |_, _| {},
        }
    }
}

/// Variants of the policy: up to [`crate::AUTO_MAX`] automatic, up to [`crate::ONE_OF_N_MAX`] one
/// approver, above two.
#[derive(Clone, Debug, Default)]
pub struct PolicyOptions {
    /// Windows over everything: a guard each.
    pub ceilings: Vec<Window>,
    /// The automatic rule pays only destinations on the allow-list.
    pub auto_allow_listed: bool,
    /// Above [`crate::ONE_OF_N_MAX`] one of the risk group approves first, then one approver.
    pub ordered: bool,
    /// Time lock of everything above [`crate::ONE_OF_N_MAX`], seconds.
    pub time_lock_seconds: u64,
    /// Most that one payment moves, base units: a guard.
    pub amount_max: Option<u64>,
}
