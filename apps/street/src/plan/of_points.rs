//! Faults of a station's own points.

use super::PlanError;
use super::read::{Reader, ms};
use crate::points::{
    AnalogKind, Faults, InputKind, ModemKind, OFFLINE, Ordered, SupplyKind, Width,
};
use std::time::Duration;
use toml::Spanned;

/// Where nothing is said.
const GLITCHES_PER_S: f64 = 2.0;
const CHANGES_PER_S: f64 = 50.0;
const BOUNCES: u32 = 3;
const BOUNCES_MAX: u32 = 100;
const SPREAD: Duration = Duration::from_millis(2);
const MISSED: f64 = 0.1;
const OVERRUNS: f64 = 0.1;
const EDGES: u32 = 4;
const EDGES_MAX: u32 = 10_000;
const OPEN_RAW: i64 = 0;
const BEYOND_RAW: i64 = 32_767;
const NOISE: i64 = 200;
/// The device has failed (exception 4).
const FAILURE: u8 = 4;
const RETRIES: u32 = 50;
const RETRIES_MAX: u32 = 100_000;
const LESS: i64 = 120;
/// How a supply falls: to how many percent, where nothing is said.
const FALLS: [(&str, i64); 3] = [("sag", 92), ("brownout", 85), ("uvlo", 70)];
/// What a register holds, signed or not.
const RAW_MIN: i64 = -32_768;
const RAW_MAX: i64 = 65_535;
/// The four decades to 10 ms, in microseconds.
const WIDTHS_US: [(f64, f64, f64); 4] = [
    (1.0, 10.0, 1.0),
    (10.0, 100.0, 1.0),
    (100.0, 1_000.0, 1.0),
    (1_000.0, 10_000.0, 1.0),
];
/// Classes of widths.
const WIDTHS_MAX: usize = 16;
/// The widest glitch.
const WIDTH_US_MAX: f64 = 2_000_000.0;

