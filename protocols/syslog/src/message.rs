//! One message, and its frame.

use crate::civil::timestamp;
use crate::limits::{
    APP_NAME_CHARS_MAX, HOSTNAME_CHARS_MAX, MESSAGE_BYTES_MAX, NAME_CHARS_MAX, PARAMETERS_MAX,
    PROCID_CHARS_MAX, VALUE_BYTES_MAX,
};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// How bad it is (RFC 5424, table 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Action must be taken at once.
    Alert = 1,
    /// Something that cannot be made good.
    Critical = 2,
    /// Something failed.
    Error = 3,
    /// Something that may become worse.
    Warning = 4,
    /// Normal, and worth a look.
    Notice = 5,
    /// Normal.
    Informational = 6,
}

/// What part of a machine it is about (RFC 5424, table 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Facility {
    /// A daemon.
    Daemon = 3,
    /// Security and authorisation.
    AuthPriv = 10,
    /// Audit of the log.
    LogAudit = 13,
}

/// A named value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name: printable ASCII without `=`, `]`, `"` and space.
    pub name: &'static str,
    /// Its value.
    pub value: String,
}

/// A message. What does not fit a field is cut, what a field cannot hold becomes `?`, and an empty field is `-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it is about.
    pub facility: Facility,
    /// How bad it is.
    pub severity: Severity,
    /// When, in nanoseconds since 1970 UTC; `-` where nobody knows.
    pub utc_ns: Option<i64>,
    /// Whose it is.
    pub host: String,
    /// Which program's.
    pub app: String,
    /// Which process's.
    pub process: String,
    /// What kind of message.
    pub id: String,
    /// Name of the structured data, with the private enterprise number: `name@32473`.
    pub data_id: &'static str,
    /// At most [`PARAMETERS_MAX`]; the others are left out.
    pub parameters: Vec<Parameter>,
    /// For people.
    pub text: String,
}

impl Message {
    /// Its bytes, at most [`MESSAGE_BYTES_MAX`].
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let priority = (self.facility as u8) * 8 + self.severity as u8;
        let time = self.utc_ns.and_then(timestamp);
        let mut out = format!(
            "<{priority}>1 {} {} {} {} {} ",
            time.as_deref().unwrap_or("-"),
            field(&self.host, HOSTNAME_CHARS_MAX),
            field(&self.app, APP_NAME_CHARS_MAX),
            field(&self.process, PROCID_CHARS_MAX),
            field(&self.id, NAME_CHARS_MAX),
        );
        if self.parameters.is_empty() {
            out.push('-');
        } else {
            out.push('[');
            out.push_str(self.data_id);
            for parameter in self.parameters.iter().take(PARAMETERS_MAX) {
                out.push(' ');
                out.push_str(parameter.name);
                out.push_str("=\"");
                escape(&mut out, cut(&parameter.value, VALUE_BYTES_MAX));
                out.push('"');
            }
            out.push(']');
        }
        if !self.text.is_empty() {
            // The mark says that what follows is UTF-8.
            out.push_str(" \u{feff}");
            let room = MESSAGE_BYTES_MAX.saturating_sub(out.len());
            let text = cut(&self.text, room);
            // A line end in a message ends it at many a receiver.
            out.extend(text.chars().map(|c| if c.is_control() { ' ' } else { c }));
        }
        out.truncate(out.floor_char_boundary(MESSAGE_BYTES_MAX));
        out.into_bytes()
    }
}

/// A message as it travels in a stream: its length in decimal, a space, the message.
#[must_use]
pub fn frame(message: &[u8]) -> Vec<u8> {
    let mut out = message.len().to_string().into_bytes();
    out.push(b' ');
    out.extend_from_slice(message);
    out
}

/// A field of the header: printable ASCII without spaces.
fn field(text: &str, chars_max: usize) -> String {
    if text.is_empty() {
        return String::from("-");
    }
    let printable = |c: char| if c.is_ascii_graphic() { c } else { '?' };
    text.chars().take(chars_max).map(printable).collect()
}

fn escape(out: &mut String, value: &str) {
    for c in value.chars() {
        if matches!(c, '"' | '\\' | ']') {
            out.push('\\');
        }
        // A control character of one byte becomes one byte, others would grow.
        out.push(if c.is_control() { ' ' } else { c });
    }
}

