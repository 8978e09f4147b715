//! The course of one digital input: what was meant, and what faults make of it.

use super::{Input, Ordered, STREAMS, Span};
use crate::clock::{after, nanos};
use crate::lines::Moments;
use crate::noise::Noise;
use std::collections::BTreeSet;
use std::time::Duration;

/// Between a pulse and the glitches behind it.
const GUARD_NS: u64 = 1_000_000;
/// Streams of one input: its own, and one for each of its faults.
const STREAMS_PER_INPUT: u64 = 1 << 16;

/// What a fault does to an input.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum InputKind {
    /// Short pulses that nobody meant, `every` so often on the average.
    Glitch { every: Duration, widths: Vec<Width> },
    /// Each edge is up to `most` further pulses, all of them `within` a time.
    Bounce { most: u32, within: Duration },
    /// It changes by itself, `every` so often.
    Chatter { moments: Moments, every: Duration },
    /// A share of the pulses never comes.
    Missed { share: f64 },
    /// At a share of the edges the kernel's buffer runs over, and up to `most` are lost.
    LostEdges { share: f64, most: u32 },
    /// It stays as it is.
    Stuck,
    /// It is active while a fault of this name lasts elsewhere, which it marks.
    Held(&'static str),
}

/// A class of widths.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Width {
    pub(crate) from: Duration,
    pub(crate) to: Duration,
    /// How often, beside the others.
    pub(crate) weight: f64,
}

impl InputKind {
    /// The word in plan and log.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Glitch { .. } => "glitch",
            Self::Bounce { .. } => "bounce",
            Self::Chatter { .. } => "chatter",
            Self::Missed { .. } => "missed",
            Self::LostEdges { .. } => "lost-edges",
            Self::Stuck => "stuck",
            Self::Held(fault) => fault,
        }
    }
}

/// Something that is played, at its instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Played {
    pub(super) at_ns: u64,
    pub(super) what: What,
}

/// What is played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A pulse was meant.
    Pulse {
        number: u64,
        until_ns: u64,
        fault: Option<&'static str>,
    },
    Edge {
        rising: bool,
    },
    /// So many edges were lost before the next one, which is at this instant.
    Lost {
        count: u32,
    },
    /// A fault lasts; so many changes of it.
    Fault {
        fault: &'static str,
        until_ns: u64,
        changes: Option<u64>,
    },
}

/// A fault and its draws.
#[derive(Debug)]
struct Live {
    kind: InputKind,
    span: Span,
    noise: Noise,
}

impl Live {
    fn is_stuck(&self, at_ns: u64) -> bool {
        self.kind == InputKind::Stuck && self.span.lasts(at_ns)
    }
}

/// The course of one input, drawn by cells of one period.
#[derive(Debug)]
pub(super) struct Wave {
    input: Input,
    faults: Vec<Live>,
    noise: Noise,
    /// Where the next cell begins.
    begins_ns: u64,
    played_ns: u64,
    /// Instants at which the contact changes.
    toggles: BTreeSet<u64>,
    meant: u64,
    /// How the contact is.
    closed: bool,
    /// How the line stands.
    shown: bool,
    /// Edges that are still to be lost.
    overrun: u32,
    /// Those that were since the last one that was not.
    lost: u32,
}

impl Wave {
    pub(super) fn new(
        line: usize,
        input: &Input,
        faults: &[Ordered<InputKind>],
        seed: u64,
        ready_ns: u64,
    ) -> Self {
        let first = u64::try_from(line).unwrap_or(u64::MAX);
        let first = STREAMS.saturating_add(first.saturating_mul(STREAMS_PER_INPUT));
        let mine = faults.iter().filter(|fault| fault.place == line);
        let faults = (1..).zip(mine).map(|(number, fault): (u64, _)| Live {
            kind: fault.kind.clone(),
            span: Span::of(fault, ready_ns),
            noise: Noise::new(!seed, first.saturating_add(number)),
        });
        Self {
            input: input.clone(),
            faults: faults.collect(),
            noise: Noise::new(!seed, first),
            begins_ns: ready_ns,
            played_ns: ready_ns,
            toggles: BTreeSet::new(),
            meant: 0,
            closed: false,
            shown: false,
            overrun: 0,
            lost: 0,
        }
    }

