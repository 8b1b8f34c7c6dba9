//! Cases of the database port; several differ silently between engines.

mod bulk;
mod concurrency;
mod migrations;
mod rows;
mod table;
mod transactions;
mod values;

pub use bulk::*;
pub use concurrency::*;
pub use migrations::*;
pub use rows::*;
pub use transactions::*;
pub use values::*;
