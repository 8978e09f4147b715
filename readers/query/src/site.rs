//! Where meters were attached, how they were read there, and what people did about it (A3.8, U8).

mod account;
mod counts;
mod follows;
mod model;
mod own;
#[cfg(test)]
mod tests;

pub use account::SiteAccount;
pub use counts::Counts;
pub use follows::Follows;
pub use model::{Baseline, Measured, MeterSite, PointStanding, SiteReport, Standing, Stay, Work};
