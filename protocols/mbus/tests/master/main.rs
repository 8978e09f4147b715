//! The master and the slaves on a simulated line.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests may fail as tests do"
)]

mod exchange;
mod given;
mod jobs;
#[path = "../corpus/mod.rs"]
mod kept;
mod line;
mod peer;
mod properties;
mod real;
mod recorded;
mod scan;
mod search;
