//! The collector: verifies what nodes deliver, stores it durably, then cosigns.
//!
//! | module | owns |
//! |---|---|
//! | [`args`] | the command line |
//! | [`clock`] | the one place that reads the clock |
//! | [`counters`] | what is counted |
//! | [`files`] | durable files |
//! | [`identity`] | cosigner key, certificate authority, certificates |
//! | [`log`] | one JSON line per request |
//! | [`registry`] | the logs, their pinned keys, generations |
//! | [`rows`] | decoded rows in an embedded database |
//! | [`server`] | HTTPS: TLS 1.3, client certificates |
//! | [`store`] | one log's directory |
//!
//! `spec/exchange-v1.md` is the contract of the wire and of the directory.

pub mod args;
pub mod clock;
pub mod counters;
pub mod error;
pub mod files;
pub mod identity;
pub mod limits;
pub mod log;
pub mod registry;
pub mod rows;
pub mod server;
pub mod store;
