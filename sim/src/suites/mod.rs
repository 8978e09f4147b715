//! Suites that try to break what the journal promises; each is also a program.

pub mod crash_states;
