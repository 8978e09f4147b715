//! What happens during a demonstration, and when: a pure function of its length and its seed.

use std::fmt::Write;
use std::time::Duration;

/// Shortest demonstration: below it the cut uplink is not back for long enough to deliver.
pub(crate) const RUN_MIN: Duration = Duration::from_secs(8);
/// Longest demonstration: the ring is sized so that nothing of it is recycled before the check.
pub(crate) const RUN_MAX: Duration = Duration::from_secs(3_600);
/// Meters of the street.
pub(super) const METERS: u16 = 12;
/// The serial lines of the street, in its order; TCP comes after them.
pub(super) const RTU_PORTS: [&str; 2] = ["rs485-1", "rs485-2"];
/// Ports of the street, over which its meters are dealt out in turn.
const PORTS: u64 = 3;

/// What ails a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ailment {
    /// It never answers.
    Silent,
    /// Every fifth reply is damaged on the way.
    CorruptCrc,
    /// Its replies come later than anyone waits.
    Late,
    /// It refuses, being busy.
    Busy,
}

/// Reply delay of a late meter: past the port's timeout, within the late-reply window.
const LATE_MS: u64 = 450;
/// Modbus exception "server device busy".
const BUSY_CODE: u8 = 6;

impl Ailment {
    fn toml(self) -> String {
        match self {
            Self::Silent => "kind = \"silent\"".to_owned(),
            Self::CorruptCrc => "kind = \"corrupt-crc\"\nprobability = 0.2".to_owned(),
            Self::Late => format!("kind = \"late\"\ndelay_ms = {LATE_MS}"),
            Self::Busy => format!("kind = \"exception\"\ncode = {BUSY_CODE}"),
        }
    }

    /// Whether an attempt that failed for this cause met the ailment.
    pub(super) fn shows_as(self, cause: &str) -> bool {
        match self {
            Self::Silent | Self::Late => ["timeout", "late_reply_window"].contains(&cause),
            Self::CorruptCrc => ["crc", "framing", "timeout"].contains(&cause),
            Self::Busy => cause == "exception",
        }
    }

    /// In a few words, for people.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Silent => "never answers",
            Self::CorruptCrc => "every fifth reply damaged on the wire",
            Self::Late => "replies 450 ms late",
            Self::Busy => "answers that it is busy",
        }
    }
}

/// An ailing meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) meter: String,
    pub(super) ailment: Ailment,
    /// Counted from when the street is ready.
    pub(super) from: Duration,
    /// `None`: to the end.
    pub(super) lasts: Option<Duration>,
}

/// The whole course.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) seed: u64,
    /// Length, counted from when the node answers.
    pub(super) run_for: Duration,
    pub(super) kill_recorder_at: Duration,
    pub(super) cut_from: Duration,
    pub(super) cut_until: Duration,
    pub(super) faults: Vec<Fault>,
    /// Whether every process is killed at random besides.
    pub(super) storm: bool,
}

impl Plan {
    pub(super) fn new(run_for: Duration, seed: u64) -> Self {
        let share = |percent: u32| run_for * percent / 100;
        // The kill moves a little with the seed, so that it does not always meet the same instant.
        let jitter = Duration::from_millis(seed.wrapping_mul(0x9E37_79B9) % 400);
        let fault = |port: u64, place: u64, ailment, from, lasts| Fault {
            meter: format!(
                "m{:02}",
                port + 1 + PORTS * (place % (u64::from(METERS) / PORTS))
            ),
            ailment,
            from,
            lasts,
        };
        let second = seed / 4;
        Self {
            seed,
            run_for,
            kill_recorder_at: share(30) + jitter,
            cut_from: share(45),
            cut_until: share(65),
            storm: false,
            faults: vec![
                fault(0, seed, Ailment::Silent, Duration::ZERO, None),
                fault(1, second, Ailment::CorruptCrc, Duration::ZERO, None),
                fault(1, second + 1, Ailment::Late, share(35), Some(share(15))),
                fault(2, seed / 16, Ailment::Busy, share(70), Some(share(10))),
            ],
        }
    }

