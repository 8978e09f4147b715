//! The suites that try to break the journal's promise; what each counts stands in `docs/proving.md`.

pub mod corruption;
