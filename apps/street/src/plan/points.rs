//! Faults of a station's own points.

use super::PlanError;
use super::read::{Reader, one_of};
use crate::points::{InputKind, Ordered, Width};
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
    /// A fault of an input, if it is of such a kind.
    pub(super) fn input(&self) -> Result<Option<Ordered<InputKind>>, PlanError> {
        let entry = self.entry;
        let kind = match entry.kind.get_ref().as_str() {
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
        };
        self.check_strays(kind.name(), &[])?;
        let Some(name) = &entry.point else {
            return Err(self.missing("point", "the name of an input of --points, as \"water\""));
        };
        if let Some(other) = one_of([&entry.meter, &entry.port]) {
            let what = format!("a fault of kind {:?} is of one input", kind.name());
            return Err(self.error(other, what, "name point alone"));
        }
        let inputs = self.site.points.inputs.iter();
        let known: Vec<&str> = inputs.map(|one| one.name.as_str()).collect();
        let place = self.place(name, "input", &known)?;
        let (from, until) = self.lasting()?;
        Ok(Some(Ordered {
            place,
            kind,
            from,
            until,
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
