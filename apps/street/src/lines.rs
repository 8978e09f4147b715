//! What a line does to whatever is said on it, whosever it is: it rings, chatters, is struck by bursts, loses its supply.

mod droop;
mod moments;
mod ringing;

pub(crate) use droop::Droop;
pub(crate) use moments::Moments;

use crate::clock::after;
use crate::noise::Noise;
use crate::site::Site;
use droop::Turnaround;
use std::time::Duration;

/// Groups of characters that nobody sent are no longer than this: shorter than any frame.
const STRAY_BYTES_MAX: u32 = 3;
/// What a line without bias is read as: runs of one level, cut anywhere.
const FLOATING: [u8; 7] = [0x00, 0x80, 0xC0, 0xE0, 0xF8, 0xFE, 0xFF];
/// From one piece of garbage in a burst to the next, at least, so that a master sees silences to ask in; and so much
/// more at the most.
const GARBAGE_GAP_MS: u64 = 30;
const GARBAGE_GAP_MORE_MS: u32 = 60;
/// Share of what lies wholly inside a burst that is swallowed.
const SWALLOWED: f64 = 0.25;
/// An acknowledgement of an M-Bus: no garbage is taken for one.
const ACK: u8 = 0xE5;
/// Streams of draws of a line's faults begin here, apart from those of meters.
const STREAMS: u64 = 1 << 32;

/// What a fault does to a line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LineKind {
    /// The end of the line has no terminator.
    Termination { severity: f64, baud: u32 },
    /// Nothing holds the idle line: characters come `every` so often on the average, and before a share of the replies.
    BiasChatter { every: Duration, share: f64 },
    /// Bursts of something that is switched.
    CommonMode(Moments),
    /// The supply falls beyond a place on the line.
    Droop(Droop),
}

impl LineKind {
    /// The word in plan and log.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Termination { .. } => "termination",
            Self::BiasChatter { .. } => "bias-chatter",
            Self::CommonMode(_) => "common-mode",
            Self::Droop(droop) => droop.name,
        }
    }
}

/// A fault of one line.
#[derive(Clone, Debug)]
pub(crate) struct LineFault {
    /// Index into [`Site::ports`].
    pub(crate) port: usize,
    pub(crate) kind: LineKind,
    /// Counted from readiness.
    pub(crate) from: Duration,
    /// `None`: for good.
    pub(crate) until: Option<Duration>,
}

/// Something that a line does by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stray {
    /// Index into [`Site::ports`].
    pub(crate) port: usize,
    pub(crate) fault: &'static str,
    /// Characters that nobody sent; none where there is only something to tell.
    pub(crate) bytes: Vec<u8>,
    /// Of a meter.
    pub(crate) meter: Option<usize>,
    pub(crate) reason: &'static str,
}

/// Something that is said on a line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spoken<'a> {
    /// Index into [`Site::ports`].
    pub(crate) port: usize,
    /// Index into [`Site::meters`] of the meter that speaks or is spoken to.
    pub(crate) meter: usize,
    /// When its first character is on the line.
    pub(crate) at_ns: u64,
    /// From character to character; 0 on a line whose frames come at once.
    pub(crate) character_ns: u64,
    pub(crate) bytes: &'a [u8],
}

/// What becomes of it on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Sound,
    /// Other bytes arrive.
    Damaged {
        fault: &'static str,
        bytes: Vec<u8>,
    },
    /// Nothing arrives.
    Lost {
        fault: &'static str,
        reason: &'static str,
    },
    /// These characters come before it, and a silence between.
    Behind(Stray),
}

/// A fault, its draws, and when it does something by itself.
#[derive(Debug)]
struct Live {
    fault: LineFault,
    from_ns: u64,
    until_ns: u64,
    /// For what comes by itself.
    idle: Noise,
    /// For what is said.
    ways: Noise,
    next_ns: Option<u64>,
    in_burst: bool,
    turns: Vec<Turnaround>,
}

/// Where a meter sits on its line.
#[derive(Clone, Copy, Debug)]
struct Distance {
    /// From 1, the nearest.
    place: usize,
    of: usize,
}

/// The lines of a street.
#[derive(Debug)]
pub(crate) struct Lines {
    live: Vec<Live>,
    /// By index into [`Site::meters`].
    distances: Vec<Distance>,
}

