//! Excursions of supplies against the numbers that stood in their files.

use super::runs::Run;
use super::{Played, number, text};
use evidence::Decimal;
use serde_json::Value;

/// A record's instant is before its read, on a busy machine by so much at the most.
const READ_BY_NS: u64 = 2_000_000_000;
/// Within so much time a supply is looked at once at least, also on a busy machine.
const LOOK_NS: u64 = 700_000_000;
/// Faults of a supply, and the bands of which an entry has to tell.
const BANDS: [(&str, &str); 3] = [("sag", "droop"), ("brownout", "brownout"), ("uvlo", "uvlo")];

/// What stands in the file from an instant on.
#[derive(Clone, Debug)]
pub(super) struct Stands {
    pub(super) at_ns: u64,
    /// In millivolts; nothing where it cannot be read.
    pub(super) mv: Option<i64>,
    pub(super) fault: Option<String>,
}

/// Holds the excursions of a supply against what stood there; `runs` are those of its card.
pub(super) fn compare(
    point: &str,
    stood: &[Stands],
    rows: &[&Value],
    runs: &[Run],
    played: &mut Played,
) {
    let side = Side { stood };
    let mut say = |words: String| played.findings.add(format!("{point}: {words}"));
    let mut entered: Vec<(&str, u64)> = Vec::new();
    for row in rows {
        let entry = text(row, "event_id").unwrap_or_default();
        let at_ns = number(row, "mono_ns").unwrap_or_default();
        let band = text(row, "band").unwrap_or_default();
        let value = text(row, "value").and_then(|value| value.parse::<Decimal>().ok());
        let limit = text(row, "limit").and_then(|limit| limit.parse::<Decimal>().ok());
        played.excursions += 1;
        if let Some(value) = value
            && !side.near(at_ns, |mv| mv.is_some_and(|mv| equal(mv, value)))
        {
            say(format!(
                "entry {entry} says {value}, which did not stand there"
            ));
        }
        match text(row, "change") {
            Some("entered") => {
                let below = |limit| side.near(at_ns, |mv| mv.is_some_and(|mv| below(mv, limit)));
                if !limit.is_some_and(below) {
                    say(format!(
                        "entry {entry} is beyond {band}, and the supply was not"
                    ));
                }
                entered.push((band, at_ns));
            }
            Some("left") => {
                let from_ns = entered
                    .iter()
                    .rev()
                    .find(|(of, _)| *of == band)
                    .map(|(_, at)| *at);
                let extreme = text(row, "extreme").and_then(|value| value.parse().ok());
                let (Some(from_ns), Some(extreme)) = (from_ns, extreme) else {
                    say(format!("entry {entry} ends {band}, which had not begun"));
                    continue;
                };
                if let Some(words) = side.furthest(from_ns, at_ns, extreme) {
                    say(format!("entry {entry} {words}"));
                }
            }
            Some("lost") if !side.near(at_ns, |mv| mv.is_none()) => {
                say(format!("entry {entry} lost a supply that could be read"));
            }
            _ => {}
        }
    }
    for (from_ns, until_ns, fault) in side.faults() {
        // It lasted for long enough to be seen while the card was at work.
        let seen = runs.iter().any(|run| {
            let end_ns = until_ns.min(run.end_ns.saturating_sub(READ_BY_NS));
            from_ns >= run.from_ns && end_ns.saturating_sub(from_ns) >= LOOK_NS
        });
        if !seen {
            continue;
        }
        let band = BANDS.iter().find(|(name, _)| *name == fault);
        let told = rows.iter().any(|row| {
            let at_ns = number(row, "mono_ns").unwrap_or_default();
            let fits = match band {
                Some((_, band)) => {
                    text(row, "change") == Some("entered") && text(row, "band") == Some(band)
                }
                None => text(row, "change") == Some("lost"),
            };
            fits && (from_ns.saturating_sub(READ_BY_NS)..=until_ns).contains(&at_ns)
        });
        if !told {
            say(format!("{fault} from {from_ns} to {until_ns} has no entry"));
        }
    }
}

struct Side<'a> {
    stood: &'a [Stands],
}

impl Side<'_> {
    /// Whether what stood at an instant, or was written soon behind, is such.
    fn near(&self, at_ns: u64, is: impl Fn(Option<i64>) -> bool) -> bool {
        let first = self
            .stood
            .partition_point(|one| one.at_ns <= at_ns)
            .saturating_sub(1);
        let until_ns = at_ns.saturating_add(READ_BY_NS);
        let near = self
            .stood
            .iter()
            .skip(first)
            .take_while(|one| one.at_ns <= until_ns);
        near.map(|one| one.mv).any(is)
    }

    /// What is wrong with the furthest value of an excursion: it stood there, and it is no higher than what stood for
    /// as long as it takes to look.
    fn furthest(&self, from_ns: u64, until_ns: u64, extreme: Decimal) -> Option<String> {
        let inside = |at_ns: u64| (from_ns..=until_ns.saturating_add(READ_BY_NS)).contains(&at_ns);
        let during: Vec<&Stands> = self.stood.iter().filter(|one| inside(one.at_ns)).collect();
        let stood = during
            .iter()
            .any(|one| one.mv.is_some_and(|mv| equal(mv, extreme)));
        if !stood && !self.near(from_ns, |mv| mv.is_some_and(|mv| equal(mv, extreme))) {
            return Some(format!(
                "says {extreme} at the furthest, which did not stand there"
            ));
        }
        for (place, first) in during.iter().enumerate() {
            let end_ns = first.at_ns + LOOK_NS;
            if end_ns > until_ns {
                break;
            }
            let window = during
                .iter()
                .skip(place)
                .take_while(|one| one.at_ns < end_ns);
            let highest = window.filter_map(|one| one.mv).max();
            if let Some(mv) = highest.filter(|mv| below(*mv, extreme)) {
                return Some(format!(
                    "says {extreme} at the furthest; it was at {mv} mV for long"
                ));
            }
        }
        None
    }

    /// Stretches of one fault: from, until, its name.
    fn faults(&self) -> Vec<(u64, u64, &str)> {
        let mut faults: Vec<(u64, u64, &str)> = Vec::new();
        let mut before: Option<&str> = None;
        for one in self.stood {
            if let (Some(_), Some((_, until_ns, _))) = (before, faults.last_mut()) {
                *until_ns = one.at_ns;
            }
            let fault = one.fault.as_deref();
            if let Some(fault) = fault.filter(|_| fault != before) {
                faults.push((one.at_ns, u64::MAX, fault));
            }
            before = fault;
        }
        faults
    }
}

fn volts(mv: i64) -> Option<Decimal> {
    Decimal::new(i128::from(mv), -3).ok()
}

fn equal(mv: i64, value: Decimal) -> bool {
    volts(mv).is_some_and(|volts| volts.cmp_value(value).is_eq())
}

fn below(mv: i64, value: Decimal) -> bool {
    volts(mv).is_some_and(|volts| volts.cmp_value(value).is_lt())
}
