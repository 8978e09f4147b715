//! The lying world: simulated media for tests of the engines.

pub mod draw;
pub mod media;
pub mod suites;
