//! A supply or an environment that is watched: which of its limits it is beyond, how far, and for how long.

use super::analog::distance;
use alloc::string::String;
use alloc::vec::Vec;
use contract::{Limit, Watched};
use core::cmp::Ordering::{Greater, Less};
use evidence::reasons::{Band, BandChange, QualityReason};
use evidence::{Decimal, MonoNs, Quality};

/// Upper ends of the buckets of depth, in percent of the limit.
const DEPTHS: [(i128, &str); 4] = [(2, "<2%"), (5, "<5%"), (10, "<10%"), (20, "<20%")];
/// The bucket of what is deeper.
const DEEPEST: &str = ">=20%";
/// Upper ends of the buckets of duration.
const SPANS: [(u64, &str); 5] = [
    (10_000_000, "<10ms"),
    (100_000_000, "<100ms"),
    (1_000_000_000, "<1s"),
    (10_000_000_000, "<10s"),
    (60_000_000_000, "<60s"),
];
/// The bucket of what is longer.
const LONGEST: &str = ">=60s";

/// What is known of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Live {
    /// It never gave a number.
    Never,
    /// It gives numbers.
    Now,
    /// It gave numbers and gives none any more.
    Lost,
}

/// A time beyond a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stay {
    since: MonoNs,
    extreme: Decimal,
}

/// One limit.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) limit: Limit,
    inside: Option<Stay>,
    /// How often it was passed.
    pub(super) count: u64,
    depths: [u64; DEPTHS.len() + 1],
    spans: [u64; SPANS.len() + 1],
}

/// Something to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) at: MonoNs,
    pub(super) change: BandChange,
    /// The limit, where it is about one.
    pub(super) band: Option<(Band, Decimal)>,
    pub(super) value: Option<Decimal>,
    pub(super) extreme: Option<Decimal>,
    pub(super) lasted_ns: Option<u64>,
    pub(super) quality: Quality,
}

/// What is watched.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) of: Watched,
    pub(super) next_read: MonoNs,
    pub(super) bounds: Vec<Bound>,
    pub(super) live: Live,
    pub(super) min: Option<Decimal>,
    pub(super) faults: u64,
    /// Records for which the queue had no room.
    pub(super) dropped: u64,
    /// Played, or people work on it.
    pub(super) test: bool,
}

impl Watch {
    pub(super) fn new(of: Watched, test: bool) -> Self {
        let bounds = of.limits.iter().map(|limit| Bound {
            limit: *limit,
            inside: None,
            count: 0,
            depths: [0; DEPTHS.len() + 1],
            spans: [0; SPANS.len() + 1],
        });
        Self {
            bounds: bounds.collect(),
            of,
            next_read: MonoNs(0),
            live: Live::Never,
            min: None,
            faults: 0,
            dropped: 0,
            test,
        }
    }

    fn quality(&self) -> Quality {
        match self.test {
            true => Quality::questionable(QualityReason::Test),
            false => Quality::GOOD,
        }
    }

    /// Takes a number; what it changes is told in the order of the limits, the source first.
    pub(super) fn take(&mut self, at: MonoNs, raw: Decimal) -> Vec<Said> {
        let scaled = raw.checked_mul(self.of.scale);
        let Ok(value) = scaled.and_then(|scaled| scaled.checked_add(self.of.offset)) else {
            return self.lost(at, QualityReason::Overflow);
        };
        let quality = self.quality();
        let mut said = Vec::new();
        if self.live != Live::Now {
            self.live = Live::Now;
            said.push(Said {
                at,
                change: BandChange::Found,
                band: None,
                value: Some(value),
                extreme: None,
                lasted_ns: None,
                quality,
            });
        }
        if self.min.is_none_or(|min| value.cmp_value(min) == Less) {
            self.min = Some(value);
        }
        for bound in &mut self.bounds {
            said.extend(bound.take(at, value, self.of.hysteresis, quality));
        }
        said
    }

    /// There is no number: whether it is still beyond a limit nobody knows.
    pub(super) fn lost(&mut self, at: MonoNs, reason: QualityReason) -> Vec<Said> {
        let quality = Quality::invalid(reason);
        if self.live != Live::Now {
            return Vec::new();
        }
        self.live = Live::Lost;
        let mut said = Vec::from([Said {
            at,
            change: BandChange::Lost,
            band: None,
            value: None,
            extreme: None,
            lasted_ns: None,
            quality,
        }]);
        for bound in &mut self.bounds {
            let Some(stay) = bound.inside.take() else {
                continue;
            };
            said.push(Said {
                at,
                change: BandChange::Lost,
                band: Some((bound.limit.band, bound.limit.at)),
                value: None,
                extreme: Some(stay.extreme),
                lasted_ns: Some(at.since(stay.since)),
                quality,
            });
        }
        said
    }
}

