//! What happened to a source, and why the clock moved: signatures, and the tables that name them.

mod flow;
mod local;
mod looks;
mod motion;
mod table;

pub(crate) use local::{Leap, LocalMove, corrects, name_move};
pub(crate) use looks::{Looks, Sign};
pub use table::{
    Claims, Flow, Flows, Motion, Motions, Port, Worth, claims_cause, flow_cause, motion_cause,
};

#[cfg(test)]
mod tests;