impl Lines {
    /// Lines whose faults count from `ready_ns`.
    pub(crate) fn new(faults: Vec<LineFault>, seed: u64, site: &Site, ready_ns: u64) -> Self {
        let distance = |at: usize| {
            let port = site.meters.get(at).map(|place| place.port);
            let places = site.meters.iter().enumerate();
            let on_port = places.filter(|(_, place)| Some(place.port) == port);
            let on_port: Vec<usize> = on_port.map(|(other, _)| other).collect();
            Distance {
                place: on_port.iter().filter(|other| **other <= at).count(),
                of: on_port.len(),
            }
        };
        let distances: Vec<Distance> = (0..site.meters.len()).map(distance).collect();
        let live = (0..).zip(faults).map(|(number, fault): (u64, LineFault)| {
            let from_ns = after(ready_ns, fault.from);
            let until_ns = fault.until.map_or(u64::MAX, |until| after(ready_ns, until));
            let turns = match &fault.kind {
                LineKind::Droop(droop) => {
                    let meters = site.meters.iter().zip(&distances).enumerate();
                    let meters = meters.filter(|(_, (place, _))| place.port == fault.port);
                    let meters = meters.map(|(at, (_, distance))| (at, distance.place));
                    droop.turns(from_ns, until_ns, meters)
                }
                _ => Vec::new(),
            };
            let mut live = Live {
                idle: Noise::new(!seed, STREAMS + 2 * number),
                ways: Noise::new(!seed, STREAMS + 2 * number + 1),
                next_ns: None,
                in_burst: false,
                fault,
                from_ns,
                until_ns,
                turns,
            };
            live.next_ns = live.begins();
            live
        });
        Self {
            live: live.collect(),
            distances,
        }
    }

    /// When a line next does something by itself.
    pub(crate) fn next_due_ns(&self) -> Option<u64> {
        self.live.iter().filter_map(|live| live.next_ns).min()
    }

    /// What lines have done by themselves by now.
    pub(crate) fn strays(&mut self, now_ns: u64) -> Vec<Stray> {
        let mut strays = Vec::new();
        for live in &mut self.live {
            while let Some(due_ns) = live.next_ns.filter(|due_ns| *due_ns <= now_ns) {
                live.act(due_ns, now_ns, &mut strays);
            }
        }
        strays
    }

    /// Whether a request does not arrive: fault and reason.
    pub(crate) fn request(&mut self, spoken: Spoken<'_>) -> Option<(&'static str, &'static str)> {
        match self.way(spoken, false) {
            Way::Lost { fault, reason } => Some((fault, reason)),
            Way::Damaged { fault, .. } => Some((fault, "the request was damaged on its way")),
            Way::Sound | Way::Behind(_) => None,
        }
    }

    /// What arrives of a reply.
    pub(crate) fn reply(&mut self, spoken: Spoken<'_>) -> Way {
        self.way(spoken, true)
    }

    /// Whether a meter has no power.
    pub(crate) fn is_down(&self, meter: usize, at_ns: u64) -> bool {
        let mut live = self.live.iter();
        live.any(|live| droop::is_down(&live.turns, meter, at_ns))
    }

    /// The first fault of the plan that strikes what is said.
    fn way(&mut self, spoken: Spoken<'_>, reply: bool) -> Way {
        let distance = self.distances.get(spoken.meter).copied();
        let distance = distance.unwrap_or(Distance { place: 1, of: 1 });
        let of_port = |live: &&mut Live| live.fault.port == spoken.port;
        let mut ways = self.live.iter_mut().filter(of_port);
        let struck = ways.find_map(|live| live.strike(spoken, distance, reply));
        struck.unwrap_or(Way::Sound)
    }
}

impl Live {
    fn lasts(&self, at_ns: u64) -> bool {
        (self.from_ns..self.until_ns).contains(&at_ns)
    }

    /// When it does something for the first time.
    fn begins(&mut self) -> Option<u64> {
        match &self.fault.kind {
            LineKind::Termination { .. } => None,
            LineKind::BiasChatter { every, .. } => {
                let every = *every;
                Some(self.later(self.from_ns, every))
            }
            LineKind::CommonMode(moments) => {
                moments.next(self.from_ns, self.from_ns.saturating_sub(1))
            }
            LineKind::Droop(_) => self.turns.first().map(|turn| turn.at_ns),
        }
        .filter(|due_ns| self.lasts(*due_ns))
    }

    /// An instant behind `at_ns`: anywhere up to twice the mean.
    fn later(&mut self, at_ns: u64, mean: Duration) -> u64 {
        let mean_ms = u32::try_from(mean.as_millis())
            .unwrap_or(u32::MAX / 2)
            .max(1);
        let wait_ms = 1 + u64::from(self.idle.below(mean_ms.saturating_mul(2)));
        after(at_ns, Duration::from_millis(wait_ms))
    }

