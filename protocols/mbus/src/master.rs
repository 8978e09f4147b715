//! The master of a wired M-Bus (EN 13757-2, -3): what to send and when, and what each reply proves.
//!
//! Time comes in as monotonic nanoseconds, bytes come in, [`Action`]s go out. A host opens the port (8E1),
//! sends what it is told, hands over what it reads, and calls [`Master::tick`] when it is due.
//!
//! ```
//! use fieldnotary_mbus::master::{Action, Master, Meter, Primary, Work};
//!
//! let mut master = Master::new(2_400, 0, 0);
//! let meter = Meter::Primary { address: Primary::new(1).unwrap(), identity: None };
//! let read = Work::Read { meter, reset: None, telegrams_max: 16, anew: false };
//! let actions = master.begin(read.into(), 0).unwrap();
//! // The bus must have been silent for 33 bit times before the first byte.
//! assert_eq!(actions, [Action::WaitUntil(13_750_000)]);
//! let actions = master.tick(13_750_000);
//! assert_eq!(actions[0], Action::Send(vec![0x10, 0x40, 0x01, 0x41, 0x16]));
//! ```

mod budget;
mod engine;
mod failure;
mod fcb;
mod health;
mod identity;
mod inbox;
mod jobs;
mod judge;
mod link;
mod request;
mod running;
mod states;
pub mod timing;
mod verdict;

pub use budget::{Budgets, Spent, TooManyMeters};
pub use engine::{Action, Job, Master, Outcome, Refused, Work};
pub use failure::{Failure, Reason};
pub use health::Evidence;
pub use identity::{Match, Pattern, Speaker};
pub use inbox::{Echo, Heard, LineErrors};
pub use jobs::{
    Collision, Command, Commanded, Found, Kept, Listed, Makers, Meter, Readout, Scan, Scanned,
    Search, Searched, Speeded,
};
pub use judge::{Answer, Proof};
pub use link::{Attempt, Power, Report, Stray};
pub use request::{Asked, Due, Primary, Repeats, Request, Station};
pub use states::{Action as Doing, Event, State, next};
pub use timing::Timing;
pub use verdict::{Facts, Found as Form, Row, TABLE, Verdict, Whose};
