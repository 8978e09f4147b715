//! One analog input: from a raw number to a value that says whether it can be believed.

use crate::limits::{NOISE_SAMPLES, STALE_SAMPLES};
use alloc::collections::VecDeque;
use contract::Analog;
use core::cmp::Ordering::{Greater, Less};
use evidence::reasons::QualityReason;
use evidence::{Decimal, MonoNs, Quality};

/// What a sample came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) at: MonoNs,
    pub(super) raw: Option<Decimal>,
    pub(super) value: Option<Decimal>,
    pub(super) quality: Quality,
}

/// An analog input.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) point: Analog,
    pub(super) schedule: usize,
    pub(super) next_read: MonoNs,
    recent: VecDeque<Decimal>,
    /// The newest.
    pub(super) last: Option<Taken>,
    /// The last one told.
    pub(super) told: Option<Taken>,
    pub(super) faults: u64,
    /// Records for which the queue had no room.
    pub(super) dropped: u64,
    /// What it says is no measurement of daily life: played, or people work on it.
    pub(super) test: bool,
}

impl Channel {
    pub(super) fn new(point: &Analog, schedule: usize, test: bool) -> Self {
        Self {
            point: point.clone(),
            schedule,
            next_read: MonoNs(0),
            recent: VecDeque::new(),
            last: None,
            told: None,
            faults: 0,
            dropped: 0,
            test,
        }
    }

    pub(super) fn sample_ns(&self) -> u64 {
        self.point.sample_ms.saturating_mul(1_000_000)
    }

    /// When the newest value becomes stale.
    pub(super) fn stale_at(&self) -> Option<MonoNs> {
        let default_ms = self.point.sample_ms.saturating_mul(STALE_SAMPLES);
        let ns = self
            .point
            .stale_ms
            .unwrap_or(default_ms)
            .saturating_mul(1_000_000);
        let last = self.last.as_ref()?;
        let valid = last.quality.reason != QualityReason::Stale;
        (valid && last.raw.is_some()).then(|| last.at.plus_ns(ns))
    }

    /// The newest value has become stale.
    pub(super) fn stale(&mut self) {
        self.recent.clear();
        if let Some(last) = &mut self.last {
            last.quality = Quality::invalid(QualityReason::Stale);
        }
    }

    /// The card is gone: nothing is known any more.
    pub(super) fn gone(&mut self, at: MonoNs) {
        self.recent.clear();
        self.last = Some(Taken {
            at,
            raw: None,
            value: None,
            quality: Quality::invalid(QualityReason::SourceLost),
        });
    }

    /// Takes a sample. Where the card gave none, the value before goes on until it is stale.
    pub(super) fn take(&mut self, at: MonoNs, raw: Decimal) {
        let wire = self.wire(raw);
        let value = raw
            .checked_mul(self.point.scale)
            .and_then(|scaled| scaled.checked_add(self.point.offset));
        let quality = match (wire, value) {
            (Some(reason), _) => Quality::invalid(reason),
            (None, Err(_)) => Quality::invalid(QualityReason::Overflow),
            (None, Ok(value)) => self.judge(at, value),
        };
        let believed = value.ok().filter(|_| wire.is_none());
        match believed {
            Some(value) => {
                self.recent.push_back(value);
                while self.recent.len() > NOISE_SAMPLES {
                    self.recent.pop_front();
                }
            }
            None => self.recent.clear(),
        }
        self.last = Some(Taken {
            at,
            raw: Some(raw),
            value: believed,
            quality,
        });
    }

    /// What the bands of the loop say of the wire.
    fn wire(&self, raw: Decimal) -> Option<QualityReason> {
        let beyond = |bound: Option<Decimal>, side| bound.is_some_and(|b| raw.cmp_value(b) == side);
        if beyond(self.point.open_below, Less) {
            Some(QualityReason::OpenWire)
        } else if beyond(self.point.short_above, Greater) {
            Some(QualityReason::ShortCircuit)
        } else {
            None
        }
    }

    fn judge(&self, at: MonoNs, value: Decimal) -> Quality {
        let out = self.point.range.is_some_and(|(min, max)| {
            value.cmp_value(min) == Less || value.cmp_value(max) == Greater
        });
        if out {
            return Quality::invalid(QualityReason::OutOfRange);
        }
        if self.too_fast(at, value) {
            return Quality::questionable(QualityReason::RateOfChange);
        }
        if self.noisy(value) {
            return Quality::questionable(QualityReason::Noise);
        }
        match self.test {
            true => Quality::questionable(QualityReason::Test),
            false => Quality::GOOD,
        }
    }

    /// Faster than the contract allows: the distance in a second's worth of nanoseconds, without a division.
    fn too_fast(&self, at: MonoNs, value: Decimal) -> bool {
        let before = self
            .last
            .as_ref()
            .and_then(|last| Some((last.at, last.value?)));
        let (Some(rate_max), Some((then, before))) = (self.point.rate_max, before) else {
            return false;
        };
        let second = Decimal::new(1_000_000_000, 0);
        let elapsed = Decimal::new(i128::from(at.since(then)), 0);
        let moved = distance(value, before).and_then(|moved| moved.checked_mul(second.ok()?).ok());
        let allowed = elapsed.ok().and_then(|ns| rate_max.checked_mul(ns).ok());
        match (moved, allowed) {
            (Some(moved), Some(allowed)) => moved.cmp_value(allowed) == Greater,
            // Numbers of so many digits cannot be compared: then nothing is said against the value.
            _ => false,
        }
    }

