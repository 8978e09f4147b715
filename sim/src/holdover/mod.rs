//! Monte Carlo of holdover: oscillators are locked, learnt from and left alone, and the bound that the
//! time plane states is held against the truth.

mod report;
mod run;

pub use report::{ClassReport, PART_NAMES, Report, run_all};
pub use run::{Plan, Run, run_one};
