//! The exchange between node and collector, both sides as state machines without wire, clock or disk.
//!
//! A batch is "the log grew from size a to size b". The node announces b with `add-checkpoint`,
//! uploads what the collector lacks with `add-entries`, and has the batch acknowledged when the
//! collector's cosignature over b comes back. `spec/exchange-v1.md` is the wire contract.
//!
//! # The node's side
//!
//! [`Node`] is driven by the uplink role. It asks for what it needs and never blocks:
//!
//! ```text
//! let mut node = Node::new(NodeConfig { origin, cosigner, limits: Limits::default() }, acked);
//! // `acked`: the newest ack entry of this generation, as Head { size, root }.
//! // Read the committed feed; offer every checkpoint entry as it comes:
//! node.offer(Sealed { head: Head { size, root }, note });
//! // At the end of the feed, once:
//! node.caught_up();
//! loop {
//!     match node.poll(Tick { now, random }) {
//!         Action::Nothing         => wait for the next checkpoint entry, offer it
//!         Action::WaitUntil(then) => the same, but poll again at `then` at the latest
//!         Action::NeedLeaves(need) => {
//!             // Leaves [need.from, need.to) or a first part of them, in order: salt || entry, or
//!             // the hole that a LOSS entry names; the frontier at need.from where need.frontier.
//!             node.supply(Supply { from: need.from, frontier, runs })?;   // or node.leaves_unavailable()
//!         }
//!         Action::Send(request)   => POST or GET collector/request.path, header BATCH_HEADER: request.batch,
//!             // then node.answered(tick, request.id, Response { status, body, retry_after_s })
//!             //   or node.failed(tick, request.id, Failure::Lost)
//!         Action::Report(report)  => commit (Acked), log, raise an event; poll again at once
//!     }
//! }
//! ```
//!
//! After a restart a new `Node` asks the collector where it stands and goes on with the very next
//! entry; a batch is named by origin, sizes and root ([`BatchId`]), so a retry has the same name.
//!
//! # The collector's side
//!
//! [`collector::Mirror`] works on a [`collector::MirrorStore`], one per log. Its order is the
//! promise of the cosignature: verify, store durably, move (size, root), then cosign.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod alarm;
mod batch;
pub mod body;
pub mod collector;
mod generation;
mod hole;
pub mod limits;
pub mod node;
mod time;

#[cfg(test)]
mod tests;

pub use alarm::{ALARM_HEADER, CollectorAlarm};
pub use batch::{BATCH_HEADER, Batch, BatchId};
pub use generation::{Link, named_predecessor, origin_of, split_origin};
pub use hole::{Hole, HoleError, Run, loss_in_leaf};
pub use node::{
    Acked, Action, Conflict, ConflictCause, Failure, Head, Limits, Method, Need, Node, NodeConfig,
    Refusal, Report, Request, RequestId, Response, Sealed, State, Stats, Supply, SupplyError, Tick,
    refusal_text,
};
pub use time::{CollectorTime, TIME_HEADER};

/// How every answer (403) begins to a client whose certificate was taken back; behind it stands since when, by whom and why.
pub const CERTIFICATE_REVOKED: &str = "this node's certificate was revoked here";
