//! The course of a number: a triangle, and what faults make of it.

use super::remote::Place;
use super::{Ordered, STREAMS, Span};
use crate::clock::nanos;
use crate::noise::Noise;
use modbus::pdu::ExceptionCode;
use modbus::server::RegisterTable;
use std::time::Duration;

/// Streams of numbers, apart from those of inputs.
const STREAMS_OF_COURSES: u64 = STREAMS << 1;
const STREAMS_PER_COURSE: u64 = 1 << 16;

/// An analog input of a device.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Analog {
    pub(crate) name: String,
    pub(crate) place: Place<RegisterTable>,
    pub(crate) swing: Swing,
}

/// A triangle: around `mean`, `swing` to either side, once in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Swing {
    pub(crate) mean: i64,
    pub(crate) swing: i64,
    pub(crate) period: Duration,
}

impl Swing {
    /// So long after it began, at the mean and rising.
    pub(crate) fn at(&self, running_ns: u64) -> i64 {
        let period = i128::from(nanos(self.period).max(4));
        let phase = (i128::from(running_ns) + period / 4).rem_euclid(period);
        // From -1 up to 1 and back, in quarters of a period.
        let way = (4 * (phase - period / 2).abs() - period).saturating_neg();
        let moved = i128::from(self.swing) * way / period;
        self.mean
            .saturating_add(i64::try_from(moved).unwrap_or_default())
    }
}

/// What a fault does to an analog input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnalogKind {
    /// It reads this, below its live zero.
    OpenWire(i64),
    /// It reads this, beyond all that can be.
    OutOfRange(i64),
    /// It reads up to so much too high or too low.
    Noise(i64),
    /// It reads so much more.
    Jump(i64),
    /// It reads what it read first.
    Frozen,
    /// It is refused with this code.
    Refused(u8),
}

impl AnalogKind {
    /// The word in plan and log.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::OpenWire(_) => "open-wire",
            Self::OutOfRange(_) => "out-of-range",
            Self::Noise(_) => "noise",
            Self::Jump(_) => "jump",
            Self::Frozen => "stuck",
            Self::Refused(_) => "refused",
        }
    }
}

/// The course of one analog input.
#[derive(Debug)]
pub(super) struct Course {
    analog: Analog,
    faults: Vec<(AnalogKind, Span)>,
    noise: Noise,
    ready_ns: u64,
}

impl Course {
    pub(super) fn new(
        place: usize,
        analog: &Analog,
        faults: &[Ordered<AnalogKind>],
        seed: u64,
        ready_ns: u64,
    ) -> Self {
        let mine = faults.iter().filter(|fault| fault.place == place);
        let number = u64::try_from(place).unwrap_or_default();
        let stream = STREAMS_OF_COURSES + number * STREAMS_PER_COURSE;
        Self {
            analog: analog.clone(),
            faults: mine
                .map(|fault| (fault.kind, Span::of(fault, ready_ns)))
                .collect(),
            noise: Noise::new(!seed, stream),
            ready_ns,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.analog.name
    }

    pub(super) const fn place(&self) -> Place<RegisterTable> {
        self.analog.place
    }

    /// What a read finds, and the fault that strikes it: the first of the plan.
    pub(super) fn at(&mut self, at_ns: u64) -> (Result<i64, ExceptionCode>, Option<&'static str>) {
        let mut faults = self.faults.iter().filter(|(_, span)| span.lasts(at_ns));
        let fault = faults.next().map(|(kind, span)| (*kind, *span));
        let meant = |at_ns: u64| self.analog.swing.at(at_ns.saturating_sub(self.ready_ns));
        let raw = match fault {
            None => Ok(meant(at_ns)),
            Some((AnalogKind::OpenWire(raw) | AnalogKind::OutOfRange(raw), _)) => Ok(raw),
            Some((AnalogKind::Noise(by), _)) => {
                let span = by.unsigned_abs().saturating_mul(2).saturating_add(1);
                let off = i64::try_from(self.noise.within(span)).unwrap_or_default() - by;
                Ok(meant(at_ns).saturating_add(off))
            }
            Some((AnalogKind::Jump(by), _)) => Ok(meant(at_ns).saturating_add(by)),
            Some((AnalogKind::Frozen, span)) => Ok(meant(span.from_ns)),
            Some((AnalogKind::Refused(code), _)) => Err(ExceptionCode::from_code(code)),
        };
        (raw, fault.map(|(kind, _)| kind.name()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Analog, AnalogKind, Course, Swing};
    use crate::points::Ordered;
    use crate::points::remote::Place;
    use modbus::pdu::ExceptionCode;
    use modbus::server::RegisterTable;
    use std::time::Duration;

    const S: u64 = 1_000_000_000;

    fn analog() -> Analog {
        Analog {
            name: "level".to_owned(),
            place: Place {
                device: 0,
                table: RegisterTable::Input,
                address: 3,
            },
            swing: Swing {
                mean: 1_000,
                swing: 400,
                period: Duration::from_secs(8),
            },
        }
    }

    #[test]
    fn a_triangle_goes_through_its_mean_and_both_ends() {
        let swing = analog().swing;
        let at = [0, 1, 2, 4, 6, 8].map(|second| swing.at(second * S));
        assert_eq!(at, [1_000, 1_200, 1_400, 1_000, 600, 1_000]);
    }

    //= R3.1
    #[test]
    fn each_fault_of_an_analog_input_shows_in_what_is_read() {
        let read = |kind| {
            let fault = Ordered {
                place: 0,
                kind,
                from: Duration::from_secs(1),
                until: Some(Duration::from_secs(3)),
            };
            let mut course = Course::new(0, &analog(), &[fault], 7, 0);
            [0, 2, 3].map(|second| course.at(second * S))
        };
        let shown = |kind: AnalogKind| {
            let [before, at, behind] = read(kind);
            assert_eq!((before, behind), ((Ok(1_000), None), (Ok(1_200), None)));
            assert_eq!(at.1, Some(kind.name()));
            at.0
        };
        assert_eq!(shown(AnalogKind::OpenWire(-3)), Ok(-3));
        assert_eq!(shown(AnalogKind::OutOfRange(9_999)), Ok(9_999));
        assert_eq!(shown(AnalogKind::Jump(-100)), Ok(1_300));
        assert_eq!(shown(AnalogKind::Frozen), Ok(1_200));
        assert_eq!(
            shown(AnalogKind::Refused(4)),
            Err(ExceptionCode::from_code(4))
        );
        let noisy = shown(AnalogKind::Noise(50)).unwrap();
        assert!((1_350..=1_450).contains(&noisy), "{noisy}");
        assert_eq!(
            shown(AnalogKind::Noise(50)),
            Ok(noisy),
            "from the seed alone"
        );
    }
}
