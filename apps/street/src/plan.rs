//! The fault plan: read, checked, and turned into faults of meters.

use crate::noise::Noise;
use crate::site::{Carrier, Site};
use crate::turns::{Turn, Turns};
use serde::Deserialize;
use std::fmt;
use std::time::Duration;
use toml::Spanned;

/// What a fault does to a request or its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No reply.
    Silent,
    /// The reply comes after this long.
    Late(Duration),
    /// One bit of the frame flips on the way.
    CorruptCrc,
    /// The reply names another unit.
    WrongUnit(Option<u8>),
    /// A refusal with this code.
    Exception(u8),
    /// The last bytes are missing.
    Truncate,
    /// The reply comes twice.
    Double,
    /// Now and then no reply.
    Flaky,
    /// The TCP connection is closed in place of a reply.
    Disconnect,
    /// Another meter answers at the same time.
    Collision,
    /// Something becomes of the meter itself.
    Turn(Turn),
}

impl Kind {
    /// The word in plan and log.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Late(_) => "late",
            Self::CorruptCrc => "corrupt-crc",
            Self::WrongUnit(_) => "wrong-unit",
            Self::Exception(_) => "exception",
            Self::Truncate => "truncate",
            Self::Double => "double",
            Self::Flaky => "flaky",
            Self::Disconnect => "disconnect",
            Self::Collision => "collision",
            Self::Turn(Turn::Rollover) => "rollover",
            Self::Turn(Turn::Replaced) => "replaced",
            Self::Turn(Turn::Reset) => "reset",
            Self::Turn(Turn::BadRead) => "bad-read",
            Self::Turn(Turn::Clock(_)) => "clock",
        }
    }
}

const KINDS: &str = "silent, late, corrupt-crc, wrong-unit, exception, truncate, double, flaky, \
                     disconnect, collision, rollover, replaced, reset, bad-read, clock";

/// A fault of one meter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    /// Index into [`Site::meters`].
    pub(crate) meter: usize,
    pub(crate) kind: Kind,
    /// Counted from readiness.
    pub(crate) from: Duration,
    /// `None`: for good.
    pub(crate) until: Option<Duration>,
    /// Share of the requests it strikes; `None`: all.
    pub(crate) probability: Option<f64>,
}

impl Fault {
    /// It has begun and not ended, so long after readiness.
    fn lasts(&self, running: Duration) -> bool {
        self.from <= running && self.until.is_none_or(|until| running < until)
    }
}

/// The faults of a street, and the draws for them: apart from those of the meters, so that faults do not change readings.
#[derive(Debug)]
pub(crate) struct Faults {
    faults: Vec<Fault>,
    /// By place of the meter.
    noises: Vec<Noise>,
}

impl Faults {
    pub(crate) fn new(faults: Vec<Fault>, seed: u64, meters: usize) -> Self {
        let noises = (1..).take(meters).map(|number| Noise::new(!seed, number));
        Self {
            faults,
            noises: noises.collect(),
        }
    }

    /// The first fault of the plan that strikes a meter so long after readiness.
    pub(crate) fn strike(&mut self, meter: usize, running_ns: u64) -> Option<Kind> {
        let running = Duration::from_nanos(running_ns);
        let noise = self.noises.get_mut(meter)?;
        let mut strikes = |fault: &&Fault| {
            fault.meter == meter
                && !matches!(fault.kind, Kind::Turn(_))
                && fault.lasts(running)
                && fault.probability.is_none_or(|share| noise.chance(share))
        };
        let fault = self.faults.iter().find(|fault| strikes(fault))?;
        Some(fault.kind)
    }

    /// What has become of a meter itself so long after readiness.
    pub(crate) fn turns(&self, meter: usize, running_ns: u64) -> Turns {
        let running = Duration::from_nanos(running_ns);
        let mut turns = Turns::default();
        for fault in self.faults.iter().filter(|fault| fault.meter == meter) {
            if let Kind::Turn(turn) = fault.kind {
                turns.add(turn, fault.lasts(running));
            }
        }
        turns
    }