    /// The street's fault plan.
    pub(super) fn street_toml(&self) -> String {
        let mut text = String::from("# What ails the meters of this demonstration.\n");
        for fault in &self.faults {
            let (meter, ailment) = (&fault.meter, fault.ailment.toml());
            let from = fault.from.as_secs_f64();
            let _ = write!(
                text,
                "\n[[fault]]\nmeter = \"{meter}\"\n{ailment}\nfrom_s = {from:.3}\n"
            );
            if let Some(lasts) = fault.lasts {
                let _ = writeln!(text, "for_s = {:.3}", lasts.as_secs_f64());
            }
        }
        text
    }
}

/// Reads a length of time such as `60s`, `2min` or `1500ms`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number
        .parse()
        .map_err(|_| "a whole number with its unit is due, such as 60s".to_owned())?;
    let per_unit_ms = match unit {
        "ms" => 1,
        "s" => 1_000,
        "min" | "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err("the unit is missing or unknown; use ms, s, min or h".to_owned()),
    };
    let length = Duration::from_millis(number.saturating_mul(per_unit_ms));
    if (RUN_MIN..=RUN_MAX).contains(&length) {
        return Ok(length);
    }
    Err(format!(
        "a demonstration takes {} s to {} s",
        RUN_MIN.as_secs(),
        RUN_MAX.as_secs()
    ))
}

#[cfg(test)]
mod tests {
    use super::{Ailment, Plan, duration};
    use std::time::Duration;

    //= A1.2
    #[test]
    fn the_course_follows_from_length_and_seed_alone() {
        let minute = Duration::from_secs(60);
        assert_eq!(Plan::new(minute, 7), Plan::new(minute, 7));
        assert_ne!(Plan::new(minute, 7).faults, Plan::new(minute, 8).faults);
        for seed in [0, 1, 5, 63, u64::MAX] {
            for run_for in [super::RUN_MIN, minute, super::RUN_MAX] {
                let plan = Plan::new(run_for, seed);
                assert!(plan.kill_recorder_at < plan.cut_from, "{plan:?}");
                assert!(plan.cut_from < plan.cut_until && plan.cut_until < run_for);
            }
        }
        let plan = Plan::new(minute, 0);
        assert_eq!(plan.cut_from, Duration::from_secs(27));
        assert_eq!(plan.cut_until, Duration::from_secs(39));
    }

    //= A3.7
    #[test]
    fn every_seed_ails_different_meters_of_the_street() {
        for seed in 0..256 {
            let plan = Plan::new(Duration::from_secs(20), seed);
            let mut meters: Vec<&str> = plan.faults.iter().map(|f| f.meter.as_str()).collect();
            meters.sort_unstable();
            meters.dedup();
            assert_eq!(meters.len(), plan.faults.len(), "seed {seed}");
            for fault in &plan.faults {
                let number: u64 = fault.meter[1..].parse().unwrap();
                assert!((1..=12).contains(&number), "seed {seed}: {}", fault.meter);
                // Only a serial line has a CRC to corrupt; the third port is TCP.
                let tcp = number.is_multiple_of(3);
                assert_eq!(tcp, fault.ailment == Ailment::Busy, "seed {seed}");
            }
        }
    }

    #[test]
    fn the_fault_plan_is_written_as_the_street_reads_it() {
        let text = Plan::new(Duration::from_secs(20), 0).street_toml();
        assert!(text.contains("[[fault]]\nmeter = \"m01\"\nkind = \"silent\"\nfrom_s = 0.000\n"));
        assert!(text.contains("meter = \"m02\"\nkind = \"corrupt-crc\"\nprobability = 0.2\n"));
        assert!(text.contains("delay_ms = 450\nfrom_s = 7.000\nfor_s = 3.000\n"));
        assert!(text.contains("kind = \"exception\"\ncode = 6\nfrom_s = 14.000\n"));
    }

    #[test]
    fn lengths_are_read_with_their_unit() {
        for (text, seconds) in [("60s", 60), ("2min", 120), ("2m", 120), ("1h", 3_600)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(duration("9500ms"), Ok(Duration::from_millis(9_500)));
        for text in [
            "",
            "s",
            "60",
            "1s",
            "2h",
            "-9s",
            "9 s",
            "9.5s",
            "99999999999999999999s",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
