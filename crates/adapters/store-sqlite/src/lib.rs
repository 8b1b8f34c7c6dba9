//! The database port on SQLite: one file in WAL mode with `synchronous=FULL`, one connection.

mod db;
mod error;
mod sql;
mod tx;

pub use db::SqliteDb;