    /// The draws of a meter.
    pub(crate) fn noise(&mut self, meter: usize) -> Option<&mut Noise> {
        self.noises.get_mut(meter)
    }
}

/// What is wrong with a plan, where, and what would be right.
#[derive(Debug)]
pub(crate) struct PlanError {
    line: usize,
    what: String,
    cure: String,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}; {}", self.line, self.what, self.cure)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    fault: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    meter: Spanned<String>,
    kind: Spanned<String>,
    from_s: Option<Spanned<f64>>,
    for_s: Option<Spanned<f64>>,
    delay_ms: Option<Spanned<u32>>,
    code: Option<Spanned<u8>>,
    probability: Option<Spanned<f64>>,
    as_unit: Option<Spanned<u8>>,
    ahead_s: Option<Spanned<i32>>,
}

/// The faults of a plan, in its order.
pub(crate) fn parse(text: &str, site: &Site) -> Result<Vec<Fault>, PlanError> {
    let file: File = toml::from_str(text).map_err(|error| PlanError {
        line: line_of(text, error.span().map_or(0, |span| span.start)),
        what: error.message().trim_end().replace('\n', ", "),
        cure: "see --help for the keys of a [[fault]]".to_owned(),
    })?;
    file.fault
        .iter()
        .map(|entry| Reader { text, site, entry }.read())
        .collect()
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

struct Reader<'a> {
    text: &'a str,
    site: &'a Site,
    entry: &'a Entry,
}

