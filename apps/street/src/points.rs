//! A station's own points, each in the form in which a node reads it without hardware.

mod inputs;
mod layout;
mod log;
mod wave;

pub(crate) use layout::{Input, Layout, parse};
pub(crate) use wave::{InputKind, Width};

use crate::Stop;
use crate::log::Log;
use crate::plan::Plan;
use crate::site::Site;
use inputs::Inputs;
use std::path::Path;
use std::time::Duration;

/// The recording that plays the inputs.
pub(crate) const INPUTS_FILE: &str = "inputs.txt";
/// Streams of draws of points begin here, apart from those of meters and lines.
const STREAMS: u64 = 1 << 40;

/// A fault of one point.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ordered<K> {
    /// Index into the list of its interface in [`Layout`].
    pub(crate) place: usize,
    pub(crate) kind: K,
    /// Counted from readiness.
    pub(crate) from: Duration,
    /// `None`: for good.
    pub(crate) until: Option<Duration>,
}

/// The points of a street.
#[derive(Debug)]
pub(crate) struct Points {
    inputs: Option<Inputs>,
}

impl Points {
    /// Makes what nodes open. Everything is drawn from `seed` and counts from `ready_ns`.
    pub(crate) fn open(
        dir: &Path,
        site: &Site,
        plan: &mut Plan,
        seed: u64,
        ready_ns: u64,
    ) -> Result<Self, Stop> {
        let layout = &site.points;
        let faults = std::mem::take(&mut plan.inputs);
        let inputs = match layout.inputs.is_empty() {
            true => None,
            false => {
                let path = dir.join(INPUTS_FILE);
                Some(Inputs::create(
                    &path,
                    &layout.inputs,
                    &faults,
                    seed,
                    ready_ns,
                )?)
            }
        };
        Ok(Self { inputs })
    }

    /// When there is something to do.
    pub(crate) fn next_due_ns(&self) -> Option<u64> {
        self.inputs.as_ref().map(Inputs::next_due_ns)
    }

    /// Does what is due.
    pub(crate) fn act(&mut self, now_ns: u64, log: &mut Log) -> Result<(), Stop> {
        match &mut self.inputs {
            Some(inputs) => inputs.act(now_ns, log),
            None => Ok(()),
        }
    }
}
