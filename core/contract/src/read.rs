//! Reads single values: durations, sizes, decimals, registers, words; says what would be right.

use crate::error::{Wrong, wrong};
use crate::keys::Preset;
use crate::limits::TEXT_BYTES_MAX;
use crate::model::{BitField, Table};
use crate::near::{either, nearest};
use crate::words::{Word, word_of};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::RangeInclusive;
use evidence::{Decimal, IdError};
use toml::Spanned;
use toml::de::DeValue;

/// A value as the file has it.
pub(crate) enum Raw<'v, 'i> {
    Text(&'v str),
    /// `None` where no sensible integer holds it.
    Integer(Option<i128>),
    Float(&'v str),
    List(&'v [Spanned<DeValue<'i>>]),
    Flag(bool),
    Other(&'static str),
}

impl<'v, 'i> From<&'v DeValue<'i>> for Raw<'v, 'i> {
    fn from(value: &'v DeValue<'i>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text),
            DeValue::Integer(number) => {
                Self::Integer(i128::from_str_radix(number.as_str(), number.radix()).ok())
            }
            DeValue::Float(number) => Self::Float(number.as_str()),
            DeValue::Array(list) => Self::List(list),
            DeValue::Boolean(flag) => Self::Flag(*flag),
            DeValue::Datetime(_) => Self::Other("a date or time"),
            DeValue::Table(_) => Self::Other("a table"),
        }
    }
}

impl Raw<'_, '_> {
    /// What a declared default looks like when it is written out.
    pub(crate) fn of_preset(preset: Preset) -> Option<Self> {
        match preset {
            Preset::Text(text) => Some(Self::Text(text)),
            Preset::Number(number) => Some(Self::Integer(Some(i128::from(number)))),
            Preset::Required | Preset::Stated(_) => None,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Integer(_) => "a number",
            Self::Float(_) => "a number with a fraction",
            Self::List(_) => "a list",
            Self::Flag(_) => "a boolean",
            Self::Other(kind) => kind,
        }
    }

    pub(crate) fn not(&self, expected: &str, advice: impl Into<String>) -> Wrong {
        wrong(
            format!("expected {expected}, found {}", self.kind()),
            advice,
        )
    }
}

/// What any reader returns.
pub(crate) type Value<T> = Result<T, Wrong>;

fn text_of<'v>(raw: &Raw<'v, '_>, expected: &str) -> Value<&'v str> {
    match raw {
        Raw::Text(text) => Ok(text),
        Raw::Integer(Some(number)) => {
            Err(raw.not(expected, format!("write it in quotes: \"{number}\"")))
        }
        _ => Err(raw.not(expected, "write it in quotes: \"...\"")),
    }
}

/// Any text of sensible length without control characters.
pub(crate) fn text(raw: &Raw<'_, '_>) -> Value<String> {
    let text = text_of(raw, "a text")?;
    if text.len() > TEXT_BYTES_MAX {
        let what = format!("a text of {} bytes", text.len());
        return Err(wrong(what, format!("at most {TEXT_BYTES_MAX} bytes")));
    }
    if text.chars().any(char::is_control) {
        let what = "the text holds a control character";
        return Err(wrong(what, "write it on one line, without tabs or escapes"));
    }
    Ok(String::from(text))
}

/// An identifier.
pub(crate) fn id<T: core::str::FromStr<Err = IdError>>(raw: &Raw<'_, '_>) -> Value<T> {
    text_of(raw, "an id")?.parse().map_err(|error: IdError| {
        wrong(
            error.to_string(),
            "choose a short name such as \"hall-3/m07\"",
        )
    })
}

/// A whole number of type `T`, which the caller describes.
pub(crate) fn integer<T: TryFrom<i128>>(range: &'static str) -> impl Fn(&Raw<'_, '_>) -> Value<T> {
    move |raw| match raw {
        Raw::Integer(number) => number
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| match number {
                Some(number) => wrong(
                    format!("{number} is outside the range"),
                    format!("write a whole number, {range}"),
                ),
                None => wrong("a number of too many digits", range),
            }),
        Raw::Text(text) if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() => {
            Err(raw.not("a whole number", format!("write it without quotes: {text}")))
        }
        _ => Err(raw.not("a whole number", format!("write a whole number, {range}"))),
    }
}

/// Yes or no.
pub(crate) fn flag(raw: &Raw<'_, '_>) -> Value<bool> {
    match raw {
        Raw::Flag(flag) => Ok(*flag),
        _ => Err(raw.not("true or false", "write true or false, without quotes")),
    }
}

