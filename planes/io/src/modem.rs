//! What a PLC modem's answer says: JSON by pointer, or lines by key. Pure, bounded, and never more than what is there.

use crate::limits::MODEM_ANSWER_BYTES_MAX;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use contract::Modem;
use core::fmt;
use evidence::Decimal;
use serde_json::Value;

/// What an answer comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Whether it has a link.
    pub link: Option<bool>,
    /// Retransmissions as it counts them.
    pub retransmissions: Option<u64>,
    /// Its quality, scaled.
    pub quality: Option<Decimal>,
    /// Other counters by their place in the contract.
    pub counters: Vec<Option<u64>>,
    /// What the contract wants and the answer does not have as such a value.
    pub missing: Vec<String>,
}

/// Why an answer is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// More bytes than an answer may have.
    TooLong,
    /// No JSON, or no text.
    Garbled,
    /// Nothing of what the contract wants is in it.
    Nothing,
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "the answer is longer than it may be",
            Self::Garbled => "the answer is neither JSON nor lines of text",
            Self::Nothing => "the answer has nothing of what the contract wants",
        })
    }
}

/// Reads an answer: pointers where the contract has pointers, keys where it has keys.
///
/// # Errors
/// [`NoAnswer`] says why it is none.
pub fn answer(modem: &Modem, bytes: &[u8]) -> Result<Answer, NoAnswer> {
    if bytes.len() > MODEM_ANSWER_BYTES_MAX {
        return Err(NoAnswer::TooLong);
    }
    let text = core::str::from_utf8(bytes).map_err(|_| NoAnswer::Garbled)?;
    let json = match modem.is_json() {
        true => Some(serde_json::from_str::<Value>(text).map_err(|_| NoAnswer::Garbled)?),
        false => None,
    };
    let mut fields = Fields {
        text,
        json,
        missing: Vec::new(),
    };
    let scaled = |said: &str| decimal(said)?.checked_mul(modem.scale).ok();
    let mut answer = Answer {
        link: fields.take(modem.link.as_deref(), flag),
        retransmissions: fields.take(modem.retransmissions.as_deref(), count),
        quality: fields.take(modem.quality.as_deref(), scaled),
        ..Answer::default()
    };
    for counter in &modem.counters {
        answer
            .counters
            .push(fields.take(Some(&counter.place), count));
    }
    answer.missing = fields.missing;
    match answer.missing.len() >= modem.places().count() {
        true => Err(NoAnswer::Nothing),
        false => Ok(answer),
    }
}

/// An answer out of which values are taken.
struct Fields<'t> {
    text: &'t str,
    /// Of one that has pointers.
    json: Option<Value>,
    missing: Vec<String>,
}

impl Fields<'_> {
    /// The value at a place, where one is wanted; a place without such a value is missing.
    fn take<T>(&mut self, place: Option<&str>, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let place = place?;
        let said = match &self.json {
            Some(json) => json.pointer(place).and_then(said_by_json),
            None => said_by_lines(self.text, place),
        };
        let value = said.as_deref().and_then(read);
        if value.is_none() {
            self.missing.push(place.to_string());
        }
        value
    }
}

fn said_by_json(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The value behind a key: `KEY: value` or `KEY=value` on a line of its own; `KEY#2` is the second of several that
/// commas part.
fn said_by_lines(text: &str, place: &str) -> Option<String> {
    let (key, field) = match place.rsplit_once('#') {
        Some((key, field)) => (key, field.parse::<usize>().ok()?.checked_sub(1)?),
        None => (place, 0),
    };
    let value = text.lines().find_map(|line| {
        let (name, value) = line.split_once([':', '='])?;
        (name.trim() == key).then_some(value)
    })?;
    let field = value.split(',').nth(field)?.trim().trim_matches('"');
    // A unit behind the number is for people.
    let word = field.split_ascii_whitespace().next()?;
    Some(word.to_string())
}

fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "up" | "on" | "yes" | "connected" | "1" => Some(true),
        "false" | "down" | "off" | "no" | "disconnected" | "0" => Some(false),
        _ => None,
    }
}

