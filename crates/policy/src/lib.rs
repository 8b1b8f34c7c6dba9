//! The policy: a tenant's signed table of the intents that may leave and of the approvals each
//! needs.
//!
//! The evaluation has two finite stages. **Guards**: one that denies is enough to block; their
//! order does not matter, and no rule overrides them. **Rules**: the first rule whose conditions
//! all hold gives the tier and its obligations; if no rule matches, the payment is blocked.
//! [`evaluate`] is total and deterministic: integers of 256 bits with checked arithmetic, no clock,
//! no float, and every error is a block with a reason. The journal calls it at each entry's
//! position, so every replica gets the same [`strongroom_types::DecisionCore`], which is what
//! approvers sign.
//!
//! The text form is `docs/formats.md`, type `strongroom/policy/v1`.

#![deny(clippy::wildcard_enum_match_arm)]

mod check;
mod condition;
mod evaluate;
mod evidence;
mod facts;
mod form;
mod guard;
mod hours;
mod payment;
mod policy;
mod probe;
mod question;
mod rule;
mod table;
mod terms;
mod tighter;
mod unsupported;
mod velocity;
mod view;
mod window;

pub use condition::{AmountRange, DestinationType, Destinations, Initiators, Kind, Sources};
pub use evaluate::{evaluate, explain};
pub use evidence::{Evidence, GuardFact, RuleFact, WindowFact};
pub use facts::{INVALID_INTENT, NO_MATCH, UNKNOWN_INITIATOR, UNKNOWN_VAULT, UNSUPPORTED_ASSET};
pub use form::NotAWord;
pub use guard::{Guard, GuardKind};
pub use hours::{Day, Hours, TimeOfDay};
pub use payment::Payment;
pub use policy::{GUARDS_MAX, Policy, RULES_MAX};
pub use probe::Rules;
pub use question::{Decision, Moment, Question};
pub use rule::{Condition, Match, Rule, Then};
pub use terms::Terms;
pub use tighter::is_tighter;
pub use view::{Listed, PolicyView, Spent, WindowScope};
pub use window::{VelocityScope, WINDOW_SECONDS_MAX, Window};
