//! Every request and answer of the REST API as a type: the server writes them, the client library
//! and the command line read them, and `docs/openapi.json` is made from them.
//!
//! Three rules hold for all of them:
//!
//! - **Requests are strict, answers are open.** A request with an unknown member is refused, so
//!   that a client never believes in something the server did not read. A client ignores members
//!   that it does not know, so that a server may add some.
//! - **An answer's members stand in alphabetical order**, which is their order on the wire.
//! - **An absent value of an answer is `null`**, never a missing member.
//!
//! The types say what is *shown*. What is signed is a text of `strongroom-types`, and it travels
//! inside of these as the exact text ([`SignedText`]).
//!
//! | module | answers and requests about |
//! |---|---|
//! | [`text`] | values that travel as text: ids, digests, hex |
//! | [`signed`] | texts with their signatures |
//! | [`transaction`] | transactions and their states |
//! | [`timeline`] | time of each layer of a transaction's path |
//! | [`approval`] | transactions that wait for approvers |
//! | [`act`] | authority acts |
//! | [`registry`] | tenants, keys, vaults |
//! | [`address`] | addresses and their proofs |
//! | [`journal`] | entries of the journal |
//! | [`status`] | the server's replica |
//! | [`page`] | lists |
//! | [`problem`] | refusals (RFC 9457) |
//! | [`query`] | members of a request's query |

pub mod act;
pub mod address;
pub mod approval;
pub mod journal;
pub mod page;
pub mod problem;
pub mod query;
pub mod registry;
pub mod signed;
pub mod status;
pub mod text;
pub mod timeline;
pub mod transaction;

pub use act::{ActInfo, ActState, Receipt, ReceiptState};
pub use address::{AddressInfo, AddressProof, EntryWithProof};
pub use approval::{AnswerInfo, PendingInfo};
pub use journal::EntryInfo;
pub use page::Page;
pub use problem::ProblemDetails;
pub use query::{
    AddressQuery, EntriesQuery, TenantQuery, TransactionsQuery, UntilQuery, WaitQuery,
};
pub use registry::{KeyInfo, KeyState, PolicyInfo, TenantInfo, VaultInfo};
pub use signed::{
    EndorsementRequest, EndorsementText, ProofRequest, ProofText, SignedRequest, SignedText,
};
pub use status::{JournalStatus, ModeName, StatusInfo};
pub use text::{Hex, Text, Textual};
pub use timeline::{LayerInfo, TimelineInfo};
pub use transaction::{DecisionInfo, Reason, RefusalInfo, StateName, TransactionInfo};