    /// Does what is due, and sets when it is next.
    fn act(&mut self, due_ns: u64, now_ns: u64, strays: &mut Vec<Stray>) {
        let stray = |bytes: Vec<u8>, meter, reason| Stray {
            port: self.fault.port,
            fault: self.fault.kind.name(),
            bytes,
            meter,
            reason,
        };
        match &self.fault.kind {
            LineKind::Termination { .. } => self.next_ns = None,
            LineKind::BiasChatter { every, .. } => {
                let every = *every;
                strays.push(stray(floating(&mut self.idle), None, "an idle line"));
                let next_ns = self.later(now_ns, every);
                self.next_ns = Some(next_ns).filter(|next_ns| self.lasts(*next_ns));
            }
            LineKind::CommonMode(moments) => {
                let end_ns = moments
                    .end(self.from_ns, now_ns)
                    .filter(|_| self.lasts(now_ns));
                let begun = std::mem::replace(&mut self.in_burst, end_ns.is_some());
                let next_ns = moments.next(self.from_ns, now_ns);
                let next_ns = next_ns.filter(|next_ns| self.lasts(*next_ns));
                let Some(end_ns) = end_ns else {
                    if begun {
                        strays.push(stray(Vec::new(), None, "a burst is over"));
                    }
                    self.next_ns = next_ns;
                    return;
                };
                if !begun {
                    strays.push(stray(Vec::new(), None, "a burst begins"));
                }
                strays.push(stray(garbage(&mut self.idle), None, "a burst"));
                let gap_ms = GARBAGE_GAP_MS + u64::from(self.idle.below(GARBAGE_GAP_MORE_MS));
                let gap_ns = after(now_ns, Duration::from_millis(gap_ms));
                self.next_ns = Some(gap_ns.min(end_ns));
            }
            LineKind::Droop(_) => {
                let turns = self.turns.iter().filter(|turn| turn.at_ns == due_ns);
                strays.extend(turns.map(|turn| {
                    let reason = if turn.down {
                        "its supply fell"
                    } else {
                        "it has power again"
                    };
                    stray(Vec::new(), Some(turn.meter), reason)
                }));
                let later = self.turns.iter().map(|turn| turn.at_ns);
                self.next_ns = later.filter(|at_ns| *at_ns > due_ns).min();
            }
        }
    }

    /// What it does to something that is said.
    fn strike(&mut self, spoken: Spoken<'_>, distance: Distance, reply: bool) -> Option<Way> {
        let fault = self.fault.kind.name();
        if let LineKind::Droop(_) = self.fault.kind {
            let down = droop::is_down(&self.turns, spoken.meter, spoken.at_ns);
            let reason = "the meter is without power";
            return down.then_some(Way::Lost { fault, reason });
        }
        if let LineKind::CommonMode(moments) = &self.fault.kind {
            let ends = (0..).take(spoken.bytes.len()).map(|place: u64| {
                let at_ns = spoken
                    .at_ns
                    .saturating_add(place.saturating_mul(spoken.character_ns));
                let inside = (self.from_ns..self.until_ns).contains(&at_ns);
                inside && moments.end(self.from_ns, at_ns).is_some()
            });
            let struck: Vec<bool> = ends.collect();
            return burst(spoken.bytes, &struck, &mut self.ways);
        }
        if !self.lasts(spoken.at_ns) {
            return None;
        }
        match self.fault.kind {
            LineKind::Termination { severity, baud } => {
                let share = ringing::share(severity, distance.place, distance.of, baud);
                let rings = self.ways.chance(share);
                rings.then(|| Way::Damaged {
                    fault,
                    bytes: ringing::ring(spoken.bytes, &mut self.ways),
                })
            }
            LineKind::BiasChatter { share, .. } if reply => {
                if !self.ways.chance(share) {
                    return None;
                }
                let before = floating(&mut self.ways);
                if self.ways.chance(0.5) {
                    let bytes = [before, spoken.bytes.to_vec()].concat();
                    return Some(Way::Damaged { fault, bytes });
                }
                Some(Way::Behind(Stray {
                    port: spoken.port,
                    fault,
                    bytes: before,
                    meter: None,
                    reason: "the turnaround",
                }))
            }
            _ => None,
        }
    }
}

/// What a burst leaves of a frame of which it strikes these characters.
fn burst(bytes: &[u8], struck: &[bool], noise: &mut Noise) -> Option<Way> {
    let fault = "common-mode";
    if !struck.contains(&true) {
        return None;
    }
    if !struck.contains(&false) && noise.chance(SWALLOWED) {
        let reason = "swallowed by a burst";
        return Some(Way::Lost { fault, reason });
    }
    let pairs = bytes.iter().zip(struck);
    let mut bytes: Vec<u8> = pairs
        .map(|(byte, struck)| match *struck && noise.chance(0.5) {
            true => byte ^ noise_byte(noise),
            false => *byte,
        })
        .collect();
    let first = struck.iter().position(|struck| *struck);
    ringing::break_check(&mut bytes, first.unwrap_or_default());
    Some(Way::Damaged { fault, bytes })
}

/// A byte that changes whatever it is laid over.
fn noise_byte(noise: &mut Noise) -> u8 {
    u8::try_from(1 + noise.below(255)).unwrap_or(1)
}

fn floating(noise: &mut Noise) -> Vec<u8> {
    let count = 1 + noise.below(STRAY_BYTES_MAX);
    let levels = u32::try_from(FLOATING.len()).unwrap_or(1);
    let byte = |_| {
        let at = usize::try_from(noise.below(levels)).unwrap_or_default();
        FLOATING.get(at).copied().unwrap_or_default()
    };
    (0..count).map(byte).collect()
}

fn garbage(noise: &mut Noise) -> Vec<u8> {
    let count = 1 + noise.below(STRAY_BYTES_MAX);
    let bytes = (0..count).map(|_| noise_byte(noise));
    let bytes = bytes.map(|byte| if byte == ACK { !ACK } else { byte });
    bytes.collect()
}

#[cfg(test)]
mod tests;
