//! The lying world: simulated media and oscillators for tests of the engines.

pub mod draw;
pub mod holdover;
pub mod media;
pub mod oscillator;
pub mod suites;
