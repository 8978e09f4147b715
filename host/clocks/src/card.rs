//! A network card's clock (`/dev/ptpN`) against `CLOCK_REALTIME`, by the kernel's own comparison.
//!
//! Not verified on hardware: no machine here has such a card. What is tried is the layout, the numbers
//! of the questions, and what the answers come to.

use crate::clock::mono;
use crate::limits::CARD_SAMPLES;
use crate::probe::Probe;
use crate::rtc::device;
use crate::socket::fault_of;
use evidence::{MonoNs, UtcNs};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::ioctl::{Opcode, Updater, ioctl, opcode};
use std::path::{Path, PathBuf};
use time_plane::reading::{CardClockReading, Fault, Observation, Reading, SourceKind};

/// `struct ptp_clock_time`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
struct CardTime {
    sec: i64,
    nsec: u32,
    reserved: u32,
}

/// `struct ptp_sys_offset_precise`: both clocks at one instant, taken by the hardware.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
struct Precise {
    device: CardTime,
    realtime: CardTime,
    raw: CardTime,
    reserved: [u32; 4],
}

/// The most comparisons of one call (`PTP_MAX_SAMPLES`).
const SAMPLES_MAX: usize = 25;

/// `struct ptp_sys_offset_extended`: the system's clock before, the card's, the system's after.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
struct Extended {
    samples: u32,
    reserved: [u32; 3],
    times: [[CardTime; 3]; SAMPLES_MAX],
}

/// `PTP_SYS_OFFSET_PRECISE`.
const PRECISE: Opcode = opcode::read_write::<Precise>(b'=', 8);
/// `PTP_SYS_OFFSET_EXTENDED`.
const EXTENDED: Opcode = opcode::read_write::<Extended>(b'=', 9);

/// The probe of one card's clock.
///
/// Not verified on hardware: neither the precise nor the extended comparison could be exercised here.
#[derive(Clone, Debug)]
pub struct CardClock {
    index: u32,
    path: PathBuf,
}

impl CardClock {
    /// The clock `/dev/ptpN` of this N. Not verified on hardware.
    #[must_use]
    pub fn new(index: u32) -> Self {
        Self {
            index,
            path: Path::new("/dev").join(format!("ptp{index}")),
        }
    }

    fn read(&self) -> Result<CardClockReading, Fault> {
        let device = device(&self.path)?;
        let (difference_ns, read_uncertainty_ns, utc) = match precise(&device) {
            Ok(found) => found.result(),
            // Most cards cannot.
            Err(_) => extended(&device).map_err(fault_of)?.result(),
        }
        .ok_or(Fault::Malformed("a card's clock that gives no time"))?;
        Ok(CardClockReading {
            index: self.index,
            difference_ns,
            read_uncertainty_ns,
            utc,
        })
    }
}

#[expect(
    unsafe_code,
    reason = "no safe wrapper of PTP_SYS_OFFSET_PRECISE is at hand; it writes the structure it is given"
)]
fn precise(device: &OwnedFd) -> Result<Precise, Errno> {
    let mut value = Precise::default();
    // SAFETY: the opcode carries the structure's size, and the structure is laid out as the kernel's.
    unsafe { ioctl(device, Updater::<PRECISE, Precise>::new(&mut value)) }?;
    Ok(value)
}

#[expect(
    unsafe_code,
    reason = "no safe wrapper of PTP_SYS_OFFSET_EXTENDED is at hand; it writes the structure it is given"
)]
fn extended(device: &OwnedFd) -> Result<Extended, Errno> {
    let mut value = Extended {
        samples: CARD_SAMPLES,
        ..Extended::default()
    };
    // SAFETY: the opcode carries the structure's size, and the structure is laid out as the kernel's.
    unsafe { ioctl(device, Updater::<EXTENDED, Extended>::new(&mut value)) }?;
    Ok(value)
}

/// Card minus system in nanoseconds, how far that may be off, and the system's clock.
type Compared = (i64, u64, UtcNs);

impl CardTime {
    fn ns(self) -> Option<i64> {
        let seconds = self.sec.checked_mul(1_000_000_000)?;
        seconds.checked_add(i64::from(self.nsec))
    }
}

impl Precise {
    fn result(self) -> Option<Compared> {
        let (card, system) = (self.device.ns()?, self.realtime.ns()?);
        Some((card.checked_sub(system)?, 0, UtcNs(system)))
    }
}

impl Extended {
    /// The comparison whose two readings of the system's clock are nearest together.
    fn result(self) -> Option<Compared> {
        let count = usize::try_from(self.samples).ok()?;
        let compared = self.times.iter().take(count).filter_map(|times| {
            let [before, card, after] = times.map(CardTime::ns);
            let (before, card, after) = (before?, card?, after?);
            let width = after.checked_sub(before).filter(|width| *width >= 0)?;
            let middle = before.checked_add(width / 2)?;
            let half = u64::try_from((width + 1) / 2).ok()?;
            Some((card.checked_sub(middle)?, half, UtcNs(middle)))
        });
        compared.min_by_key(|(_, half, _)| *half)
    }
}

impl Probe for CardClock {
    fn kind(&self) -> SourceKind {
        SourceKind::CardClock
    }

    fn look(&mut self, _now: MonoNs) -> Observation {
        let outcome = self.read().map(Reading::CardClock);
        Observation {
            at: mono(),
            outcome,
            source: SourceKind::CardClock,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CardClock, CardTime, EXTENDED, Extended, PRECISE, Precise};
    use crate::Probe as _;
    use evidence::{MonoNs, UtcNs};
    use time_plane::reading::Fault;

    fn time(ns: i64) -> CardTime {
        CardTime {
            sec: ns / 1_000_000_000,
            nsec: u32::try_from(ns % 1_000_000_000).unwrap(),
            reserved: 0,
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn the_questions_have_the_kernel_s_numbers() {
        assert_eq!((PRECISE, EXTENDED), (0xC040_3D08, 0xC4C0_3D09));
    }

    #[test]
    fn the_tightest_comparison_counts() {
        let mut extended = Extended {
            samples: 3,
            ..Extended::default()
        };
        // The fourth is tighter and was not filled in.
        for (to, (before, card, after)) in extended.times.iter_mut().zip([
            (1_000_000_000, 38_000_000_000, 1_000_004_000),
            (2_000_000_000, 39_000_000_500, 2_000_001_001),
            (3_000_000_000, 40_000_009_000, 3_000_002_000),
            (4_000_000_000, 41_000_000_000, 4_000_000_000),
        ]) {
            *to = [time(before), time(card), time(after)];
        }
        assert_eq!(
            extended.result(),
            Some((37_000_000_000, 501, UtcNs(2_000_000_500)))
        );
        extended.samples = 0;
        assert_eq!(extended.result(), None);
        let precise = Precise {
            device: time(38_000_000_007),
            realtime: time(1_000_000_000),
            ..Precise::default()
        };
        assert_eq!(
            precise.result(),
            Some((37_000_000_007, 0, UtcNs(1_000_000_000)))
        );
        let never = Precise {
            device: CardTime {
                sec: i64::MAX,
                ..CardTime::default()
            },
            ..Precise::default()
        };
        assert_eq!(never.result(), None);
    }

    #[test]
    fn a_card_that_is_not_there_is_absent() {
        let mut card = CardClock::new(4_000_000_000);
        assert_eq!(card.look(MonoNs(0)).outcome, Err(Fault::Absent));
    }
}
