//! Transactions and their states.

use crate::signed::SignedText;
use crate::text::{DigestText, Hex, TenantIdText, TierText, TransactionIdText, VaultIdText};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use strongroom_wire::TransactionState;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// A transaction. Clients recompute digest, id and words from `intent.text` and believe nothing
/// that does not follow from it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct TransactionInfo {
    /// Approvers' answers to the decision, in the order they came.
    pub approvals: Vec<SignedText>,
    /// Time of the last change, Unix milliseconds.
    pub changed_ms: u64,
    /// Time the API took the intent, Unix milliseconds.
    pub created_ms: u64,
    /// Decision of the policy; `null` until there is one.
    #[schema(required)]
    pub decision: Option<DecisionInfo>,
    /// Digest of the intent.
    pub digest: DigestText,
    /// Time from which on nothing is signed, Unix milliseconds.
    pub expires_ms: u64,
    /// The client's own id.
    pub external_id: String,
    /// First half of the intent's digest.
    pub id: TransactionIdText,
    /// The intent with the initiator's signature.
    pub intent: SignedText,
    /// The network's name of the transaction; `null` until it is signed.
    #[schema(required)]
    pub network_id: Option<String>,
    /// Why the state is what it is, where it needs a reason.
    #[schema(required)]
    pub reason: Option<Reason>,
    /// Signers' refusals.
    pub refusals: Vec<RefusalInfo>,
    /// The network's bytes; `null` until they are signed.
    #[schema(required)]
    pub signed_transaction: Option<Hex>,
    /// State on its way from the request to an end.
    pub state: StateName,
    /// Tenant whose vault pays.
    pub tenant: TenantIdText,
    /// The vault that pays.
    pub vault: VaultIdText,
    /// Number of changes, from 1.
    pub version: u64,
    /// The 16 words of the digest, for people to compare.
    pub words: Vec<String>,
}

/// Reason for a state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Reason {
    /// Stable code; `docs/errors/` has a row for each.
    pub code: String,
    /// Subject of the refusal or the code's general meaning, for people.
    pub detail: String,
}

/// The policy's decision.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct DecisionInfo {
    /// Digest of the text; an approval names it.
    pub digest: DigestText,
    /// Name of the rule that matched, `no_match`, or the guard that blocked.
    pub rule: String,
    /// The decision core, byte for byte.
    pub text: String,
    /// Tier of the rule.
    pub tier: TierText,
}

/// One signer's refusal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct RefusalInfo {
    /// Stable code; `docs/errors/` has a row for each.
    pub code: String,
    /// Subject of the refusal or the code's general meaning, for people.
    pub detail: String,
    /// Digest of the attempt, its inspection and the expected effects, as the signer had them.
    pub evidence: DigestText,
    /// Size of the witnessed head the signer judged by.
    pub head: u64,
    /// Digest of the signing request refused.
    pub request: DigestText,
}

/// Name of a transaction's state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StateName(pub TransactionState);

impl StateName {
    /// Name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0.name()
    }
}

impl fmt::Display for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `pad` makes a width in a format string count: state names are printed in columns.
        f.pad(self.as_str())
    }
}

impl Serialize for StateName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for StateName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<str>::deserialize(deserializer)?;
        let state = TransactionState::from_name(&name);
        state
            .map(Self)
            .ok_or_else(|| D::Error::custom(format!("`{name}` is not a state of a transaction")))
    }
}

impl PartialSchema for StateName {
    fn schema() -> RefOr<Schema> {
        let names = TransactionState::ALL.iter().map(|state| state.name());
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("Where a transaction is on its way."))
            .enum_values(Some(names))
            .into()
    }
}

impl ToSchema for StateName {}
