//! The machine's real-time clock: its time, timed to the turn of its second, and what it says of its supply.
//!
//! Verified on no hardware yet but in a guest's emulated clock.

use crate::clock::mono;
use crate::probe::Probe;
use crate::socket::fault_of;
use evidence::MonoNs;
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::ioctl::{Getter, Opcode, ioctl, opcode};
use std::path::PathBuf;
use time_plane::reading::{Fault, Observation, Reading, RtcReading, RtcVoltage, SourceKind};
use time_plane::rtc::Turn;

/// `struct rtc_time`: seconds, minutes, hours, day, month from 0, year from 1900, and what is not kept.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
struct RtcTime {
    sec: i32,
    min: i32,
    hour: i32,
    mday: i32,
    mon: i32,
    year: i32,
    wday: i32,
    yday: i32,
    isdst: i32,
}

/// `RTC_RD_TIME`.
const READ_TIME: Opcode = opcode::read::<RtcTime>(b'p', 0x09);
/// `RTC_VL_READ`.
const READ_VOLTAGE: Opcode = opcode::read::<u32>(b'p', 0x13);

/// The probe of one real-time clock. It is opened for each look: the kernel lets only one process have it.
#[derive(Clone, Debug)]
pub struct Rtc {
    path: PathBuf,
    turn: Turn,
}

impl Rtc {
    /// The clock of this device, as `/dev/rtc0`.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            turn: Turn::default(),
        }
    }

    /// The reading, and the instant for which it holds: what is done behind it may be held up.
    fn read(&mut self) -> Result<(RtcReading, MonoNs), Fault> {
        let device = device(&self.path)?;
        let voltage = voltage(&device);
        let before = mono();
        let time = time(rustix::fd::AsFd::as_fd(&device));
        let after = mono();
        let time = time.map_err(|errno| match errno {
            Errno::INVAL => Fault::Malformed("the real-time clock holds no valid time"),
            other => fault_of(other),
        })?;
        let second = time
            .second()
            .ok_or(Fault::Malformed("the real-time clock holds no date"))?;
        let (utc, read_uncertainty_ns) = self.turn.look(before, after, second);
        let reading = RtcReading {
            utc,
            read_uncertainty_ns,
            voltage,
        };
        Ok((reading, after))
    }
}

/// Opens a device to be asked, never to be changed.
pub(crate) fn device(path: &std::path::Path) -> Result<OwnedFd, Fault> {
    open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).map_err(fault_of)
}

#[expect(
    unsafe_code,
    reason = "no safe wrapper of RTC_RD_TIME is at hand; it writes one rtc_time and changes nothing"
)]
fn time(device: BorrowedFd<'_>) -> Result<RtcTime, Errno> {
    // SAFETY: the opcode carries the size of RtcTime, which is laid out as the kernel's rtc_time.
    unsafe { ioctl(device, Getter::<READ_TIME, RtcTime>::new()) }
}

/// Its flags; `None` where the driver has none.
#[expect(
    unsafe_code,
    reason = "no safe wrapper of RTC_VL_READ is at hand; it writes one number and changes nothing"
)]
fn voltage(device: &OwnedFd) -> Option<RtcVoltage> {
    // SAFETY: the opcode carries the size of the number that the kernel writes.
    let flags = unsafe { ioctl(device, Getter::<READ_VOLTAGE, u32>::new()) }.ok()?;
    Some(supply(flags))
}

/// The flags `RTC_VL_DATA_INVALID`, `RTC_VL_BACKUP_LOW`, `RTC_VL_BACKUP_EMPTY` and `RTC_VL_ACCURACY_LOW`.
const fn supply(flags: u32) -> RtcVoltage {
    RtcVoltage {
        invalid: flags & 1 != 0,
        backup_low: flags & 2 != 0,
        backup_empty: flags & 4 != 0,
        accuracy_low: flags & 8 != 0,
    }
}

impl RtcTime {
    /// Seconds since 1970; `None` for what is no date.
    fn second(self) -> Option<i64> {
        let fields = [
            (self.sec, 0..=59),
            (self.min, 0..=59),
            (self.hour, 0..=23),
            (self.mday, 1..=31),
            (self.mon, 0..=11),
            // 1970 to 2199.
            (self.year, 70..=299),
        ];
        if fields.iter().any(|(value, range)| !range.contains(value)) {
            return None;
        }
        let days = days_since_1970(
            i64::from(self.year) + 1_900,
            i64::from(self.mon) + 1,
            i64::from(self.mday),
        );
        let minutes = (days * 24 + i64::from(self.hour)) * 60 + i64::from(self.min);
        Some(minutes * 60 + i64::from(self.sec))
    }
}

