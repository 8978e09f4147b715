//! What is done wrong, part by part.

mod at_collector;
mod config;
mod data;
mod host;
mod identity;
mod reader;

pub(crate) use at_collector::collector;
pub(crate) use config::configurations;
pub(crate) use data::directories;
pub(crate) use host::hosts;
pub(crate) use identity::identities;
pub(crate) use reader::wrong_places;

/// A node is started on `node` with `station.toml`.
const RUN: &[&str] = &["fieldnotary", "run", "station.toml", "--data", "node"];
/// Its configuration is checked.
const CHECK: &[&str] = &["fieldnotary", "check", "station.toml"];