impl Bound {
    fn take(
        &mut self,
        at: MonoNs,
        value: Decimal,
        hysteresis: Decimal,
        quality: Quality,
    ) -> Option<Said> {
        let band = Some((self.limit.band, self.limit.at));
        let said = |change, extreme, lasted_ns| Said {
            at,
            change,
            band,
            value: Some(value),
            extreme,
            lasted_ns,
            quality,
        };
        let beyond = match self.limit.band.is_below() {
            true => Less,
            false => Greater,
        };
        let Some(stay) = &mut self.inside else {
            if value.cmp_value(self.limit.at) != beyond {
                return None;
            }
            self.count += 1;
            self.inside = Some(Stay {
                since: at,
                extreme: value,
            });
            return Some(said(BandChange::Entered, None, None));
        };
        if value.cmp_value(stay.extreme) == beyond {
            stay.extreme = value;
        }
        let back = self.back(hysteresis);
        let is_back = back.is_some_and(|back| value.cmp_value(back) != beyond);
        if !is_back {
            return None;
        }
        let stay = self.inside.take()?;
        let lasted_ns = at.since(stay.since);
        self.count_stay(stay.extreme, lasted_ns);
        Some(said(BandChange::Left, Some(stay.extreme), Some(lasted_ns)))
    }

    /// Where it has to come back to. Numbers of too many digits have no way back but through the source.
    fn back(&self, hysteresis: Decimal) -> Option<Decimal> {
        let step = match self.limit.band.is_below() {
            true => hysteresis,
            false => Decimal::new(-hysteresis.mantissa(), hysteresis.exponent()).ok()?,
        };
        self.limit.at.checked_add(step).ok()
    }

    fn count_stay(&mut self, extreme: Decimal, lasted_ns: u64) {
        let span = SPANS.iter().position(|(end, _)| lasted_ns < *end);
        if let Some(count) = self.spans.get_mut(span.unwrap_or(SPANS.len())) {
            *count += 1;
        }
        let depth = self.depth_of(extreme);
        if let Some(count) = depth.and_then(|depth| self.depths.get_mut(depth)) {
            *count += 1;
        }
    }

    /// The bucket of a depth, without a division; a limit of 0 or less has no percent.
    fn depth_of(&self, extreme: Decimal) -> Option<usize> {
        let limit = self.limit.at;
        if limit.mantissa() <= 0 {
            return None;
        }
        let depth = distance(limit, extreme)?;
        let hundred = Decimal::new(100, 0).ok()?;
        let depth = depth.checked_mul(hundred).ok()?;
        let within = |percent: i128| {
            let percent = Decimal::new(percent, 0).ok()?;
            let end = limit.checked_mul(percent).ok()?;
            Some(depth.cmp_value(end) == Less)
        };
        let found = DEPTHS
            .iter()
            .position(|(percent, _)| within(*percent) == Some(true));
        Some(found.unwrap_or(DEPTHS.len()))
    }

    /// Whether it is beyond the limit now.
    pub(super) const fn is_inside(&self) -> bool {
        self.inside.is_some()
    }

    /// Stays that are over by their depth.
    pub(super) fn depths(&self) -> impl Iterator<Item = (String, u64)> {
        let names = DEPTHS.iter().map(|(_, name)| *name).chain([DEEPEST]);
        names.map(String::from).zip(self.depths)
    }

    /// The same by their duration.
    pub(super) fn spans(&self) -> impl Iterator<Item = (String, u64)> {
        let names = SPANS.iter().map(|(_, name)| *name).chain([LONGEST]);
        names.map(String::from).zip(self.spans)
    }
}

#[cfg(test)]
mod tests {
    use super::{Live, Said, Watch};
    use contract::{Limit, Watched};
    use evidence::reasons::{Band, QualityReason};
    use evidence::{Decimal, MonoNs};
    use std::string::{String, ToString};
    use std::vec::Vec;

    const MS: u64 = 1_000_000;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    /// A rail in millivolts, with these limits in volts.
    fn rail(limits: &[(Band, &str)]) -> Watch {
        let limits = limits.iter().map(|(band, at)| Limit {
            band: *band,
            at: decimal(at),
        });
        let of = Watched {
            id: "vbat".parse().unwrap(),
            card: "ina".parse().unwrap(),
            channel: "in1_input".into(),
            sample_ms: 10,
            scale: decimal("0.001"),
            offset: decimal("0"),
            unit: "V".into(),
            limits: limits.collect(),
            hysteresis: decimal("0.2"),
        };
        Watch::new(of, false)
    }