impl Reader<'_> {
    /// Takes a fault of a point, if it is of such a kind.
    pub(super) fn point(&self, faults: &mut Faults) -> Result<bool, PlanError> {
        let points = &self.site.points;
        let devices: Vec<&str> = points.devices.iter().map(|one| one.name.as_str()).collect();
        if self.entry.kind.get_ref() == OFFLINE {
            let fault = self.ordered("device", "device", (OFFLINE, ()), &devices)?;
            faults.devices.push(fault);
            return Ok(true);
        }
        if self.supply(&mut faults.supplies)? || self.modem(faults)? {
            return Ok(true);
        }
        let analogs: Vec<&str> = points.analogs.iter().map(|one| one.name.as_str()).collect();
        let named = self
            .entry
            .point
            .as_ref()
            .map(|name| name.get_ref().as_str());
        let is_analog = named.is_some_and(|name| analogs.contains(&name));
        if let Some(kind) = self.analog_kind(is_analog)? {
            let fault = self.ordered("point", "analog input", (kind.name(), kind), &analogs)?;
            faults.analogs.push(fault);
            return Ok(true);
        }
        let inputs: Vec<&str> = points.inputs.iter().map(|one| one.name.as_str()).collect();
        let Some(kind) = self.input_kind()? else {
            return Ok(false);
        };
        let fault = self.ordered("point", "input", (kind.name(), kind), &inputs)?;
        let input = points.inputs.get(fault.place);
        let is_bit = input.is_some_and(|input| input.bit.is_some());
        if let (true, InputKind::LostEdges { .. }, Some(at)) =
            (is_bit, &fault.kind, &self.entry.point)
        {
            let what = format!(
                "{:?} is a bit of a device, whose edges have no numbers",
                at.get_ref()
            );
            return Err(self.error(at, what, "take an input of the recording"));
        }
        faults.inputs.push(fault);
        Ok(true)
    }

    /// A fault of what a key names: one of those that are known, called `what`.
    fn ordered<K>(
        &self,
        key: &str,
        what: &str,
        (word, kind): (&str, K),
        known: &[&str],
    ) -> Result<Ordered<K>, PlanError> {
        self.check_strays(word, &[])?;
        let name = match key {
            "device" => &self.entry.device,
            "supply" => &self.entry.supply,
            "modem" => &self.entry.modem,
            _ => &self.entry.point,
        };
        let Some(name) = name else {
            let example = match known {
                [] => "the street has none, a file of --points lays them out".to_owned(),
                known => format!("the name of one, they are {}", known.join(", ")),
            };
            return Err(self.missing(key, &example));
        };
        if let Some(other) = self.other(key) {
            let what = format!("a fault of kind {word:?} is of one {what}");
            return Err(self.error(other, what, &format!("name {key} alone")));
        }
        let place = self.place(name, what, known)?;
        let (from, until) = self.lasting()?;
        Ok(Ordered {
            place,
            kind,
            from,
            until,
        })
    }

    /// Takes a fault of a supply, if it is of such a kind.
    fn supply(&self, faults: &mut Vec<Ordered<SupplyKind>>) -> Result<bool, PlanError> {
        let word = self.entry.kind.get_ref().as_str();
        let falls = FALLS.iter().find(|(name, _)| *name == word);
        let kind = match falls {
            Some((name, _)) => SupplyKind::Falls {
                name,
                to_mv: 0,
                over: ms(self.entry.fall_ms.as_ref(), 0),
            },
            None if word == SupplyKind::Loss.name() => SupplyKind::Loss,
            None => return Ok(false),
        };
        let supplies = &self.site.points.supplies;
        let known: Vec<&str> = supplies.iter().map(|one| one.name.as_str()).collect();
        let mut fault = self.ordered("supply", "supply", (kind.name(), kind), &known)?;
        if let (SupplyKind::Falls { to_mv, .. }, Some((_, percent))) = (&mut fault.kind, falls) {
            let mean = supplies.get(fault.place).map_or(0, |one| one.swing.mean);
            *to_mv = match &self.entry.to_mv {
                None => mean * percent / 100,
                Some(at) if (0..=mean).contains(at.get_ref()) => *at.get_ref(),
                Some(at) => {
                    let what = format!("a supply of {mean} mV does not fall to {}", at.get_ref());
                    return Err(self.error(at, what, &format!("give 0 to {mean}")));
                }
            };
        }
        faults.push(fault);
        Ok(true)
    }

    /// Takes a fault of a modem, if it is of such a kind, and holds the input that marks it.
    fn modem(&self, faults: &mut Faults) -> Result<bool, PlanError> {
        let entry = self.entry;
        let kind = match entry.kind.get_ref().as_str() {
            "mute" => ModemKind::Mute,
            "garbage" => ModemKind::Garbage,
            "counters-back" => ModemKind::CountersBack,
            "noise-storm" => ModemKind::NoiseStorm {
                step: self.count(entry.retries.as_ref(), RETRIES, RETRIES_MAX)?,
                less: self.raw(entry.less.as_ref(), LESS)?,
            },
            _ => return Ok(false),
        };
        let modems = self.site.points.modems.iter();
        let known: Vec<&str> = modems.map(|one| one.name.as_str()).collect();
        let fault = self.ordered("modem", "modem", (kind.name(), kind), &known)?;
        let marker = self.marker(kind.name(), fault.from, fault.until)?;
        faults.inputs.extend(marker);
        faults.modems.push(fault);
        Ok(true)
    }

    /// The input that is active while a fault lasts, where it has one.
    pub(super) fn marker(
        &self,
        fault: &'static str,
        from: Duration,
        until: Option<Duration>,
    ) -> Result<Option<Ordered<InputKind>>, PlanError> {
        let Some(marker) = &self.entry.marker else {
            return Ok(None);
        };
        let inputs = self.site.points.inputs.iter();
        let known: Vec<&str> = inputs.map(|one| one.name.as_str()).collect();
        Ok(Some(Ordered {
            place: self.place(marker, "input", &known)?,
            kind: InputKind::Held(fault),
            from,
            until,
        }))
    }

    fn analog_kind(&self, is_analog: bool) -> Result<Option<AnalogKind>, PlanError> {
        let entry = self.entry;
        let raw = |default| self.raw(entry.raw.as_ref(), default);
        Ok(Some(match entry.kind.get_ref().as_str() {
            "open-wire" => AnalogKind::OpenWire(raw(OPEN_RAW)?),
            "out-of-range" => AnalogKind::OutOfRange(raw(BEYOND_RAW)?),
            "noise" => AnalogKind::Noise(self.raw(entry.by.as_ref(), NOISE)?.saturating_abs()),
            "jump" => {
                let by = entry.by.as_ref();
                let by = by.ok_or_else(|| self.missing("by", "how far, as 2000"))?;
                AnalogKind::Jump(self.raw(Some(by), 0)?)
            }
            "refused" => {
                AnalogKind::Refused(entry.code.as_ref().map_or(FAILURE, |one| *one.get_ref()))
            }
            "stuck" if is_analog => AnalogKind::Frozen,
            _ => return Ok(None),
        }))
    }

    /// What fits into a register, signed or not.
    fn raw(&self, raw: Option<&Spanned<i64>>, default: i64) -> Result<i64, PlanError> {
        match raw.map(|raw| (raw, *raw.get_ref())) {
            Some((at, value)) if !(RAW_MIN..=RAW_MAX).contains(&value) => {
                let what = format!("{value} fits into no register");
                Err(self.error(at, what, "stay within -32768 to 65535"))
            }
            other => Ok(other.map_or(default, |(_, value)| value)),
        }
    }

    fn input_kind(&self) -> Result<Option<InputKind>, PlanError> {
        let entry = self.entry;
        Ok(Some(match entry.kind.get_ref().as_str() {
            "glitch" => InputKind::Glitch {
                every: self.rate(GLITCHES_PER_S)?,
                widths: self.widths()?,
            },
            "bounce" => InputKind::Bounce {
                most: self.count(entry.bounces.as_ref(), BOUNCES, BOUNCES_MAX)?,
                within: self.spread()?,
            },
            "chatter" => InputKind::Chatter {
                moments: self.moments()?,
                every: self.rate(CHANGES_PER_S)?,
            },
            "missed" => InputKind::Missed {
                share: self.probability()?.unwrap_or(MISSED),
            },
            "lost-edges" => InputKind::LostEdges {
                share: self.probability()?.unwrap_or(OVERRUNS),
                most: self.count(entry.edges.as_ref(), EDGES, EDGES_MAX)?,
            },
            "stuck" => InputKind::Stuck,
            _ => return Ok(None),
        }))
    }

    /// The place of a name among those that there are.
    fn place(
        &self,
        name: &Spanned<String>,
        what: &str,
        known: &[&str],
    ) -> Result<usize, PlanError> {
        let found = known.iter().position(|one| one == name.get_ref());
        found.ok_or_else(|| {
            let cure = match known {
                [] => format!("--points lays out no {what}"),
                known => format!("--points has {}", known.join(", ")),
            };
            let what = format!("there is no {what} {:?}", name.get_ref());
            self.error(name, what, &cure)
        })
    }

    fn count(
        &self,
        count: Option<&Spanned<u32>>,
        default: u32,
        most: u32,
    ) -> Result<u32, PlanError> {
        match count.map(|count| (count, *count.get_ref())) {
            Some((at, value)) if !(1..=most).contains(&value) => {
                let cure = format!("give 1 to {most}");
                Err(self.error(at, format!("{value} is out of range"), &cure))
            }
            other => Ok(other.map_or(default, |(_, value)| value)),
        }
    }

    fn spread(&self) -> Result<Duration, PlanError> {
        let Some(at) = &self.entry.spread_ms else {
            return Ok(SPREAD);
        };
        let spread = Duration::try_from_secs_f64(*at.get_ref() / 1_000.0);
        let fits = spread.ok().filter(|spread| !spread.is_zero());
        fits.ok_or_else(|| {
            let what = format!("{} is no span of time", at.get_ref());
            self.error(at, what, "give milliseconds, more than 0")
        })
    }

    fn widths(&self) -> Result<Vec<Width>, PlanError> {
        let given = self.entry.widths_us.as_ref();
        let classes = given.map_or(&WIDTHS_US[..], |given| given.get_ref().as_slice());
        let sound = |(from, to, weight): &(f64, f64, f64)| {
            *from > 0.0 && from <= to && *to <= WIDTH_US_MAX && *weight > 0.0 && weight.is_finite()
        };
        if let Some(at) = given
            && (classes.is_empty() || classes.len() > WIDTHS_MAX || !classes.iter().all(sound))
        {
            let what = "these are no classes of widths".to_owned();
            let cure = "give 1 to 16 as [from, to, how often], in microseconds up to 2 s, as [[3, 9, 1], [300, 900, 2]]";
            return Err(self.error(at, what, cure));
        }
        let us = |us: f64| Duration::try_from_secs_f64(us / 1_000_000.0).unwrap_or_default();
        let classes = classes.iter().map(|(from, to, weight)| Width {
            from: us(*from),
            to: us(*to),
            weight: *weight,
        });
        Ok(classes.collect())
    }
}
