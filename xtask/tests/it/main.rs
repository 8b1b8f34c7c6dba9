//! What the repository promises about itself.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod domains;
