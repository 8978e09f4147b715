//! One line of a card: its filter, the kernel's numbers, what it counted, and whose line it is.

use super::condition::Condition;
use super::filter::Filter;
use super::gate::Gate;
use super::width::Widths;
use contract::{Active, Debounce, DigitalInput, PulseMeter, WireFault};
use evidence::reasons::{CountBasis, EdgeLossCause, FieldMarker};
use evidence::{MonoNs, PointId, Quality};

/// Whose line it is.
#[derive(Debug)]
pub(super) enum Role {
    /// A digital input.
    Input(Input),
    /// It says of the input on that line whether its wire is at fault.
    Fault { of: usize, fault: WireFault },
    /// A pulse meter.
    Pulse(Pulse),
}

/// A digital input.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) condition: Condition,
    pub(super) chatter: Gate,
    pub(super) noise: Gate,
    /// Active or not; `None` while nothing is known.
    pub(super) state: Option<bool>,
    /// Since when.
    pub(super) since: MonoNs,
    /// What was told last.
    pub(super) quality: Quality,
    /// Changes that have no record, and why.
    pub(super) untold: Option<(u64, EdgeLossCause)>,
    pub(super) told: u64,
    pub(super) suppressed: u64,
    /// What it marks, and how often it was set.
    pub(super) marker: Option<FieldMarker>,
    pub(super) set: u64,
}

/// A pulse meter.
#[derive(Debug)]
pub(super) struct Pulse {
    pub(super) meter: PulseMeter,
    pub(super) schedule: usize,
    pub(super) count: u64,
    pub(super) basis: CountBasis,
    pub(super) pulse_at: Option<MonoNs>,
    /// Since the snapshot before.
    pub(super) suspect: u64,
    pub(super) suspect_ever: u64,
    pub(super) overflows: u64,
    /// The count board is behind.
    pub(super) moved: bool,
    /// Whatever is counted is played, or people work on it.
    pub(super) test: bool,
}

/// A line.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) number: u32,
    pub(super) point: PointId,
    pub(super) policy: PointId,
    pub(super) window_us: u64,
    active: Active,
    pub(super) filter: Filter,
    pub(super) role: Role,
    /// The kernel's number of the newest edge; `None` before the first of an opening.
    seqno: Option<u32>,
    pub(super) edges: u64,
    pub(super) confirmed: u64,
    pub(super) rejected: u64,
    pub(super) lost: u64,
    /// Records for which the queue had no room; what they said is told later, or counted in the line's counters.
    pub(super) dropped: u64,
    pub(super) widths: Widths,
}

impl Line {
    fn new(number: u32, point: &PointId, policy: &Debounce, active: Active, role: Role) -> Self {
        Self {
            number,
            point: point.clone(),
            policy: policy.id.clone(),
            window_us: policy.window_us,
            active,
            filter: Filter::new(policy.window_us.saturating_mul(1_000)),
            role,
            seqno: None,
            edges: 0,
            confirmed: 0,
            rejected: 0,
            lost: 0,
            dropped: 0,
            widths: Widths::default(),
        }
    }

    pub(super) fn input(input: &DigitalInput, policy: &Debounce, test: bool) -> Self {
        let time_ms = policy.chatter_time_ms;
        let condition = Condition {
            test,
            ..Condition::default()
        };
        let role = Role::Input(Input {
            condition,
            chatter: Gate::new(policy.chatter_on, policy.chatter_off, time_ms),
            noise: Gate::new(policy.noise, policy.noise / 2, time_ms),
            state: None,
            since: MonoNs(0),
            quality: condition.row().quality,
            untold: None,
            told: 0,
            suppressed: 0,
            marker: input.marker,
            set: 0,
        });
        Self::new(input.line, &input.id, policy, input.active, role)
    }

    /// The supervising line of the input at a place; active high.
    pub(super) fn fault(number: u32, input: &DigitalInput, policy: &Debounce, of: usize) -> Self {
        let fault = input.fault;
        let role = Role::Fault { of, fault };
        Self::new(number, &input.id, policy, Active::High, role)
    }

    pub(super) fn pulse(
        meter: &PulseMeter,
        policy: &Debounce,
        schedule: usize,
        (count, basis): (u64, CountBasis),
        test: bool,
    ) -> Self {
        let suspect = u64::from(basis != CountBasis::Fresh);
        let role = Role::Pulse(Pulse {
            meter: meter.clone(),
            schedule,
            count,
            basis,
            pulse_at: None,
            test,
            suspect,
            suspect_ever: suspect,
            overflows: 0,
            moved: false,
        });
        Self::new(meter.line, &meter.id, policy, meter.active, role)
    }

    /// Whether a level is the active one.
    pub(super) fn is_active(&self, high: bool) -> bool {
        high == (self.active == Active::High)
    }

    /// The card was opened.
    pub(super) fn opened(&mut self, at: MonoNs, high: bool) {
        self.seqno = None;
        self.filter.level(at, high);
    }

    /// How many edges the kernel had before this one and lost.
    pub(super) fn missing(&mut self, seqno: u32) -> u64 {
        // The first edge behind an opening has number 1.
        let before = self.seqno.replace(seqno).unwrap_or(0);
        let step = seqno.wrapping_sub(before);
        // A number that stands still or goes back is no loss that could be counted.
        if (1..=u32::MAX / 2).contains(&step) {
            u64::from(step - 1)
        } else {
            0
        }
    }
}

impl Pulse {
    /// Pulses may have been missed.
    pub(super) fn suspect(&mut self, count: u64) {
        self.suspect = self.suspect.saturating_add(count);
        self.suspect_ever = self.suspect_ever.saturating_add(count);
    }
}

impl Input {
    /// A change has no record of its own.
    pub(super) fn untold(&mut self, why: EdgeLossCause) {
        let count = self.untold.map_or(0, |(count, _)| count);
        self.untold = Some((count + 1, why));
        self.suppressed += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::Line;
    use contract::{Active, Bias, Debounce, DigitalInput, WireFault};
    use evidence::MonoNs;

    //= A3.3
    #[test]
    fn the_kernels_numbers_tell_how_many_edges_are_missing_also_where_they_wrap() {
        let input = DigitalInput {
            id: "door".parse().unwrap(),
            card: "dio".parse().unwrap(),
            line: 4,
            active: Active::Low,
            bias: Bias::AsIs,
            policy: "contact".parse().unwrap(),
            fault_line: None,
            fault: WireFault::Short,
            name: std::string::String::new(),
            marker: None,
        };
        let policy = Debounce {
            id: "contact".parse().unwrap(),
            window_us: 0,
            hardware_us: 0,
            chatter_on: 0,
            chatter_off: 0,
            chatter_time_ms: 1_000,
            noise: 0,
        };
        let mut line = Line::input(&input, &policy, false);
        let mut check = |seqnos: &[u32], missing: &[u64]| {
            line.opened(MonoNs(0), false);
            let found = seqnos.iter().map(|seqno| line.missing(*seqno));
            assert_eq!(found.collect::<std::vec::Vec<_>>(), missing, "{seqnos:?}");
        };
        check(&[1, 2, 5, 5, 6], &[0, 0, 2, 0, 0]);
        check(&[4], &[3]);
        check(
            &[u32::MAX / 2, u32::MAX - 1, 2],
            &[u64::from(u32::MAX / 2) - 1, u64::from(u32::MAX / 2 - 1), 3],
        );
        assert!(line.is_active(false));
    }
}
