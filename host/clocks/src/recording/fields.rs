//! Lines of `name=value` fields, and their values.

use std::fmt::{Display, Write as _};
use std::str::FromStr;

const SECOND_NS: i128 = 1_000_000_000;

/// A line under construction.
#[derive(Debug)]
pub(super) struct Line(String);

impl Line {
    pub(super) fn new(start: impl Display) -> Self {
        Self(start.to_string())
    }

    /// A line that belongs to the one above.
    pub(super) fn below(word: &str) -> Self {
        Self(format!("  {word}"))
    }

    pub(super) fn word(&mut self, word: impl Display) {
        self.field_of(format_args!("{word}"));
    }

    pub(super) fn field(&mut self, name: &str, value: impl Display) {
        self.field_of(format_args!("{name}={value}"));
    }

    pub(super) fn optional(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.field(name, value);
        }
    }

    /// A value that may hold anything: what would end a field is written as `%` and two hex digits.
    pub(super) fn text_field(&mut self, name: &str, value: &str) {
        let mut escaped = String::new();
        for byte in value.bytes() {
            if byte.is_ascii_graphic() && byte != b'%' {
                escaped.push(char::from(byte));
            } else {
                let _ = write!(escaped, "%{byte:02x}");
            }
        }
        self.field(name, escaped);
    }

    fn field_of(&mut self, field: std::fmt::Arguments<'_>) {
        let _ = write!(self.0, " {field}");
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

/// The fields of a line; each is taken once, and none may be left.
#[derive(Debug)]
pub(super) struct Fields<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Fields<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, String> {
        let mut fields: Vec<(&str, &str)> = Vec::new();
        for field in text.split_whitespace() {
            let (name, value) = field
                .split_once('=')
                .ok_or_else(|| format!("`{field}`: a field is name=value"))?;
            if fields.iter().any(|(of, _)| *of == name) {
                return Err(format!("`{name}` stands twice"));
            }
            fields.push((name, value));
        }
        Ok(Self(fields))
    }

    pub(super) fn optional(&mut self, name: &str) -> Option<&'a str> {
        let at = self.0.iter().position(|(of, _)| *of == name)?;
        Some(self.0.swap_remove(at).1)
    }

    pub(super) fn required(&mut self, name: &str) -> Result<&'a str, String> {
        self.optional(name)
            .ok_or_else(|| format!("`{name}` is missing"))
    }

    pub(super) fn number<T: FromStr>(&mut self, name: &str) -> Result<T, String> {
        parse_number(name, self.required(name)?)
    }

    pub(super) fn optional_number<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, String> {
        let value = self.optional(name);
        value.map(|value| parse_number(name, value)).transpose()
    }

    /// A point in time, in nanoseconds.
    pub(super) fn seconds(&mut self, name: &str) -> Result<i64, String> {
        let ns = parse_seconds(self.required(name)?)?;
        i64::try_from(ns)
            .map_err(|_| format!("`{name}` is beyond what 64 bits of nanoseconds hold"))
    }

    pub(super) fn text(&mut self, name: &str) -> Result<String, String> {
        unescape(self.required(name)?)
    }

    pub(super) fn optional_text(&mut self, name: &str) -> Result<Option<String>, String> {
        self.optional(name).map(unescape).transpose()
    }

    pub(super) fn end(self) -> Result<(), String> {
        match self.0.first() {
            Some((name, _)) => Err(format!("`{name}` is no field of this line")),
            None => Ok(()),
        }
    }
}

fn parse_number<T: FromStr>(name: &str, value: &str) -> Result<T, String> {
    value
        .parse()
        .map_err(|_| format!("`{name}={value}`: no number, or out of its range"))
}

fn unescape(text: &str) -> Result<String, String> {
    let wrong = || format!("`{text}`: `%` stands before two hex digits");
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((plain, escaped)) = rest.split_once('%') {
        bytes.extend_from_slice(plain.as_bytes());
        let digits = escaped.get(..2).ok_or_else(wrong)?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| wrong())?);
        rest = escaped.get(2..).unwrap_or_default();
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).map_err(|_| format!("`{text}`: not text"))
}

/// Nanoseconds as decimal seconds.
pub(super) fn seconds(ns: i128) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    let ns = ns.unsigned_abs();
    let second = SECOND_NS.unsigned_abs();
    format!("{sign}{}.{:09}", ns / second, ns % second)
}

/// Decimal seconds as nanoseconds.
pub(super) fn parse_seconds(text: &str) -> Result<i128, String> {
    let wrong = || format!("`{text}`: seconds have up to nine decimal places");
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if fraction.len() > 9 || !is_digits(whole) || !is_digits(fraction) {
        return Err(wrong());
    }
    let whole: u64 = whole.parse().map_err(|_| wrong())?;
    let fraction: u32 = format!("{fraction:0<9}").parse().map_err(|_| wrong())?;
    let ns = i128::from(whole) * SECOND_NS + i128::from(fraction);
    Ok(if is_negative { -ns } else { ns })
}
