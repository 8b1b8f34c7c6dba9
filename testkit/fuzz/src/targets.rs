//! The list of decoders.

mod api;
mod ceremony;
mod chain;
mod chain_facts;
mod credentials;
mod evidence;
mod forms;
mod journal;
mod keys;
mod log;
mod replica;
mod services;
mod signed_texts;

use rand_core::RngCore;

/// One decoder with its valid inputs.
pub struct Target {
    /// Unique name, which a failure and `libfuzzer/` show.
    pub name: &'static str,
    /// Decodes; says whether it accepted. Panics when what it accepted does not encode back to
    /// `data`, or breaks the other property that the function names.
    pub run: fn(data: &[u8]) -> bool,
    /// Some inputs that the decoder accepts.
    pub seeds: fn(rng: &mut dyn RngCore) -> Vec<Vec<u8>>,
}

/// Number of seeds that a generated target brings.
pub const SEEDS: usize = 12;

/// Targets of which one run takes a state machine, a transaction or a journal, not a decoder alone:
/// a bounded run gives each of them a fraction of its rounds.
pub const SLOW: [&str; 6] = [
    "applied_entry",
    "ceremony_message",
    "chain_facts",
    "chain_vault",
    "evidence_file",
    "replica_batch",
];

/// Every decoder of the workspace.
#[must_use]
pub fn all() -> Vec<Target> {
    let mut targets = signed_texts::targets();
    targets.extend(forms::targets());
    targets.extend(credentials::targets());
    targets.extend(api::targets());
    targets.extend(services::targets());
    targets.extend(log::targets());
    targets.extend(journal::targets());
    targets.extend(replica::targets());
    targets.extend(evidence::targets());
    targets.extend(keys::targets());
    targets.extend(ceremony::targets());
    targets.extend(chain::targets());
    targets.extend(chain_facts::targets());
    targets
}

/// One of a list by the first byte of an input, and the rest of the input. Several small decoders
/// share a target in this way.
fn chosen<'a, T>(of: &'a [T], data: &'a [u8]) -> Option<(&'a T, &'a [u8])> {
    let (first, rest) = data.split_first()?;
    of.get(usize::from(*first)).map(|one| (one, rest))
}

/// An input for [`chosen`].
fn with_choice(number: usize, rest: &[u8]) -> Vec<u8> {
    let mut input = vec![u8::try_from(number).unwrap_or(u8::MAX)];
    input.extend_from_slice(rest);
    input
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
