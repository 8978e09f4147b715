//! What the entries tell of the node's time: labels over time, jumps with their causes, what a stamp was worth.
//!
//! Entries are shown in order of commit; history and answers are then drawn from what they established.

mod account;
mod events;
mod faults;
mod history;
mod json;
mod model;
mod node;
mod now;
mod offered;
mod points;
mod slots;
mod why;
mod zone;

#[cfg(test)]
mod tests;

pub use account::TimeAccount;
pub use history::{Span, TimeHistory, Totals};
pub use model::{Asked, Cover, Jump, JumpKind, Label, Mark, Point, Run, Stretch, TimeEvent};
pub use node::AfterTheEnd;
pub use now::TimeNow;
pub use offered::Offered;
pub use slots::{
    Crossed, PointSlots, SlotAccount, SlotCause, SlotQuestion, SlotReport, SlotStretch,
};
pub use why::{Moment, Sign, TimeWhy};
pub use zone::ZoneDay;
