//! The collector from outside: over real HTTPS, and as a program.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests, with helpers that are no test functions themselves"
)]

mod common;
mod https;
mod manners;
mod revoked;
mod witness;
