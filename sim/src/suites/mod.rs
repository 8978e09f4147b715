//! Suites that try to break what the journal promises; each is also a program. What each counts stands in
//! `docs/proving.md`.

pub mod answer;
pub mod corruption;
pub mod crash_states;
