//! The lying world: simulated media for tests of the engines.

pub mod disk;
pub mod media;
pub mod suites;
