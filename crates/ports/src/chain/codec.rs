//! A chain's pure side.

use super::{
    AddressFacts, Built, Effects, Fact, Facts, Inspection, Manifest, OwnPath, Plan, Registry,
    VaultKey,
};
use strongroom_types::{Intent, Refusal};

/// A chain's pure side: deterministic, object-safe, no I/O.
///
/// Contract (each sentence is a case of `testkit/conformance`):
///
/// - Everything it is given is hostile; arbitrary bytes and texts give a refusal, never a panic.
/// - The same arguments give the same answer, on every machine and thread.
/// - An address is accepted in one text form only, and addresses of other networks are refused.
/// - `build` reads back what it wrote: its slots, conflicts and fee are those of `inspect`, and
///   what it built is [`super::within`] its plan.
/// - `build` never pays a recipient that the plan does not name, and never a higher fee than the
///   plan's.
/// - A replacement uses up the anchor of what it replaces, or is refused.
/// - It never builds from more than the view holds, nor on a conflict key that is taken.
/// - A view begins with a tag or version; a view of another codec, a cut and an empty one are
///   refused. What is built from a damaged view is still within the plan.
/// - An unsigned form has one encoding: what reads the same is the same bytes.
/// - A changed unsigned form is refused, or asks for other signatures; one of another vault is
///   refused.
/// - `assemble` verifies every signature by itself; `verify_signed` accepts exactly what it gives.
/// - A fact that cannot be true on this chain is refused by `check_fact`; amounts up to 2^256 − 1
///   give a refusal or a build, never a panic.
pub trait ChainCodec: Send + Sync {
    /// Network, asset, decoder, suites and display of this codec.
    fn manifest(&self) -> &Manifest;

    /// Reads an address of this network in its one canonical form.
    ///
    /// # Errors
    /// `address_invalid`, `address_wrong_network`.
    fn parse_address(&self, text: &str) -> Result<AddressFacts, Refusal>;

    /// The vault's own address at a path.
    ///
    /// # Errors
    /// `path_not_own`, `unsupported` (a key of another scheme), `malformed` (a key that is none).
    fn derive_address(&self, vault: &VaultKey, path: OwnPath) -> Result<String, Refusal>;

    /// Effects that the intent will have.
    ///
    /// # Errors
    /// `unknown_chain`, `unknown_asset`, `unknown_vault`, and what makes a payment impossible.
    fn expected(&self, intent: &Intent, registry: &dyn Registry) -> Result<Effects, Refusal>;

    /// Whether a statement of the network can be true on this chain. Says nothing about whether it
    /// is true.
    ///
    /// # Errors
    /// `malformed`, `unknown_asset`.
    fn check_fact(&self, fact: &Fact) -> Result<(), Refusal>;

    /// The codec's own encoding of what a build may spend and must know. Bounded.
    ///
    /// # Errors
    /// `malformed`: rows that [`Self::check_fact`] would have refused.
    fn view(&self, facts: &Facts<'_>) -> Result<Vec<u8>, Refusal>;

    /// Builds the unsigned transaction of a plan from a view: a first payment, or a replacement of
    /// `plan.previous` that uses up its anchor and adds no recipient.
    ///
    /// # Errors
    /// `insufficient_balance` and `anchor_missing` may pass with another view; `fee_cap_too_low`,
    /// `dust`, `unsupported`, `malformed` and what [`Self::expected`] refuses do not.
    fn build(&self, plan: &Plan<'_>, view: &[u8]) -> Result<Built, Refusal>;

    /// Decodes strictly and says what the transaction does; every claimed own input and output is
    /// derived.
    ///
    /// # Errors
    /// `malformed`, `opaque_effects`, `path_not_own`, `unknown_chain`, `unsupported`.
    fn inspect(
        &self,
        unsigned: &[u8],
        vault: &VaultKey,
        registry: &dyn Registry,
    ) -> Result<Inspection, Refusal>;

    /// Puts the signatures (one per slot, in order) into the transaction and verifies each by an
    /// independent path. Gives the network bytes.
    ///
    /// # Errors
    /// `bad_signature`, and what [`Self::inspect`] refuses.
    fn assemble(
        &self,
        unsigned: &[u8],
        signatures: &[Vec<u8>],
        vault: &VaultKey,
    ) -> Result<Vec<u8>, Refusal>;

    /// Proves that network bytes are this unsigned transaction with valid signatures of the vault,
    /// and nothing else. Gives the network's name of it.
    ///
    /// # Errors
    /// `malformed`, `bad_signature`, `attempt_digest_mismatch`, and what [`Self::inspect`] refuses.
    fn verify_signed(
        &self,
        unsigned: &[u8],
        signed: &[u8],
        vault: &VaultKey,
    ) -> Result<String, Refusal>;

    /// The network's name of a signed transaction.
    ///
    /// # Errors
    /// `malformed`.
    fn transaction_id(&self, signed: &[u8]) -> Result<String, Refusal>;
}
