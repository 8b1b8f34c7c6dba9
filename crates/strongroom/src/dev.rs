//! The development platform: all roles in this process on embedded parts, signers as child
//! processes.

pub mod children;
pub mod install;
pub mod layout;
pub mod link;
pub mod platform;
pub mod secrets;

pub use install::Installation;
pub use layout::Layout;