    /// What is played up to an instant, in order.
    pub(super) fn play(&mut self, until_ns: u64) -> Vec<Played> {
        let mut out = Vec::new();
        while self.begins_ns < until_ns {
            self.draw(&mut out);
        }
        let from_ns = std::mem::replace(&mut self.played_ns, until_ns);
        let mut looks = BTreeSet::new();
        for fault in self
            .faults
            .iter()
            .filter(|one| one.kind == InputKind::Stuck)
        {
            if (from_ns..until_ns).contains(&fault.span.from_ns) {
                out.push(Played {
                    at_ns: fault.span.from_ns,
                    what: What::Fault {
                        fault: fault.kind.name(),
                        until_ns: fault.span.until_ns,
                        changes: None,
                    },
                });
            }
            looks.extend(Some(fault.span.until_ns).filter(|at| (from_ns..until_ns).contains(at)));
        }
        let later = self.toggles.split_off(&until_ns);
        let toggles = std::mem::replace(&mut self.toggles, later);
        looks.extend(&toggles);
        for at_ns in looks {
            self.closed ^= toggles.contains(&at_ns);
            let stuck = self.faults.iter().any(|fault| fault.is_stuck(at_ns));
            if !stuck && self.closed != self.shown {
                self.shown = self.closed;
                self.edge(at_ns, &mut out);
            }
        }
        out.sort_by_key(|played| played.at_ns);
        out
    }

    /// An edge comes to the card, or is lost on its way.
    fn edge(&mut self, at_ns: u64, out: &mut Vec<Played>) {
        for fault in self
            .faults
            .iter_mut()
            .filter(|fault| fault.span.lasts(at_ns))
        {
            if let InputKind::LostEdges { share, most } = fault.kind
                && self.overrun == 0
                && fault.noise.chance(share)
            {
                self.overrun = 1 + fault.noise.below(most);
            }
        }
        if let Some(left) = self.overrun.checked_sub(1) {
            self.overrun = left;
            self.lost = self.lost.saturating_add(1);
            return;
        }
        let count = std::mem::take(&mut self.lost);
        if count > 0 {
            let what = What::Lost { count };
            out.push(Played { at_ns, what });
        }
        let rising = self.shown;
        let what = What::Edge { rising };
        out.push(Played { at_ns, what });
    }

    /// Draws the next cell: its pulse, then what each fault adds.
    fn draw(&mut self, out: &mut Vec<Played>) {
        let begins_ns = self.begins_ns;
        let ends_ns = after(begins_ns, self.input.period);
        self.begins_ns = ends_ns;
        let mut idle_ns = begins_ns;
        if !self.input.width.is_zero() {
            let rest = self.input.period.saturating_sub(self.input.width);
            let late_ns = self.noise.within(nanos(rest.mul_f64(self.input.jitter)));
            let at_ns = begins_ns.saturating_add(late_ns);
            let until_ns = after(at_ns, self.input.width);
            idle_ns = until_ns.saturating_add(GUARD_NS);
            self.meant += 1;
            let fault = self.pulse(at_ns, until_ns);
            let number = self.meant;
            out.push(Played {
                at_ns,
                what: What::Pulse {
                    number,
                    until_ns,
                    fault,
                },
            });
        }
        let cell = Cell {
            begins_ns,
            idle_ns,
            ends_ns,
        };
        let added = self.faults.iter_mut().flat_map(|fault| match &fault.kind {
            InputKind::Glitch { .. } => fault.glitches(cell),
            InputKind::Chatter { .. } => fault.chatter(cell, out),
            InputKind::Held(_) => fault.held(cell, out),
            InputKind::Bounce { .. }
            | InputKind::Missed { .. }
            | InputKind::LostEdges { .. }
            | InputKind::Stuck => Vec::new(),
        });
        let added: Vec<u64> = added.collect();
        added.into_iter().for_each(|at_ns| self.toggle(at_ns));
    }

    /// A pulse, with its bounces; the fault for which it never comes.
    fn pulse(&mut self, at_ns: u64, until_ns: u64) -> Option<&'static str> {
        let mut faults = self.faults.iter_mut();
        let missed = faults.find_map(|fault| match fault.kind {
            InputKind::Missed { share } if fault.span.lasts(at_ns) => {
                fault.noise.chance(share).then(|| fault.kind.name())
            }
            _ => None,
        });
        if missed.is_some() {
            return missed;
        }
        for edge_ns in [at_ns, until_ns] {
            self.toggle(edge_ns);
            let bounces = self.faults.iter_mut();
            let bounces: Vec<u64> = bounces.flat_map(|fault| fault.bounces(edge_ns)).collect();
            bounces.into_iter().for_each(|at_ns| self.toggle(at_ns));
        }
        let stuck = self.faults.iter().find(|fault| fault.is_stuck(at_ns));
        stuck.map(|fault| fault.kind.name())
    }

    /// The contact changes; twice at one instant is nothing.
    fn toggle(&mut self, at_ns: u64) {
        if !self.toggles.remove(&at_ns) {
            self.toggles.insert(at_ns);
        }
    }
}

