//! The delivery matrix of a stage: every record it consumes × {once, twice, wrong sender, after
//! a forgery, restart before the commit, after the commit, after the publish}.
//!
//! The cells are generated, so none can be forgotten: a topic of [`Stage::topics`] or a kind of
//! record without a case fails the test. Each cell runs the stage in the shipped
//! [`strongroom_stage::Shell`], with its inbox, outbox and fault points, on an in-memory SQLite
//! database and the embedded bus, and must end as the cell *once* ended: the same published records
//! (duplicates by message id removed, as a consumer does) and the same rows in the stage's tables.
//! A record of the wrong sender must become a dead letter and change nothing.
//!
//! # Adopting it
//!
//! ```text
//! struct Approvals { world: World, journal: Arc<SharedFollower>, now: Cell<UnixMs> }
//!
//! impl Fixture for Approvals {
//!     type Stage = ApprovalsStage;
//!     fn stage(&self) -> ApprovalsStage {
//!         let post = self.world.post(Sender::Service(Role::Approvals));
//!         ApprovalsStage::new(post, Arc::clone(&self.journal))
//!     }
//!     fn world(&self) -> &World { &self.world }
//!     fn now(&self) -> UnixMs { self.now.get() }
//! }
//!
//! #[test]
//! fn records_have_their_effects_exactly_once() {
//!     Matrix::new("approvals", Approvals::new)
//!         .case(Case::new("intent submitted", &[Role::Api], |f, _| f.intent_submitted()))
//!         .case(
//!             Case::new("approval", &[Role::Api], |f, _| f.approval(Who::Approver(0)))
//!                 .given(|f, _| vec![f.intent_submitted()]),
//!         )
//!         .run(); // prints "approvals: 2 records × 7 = 14 cells"
//! }
//! ```
//!
//! - Rows that do not come by records are made in [`Fixture::prepare`].
//! - A record that needs a history gets [`Case::given`] steps. Each step sees what the stage has
//!   published so far ([`Published`]), may change the fixture (interior mutability: let time pass,
//!   append to the journal), and its records are settled before the next step runs.
//! - Two cases may share a topic: one per variant of the payload. [`Matrix::kinds`] names the
//!   variants, so that one without a case fails; [`every!`] makes the list of them, which does not
//!   compile without a new one.
//! - What a stage does later, by its clock, is compared too when [`Fixture::later`] names the
//!   instants to run through.
//! - A stage that draws random numbers cannot give the same message ids after a restart:
//!   [`Fixture::identity`] says what of a record must be equal, [`Fixture::volatile_columns`] which
//!   columns need not be.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test kit: every failed expectation is a failed test"
)]

mod case;
mod cell;
mod every;
mod fixture;
mod impostor;
mod installation;
mod outcome;
mod published;
mod runner;

pub use case::Case;
pub use cell::Cell;
pub use fixture::Fixture;
pub use published::Published;
pub use runner::Matrix;

#[cfg(doc)]
use strongroom_stage::Stage;
