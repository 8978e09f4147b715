//! The engine against a simulated wire: no private access, only inputs, actions and records.

mod accounting;
mod attribution;
mod basic;
mod clocks;
mod deeds;
mod efficiency;
mod line;
mod mbus;
mod model;
mod quarantine;
mod recalls;
mod site;
mod stray;
mod work;
mod world;

pub(crate) use site::{point, register};
