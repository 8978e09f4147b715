//! One entry of a plan: what it means, or what is wrong with it.

use super::kind::KINDS;
use super::{Entry, Fault, Kind, PlanError, line_of};
use crate::lines::{Droop, LineFault, LineKind, Moments};
use crate::site::{Carrier, Site};
use crate::turns::Turn;
use std::ops::Range;
use std::time::Duration;
use toml::Spanned;

/// Where nothing is said: a line that is bad, and not dead.
const SEVERITY: f64 = 0.5;
const BAUD: u32 = 9_600;
const CHATTER_PER_S: f64 = 2.0;
const CHATTER_SHARE: f64 = 0.3;
const POWER_UP_MS: u32 = 300;
const STEP_MS: u32 = 100;
/// A level converter cuts its bus off.
const OVERLOAD: &str = "overload";

/// A key, the kinds that look at it, and where it is given.
type Key<'a> = (&'a str, &'a [&'a str], Option<Range<usize>>);

pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) site: &'a Site,
    pub(super) entry: &'a Entry,
}

impl Reader<'_> {
    /// A fault of a meter.
    pub(super) fn read(&self) -> Result<Fault, PlanError> {
        let entry = self.entry;
        let kind = self.kind()?;
        let Some(name) = &entry.meter else {
            return Err(self.missing("meter", "the name of one, as \"m01\""));
        };
        if let Some(other) = self.other("meter") {
            let what = format!("a fault of kind {:?} is of one meter", kind.name());
            return Err(self.error(other, what, "name meter alone"));
        }
        let meters = &self.site.meters;
        let meter = meters
            .iter()
            .position(|place| place.name == *name.get_ref())
            .ok_or_else(|| {
                let last = meters.last().map_or("none", |place| &place.name);
                let what = format!("there is no meter {:?}", name.get_ref());
                self.error(name, what, &format!("the street's meters end with {last}"))
            })?;
        self.check_carrier(kind, meter)?;
        let (from, until) = self.lasting()?;
        let probability = self.probability()?;
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

    /// A fault of a line, if it is of such a kind.
    pub(super) fn line(&self) -> Result<Option<LineFault>, PlanError> {
        let entry = self.entry;
        let kind = match entry.kind.get_ref().as_str() {
            "termination" => LineKind::Termination {
                severity: self.share(entry.severity.as_ref())?.unwrap_or(SEVERITY),
                baud: entry.baud.as_ref().map_or(BAUD, |baud| *baud.get_ref()),
            },
            "bias-chatter" => LineKind::BiasChatter {
                every: self.rate(CHATTER_PER_S)?,
                share: self.probability()?.unwrap_or(CHATTER_SHARE),
            },
            "common-mode" => LineKind::CommonMode(self.moments()?),
            "droop" => {
                let beyond = entry.beyond.as_ref();
                let beyond = beyond.ok_or_else(|| {
                    self.missing("beyond", "how many meters keep their supply, as 2")
                })?;
                LineKind::Droop(Droop {
                    name: "droop",
                    beyond: usize::from(*beyond.get_ref()),
                    power_up: ms(entry.power_up_ms.as_ref(), POWER_UP_MS),
                    step: ms(entry.step_ms.as_ref(), STEP_MS),
                })
            }
            "overload" => LineKind::Droop(Droop {
                name: OVERLOAD,
                beyond: 0,
                power_up: ms(entry.power_up_ms.as_ref(), POWER_UP_MS),
                step: Duration::ZERO,
            }),
            _ => return Ok(None),
        };
        self.check_strays(kind.name(), &[])?;
        let Some(name) = &entry.port else {
            return Err(self.missing("port", "the name of a line, as \"rtu0\""));
        };
        if let Some(other) = self.other("port") {
            let what = format!("a fault of kind {:?} is of a whole line", kind.name());
            return Err(self.error(other, what, "name port alone"));
        }
        let port = self.port(name)?;
        let carrier = self.site.ports.get(port).map(|port| port.carrier);
        let fits = match kind {
            LineKind::Termination { .. } | LineKind::BiasChatter { .. } => {
                carrier == Some(Carrier::Rtu)
            }
            LineKind::Droop(Droop { name: OVERLOAD, .. }) => carrier == Some(Carrier::Mbus),
            LineKind::CommonMode(_) | LineKind::Droop(_) => carrier != Some(Carrier::Tcp),
        };
        if !fits {
            let what = format!("a line as {} has no such trouble", name.get_ref());
            return Err(self.error(
                name,
                what,
                "termination and bias-chatter want an RTU line, common-mode and droop that or an M-Bus, overload an M-Bus",
            ));
        }
        let (from, until) = self.lasting()?;
        Ok(Some(LineFault {
            port,
            kind,
            from,
            until,
        }))
    }

    fn port(&self, name: &Spanned<String>) -> Result<usize, PlanError> {
        let ports = &self.site.ports;
        let found = ports.iter().position(|port| port.name == *name.get_ref());
        found.ok_or_else(|| {
            let known: Vec<&str> = ports.iter().map(|port| port.name.as_str()).collect();
            let what = format!("there is no port {:?}", name.get_ref());
            self.error(name, what, &format!("the ports are {}", known.join(", ")))
        })
    }

    /// From one of what comes at a rate to the next, on the average.
    pub(super) fn rate(&self, per_s: f64) -> Result<Duration, PlanError> {
        let Some(per_s) = &self.entry.per_s else {
            return Ok(Duration::from_secs_f64(1.0 / per_s));
        };
        let value = *per_s.get_ref();
        if (0.01..=1_000.0).contains(&value) {
            return Ok(Duration::from_secs_f64(1.0 / value));
        }
        Err(self.error(
            per_s,
            format!("{value} is no rate"),
            "give 0.01 to 1000 a second",
        ))
    }

    /// When bursts begin, and how long they are.
    pub(super) fn moments(&self) -> Result<Moments, PlanError> {
        let entry = self.entry;
        let length = entry.burst_ms.as_ref();
        let length = length.ok_or_else(|| self.missing("burst_ms", "how long one is, as 40"))?;
        let length = Duration::from_millis(u64::from(*length.get_ref()));
        match (&entry.every_s, &entry.at_s) {
            (Some(every), None) => {
                let period = self.duration(every)?;
                if period <= length {
                    let what = format!("bursts of {length:?} do not fit into {period:?}");
                    return Err(self.error(every, what, "make every_s longer than burst_ms"));
                }
                Ok(Moments::Every { period, length })
            }
            (None, Some(at)) => {
                let moments = at.get_ref().iter().map(|second| {
                    Duration::try_from_secs_f64(*second).map_err(|_| {
                        let what = format!("{second} is no moment");
                        self.error(at, what, "give seconds behind readiness, 0 or more")
                    })
                });
                let mut moments: Vec<Duration> = moments.collect::<Result<_, _>>()?;
                moments.sort();
                Ok(Moments::At { moments, length })
            }
            _ => Err(self.missing("every_s or at_s", "one of them: 2.0, or [1.0, 5.5]")),
        }
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
                let cure = format!("the kinds are {}", KINDS.join(", "));
                return Err(self.error(&entry.kind, what, &cure));
            }
        };
        let shares: &[&str] = match kind {
            Kind::Turn(_) => &[],
            _ => &[kind.name()],
        };
        self.check_strays(kind.name(), shares)?;
        Ok(kind)
    }

    /// A key that the kind does not look at is a mistake of the author, not a wish. `shares`: kinds beside those of
    /// lines and points that may strike a share.
    pub(super) fn check_strays(&self, kind: &str, shares: &[&str]) -> Result<(), PlanError> {
        let entry = self.entry;
        let shares = [shares, &["bias-chatter", "missed", "lost-edges"]].concat();
        let rates = ["bias-chatter", "glitch", "chatter"];
        let bursts = ["common-mode", "chatter"];
        let falls = ["sag", "brownout", "uvlo"];
        let keys: [Key<'_>; 25] = [
            ("delay_ms", &["late"], span(&entry.delay_ms)),
            ("code", &["exception", "refused"], span(&entry.code)),
            ("as_unit", &["wrong-unit"], span(&entry.as_unit)),
            ("ahead_s", &["clock"], span(&entry.ahead_s)),
            ("severity", &["termination"], span(&entry.severity)),
            ("baud", &["termination"], span(&entry.baud)),
            ("per_s", &rates, span(&entry.per_s)),
            ("every_s", &bursts, span(&entry.every_s)),
            ("at_s", &bursts, span(&entry.at_s)),
            ("burst_ms", &bursts, span(&entry.burst_ms)),
            ("beyond", &["droop"], span(&entry.beyond)),
            (
                "power_up_ms",
                &["droop", OVERLOAD],
                span(&entry.power_up_ms),
            ),
            ("step_ms", &["droop"], span(&entry.step_ms)),
            ("widths_us", &["glitch"], span(&entry.widths_us)),
            ("bounces", &["bounce"], span(&entry.bounces)),
            ("spread_ms", &["bounce"], span(&entry.spread_ms)),
            ("edges", &["lost-edges"], span(&entry.edges)),
            ("raw", &["open-wire", "out-of-range"], span(&entry.raw)),
            ("by", &["noise", "jump"], span(&entry.by)),
            ("to_mv", &falls, span(&entry.to_mv)),
            ("fall_ms", &falls, span(&entry.fall_ms)),
            ("marker", &["noise-storm", OVERLOAD], span(&entry.marker)),
            ("retries", &["noise-storm"], span(&entry.retries)),
            ("less", &["noise-storm"], span(&entry.less)),
            ("probability", &shares, span(&entry.probability)),
        ];
        for (key, owners, span) in keys {
            if let (false, Some(span)) = (owners.contains(&kind), span) {
                return Err(PlanError {
                    line: line_of(self.text, span.start),
                    what: format!("{key} does nothing to a fault of kind {kind:?}"),
                    cure: format!("leave it out, or make the kind {}", either(owners)),
                });
            }
        }
        Ok(())
    }

    /// The name of something else than what a fault is of.
    pub(super) fn other(&self, key: &str) -> Option<&Spanned<String>> {
        let entry = self.entry;
        let names = [
            ("meter", &entry.meter),
            ("port", &entry.port),
            ("point", &entry.point),
            ("device", &entry.device),
            ("supply", &entry.supply),
            ("modem", &entry.modem),
        ];
        let mut others = names.into_iter().filter(|(name, _)| *name != key);
        others.find_map(|(_, name)| name.as_ref())
    }

    fn check_carrier(&self, kind: Kind, meter: usize) -> Result<(), PlanError> {
        let name = self.site.meters.get(meter).map_or("", |place| &place.name);
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

    /// When it begins and ends.
    pub(super) fn lasting(&self) -> Result<(Duration, Option<Duration>), PlanError> {
        let entry = self.entry;
        let from = entry
            .from_s
            .as_ref()
            .map(|s| self.duration(s))
            .transpose()?;
        let from = from.unwrap_or_default();
        let lasting = entry.for_s.as_ref().map(|s| self.duration(s)).transpose()?;
        Ok((from, lasting.map(|lasting| from.saturating_add(lasting))))
    }

    pub(super) fn duration(&self, seconds: &Spanned<f64>) -> Result<Duration, PlanError> {
        Duration::try_from_secs_f64(*seconds.get_ref()).map_err(|_| {
            let what = format!("{} is no span of time", seconds.get_ref());
            self.error(seconds, what, "give seconds, 0 or more")
        })
    }

    pub(super) fn probability(&self) -> Result<Option<f64>, PlanError> {
        self.share(self.entry.probability.as_ref())
    }

    pub(super) fn share(&self, share: Option<&Spanned<f64>>) -> Result<Option<f64>, PlanError> {
        match share.map(|share| (share, *share.get_ref())) {
            Some((share, value)) if !(0.0..=1.0).contains(&value) => {
                Err(self.error(share, format!("{value} is no probability"), "give 0 to 1"))
            }
            other => Ok(other.map(|(_, value)| value)),
        }
    }

    pub(super) fn missing(&self, key: &str, example: &str) -> PlanError {
        let kind = self.entry.kind.get_ref();
        let what = format!("a fault of kind {kind:?} needs {key}");
        self.error(&self.entry.kind, what, &format!("add {key}: {example}"))
    }

    pub(super) fn error<T>(&self, at: &Spanned<T>, what: String, cure: &str) -> PlanError {
        PlanError {
            line: line_of(self.text, at.span().start),
            what,
            cure: cure.to_owned(),
        }
    }
}

/// Kinds to choose from.
fn either(kinds: &[&str]) -> String {
    let quoted: Vec<String> = kinds.iter().map(|kind| format!("{kind:?}")).collect();
    quoted.join(" or ")
}

fn span<T>(key: &Option<Spanned<T>>) -> Option<Range<usize>> {
    key.as_ref().map(Spanned::span)
}

pub(super) fn ms(key: Option<&Spanned<u32>>, default: u32) -> Duration {
    let ms = key.map_or(default, |ms| *ms.get_ref());
    Duration::from_millis(u64::from(ms))
}