/// A span for which all is drawn at once.
#[derive(Clone, Copy, Debug)]
struct Cell {
    begins_ns: u64,
    /// Behind its pulse.
    idle_ns: u64,
    ends_ns: u64,
}

impl Live {
    /// An even number of changes behind an edge.
    fn bounces(&mut self, edge_ns: u64) -> Vec<u64> {
        let InputKind::Bounce { most, within } = self.kind else {
            return Vec::new();
        };
        if !self.span.lasts(edge_ns) {
            return Vec::new();
        }
        let changes = 2 * (1 + u64::from(self.noise.below(most)));
        let gap_ns = (nanos(within) / changes).max(1);
        let mut at_ns = edge_ns;
        let step = |_| {
            at_ns = at_ns.saturating_add(1 + self.noise.within(gap_ns));
            at_ns
        };
        (0..changes).map(step).collect()
    }

    /// Glitches in the idle part of a cell, each in a slot of its own, of which it takes half at the most.
    fn glitches(&mut self, cell: Cell) -> Vec<u64> {
        let InputKind::Glitch { every, widths } = &self.kind else {
            return Vec::new();
        };
        let (span_ns, every_ns) = (cell.ends_ns - cell.begins_ns, nanos(*every).max(1));
        let part = self.noise.within(every_ns) < span_ns % every_ns;
        let count = span_ns / every_ns + u64::from(part);
        let idle_ns = cell.ends_ns.saturating_sub(cell.idle_ns);
        let slot_ns = idle_ns.checked_div(count).unwrap_or_default();
        let all: f64 = widths.iter().map(|width| width.weight).sum();
        let mut toggles = Vec::new();
        for number in 0..count {
            let mut drawn = self.noise.share() * all;
            let class = widths.iter().find(|width| {
                drawn -= width.weight;
                drawn < 0.0
            });
            let Some(class) = class.or(widths.last()) else {
                continue;
            };
            let span_ns = nanos(class.to.saturating_sub(class.from));
            let width_ns = nanos(class.from).saturating_add(self.noise.within(span_ns));
            let width_ns = width_ns.min(slot_ns / 2);
            let late_ns = self.noise.within(slot_ns / 2);
            let at_ns = cell.idle_ns.saturating_add(number.saturating_mul(slot_ns));
            let at_ns = at_ns.saturating_add(late_ns);
            if self.span.lasts(at_ns) && width_ns > 0 {
                toggles.extend([at_ns, at_ns.saturating_add(width_ns)]);
            }
        }
        toggles
    }

    /// Both ends of what it marks, where they are in a cell.
    fn held(&self, cell: Cell, out: &mut Vec<Played>) -> Vec<u64> {
        let cell = cell.begins_ns..cell.ends_ns;
        if cell.contains(&self.span.from_ns) {
            out.push(Played {
                at_ns: self.span.from_ns,
                what: What::Fault {
                    fault: self.kind.name(),
                    until_ns: self.span.until_ns,
                    changes: None,
                },
            });
        }
        let ends = [self.span.from_ns, self.span.until_ns].into_iter();
        ends.filter(|end_ns| cell.contains(end_ns)).collect()
    }

    /// The bursts that begin in a cell.
    fn chatter(&mut self, cell: Cell, out: &mut Vec<Played>) -> Vec<u64> {
        let InputKind::Chatter { moments, every } = &self.kind else {
            return Vec::new();
        };
        let every_ns = nanos(*every).max(2);
        let mut toggles = Vec::new();
        let mut behind_ns = cell.begins_ns.saturating_sub(1);
        while let Some(begun_ns) = moments.next(self.span.from_ns, behind_ns) {
            if begun_ns >= cell.ends_ns || !self.span.lasts(begun_ns) {
                break;
            }
            behind_ns = begun_ns;
            let ends_ns = moments.end(self.span.from_ns, begun_ns).unwrap_or(begun_ns);
            let (mut at_ns, before) = (begun_ns, toggles.len());
            while at_ns < ends_ns {
                toggles.push(at_ns);
                let step_ns = every_ns / 2 + self.noise.within(every_ns);
                at_ns = at_ns.saturating_add(step_ns);
            }
            if (toggles.len() - before) % 2 == 1 {
                toggles.push(ends_ns);
            }
            let what = What::Fault {
                fault: self.kind.name(),
                until_ns: ends_ns,
                changes: u64::try_from(toggles.len() - before).ok(),
            };
            let at_ns = begun_ns;
            out.push(Played { at_ns, what });
        }
        toggles
    }
}

#[cfg(test)]
mod tests;
