//! The vocabulary of Strongroom: ids, digests, canonical JSON, and every text that people sign.
//!
//! Whatever is signed or hashed has exactly one encoding. What people and client programs sign is
//! JSON in RFC 8785 canonical form restricted to strings, booleans, arrays and objects ([`json`]);
//! the digest rule is in [`mod@digest`]; each signed text is a [`document::Document`]. The normative
//! text is `docs/formats.md`.

pub mod act;
pub mod amount;
pub mod approval;
pub mod attempt;
pub mod board;
pub mod caip;
pub mod ceremony;
pub mod charter;
pub mod credential;
pub mod decision;
pub mod digest;
pub mod document;
pub mod fields;
pub mod id;
pub mod intent;
pub mod json;
pub mod mode;
pub mod plain;
pub mod proof;
pub mod refusal;
pub mod registry;
pub mod revoke;
pub mod signed;
pub mod slot;
pub mod text;
pub mod time;
pub mod tweak;
pub mod words;

pub use act::{Act, ActBody, Scope, Tighten};
pub use amount::MinorUnits;
pub use approval::Approval;
pub use attempt::{Attempt, AttemptKind, ConflictKey};
pub use caip::{AssetId, ChainId};
pub use charter::Charter;
pub use credential::{Credential, CredentialClass};
pub use decision::{DecisionCore, GroupNeed, Obligation, Tier};
pub use digest::{Digest, digest};
pub use document::Document;
pub use id::*;
pub use intent::{Destination, Intent, IntentKind, Transfer};
pub use mode::Mode;
pub use proof::Proof;
pub use refusal::{Code, Cure, Refusal, printable};
pub use registry::{AllowListEntry, CeremonyPlan, Group, RegistryRecord, Suite, User, Vault};
pub use revoke::Revocable;
pub use signed::{Endorsement, Signed, SigningCredential};
pub use slot::Slot;
pub use text::Name;
pub use time::UnixMs;
pub use tweak::Tweak;
