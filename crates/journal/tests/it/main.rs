//! The rules of `apply` and `share`, and the follower, witness and orderer: one test a sentence.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods
)]

mod acts;
mod approvals;
mod attempts;
mod authorized;
mod board_changes;
mod boards;
mod cases;
mod ceremonies;
mod ended;
mod follower;
mod formats;
mod golden;
mod halts;
mod holes;
mod order;
mod platform;
mod platform_boards;
mod properties;
mod proposals;
mod quotas;
mod retention;
mod root;
mod share;
mod sources;
mod standing;
mod tenants;
mod velocity;
mod waiting;
mod waiting_bound;
mod witness;
mod witnessed;
mod writer;

use std::sync::OnceLock;
use strongroom_journal::Body;
use strongroom_types::{Act, ActBody, Code, Refusal, Signed};
use strongroom_world::{Ledger, PolicyOptions, Who, World, WorldOptions};

/// Milliseconds in an hour.
pub const HOUR_MS: u64 = 3_600_000;
/// Largest difference of two clocks, as genesis of the tests says.
pub const SKEW_MS: u64 = 5_000;
/// Needs two approvers.
pub const LARGE: u64 = strongroom_world::ONE_OF_N_MAX + 1;
/// Needs one approver.
pub const MEDIUM: u64 = strongroom_world::AUTO_MAX + 1;
/// Amount that needs no approver.
pub const SMALL: u64 = 500_000;
/// Two approvers who are enough for [`LARGE`].
pub const TWO: [Who; 2] = [Who::Approver(0), Who::Approver(1)];

/// A tenant with a key and a vault, no delays.
pub fn ready() -> Ledger {
    static READY: OnceLock<Ledger> = OnceLock::new();
    READY
        .get_or_init(|| Ledger::ready(World::new(1, WorldOptions::default())))
        .clone()
}

/// As [`ready`], in another variant.
pub fn ready_with(change: impl FnOnce(&mut WorldOptions)) -> Ledger {
    let mut options = WorldOptions::default();
    change(&mut options);
    Ledger::ready(World::new(1, options))
}

/// As [`ready`], under another policy.
pub fn ready_under(policy: PolicyOptions) -> Ledger {
    ready_with(|options| options.policy = policy)
}

/// Why something was refused.
pub fn code<T: std::fmt::Debug>(result: Result<T, Refusal>) -> Code {
    result.unwrap_err().code
}

/// The body of an act of the tenant's scope, changed before it is signed.
pub fn act_body(
    ledger: &Ledger,
    body: ActBody,
    who: &[Who],
    change: impl FnOnce(&mut Act),
) -> Body {
    let world = &ledger.world;
    let mut act = world.act(ledger.now, world.scope(), body, ledger.version());
    change(&mut act);
    Body::Act(world.sign(&act, who))
}

/// A signed text with one bit of its first signature flipped.
pub fn forged(mut signed: Signed) -> Signed {
    strongroom_world::forge(&mut signed.endorsements[0]);
    signed
}
