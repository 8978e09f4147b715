//! The collector: verifies what nodes deliver, stores it durably, then cosigns.
//!
//! | module | owns |
//! |---|---|
//! | [`args`] | the command line |
//! | [`audit`] | who let nodes in, took them back, or was turned away |
//! | [`clock`] | the one place that reads the clock |
//! | [`counters`] | what is counted |
//! | [`files`] | durable files |
//! | [`enrolment`] | keys of nodes, taken in against proof and taken back |
//! | [`identity`] | cosigner key, certificate authority, certificates |
//! | [`lock`] | one process per directory |
//! | [`log`] | one JSON line per request |
//! | [`ready`] | what is said when the collector listens |
//! | [`registry`] | the logs, their pinned keys, generations |
//! | [`rows`] | decoded rows in an embedded database |
//! | [`say`] | lines to standard output and standard error |
//! | [`server`] | HTTPS: TLS 1.3, client certificates |
//! | [`store`] | one log's directory |
//!
//! `spec/exchange-v1.md` is the contract of the wire and of the directory.

#![deny(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a reader that went away ends nothing: see say.rs"
)]

pub mod args;
pub mod audit;
pub mod clock;
pub mod counters;
pub mod enrolment;
pub mod error;
pub mod files;
pub mod identity;
pub mod limits;
pub mod lock;
pub mod log;
pub mod ready;
pub mod registry;
pub mod rows;
pub mod say;
pub mod server;
pub mod store;