/// One of the words of `T`.
pub(crate) fn word<T: Word>(raw: &Raw<'_, '_>) -> Value<T> {
    let words = || T::ALL.iter().map(|(word, _)| *word);
    let text = text_of(raw, &either(words()))?;
    if let Some((_, value)) = T::ALL.iter().find(|(word, _)| *word == text) {
        return Ok(*value);
    }
    let advice = match nearest(text, words()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("write {}", either(words())),
    };
    Err(wrong(format!("\"{text}\" is not known here"), advice))
}

/// Bits of a number: `"4-7"`, or `"3"` for one.
pub(crate) fn bits(raw: &Raw<'_, '_>) -> Value<BitField> {
    const ADVICE: &str = "write the lowest and the highest bit, such as \"4-7\", or one, such as \"3\"; bit 0 is the \
                          least significant";
    let Raw::Text(text) = raw else {
        return Err(raw.not("bits", ADVICE));
    };
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let number = |digits: &str| digits.trim().parse::<u8>().ok();
    match (number(low), number(high)) {
        (Some(low), Some(high)) => Ok(BitField { low, high }),
        _ => Err(wrong(format!("\"{text}\" names no bits"), ADVICE)),
    }
}

/// Digits, then letters: `15min` is (15, "min").
fn quantity(text: &str) -> Option<(u64, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, unit))
}

const DURATION_UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("min", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];
const DURATION_ADVICE: &str = "write a whole number and ms, s, min, h or d, such as \"15min\"";

/// A duration in milliseconds; `allowed` only chooses what is advised, the rules hold everybody to it.
pub(crate) fn duration(allowed: RangeInclusive<u64>) -> impl Fn(&Raw<'_, '_>) -> Value<u64> {
    move |raw| duration_in(raw, &allowed)
}

/// What a bare number may have meant: every unit with which it is allowed here.
fn with_units(number: i128, allowed: &RangeInclusive<u64>) -> String {
    let meant: Vec<String> = DURATION_UNITS
        .iter()
        .filter(|(_, factor)| {
            let ms = number.checked_mul(i128::from(*factor));
            ms.and_then(|ms| u64::try_from(ms).ok())
                .is_some_and(|ms| allowed.contains(&ms))
        })
        .map(|(unit, _)| format!("\"{number}{unit}\""))
        .collect();
    if meant.is_empty() {
        return DURATION_ADVICE.into();
    }
    format!("write the unit too, in quotes: {}", meant.join(" or "))
}

fn duration_in(raw: &Raw<'_, '_>, allowed: &RangeInclusive<u64>) -> Value<u64> {
    let text = match raw {
        Raw::Text(text) => text,
        Raw::Integer(Some(number)) => {
            return Err(raw.not("a duration", with_units(*number, allowed)));
        }
        _ => return Err(raw.not("a duration", DURATION_ADVICE)),
    };
    let bad = |advice: String| wrong(format!("\"{text}\" is not a duration"), advice);
    let (count, unit) = quantity(text).ok_or_else(|| bad(DURATION_ADVICE.into()))?;
    let found = DURATION_UNITS.iter().find(|(name, _)| *name == unit);
    let Some((_, factor)) = found else {
        let meant = match unit.trim() {
            "m" | "min" | "mins" | "minute" | "minutes" => "min",
            "s" | "sec" | "secs" | "second" | "seconds" => "s",
            "h" | "hr" | "hour" | "hours" => "h",
            "d" | "day" | "days" => "d",
            "ms" => "ms",
            _ => return Err(bad(DURATION_ADVICE.into())),
        };
        return Err(bad(format!("did you mean \"{count}{meant}\"?")));
    };
    count
        .checked_mul(*factor)
        .ok_or_else(|| bad("it is too long to count".into()))
}

const SIZE_UNITS: [(&str, u64); 5] = [
    ("", 1),
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];
const SIZE_ADVICE: &str = "write bytes, or a whole number and KiB, MiB or GiB, such as \"16MiB\"";

