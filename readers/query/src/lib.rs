//! Looks at committed entries, of a node or of a collector: rows, gaps, verification. Never writes.

mod collector;
mod gaps;
mod row;
mod verify;

pub use collector::{CollectorDir, CollectorError, LogDir};
pub use gaps::{GapAccount, GapFilter, GapReport, MeterSummary, Missing, SeqFinding, utc};
pub use row::{rfc3339, row};
pub use verify::{
    Anchors, Finding, FindingKind, Kept, Report, verify_collector, verify_kept, verify_node,
    verify_node_lacking,
};
