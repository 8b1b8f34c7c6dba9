//! The REST API: accepts signed intents, approvals and acts; shows what became of them.
//!
//! It holds no keys and decides nothing: it checks form early so that clients get a clear answer,
//! and everything it lets through is judged again by the journal and by every signer. Errors are
//! RFC 9457 problems with a stable code. Requests and answers are the types of
//! `strongroom-api-types`.
//!
//! | module | contents |
//! |---|---|
//! | `server`, `handlers`, `extract` | HTTP: routes, one handler per endpoint |
//! | [`openapi`] | the description of all of that |
//! | [`submit`] | taking intents, approvals and acts, without HTTP |
//! | `stage`, `life_cycle` | the API's side of the bus, and the states of a row |
//! | `store`, `schema` | tables |
//! | `show`, `problem` | rows and refusals as clients see them |
//! | `mirror` | the journal with its proofs, filled on demand |

mod access;
mod api;
mod extract;
mod follow;
mod handlers;
mod life_cycle;
mod mirror;
pub mod openapi;
mod problem;
mod ready;
mod schema;
mod server;
mod show;
mod stage;
mod store;
pub mod submit;
mod tally;

pub use access::{AccessKey, Keyring, hash_key};
pub use api::{Api, ApiParts};
pub use follow::Changes;
pub use ready::Ready;
pub use schema::MIGRATIONS;
pub use server::{router, serve};
pub use stage::ApiStage;