/// A size in bytes.
pub(crate) fn size(raw: &Raw<'_, '_>) -> Value<u64> {
    let text = match raw {
        Raw::Text(text) => text,
        Raw::Integer(Some(number)) => {
            return u64::try_from(*number)
                .map_err(|_| wrong(format!("{number} is not a size"), SIZE_ADVICE));
        }
        _ => return Err(raw.not("a size", SIZE_ADVICE)),
    };
    let bad = |advice: String| wrong(format!("\"{text}\" is not a size"), advice);
    let (count, unit) = quantity(text).ok_or_else(|| bad(SIZE_ADVICE.into()))?;
    let found = SIZE_UNITS.iter().find(|(name, _)| *name == unit);
    let Some((_, factor)) = found else {
        let meant = match unit.trim().to_ascii_lowercase().as_str() {
            "b" => "B",
            "k" | "kb" | "kib" => "KiB",
            "m" | "mb" | "mib" => "MiB",
            "g" | "gb" | "gib" => "GiB",
            _ => return Err(bad(SIZE_ADVICE.into())),
        };
        return Err(bad(format!("did you mean \"{count}{meant}\"?")));
    };
    count
        .checked_mul(*factor)
        .ok_or_else(|| bad("it is too large to count".into()))
}

/// An exact decimal: a text or a whole number.
pub(crate) fn decimal(raw: &Raw<'_, '_>) -> Value<Decimal> {
    match raw {
        Raw::Text(text) => text.parse().map_err(|error| {
            let what = format!("\"{text}\" is {error}");
            wrong(what, "write plain digits, such as \"0.01\" or \"-10\"")
        }),
        Raw::Integer(Some(number)) => Decimal::new(*number, 0)
            .map_err(|error| wrong(format!("{number} has {error}"), "use fewer digits")),
        Raw::Float(text) => {
            let plain = text.parse::<Decimal>().is_ok();
            let shown = if plain { text } else { "0.01" };
            let advice = format!("write it in quotes, so that it stays exact: \"{shown}\"");
            Err(wrong(
                format!("{text} is a binary fraction and not exact"),
                advice,
            ))
        }
        _ => Err(raw.not("a decimal", "write it in quotes, such as \"0.01\"")),
    }
}

/// Exactly two values.
pub(crate) fn pair<T>(
    each: impl Fn(&Raw<'_, '_>) -> Value<T>,
    example: &'static str,
) -> impl Fn(&Raw<'_, '_>) -> Value<(T, T)> {
    move |raw| match raw {
        Raw::List([first, second]) => Ok((
            each(&Raw::from(first.get_ref()))?,
            each(&Raw::from(second.get_ref()))?,
        )),
        Raw::List(list) => {
            let what = format!("expected two values, found {}", list.len());
            Err(wrong(what, format!("write both, such as {example}")))
        }
        _ => Err(raw.not(
            "a list of two values",
            format!("write both, such as {example}"),
        )),
    }
}

/// `table:address`.
pub(crate) fn register(raw: &Raw<'_, '_>) -> Value<(Table, u16)> {
    let advice = "write the table and the protocol address from 0, such as \"holding:0\"";
    let text = match raw {
        Raw::Text(text) => text,
        Raw::Integer(Some(number)) => {
            return Err(raw.not("a register", classic(*number).unwrap_or(advice.into())));
        }
        _ => return Err(raw.not("a register", advice)),
    };
    let bad = |advice: String| wrong(format!("\"{text}\" is not a register"), advice);
    let Some((table, address)) = text.split_once(':') else {
        let number = text.parse().ok();
        return Err(bad(number.and_then(classic).unwrap_or(advice.into())));
    };
    let table = word::<Table>(&Raw::Text(table))?;
    let number = match address.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => address.parse(),
    };
    // The parser of numbers takes a sign; an address has none.
    let number = number.ok().filter(|_| !address.contains(['+', '-']));
    let number = number.ok_or_else(|| bad(advice.into()))?;
    match u16::try_from(number) {
        Ok(address) => Ok((table, address)),
        Err(_) => Err(bad(format!("addresses end at 65535, this one is {number}"))),
    }
}

/// The protocol's way to write a register of the old numbering (40001 is the first holding register).
fn classic(number: i128) -> Option<String> {
    let (table, base) = match number {
        1..=9_999 => (Table::Coil, 1),
        10_001..=19_999 => (Table::Discrete, 10_001),
        30_001..=39_999 => (Table::Input, 30_001),
        40_001..=49_999 => (Table::Holding, 40_001),
        300_001..=365_536 => (Table::Input, 300_001),
        400_001..=465_536 => (Table::Holding, 400_001),
        _ => return None,
    };
    Some(format!(
        "write the table and the protocol address from 0: {number} of the old numbering is \"{}:{}\"",
        word_of(table),
        number - base
    ))
}
