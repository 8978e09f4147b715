//! The street's side: its registers, and the requests and replies of its log.

use crate::contract::{list, word};
use evidence::Decimal;
use serde_json::Value;
use std::collections::BTreeMap;

/// A quantity of the street's register map.
#[derive(Clone, Debug)]
pub(super) struct Quantity {
    pub(super) name: String,
    first: u64,
    count: u64,
    signed: bool,
    scale: Decimal,
}

/// What a reply carries of a quantity.
#[derive(Debug)]
pub(super) struct Sent {
    /// The registers in hex.
    pub(super) raw: String,
    pub(super) value: Decimal,
}

impl Sent {
    /// Whether a text of the log is this value.
    pub(super) fn equals(&self, text: &str) -> bool {
        text.parse::<Decimal>()
            .is_ok_and(|value| value.cmp_value(self.value).is_eq())
    }
}

impl Quantity {
    /// Takes it out of a reply.
    pub(super) fn of(&self, reply: &Reply) -> Option<Sent> {
        let skip = usize::try_from(self.first.checked_sub(reply.first)?).ok()?;
        let count = usize::try_from(self.count).ok()?;
        let words = reply.values.get(skip..skip + count)?;
        let raw = words.iter().map(|word| format!("{word:04x}")).collect();
        let unsigned = words
            .iter()
            .fold(0_i128, |number, word| number << 16 | i128::from(*word));
        let bits = 16 * words.len();
        let negative = self.signed && bits > 0 && unsigned >> (bits - 1) == 1;
        let number = if negative {
            unsigned - (1_i128 << bits)
        } else {
            unsigned
        };
        let value = Decimal::new(number, 0).and_then(|number| number.checked_mul(self.scale));
        Some(Sent {
            raw,
            value: value.ok()?,
        })
    }
}

/// The register map in the street's description; every meter has the same.
pub(super) fn quantities(description: &Value) -> Result<Vec<Quantity>, String> {
    let meters = list(description, "meters")?;
    let meter = meters.first().ok_or("street.json names no meter")?;
    list(meter, "registers")?
        .iter()
        .map(|found| {
            let name = word(found, "name")?.to_owned();
            let number = |key| found.get(key).and_then(Value::as_u64);
            let missing = || format!("street.json: register {name} has no place");
            let scale = word(found, "scale")?;
            Ok(Quantity {
                first: number("first").ok_or_else(missing)?,
                count: number("count").ok_or_else(missing)?,
                signed: word(found, "type")?.starts_with('i'),
                scale: scale
                    .parse()
                    .map_err(|error| format!("street.json: {name}: scale {scale:?}: {error}"))?,
                name,
            })
        })
        .collect()
}

/// A reply that the street sent.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) no: u64,
    /// When the street sent it, in nanoseconds of the monotonic clock.
    pub(super) at_ns: u64,
    pub(super) exception: Option<u64>,
    /// What was on the wire.
    pub(super) hex: String,
    fault: Option<String>,
    first: u64,
    values: Vec<u16>,
}

impl Reply {
    /// Whole, of the meter's own unit, and with values.
    pub(super) fn is_sound(&self) -> bool {
        let harmless = |fault: &String| super::SOUND_FAULTS.contains(&fault.as_str());
        self.exception.is_none() && self.fault.as_ref().is_none_or(harmless)
    }
}

/// A request that the street saw.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) no: u64,
    /// When the street saw it, in nanoseconds of the monotonic clock.
    pub(super) at_ns: u64,
    pub(super) port: String,
    pub(super) fault: Option<String>,
    pub(super) replies: Vec<Reply>,
}

impl Asked {
    /// The reply that a reading may come from.
    pub(super) fn sound(&self) -> Option<&Reply> {
        self.replies.iter().find(|reply| reply.is_sound())
    }
}

/// The street's log, by meter and in order.
#[derive(Debug, Default)]
pub(super) struct Street {
    pub(super) meters: BTreeMap<String, Vec<Asked>>,
    /// Requests to nobody.
    pub(super) unknown_units: Vec<u64>,
    /// By port: how often it carried characters that nobody sent since the first request on it, and before the last.
    pub(super) strays: BTreeMap<String, u64>,
    /// The same since the last request.
    pending: BTreeMap<String, u64>,
}

impl Street {
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut street = Self::default();
        for (place, line) in (1..).zip(text.lines()) {
            let line: Value = serde_json::from_str(line)
                .map_err(|error| format!("the street's log, line {place}: {error}"))?;
            street
                .take(&line)
                .map_err(|what| format!("the street's log, line {place}: {what}"))?;
        }
        Ok(street)
    }

    fn take(&mut self, line: &Value) -> Result<(), String> {
        let number = |key: &str| line.get(key).and_then(Value::as_u64);
        let text = |key: &str| line.get(key).and_then(Value::as_str).map(str::to_owned);
        let event = text("event").ok_or("there is no event")?;
        // Whatever comes by itself, or from points, asks nothing of a meter.
        if !["request", "reply", "no-reply", "disturbance"].contains(&event.as_str()) {
            return Ok(());
        }
        let port = text("port").unwrap_or_default();
        if event == "disturbance" {
            if let Some(pending) = self.pending.get_mut(&port)
                && text("bytes").is_some()
            {
                *pending += 1;
            }
            return Ok(());
        }
        if event == "request" {
            let pending = self.pending.entry(port.clone()).or_default();
            *self.strays.entry(port.clone()).or_default() += std::mem::take(pending);
        }
        let no = number("request_no").ok_or("there is no request_no")?;
        let Some(meter) = text("meter") else {
            if event == "request" {
                self.unknown_units.push(no);
            }
            return Ok(());
        };
        let asked = self.meters.entry(meter).or_default();
        if event == "request" {
            asked.push(Asked {
                no,
                at_ns: number("mono_ns").unwrap_or(u64::MAX),
                port,
                fault: None,
                replies: Vec::new(),
            });
            return Ok(());
        }
        let request = asked.iter_mut().rev().find(|asked| asked.no == no);
        let request = request.ok_or("the reply stands before its request")?;
        request.fault = request.fault.take().or_else(|| text("fault"));
        if event == "reply" {
            let values = line.get("values").and_then(Value::as_array);
            let word = |value: &Value| u16::try_from(value.as_u64()?).ok();
            let values: Option<Vec<u16>> = values.into_iter().flatten().map(word).collect();
            request.replies.push(Reply {
                no: number("reply_no").ok_or("there is no reply_no")?,
                at_ns: number("mono_ns").unwrap_or(u64::MAX),
                exception: number("exception"),
                hex: text("bytes").unwrap_or_default(),
                fault: text("fault"),
                first: number("first_register").unwrap_or_default(),
                values: values.ok_or("a value is no register")?,
            });
        }
        Ok(())
    }
}
