//! The client's decisions: does this frame answer this request, and may this request be sent now?

mod classify;
mod outstanding;
mod table;

pub use classify::{Reply, classify, classify_tcp};
pub use outstanding::{Explained, Fingerprint, Full, Outstanding};
pub use table::{Facts, Fit, Relation, Row, TABLE, Verdict};
