//! How far a source of chronyd jumped in all: chronyd takes a jump in by several samples, and its first figure is a part.

use crate::limits::{SOURCE_MOVE_NS_MAX, SOURCE_STEP_NS_MIN};
use evidence::MonoNs;

/// A jump that was told, and is followed until two figures in a row are alike.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moving {
    since: MonoNs,
    /// The offset before it, less what the node's own clock had been moved by then.
    from_ns: i128,
    told_ns: i128,
    last_ns: i128,
}

/// What the next measurement says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Figure {
    /// It is not whole yet.
    Open,
    /// It was told as it is, or nobody will know: chronyd corrects what it found.
    Done,
    /// It is so much in all, of which so much was told.
    InAll { by_ns: i128, told_ns: i128 },
}

impl Moving {
    /// A jump by `told_ns`, away from `from_ns`: offsets less the node's own moves.
    pub(super) const fn new(since: MonoNs, from_ns: i128, told_ns: i128) -> Self {
        Self {
            since,
            from_ns,
            told_ns,
            last_ns: told_ns,
        }
    }

    /// Takes the next offset, less the node's own moves.
    pub(super) fn take(&mut self, at: MonoNs, offset_ns: i128) -> Figure {
        let by_ns = offset_ns - self.from_ns;
        let before_ns = core::mem::replace(&mut self.last_ns, by_ns);
        if at.since(self.since) > SOURCE_MOVE_NS_MAX || by_ns.abs() < before_ns.abs() {
            return Figure::Done;
        }
        if !alike(by_ns, before_ns) {
            return Figure::Open;
        }
        match alike(by_ns, self.told_ns) {
            true => Figure::Done,
            false => Figure::InAll {
                by_ns,
                told_ns: self.told_ns,
            },
        }
    }
}

/// Within a fiftieth, or what is no jump.
fn alike(a_ns: i128, b_ns: i128) -> bool {
    let tolerance_ns = (a_ns.abs() / 50).max(SOURCE_STEP_NS_MIN.into());
    (a_ns - b_ns).abs() <= tolerance_ns
}
