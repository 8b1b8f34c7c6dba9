//! The pure side of a chain, which signers link.

use super::{
    AddressFacts, Built, Effects, Fact, Facts, Inspection, Manifest, OwnPath, Plan, Registry,
    VaultKey,
};
use strongroom_types::{Intent, Refusal};

/// A chain's pure side: deterministic, object-safe, no I/O.
///
/// Contract (each sentence is a case of `testkit/conformance`):
///
/// - Every argument may be hostile; arbitrary bytes and texts lead to a refusal, never to a panic.
/// - The same arguments give the same answer, on every machine and thread.
/// - An address is accepted in one text form only, and addresses of other networks are refused.
/// - `build` reads back the transaction that it wrote: its slots, conflicts and fee are those of
///   `inspect`, and the transaction is [`super::within`] its plan.
/// - `build` never pays a recipient that the plan does not name, and never a higher fee than the
///   plan's.
/// - A replacement uses up the anchor of the transaction that it replaces, or is refused.
/// - `build` spends nothing that is not in the view, and no conflict key that is taken.
/// - A view begins with a tag or version; a view of another codec, a truncated and an empty one are
///   refused. A transaction that is built from a damaged view is still within the plan.
/// - An unsigned form has one encoding: two forms that read the same have the same bytes.
/// - A changed unsigned form is refused, or needs other signatures; one of another vault is
///   refused.
/// - `assemble` verifies every signature itself; `verify_signed` accepts exactly the bytes that it
///   returns.
/// - A fact that cannot be true on this chain is refused by `check_fact`; amounts up to 2^256 − 1
///   lead to a refusal or a build, never to a panic.
pub trait ChainCodec: Send + Sync {
    /// Network, asset, decoder, suites and display of this codec.
    fn manifest(&self) -> &Manifest;

    /// Reads an address of this network in its one canonical form.
    ///
    /// # Errors
    /// `address_invalid`, `address_wrong_network`.
    fn parse_address(&self, text: &str) -> Result<AddressFacts, Refusal>;

    /// Address of the vault at a path.
    ///
    /// # Errors
    /// `path_not_own`, `unsupported` (a key of another scheme), `malformed` (bytes that are not a
    /// key).
    fn derive_address(&self, vault: &VaultKey, path: OwnPath) -> Result<String, Refusal>;

    /// Addresses of the vault at these paths, in their order. A codec may share between them what
    /// is the same for all.
    ///
    /// # Errors
    /// The first of [`Self::derive_address`].
    fn derive_addresses(
        &self,
        vault: &VaultKey,
        paths: &[OwnPath],
    ) -> Result<Vec<String>, Refusal> {
        let derived = paths.iter().map(|path| self.derive_address(vault, *path));
        derived.collect()
    }

    /// Effects that the intent will have.
    ///
    /// # Errors
    /// `unknown_chain`, `unknown_asset`, `unknown_vault`, and what makes a payment impossible.
    fn expected(&self, intent: &Intent, registry: &dyn Registry) -> Result<Effects, Refusal>;

    /// Checks that a statement of the network can be true on this chain. It cannot check whether it
    /// is true.
    ///
    /// # Errors
    /// `malformed`, `unknown_asset`.
    fn check_fact(&self, fact: &Fact) -> Result<(), Refusal>;

    /// Facts for a build in the codec's own encoding, of bounded size.
    ///
    /// # Errors
    /// `malformed` for rows that [`Self::check_fact`] would have refused.
    fn view(&self, facts: &Facts<'_>) -> Result<Vec<u8>, Refusal>;

    /// Builds the unsigned transaction of a plan from a view: a first payment, or a replacement of
    /// `plan.previous` that uses up its anchor and adds no recipient.
    ///
    /// # Errors
    /// `insufficient_balance`, `anchor_missing` and `fee_cap_too_low` may pass with another view;
    /// `dust`, `unsupported` and what [`Self::expected`] refuses do not. A caller ends nothing on a
    /// refusal of this, since a view is what a node said.
    fn build(&self, plan: &Plan<'_>, view: &[u8]) -> Result<Built, Refusal>;

    /// Decodes strictly and returns the transaction's effects. Every input and output that is
    /// claimed to be the vault's is checked by derivation.
    ///
    /// # Errors
    /// `malformed`, `opaque_effects`, `path_not_own`, `unknown_chain`, `unsupported`.
    fn inspect(
        &self,
        unsigned: &[u8],
        vault: &VaultKey,
        registry: &dyn Registry,
    ) -> Result<Inspection, Refusal>;

    /// Puts the signatures (one per slot, in order) into the transaction and verifies each with
    /// code that is independent of the signing. Returns the network bytes.
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
    /// and nothing else. Returns its id on the network.
    ///
    /// # Errors
    /// `malformed`, `bad_signature`, `attempt_digest_mismatch`, and what [`Self::inspect`] refuses.
    fn verify_signed(
        &self,
        unsigned: &[u8],
        signed: &[u8],
        vault: &VaultKey,
    ) -> Result<String, Refusal>;

    /// Id of a signed transaction on the network.
    ///
    /// # Errors
    /// `malformed`.
    fn transaction_id(&self, signed: &[u8]) -> Result<String, Refusal>;
}