    fn shown(said: &Said) -> String {
        let text = |value: Option<Decimal>| value.map_or("-".into(), |value| value.to_string());
        let band = said.band.map_or("-".into(), |(band, _)| band.to_string());
        let lasted = said
            .lasted_ns
            .map_or("-".into(), |ns| (ns / MS).to_string());
        std::format!(
            "{} {band} {} {} {} {lasted}",
            said.at.0 / MS,
            said.change,
            text(said.value),
            text(said.extreme)
        )
    }

    /// Numbers, one each 10 ms, and what is told of them.
    fn play(watch: &mut Watch, numbers: &[&str]) -> Vec<String> {
        let each = (0..).zip(numbers);
        let said = each.flat_map(|(place, raw)| watch.take(MonoNs(place * 10 * MS), decimal(raw)));
        said.map(|said| shown(&said)).collect()
    }

    const LIMITS: [(Band, &str); 3] = [
        (Band::Droop, "11.5"),
        (Band::Brownout, "10.5"),
        (Band::Uvlo, "9.0"),
    ];

    //= A7.2
    //= R10.3
    #[test]
    fn a_droop_is_told_with_its_depth_and_duration_and_each_limit_for_itself() {
        let mut watch = rail(&LIMITS);
        let told = play(
            &mut watch,
            &[
                "12000", "11499", "10400", "8900", "9100", "9200", "10700", "11600", "11700",
            ],
        );
        assert_eq!(
            told,
            [
                "0 - found 12.000 - -",
                "10 droop entered 11.499 - -",
                "20 brownout entered 10.400 - -",
                "30 uvlo entered 8.900 - -",
                // 9.1 V are above the limit and not yet back.
                "50 uvlo left 9.200 8.900 20",
                "60 brownout left 10.700 8.900 40",
                "80 droop left 11.700 8.900 70",
            ]
        );
        assert_eq!(watch.min, Some(decimal("8.900")));
        let counts: Vec<u64> = watch.bounds.iter().map(|bound| bound.count).collect();
        assert_eq!(counts, [1, 1, 1]);
        let of = |bound: usize| {
            let bound = &watch.bounds[bound];
            let all = bound.depths().chain(bound.spans());
            let found: Vec<String> = all.filter(|(_, n)| *n > 0).map(|(name, _)| name).collect();
            found.join(" ")
        };
        // (11.5 - 8.9) / 11.5 is more than a fifth; 0.1 V of 9 V are less than 2 percent.
        assert_eq!((of(0), of(2)), (">=20% <100ms".into(), "<2% <100ms".into()));
    }

    //= A2.5
    #[test]
    fn a_source_that_is_lost_ends_what_it_was_beyond_and_says_that_nobody_knows() {
        let mut watch = rail(&LIMITS);
        assert_eq!(watch.lost(MonoNs(0), QualityReason::SourceLost), []);
        assert_eq!(watch.live, Live::Never);
        play(&mut watch, &["12000", "11000"]);
        let lost = watch.lost(MonoNs(50 * MS), QualityReason::SourceLost);
        let said: Vec<String> = lost.iter().map(shown).collect();
        assert_eq!(said, ["50 - lost - - -", "50 droop lost - 11.000 40"]);
        assert_eq!(watch.lost(MonoNs(60 * MS), QualityReason::SourceLost), []);
        let again = watch.take(MonoNs(70 * MS), decimal("11000"));
        let said: Vec<String> = again.iter().map(shown).collect();
        assert_eq!(
            said,
            ["70 - found 11.000 - -", "70 droop entered 11.000 - -"]
        );
        assert_eq!(watch.bounds[0].count, 2);
    }

    //= A7.4
    #[test]
    fn an_upper_limit_is_left_downwards_and_one_below_zero_has_no_percent() {
        let mut watch = rail(&[(Band::Humid, "85"), (Band::Cold, "-5")]);
        let told = play(
            &mut watch,
            &[
                "85000", "85001", "90000", "84801", "84800", "-5100", "-4799",
            ],
        );
        assert_eq!(
            told,
            [
                "0 - found 85.000 - -",
                "10 humid entered 85.001 - -",
                "40 humid left 84.800 90.000 30",
                "50 cold entered -5.100 - -",
                "60 cold left -4.799 -5.100 10",
            ]
        );
        let depths: u64 = watch.bounds[1].depths().map(|(_, count)| count).sum();
        assert_eq!(depths, 0);
    }
}