    fn noisy(&self, value: Decimal) -> bool {
        let Some(noise) = self
            .point
            .noise
            .filter(|_| self.recent.len() + 1 >= NOISE_SAMPLES)
        else {
            return false;
        };
        let skip = self.recent.len() + 1 - NOISE_SAMPLES;
        let recent = self.recent.iter().skip(skip).copied();
        let (min, max) = recent.fold((value, value), |(min, max), one| {
            let min = if one.cmp_value(min) == Less { one } else { min };
            let max = if one.cmp_value(max) == Greater {
                one
            } else {
                max
            };
            (min, max)
        });
        distance(max, min).is_some_and(|spread| spread.cmp_value(noise) == Greater)
    }

    /// Whether the newest value is further from the last one told than the deadband.
    pub(super) fn moved(&self) -> bool {
        let value = |taken: &Option<Taken>| taken.as_ref().and_then(|taken| taken.value);
        match (self.point.deadband, value(&self.last), value(&self.told)) {
            (Some(deadband), Some(now), Some(told)) => {
                distance(now, told).is_some_and(|moved| moved.cmp_value(deadband) == Greater)
            }
            _ => false,
        }
    }

    /// Whether what may be believed of it is not what was told.
    pub(super) fn quality_changed(&self) -> bool {
        let quality = |taken: &Option<Taken>| taken.as_ref().map(|taken| taken.quality);
        quality(&self.last) != quality(&self.told)
    }
}

/// How far two values are from each other.
pub(super) fn distance(one: Decimal, other: Decimal) -> Option<Decimal> {
    let negated = Decimal::new(-other.mantissa(), other.exponent()).ok()?;
    let difference = one.checked_add(negated).ok()?;
    Decimal::new(difference.mantissa().checked_abs()?, difference.exponent()).ok()
}

#[cfg(test)]
mod tests {
    use super::Channel;
    use contract::Analog;
    use evidence::{Decimal, MonoNs};
    use std::string::{String, ToString};

    const MS: u64 = 1_000_000;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    /// A 4-20 mA loop in microamperes, 0 to 160 degrees.
    fn loop_of(change: impl FnOnce(&mut Analog)) -> Channel {
        let mut point = Analog {
            id: "oil".parse().unwrap(),
            card: "box".parse().unwrap(),
            channel: "in0_input".into(),
            schedule: "s".parse().unwrap(),
            sample_ms: 100,
            scale: decimal("0.01"),
            offset: decimal("-40"),
            unit: "degC".into(),
            range: Some((decimal("-2"), decimal("165"))),
            deadband: Some(decimal("0.5")),
            rate_max: Some(decimal("50")),
            noise: Some(decimal("3")),
            open_below: Some(decimal("3600")),
            short_above: Some(decimal("21000")),
            stale_ms: None,
            calibration: None,
            calibrated: None,
            calibrated_by: None,
        };
        change(&mut point);
        Channel::new(&point, 0, false)
    }

    /// Raw numbers at these milliseconds, and the value and quality of the last.
    fn check(channel: &mut Channel, samples: &[(u64, &str)], said: &str) {
        for (at, raw) in samples {
            channel.take(MonoNs(at * MS), decimal(raw));
        }
        let last = channel.last.as_ref().unwrap();
        let value = last
            .value
            .map_or(String::from("-"), |value| value.to_string());
        let found = std::format!("{value} {} {}", last.quality, last.quality.reason);
        assert_eq!(found, said, "{samples:?}");
    }

    //= R3.3
    //= R3.4
    #[test]
    fn a_value_is_exact_and_says_why_it_is_not_to_be_believed() {
        let plain = || loop_of(|_| ());
        check(&mut plain(), &[(0, "12345")], "83.45 good none");
        check(&mut plain(), &[(0, "3600")], "-4.00 invalid out_of_range");
        check(&mut plain(), &[(0, "3599")], "- invalid open_wire");
        check(&mut plain(), &[(0, "21000")], "170.00 invalid out_of_range");
        check(&mut plain(), &[(0, "21001")], "- invalid short_circuit");
        // 50 degrees a second are 5 in 100 ms.
        check(
            &mut plain(),
            &[(0, "10000"), (100, "10500")],
            "65.00 good none",
        );
        check(
            &mut plain(),
            &[(0, "10000"), (100, "10501")],
            "65.01 questionable rate_of_change",
        );
        // Behind an open wire nothing is compared with what was before.
        check(
            &mut plain(),
            &[(0, "10000"), (100, "0"), (200, "20000")],
            "160.00 good none",
        );
        let noise = |last: &'static str| {
            let at = [0, 100, 200, 300, 400, 500, 600].map(|at| (at, "10000"));
            let mut all = at.to_vec();
            all.push((700, last));
            all
        };
        check(&mut plain(), &noise("10300"), "63.00 good none");
        check(&mut plain(), &noise("10301"), "63.01 questionable noise");
        let huge = |point: &mut Analog| point.scale = decimal("12345678901234567890");
        check(&mut loop_of(huge), &[(0, "10000")], "- invalid overflow");
    }

    //= R3.3
    #[test]
    fn a_deadband_is_left_by_more_than_itself_and_a_value_becomes_stale() {
        let mut channel = loop_of(|_| ());
        channel.take(MonoNs(0), decimal("10000"));
        assert!(channel.quality_changed() && !channel.moved());
        channel.told = channel.last.clone();
        channel.take(MonoNs(100 * MS), decimal("10050"));
        assert!(!channel.moved() && !channel.quality_changed());
        channel.take(MonoNs(200 * MS), decimal("10051"));
        assert!(channel.moved());
        assert_eq!(channel.stale_at(), Some(MonoNs(500 * MS)));
        channel.stale();
        assert!(channel.quality_changed() && channel.stale_at().is_none());
        check(&mut channel, &[(900, "10000")], "60.00 good none");
    }
}
