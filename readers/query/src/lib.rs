//! Looks at committed entries, of a node or of a collector: rows, gaps, verification. Never writes.

mod row;

pub use row::{rfc3339, row};