fn count(text: &str) -> Option<u64> {
    text.parse().ok()
}

fn decimal(text: &str) -> Option<Decimal> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{NoAnswer, answer};
    use contract::Modem;
    use proptest::prelude::{any, proptest};
    use std::string::{String, ToString};
    use std::vec::Vec;

    /// A modem of a contract, with these places for link, retransmissions, quality and a counter `crc`.
    fn modem(places: [&str; 4]) -> Modem {
        let [link, retx, quality, crc] = places;
        let text = std::format!(
            "[station]\norigin = \"example.org/s\"\n[[schedule]]\nid = \"m\"\nevery = \"1min\"\n\
             [[card]]\nid = \"plc\"\nkind = \"modem-http\"\npath = \"http://192.0.2.9/status\"\n\
             [[modem]]\nid = \"plc-1\"\ncard = \"plc\"\nschedule = \"m\"\nlink = {link:?}\n\
             retransmissions = {retx:?}\nquality = {quality:?}\nquality_scale = \"0.1\"\n\
             counters = [\"crc={crc}\"]\n"
        );
        let contract = contract::parse(&text).expect("a sound contract");
        contract.points.modems.into_values().next().expect("one")
    }

    fn json() -> Modem {
        modem(["/link/up", "/tx/retries", "/snr", "/rx/1/crc"])
    }

    fn lines() -> Modem {
        modem(["LINK", "+RETX#2", "SNR", "CRC"])
    }

    fn check(modem: &Modem, text: &str, expected: &str) {
        let said = match answer(modem, text.as_bytes()) {
            Ok(found) => {
                let text = |value: Option<String>| value.unwrap_or_else(|| "-".into());
                let crc: Vec<String> = found
                    .counters
                    .iter()
                    .map(|one| text(one.map(|one| one.to_string())))
                    .collect();
                std::format!(
                    "{} {} {} {} missing {:?}",
                    text(found.link.map(|link| link.to_string())),
                    text(found.retransmissions.map(|one| one.to_string())),
                    text(found.quality.map(|one| one.to_string())),
                    crc.join(","),
                    found.missing
                )
            }
            Err(NoAnswer::TooLong) => "too long".into(),
            Err(NoAnswer::Garbled) => "garbled".into(),
            Err(NoAnswer::Nothing) => "nothing".into(),
        };
        assert_eq!(said, expected, "{text}");
    }

    //= A3.4
    #[test]
    fn pointers_find_their_values_and_what_is_not_there_is_named() {
        let whole =
            "{\"link\":{\"up\":true},\"tx\":{\"retries\":17},\"snr\":215,\"rx\":[{},{\"crc\":3}]}";
        check(&json(), whole, "true 17 21.5 3 missing []");
        check(
            &json(),
            "{\"tx\":{\"retries\":-1},\"snr\":\"12.5\"}",
            "- - 1.25 - missing [\"/link/up\", \"/tx/retries\", \"/rx/1/crc\"]",
        );
        check(&json(), "{\"other\":1}", "nothing");
        check(&json(), "{\"link\":", "garbled");
        check(&json(), "", "garbled");
        let deep = "[".repeat(100_000);
        check(&json(), &deep, "too long");
        check(&json(), &deep[..60_000], "garbled");
    }

    //= A3.4
    #[test]
    fn keys_find_the_value_on_their_line_and_fields_behind_commas() {
        let said = "ATI\r\nSNR : 215 dB\r\nLINK=up\r\n+RETX: 4,17,\"x\"\r\nCRC=3\r\nOK\r\n";
        check(&lines(), said, "true 17 21.5 3 missing []");
        check(
            &lines(),
            "LINK=sometimes\nSNR=no\nCRC=9",
            "- - - 9 missing [\"LINK\", \"+RETX#2\", \"SNR\"]",
        );
        check(&lines(), "ERROR\r\n", "nothing");
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(bytes in any::<Vec<u8>>(), text in any::<String>()) {
            for modem in [json(), lines()] {
                let _ = answer(&modem, &bytes);
                let _ = answer(&modem, text.as_bytes());
            }
        }
    }
}