impl Reader<'_> {
    fn read(&self) -> Result<Fault, PlanError> {
        let entry = self.entry;
        let name = entry.meter.get_ref();
        let meters = &self.site.meters;
        let meter = meters
            .iter()
            .position(|place| place.name == *name)
            .ok_or_else(|| {
                let last = meters.last().map_or("none", |place| &place.name);
                let what = format!("there is no meter {name:?}");
                self.error(
                    &entry.meter,
                    what,
                    &format!("the street's meters end with {last}"),
                )
            })?;
        let kind = self.kind()?;
        self.check_carrier(kind, meter)?;
        let from = entry
            .from_s
            .as_ref()
            .map_or(Ok(Duration::ZERO), |s| self.duration(s))?;
        let lasting = entry.for_s.as_ref().map(|s| self.duration(s)).transpose()?;
        let until = lasting.map(|lasting| from.saturating_add(lasting));
        let probability = entry
            .probability
            .as_ref()
            .map(|p| self.probability(p))
            .transpose()?;
        if kind == Kind::Flaky && probability.is_none() {
            return Err(self.missing("probability", "a share of the requests, as 0.3"));
        }
        Ok(Fault {
            meter,
            kind,
            from,
            until,
            probability,
        })
    }

    fn kind(&self) -> Result<Kind, PlanError> {
        let entry = self.entry;
        let kind = match entry.kind.get_ref().as_str() {
            "silent" => Kind::Silent,
            "late" => {
                let delay = entry.delay_ms.as_ref();
                let delay = delay.ok_or_else(|| self.missing("delay_ms", "how late, as 800"))?;
                Kind::Late(Duration::from_millis(u64::from(*delay.get_ref())))
            }
            "corrupt-crc" => Kind::CorruptCrc,
            "wrong-unit" => Kind::WrongUnit(entry.as_unit.as_ref().map(|unit| *unit.get_ref())),
            "exception" => {
                let code = entry.code.as_ref();
                let code = code.ok_or_else(|| self.missing("code", "1 to 255, as 6 (busy)"))?;
                Kind::Exception(*code.get_ref())
            }
            "truncate" => Kind::Truncate,
            "double" => Kind::Double,
            "flaky" => Kind::Flaky,
            "disconnect" => Kind::Disconnect,
            "collision" => Kind::Collision,
            "rollover" => Kind::Turn(Turn::Rollover),
            "replaced" => Kind::Turn(Turn::Replaced),
            "reset" => Kind::Turn(Turn::Reset),
            "bad-read" => Kind::Turn(Turn::BadRead),
            "clock" => {
                let ahead = entry.ahead_s.as_ref();
                let ahead = ahead.ok_or_else(|| self.missing("ahead_s", "seconds, as -90"))?;
                Kind::Turn(Turn::Clock(*ahead.get_ref()))
            }
            other => {
                let what = format!("there is no fault of kind {other:?}");
                return Err(self.error(&entry.kind, what, &format!("the kinds are {KINDS}")));
            }
        };
        self.check_strays(kind)?;
        Ok(kind)
    }

    /// A key that the kind does not look at is a mistake of the author, not a wish.
    fn check_strays(&self, kind: Kind) -> Result<(), PlanError> {
        let entry = self.entry;
        let strays = [
            (
                !matches!(kind, Kind::Late(_)),
                "delay_ms",
                "late",
                &entry.delay_ms.as_ref().map(Spanned::span),
            ),
            (
                !matches!(kind, Kind::Exception(_)),
                "code",
                "exception",
                &entry.code.as_ref().map(Spanned::span),
            ),
            (
                !matches!(kind, Kind::WrongUnit(_)),
                "as_unit",
                "wrong-unit",
                &entry.as_unit.as_ref().map(Spanned::span),
            ),
        ];
        let turn = matches!(kind, Kind::Turn(_));
        let more = [
            (
                !matches!(kind, Kind::Turn(Turn::Clock(_))),
                "ahead_s",
                "clock",
                &entry.ahead_s.as_ref().map(Spanned::span),
            ),
            (
                turn,
                "probability",
                "flaky",
                &entry.probability.as_ref().map(Spanned::span),
            ),
        ];
        for (foreign, key, owner, span) in strays.into_iter().chain(more) {
            if let (true, Some(span)) = (foreign, span) {
                let what = format!("{key} does nothing to a fault of kind {:?}", kind.name());
                let cure = format!("leave it out, or make the kind {owner:?}");
                return Err(PlanError {
                    line: line_of(self.text, span.start),
                    what,
                    cure,
                });
            }
        }
        Ok(())
    }

    fn check_carrier(&self, kind: Kind, meter: usize) -> Result<(), PlanError> {
        let name = self.entry.meter.get_ref();
        let (what, cure) = match (kind, self.site.carrier(meter)) {
            (Kind::CorruptCrc, Some(Carrier::Tcp)) => (
                format!("{name} is on TCP, where frames carry no CRC"),
                "take truncate",
            ),
            (Kind::Collision, Some(Carrier::Rtu | Carrier::Tcp)) => (
                format!("{name} is not on an M-Bus, where meters speak at once"),
                "take corrupt-crc",
            ),
            (Kind::Disconnect, Some(Carrier::Rtu | Carrier::Mbus)) => (
                format!("{name} is on a serial line, which has no connection"),
                "take silent",
            ),
            _ => return Ok(()),
        };
        Err(self.error(
            &self.entry.kind,
            what,
            &format!("{cure}, or a meter of another port"),
        ))
    }

    fn duration(&self, seconds: &Spanned<f64>) -> Result<Duration, PlanError> {
        Duration::try_from_secs_f64(*seconds.get_ref()).map_err(|_| {
            let what = format!("{} is no span of time", seconds.get_ref());
            self.error(seconds, what, "give seconds, 0 or more")
        })
    }

    fn probability(&self, share: &Spanned<f64>) -> Result<f64, PlanError> {
        let value = *share.get_ref();
        if (0.0..=1.0).contains(&value) {
            return Ok(value);
        }
        Err(self.error(share, format!("{value} is no probability"), "give 0 to 1"))
    }

    fn missing(&self, key: &str, example: &str) -> PlanError {
        let kind = self.entry.kind.get_ref();
        let what = format!("a fault of kind {kind:?} needs {key}");
        self.error(&self.entry.kind, what, &format!("add {key}: {example}"))
    }

    fn error<T>(&self, at: &Spanned<T>, what: String, cure: &str) -> PlanError {
        PlanError {
            line: line_of(self.text, at.span().start),
            what,
            cure: cure.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
