//! Every way that a medium can change behind our back, and what the journal must then say.
//!
//! A [`Golden`] image is made by the engine; a [`Kind`] enumerates damages to it; the [`Engine`] reads,
//! opens and goes on; [`judge`](judge::judge) compares what it said with what the damage touched.
#![expect(
    clippy::indexing_slicing,
    reason = "places come from the map of an image that the suite made itself; a wrong one ends the run"
)]

mod cases;
mod damage;
mod expect;
mod findings;
mod golden;
mod judge;
mod kept;
mod report;
mod run;
mod subject;

pub use cases::Kind;
pub use damage::{Area, Damage, Edit};
pub use golden::{Golden, History};
pub use report::{Fault, Report};
pub use run::{Plan, run, run_with};
pub use subject::{After, Engine, Opening, Reading, Subject};

#[cfg(test)]
mod checks;
