//! What is known of meters as counters of a frozen state, and back.

use super::{Counter, Course, Known, Life, Sample};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use contract::Contract;
use evidence::frozen::names::{LIFE_CLOCK, LIFE_COUNT, LIFE_DOUBT, LIFE_SERIAL};
use evidence::reasons::ClockClass;
use evidence::{Decimal, MeterId, PointId, Seq, UtcNs};

/// One counter of a frozen state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frozen {
    /// Its name.
    pub name: &'static str,
    /// What it is about.
    pub label: String,
    /// Its value.
    pub value: u64,
}

impl Life {
    /// What a start has to know of the meters of a contract, where the records that told it have left the log.
    #[must_use]
    pub fn freeze(&self, contract: &Contract) -> Vec<Frozen> {
        let mut out = Vec::new();
        let mut put = |name, label, value| out.push(Frozen { name, label, value });
        for (meter, known) in &self.meters {
            let Some(plan) = contract.meters.get(meter) else {
                continue;
            };
            if let Some((serial, seq)) = &known.serial {
                put(LIFE_SERIAL, format!("{meter} {serial}"), seq.0);
            }
            for (point, counter) in &known.counters {
                let mut points = plan.points.iter();
                if !points.any(|one| one.id == *point && one.scale == counter.scale) {
                    continue;
                }
                let serial = counter.serial.as_deref().unwrap_or_default();
                let label = |sample: &Sample, more: &str| {
                    let (value, seq) = (plain(sample.value), sample.seq.0);
                    let label = format!("{meter} {point} {value} {seq} {more}");
                    String::from(label.trim_end())
                };
                let utc = |sample: &Sample| u64::try_from(sample.utc.0).unwrap_or(0);
                put(
                    LIFE_COUNT,
                    label(&counter.believed, serial),
                    utc(&counter.believed),
                );
                if let Some((doubted, course)) = &counter.doubted {
                    let leapt = if *course == Course::Leap {
                        "leap"
                    } else {
                        "back"
                    };
                    put(LIFE_DOUBT, label(doubted, leapt), utc(doubted));
                }
            }
            if let Some(class) = known.clock {
                put(LIFE_CLOCK, meter.to_string(), class.code());
            }
        }
        out
    }

    /// Takes up one counter of a frozen state; what is none of ours, or cannot be read, is left.
    pub fn resume(&mut self, contract: &Contract, name: &str, label: &str, value: u64) {
        if [LIFE_SERIAL, LIFE_COUNT, LIFE_DOUBT, LIFE_CLOCK].contains(&name) {
            let _ = self.resume_one(contract, name, label, value);
        }
    }

    fn resume_one(
        &mut self,
        contract: &Contract,
        name: &str,
        label: &str,
        value: u64,
    ) -> Option<()> {
        let (meter, rest) = label.split_once(' ').unwrap_or((label, ""));
        let meter: MeterId = meter.parse().ok()?;
        let plan = contract.meters.get(&meter)?;
        let known: &mut Known = self.meters.entry(meter).or_default();
        match name {
            LIFE_SERIAL => known.serial = Some((String::from(rest), Seq(value))),
            LIFE_CLOCK => known.clock = ClockClass::from_code(value),
            _ => {
                let mut words = rest.splitn(4, ' ');
                let point: PointId = words.next()?.parse().ok()?;
                let sample = Sample {
                    value: exact(words.next()?)?,
                    seq: Seq(words.next()?.parse().ok()?),
                    at: None,
                    utc: UtcNs(i64::try_from(value).ok()?),
                };
                let more = words.next();
                if name == LIFE_COUNT {
                    let as_now = plan.points.iter().find(|one| one.id == point)?;
                    let counter = Counter {
                        believed: sample,
                        serial: more.map(String::from),
                        doubted: None,
                        scale: as_now.scale,
                    };
                    known.counters.insert(point, counter);
                } else {
                    let course = match more {
                        Some("leap") => Course::Leap,
                        _ => Course::Back,
                    };
                    known.counters.get_mut(&point)?.doubted = Some((sample, course));
                }
            }
        }
        Some(())
    }
}

/// A decimal with its resolution, `12345e-2`.
fn plain(value: Decimal) -> String {
    format!("{}e{}", value.mantissa(), value.exponent())
}

fn exact(text: &str) -> Option<Decimal> {
    let (mantissa, exponent) = text.split_once('e')?;
    Decimal::new(mantissa.parse().ok()?, exponent.parse().ok()?).ok()
}
