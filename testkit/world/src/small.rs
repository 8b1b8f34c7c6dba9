//! The one small installation that tests of the journal's machinery mean: three signers, one
//! independent witness, k = 3 of 4, one platform admin, one instance of each service.

use crate::log::Log;
use crate::options::WorldOptions;
use crate::parties::Who;
use crate::world::World;
use std::sync::{Arc, OnceLock};
use strongroom_journal::Genesis;
use strongroom_journal::follower::Follower;
use strongroom_types::{Act, ActBody, ActId, NodeId, Scope, Signed, Tighten, UnixMs};
use strongroom_wire::WitnessCosignature;

pub use crate::world::START;

/// The installation; every call gives the same.
#[must_use]
pub fn world() -> World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD
        .get_or_init(|| World::new(1, WorldOptions::default()))
        .clone()
}

/// Entry 0 of it.
#[must_use]
pub fn genesis() -> Arc<Genesis> {
    world().genesis
}

/// This long after [`START`].
#[must_use]
pub fn at(ms: u64) -> UnixMs {
    START.plus(ms)
}

/// Bus id of the witness in seat `n`: signers 1 to 3, the independent witness 4.
#[must_use]
pub fn node(n: u16) -> NodeId {
    world().seat(n).node
}

/// Ed25519 seed of that seat's cosigning key.
#[must_use]
pub fn witness_seed(n: u16) -> [u8; 32] {
    world().seat(n).witness.to_bytes()
}

/// Ed25519 seed of the log key.
#[must_use]
pub fn log_seed() -> [u8; 32] {
    world().log_key.to_bytes()
}

/// Its journal before entry 0.
#[must_use]
pub fn log() -> Log {
    Log::new(&world())
}

/// The same journal with other salts: a fork of [`log()`].
#[must_use]
pub fn salted_log(seed: u64) -> Log {
    Log::salted(&world(), seed)
}

/// See [`World::cosignature`].
#[must_use]
pub fn cosignature(n: u16, body: &str, at: UnixMs) -> WitnessCosignature {
    world().cosignature(n, body, at)
}

/// See [`World::cosign_tip`].
pub fn cosign_tip(follower: &mut Follower, seats: &[u16], now: UnixMs) {
    world().cosign_tip(follower, seats, now);
}

/// An act of the platform's admin, valid for an hour. The same id and body give the same text.
#[must_use]
pub fn platform_act(id: u8, version: u64, body: ActBody) -> Signed {
    let world = world();
    let act = Act {
        platform: world.platform(),
        scope: Scope::Platform,
        id: ActId([id; 16]),
        version,
        expires: at(3_600_000),
        body,
    };
    world.sign(&act, &[Who::PlatformAdmin])
}

/// A stop of the platform: a tightening, good at any version.
#[must_use]
pub fn stop(id: u8) -> Signed {
    platform_act(id, 0, ActBody::Tighten(Tighten::Stop))
}

/// A quarantine of one signer: a tightening, good at any version.
#[must_use]
pub fn quarantine(id: u8, signer: u16) -> Signed {
    platform_act(id, 0, ActBody::Tighten(Tighten::Quarantine(signer)))
}
