//! What is done wrong, part by part.

mod at_collector;
mod config;
mod data;
mod host;
mod identity;
mod reader;

pub(crate) use at_collector::COLLECTOR;
pub(crate) use config::CONFIGURATIONS;
pub(crate) use data::DIRECTORIES;
pub(crate) use host::HOSTS;
pub(crate) use identity::IDENTITIES;
pub(crate) use reader::wrong_places;

/// A node is started on `node` with `station.toml`.
const RUN: &[&str] = &["fieldnotary", "run", "station.toml", "--data", "node"];
/// Its configuration is checked.
const CHECK: &[&str] = &["fieldnotary", "check", "station.toml"];
