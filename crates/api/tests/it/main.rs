//! The API on an embedded bus and a journal made in the test: over HTTP by the client library or
//! byte by byte, and without HTTP by its stage and its submissions.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod acts;
mod bodies;
mod desk;
mod fixture;
mod journal;
mod life_cycle;
mod limits;
mod matrix;
mod mirror;
mod offers;
mod openapi;
mod reach;
mod ready;
mod repeat;
mod rows;
mod stopping;
mod submit;
