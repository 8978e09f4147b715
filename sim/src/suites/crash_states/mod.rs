//! Every way that power can fail in a sequence of operations, and again while the engine recovers.

mod actor;
mod base;
mod choice;
mod explore;
mod judge;
mod kept;
mod model;
mod operation;
mod plan;
mod planted;
mod replay;
mod report;
mod run;

pub use operation::Operation;
pub use plan::{LENGTH_MAX, Plan};
pub use planted::Planted;
pub use report::{Breach, Report};
pub use run::{Progress, replay, run};
