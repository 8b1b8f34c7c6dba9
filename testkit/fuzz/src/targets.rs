//! The list of decoders.

mod chain;
mod journal;
mod keys;
mod log;
mod services;
mod signed_texts;

use rand_core::RngCore;

/// One decoder with its valid inputs.
pub struct Target {
    /// Unique name, which a failure and `libfuzzer/` show.
    pub name: &'static str,
    /// Decodes; says whether it accepted. Panics when what it accepted does not encode back to
    /// `data`.
    pub run: fn(data: &[u8]) -> bool,
    /// Some inputs that the decoder accepts.
    pub seeds: fn(rng: &mut dyn RngCore) -> Vec<Vec<u8>>,
}

/// Number of seeds that a generated target brings.
pub const SEEDS: usize = 12;

/// Every decoder of the workspace.
#[must_use]
pub fn all() -> Vec<Target> {
    let mut targets = signed_texts::targets();
    targets.extend(services::targets());
    targets.extend(log::targets());
    targets.extend(journal::targets());
    targets.extend(keys::targets());
    targets.extend(chain::targets());
    targets
}

/// Refuses any second encoding: `again` must be what was decoded.
#[track_caller]
fn same(again: &[u8], data: &[u8]) -> bool {
    assert_eq!(
        again, data,
        "accepted bytes that are not the encoding of their value"
    );
    true
}
