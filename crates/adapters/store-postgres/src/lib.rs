//! The database port on PostgreSQL: one schema per service.
//!
//! The port is synchronous; `sqlx` runs underneath on a current-thread runtime that is driven by
//! the calling thread. Never call it from inside another runtime's task (use `spawn_blocking`).

mod connect;
mod db;
mod error;
mod tx;

pub use connect::PostgresOptions;
pub use db::PostgresDb;