fn cut(text: &str, bytes_max: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes_max))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Facility, Message, Parameter, Severity, frame};
    use crate::limits::{MESSAGE_BYTES_MAX, PARAMETERS_MAX};
    use alloc::string::{String, ToString};
    use alloc::vec;
    use alloc::vec::Vec;
    use proptest::prelude::*;
    use std::format;

    fn message(host: &str, value: &str, text: &str) -> Message {
        Message {
            facility: Facility::LogAudit,
            severity: Severity::Notice,
            utc_ns: Some(1_795_100_523_004_005_006),
            host: host.to_string(),
            app: String::from("fieldnotary"),
            process: String::from("7"),
            id: String::from("audit"),
            data_id: "fieldnotary@32473",
            parameters: vec![Parameter {
                name: "entry",
                value: value.to_string(),
            }],
            text: text.to_string(),
        }
    }

    //= R11.5
    #[test]
    fn a_message_is_as_the_rfc_has_it() {
        let plain = message("example.org/s", "1:42", "ada adopts").to_bytes();
        assert_eq!(
            String::from_utf8(plain).unwrap(),
            "<109>1 2026-11-19T15:02:03.004005Z example.org/s fieldnotary 7 audit \
             [fieldnotary@32473 entry=\"1:42\"] \u{feff}ada adopts"
        );
        let mut bare = message("", "", "");
        (bare.parameters, bare.utc_ns) = (Vec::new(), None);
        assert_eq!(bare.to_bytes(), b"<109>1 - - fieldnotary 7 audit -");
        let odd = message("a b\u{e9}", "\"]\\\n", "two\nlines").to_bytes();
        let odd = String::from_utf8(odd).unwrap();
        assert!(odd.contains(" a?b? "), "{odd}");
        assert!(odd.contains("entry=\"\\\"\\]\\\\ \"] "), "{odd}");
        assert!(odd.ends_with("\u{feff}two lines"));
        assert_eq!(frame(b"abc"), b"3 abc");
    }

    type Pairs = Vec<(String, String)>;

    /// Reads a message back by the grammar of RFC 5424, written apart from the writer.
    fn read(bytes: &[u8]) -> Option<(Vec<String>, Pairs, String)> {
        let text = core::str::from_utf8(bytes).ok()?;
        let mut rest = text.strip_prefix('<')?;
        let mut header = Vec::new();
        let (priority, after) = rest.split_once(">1 ")?;
        header.push(priority.to_string());
        rest = after;
        for _ in 0..5 {
            let (word, after) = rest.split_once(' ')?;
            if word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_graphic()) {
                return None;
            }
            header.push(word.to_string());
            rest = after;
        }
        let mut pairs = Vec::new();
        let mut chars = rest.strip_prefix("[fieldnotary@32473")?.chars();
        loop {
            match chars.next()? {
                ']' => break,
                ' ' => {}
                _ => return None,
            }
            let name: String = chars.by_ref().take_while(|c| *c != '=').collect();
            if chars.next()? != '"' {
                return None;
            }
            let mut value = String::new();
            loop {
                match chars.next()? {
                    '\\' => value.push(chars.next()?),
                    '"' => break,
                    ']' => return None,
                    c => value.push(c),
                }
            }
            pairs.push((name, value));
        }
        let said = chars.as_str();
        let said = said.strip_prefix(" \u{feff}").unwrap_or(said);
        Some((header, pairs, said.to_string()))
    }

    proptest! {
        #[test]
        fn every_message_is_read_back(host in ".{0,300}", value in "[^\\p{Cc}]{0,40}", text in "[^\\p{Cc}]{0,200}") {
            let (header, pairs, said) = read(&message(&host, &value, &text).to_bytes()).unwrap();
            prop_assert_eq!(&header[0], "109");
            prop_assert!(!header[2].is_empty() && header[2].len() <= 255);
            prop_assert_eq!(pairs, vec![("entry".to_string(), value)]);
            prop_assert_eq!(said, text);
        }

        #[test]
        fn none_is_too_long(value in ".{0,900}", text in ".{0,9000}", count in 0usize..12) {
            let mut long = message("h", "", &text);
            long.parameters = (0..count).map(|_| Parameter { name: "entry", value: value.clone() }).collect();
            let bytes = long.to_bytes();
            prop_assert!(bytes.len() <= MESSAGE_BYTES_MAX);
            let text = String::from_utf8(bytes).unwrap();
            prop_assert_eq!(text.matches("entry=\"").count() <= PARAMETERS_MAX + value.matches("entry=").count() * count, true);
            prop_assert!(!text.contains('\n'));
            let framed = frame(text.as_bytes());
            let begins = format!("{} <", text.len());
            prop_assert!(framed.starts_with(begins.as_bytes()));
        }
    }
}