/// Days of the Gregorian calendar. The year is taken to begin in March, so that the leap day ends it.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    const MARCH_1_OF_YEAR_0_TO_1970: i64 = 719_468;
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // Five months from March on have 153 days, whichever five.
    let days_before_month = (153 * month + 2) / 5;
    365 * year + leap_days + days_before_month + day - 1 - MARCH_1_OF_YEAR_0_TO_1970
}

impl Probe for Rtc {
    fn kind(&self) -> SourceKind {
        SourceKind::Rtc
    }

    fn look(&mut self, _now: MonoNs) -> Observation {
        let (at, outcome) = match self.read() {
            Ok((reading, after)) => (after, Ok(Reading::Rtc(reading))),
            Err(fault) => (mono(), Err(fault)),
        };
        Observation {
            at,
            outcome,
            source: SourceKind::Rtc,
        }
    }

    /// At the turn of its second, as far as that is known.
    fn best_look(&self, now: MonoNs) -> Option<MonoNs> {
        self.turn.next_look(now)
    }
}

#[cfg(test)]
mod tests {
    use super::{READ_TIME, READ_VOLTAGE, Rtc, RtcTime, days_since_1970, supply};
    use crate::Probe as _;
    use evidence::MonoNs;
    use time_plane::reading::{Fault, RtcVoltage};

    const ZERO: RtcTime = RtcTime {
        sec: 0,
        min: 0,
        hour: 0,
        mday: 1,
        mon: 0,
        year: 70,
        wday: 0,
        yday: 0,
        isdst: 0,
    };

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (year, month, day, days) in [
            (1970, 1, 1, 0),
            (1970, 3, 1, 59),
            (2000, 2, 29, 11_016),
            (2000, 3, 1, 11_017),
            (2026, 11, 28, 20_785),
            (2100, 2, 28, 47_540),
            (2100, 3, 1, 47_541),
        ] {
            assert_eq!(
                days_since_1970(year, month, day),
                days,
                "{year}-{month}-{day}"
            );
        }
        let mut previous = days_since_1970(1969, 12, 31);
        for year in 1970..2200 {
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let february = if leap { 29 } else { 28 };
            let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            for (month, length) in (1..).zip(lengths) {
                for day in 1..=length {
                    let days = days_since_1970(year, month, day);
                    assert_eq!(days, previous + 1, "{year}-{month}-{day}");
                    previous = days;
                }
            }
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        assert_eq!(ZERO.second(), Some(0));
        let evening = RtcTime {
            sec: 59,
            min: 58,
            hour: 23,
            ..ZERO
        };
        assert_eq!(evening.second(), Some(86_339));
        for wrong in [
            RtcTime { sec: 60, ..ZERO },
            RtcTime { min: -1, ..ZERO },
            RtcTime { hour: 24, ..ZERO },
            RtcTime { mday: 0, ..ZERO },
            RtcTime { mon: 12, ..ZERO },
            RtcTime { year: 69, ..ZERO },
            RtcTime {
                year: i32::MAX,
                ..ZERO
            },
        ] {
            assert_eq!(wrong.second(), None, "{wrong:?}");
        }
    }

    //= A8.1
    #[test]
    fn each_flag_of_the_supply_is_its_own() {
        for flags in 0..16 {
            let supply = supply(flags);
            let bits = [
                supply.invalid,
                supply.backup_low,
                supply.backup_empty,
                supply.accuracy_low,
            ];
            for (bit, is_set) in (0..).zip(bits) {
                assert_eq!(is_set, flags >> bit & 1 == 1, "{flags}");
            }
        }
        // Flags that no kernel has yet say nothing of these.
        assert_eq!(supply(0x10), RtcVoltage::default());
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn the_questions_have_the_kernel_s_numbers() {
        assert_eq!((READ_TIME, READ_VOLTAGE), (0x8024_7009, 0x8004_7013));
    }

    #[test]
    fn what_is_no_clock_is_a_fault() {
        for (path, fault) in [
            ("/dev/fieldnotary-no-such-clock", Fault::Absent),
            (
                "/dev/null",
                Fault::Unsupported("a device that does not answer this question"),
            ),
        ] {
            let mut rtc = Rtc::new(path.into());
            assert_eq!(rtc.look(MonoNs(0)).outcome, Err(fault), "{path}");
        }
    }
}
