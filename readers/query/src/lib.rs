//! Looks at committed entries, of a node or of a collector: rows, gaps, time, the site and its people, verification, published form. Never writes.

mod ahead;
mod collector;
mod gaps;
mod publish;
mod row;
mod selftest;
mod site;
mod time;
mod verify;

pub use collector::{CollectorDir, CollectorError, LogDir, StoredHole};
pub use gaps::{GapAccount, GapFilter, GapReport, MeterSummary, Missing, SeqFinding, utc};
pub use publish::{
    PublishError, Published, PublishedHole, WriteFile, custody_told, prove, publish, publish_with,
};
pub use row::{rfc3339, row};
pub use selftest::{SelfTest, SelfTests, Verdict};
pub use site::{
    Baseline, Counts, Follows, Measured, MeterSite, PointStanding, SiteAccount, SiteReport,
    Standing, Stay, Work,
};
pub use time::{
    AfterTheEnd, Asked, Cover, Crossed, Jump, JumpKind, Label, Mark, Moment, Offered, Point,
    PointSlots, Run, Sign, SlotAccount, SlotCause, SlotQuestion, SlotReport, SlotStretch, Span,
    Stretch, TimeAccount, TimeEvent, TimeHistory, TimeNow, TimeWhy, Totals, ZoneDay,
};
pub use verify::{
    Alarmed, Anchors, Answer, AnswerFault, Answered, BootTold, BoundTo, EnrolledBy, Finding,
    FindingKind, FirmwareTold, Kept, Known, NamedBy, Report, RevokedBy, RotatedTo, StampedBy,
    WhyUnkept, all_rotations_in, harmless, named_for, rotations_in, signers_of, statements_beside,
    verify_answer, verify_collector, verify_kept, verify_node, verify_node_lacking,
    verify_node_with, verify_proof, verify_published,
};
