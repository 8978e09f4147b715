//! The certificates that a node shows to others: whose, by whom, and for how long still.

use super::words;
use crate::clock;
use crate::papers::REVOKED;
use crate::paths::DataDir;
use certificates::Holder;
use evidence::UtcNs;
use exchange::CERTIFICATE_REVOKED;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// With less left the screen says that it is to be renewed.
const SOON_S: i64 = 30 * 86_400;
const SECOND_NS: i64 = 1_000_000_000;

/// Reads the files that the report names; whoever made it need not have sight of them.
pub(super) fn add(data: &DataDir, report: &mut Map<String, Value>) {
    let now_s = clock::utc().0.div_euclid(SECOND_NS);
    let named = report.get_mut("certificates").and_then(Value::as_array_mut);
    for one in named.into_iter().flatten().filter_map(Value::as_object_mut) {
        let file = one.get("file").and_then(Value::as_str).unwrap_or_default();
        let path = data.root().join(file);
        let found = match CertificateDer::from_pem_file(&path) {
            Ok(der) => state(&Holder::of(&der), now_s),
            Err(error) => Map::from_iter([("unread".to_owned(), json!(error.to_string()))]),
        };
        one.insert("file".to_owned(), json!(path));
        one.extend(found);
    }
}

fn state(holder: &Holder, now_s: i64) -> Map<String, Value> {
    let instant = |s: i64| Some(query::rfc3339(UtcNs(s.checked_mul(SECOND_NS)?)));
    let (begin, end) = holder.valid_s.unzip();
    let said = json!({
        "subject": holder.name,
        "issuer": holder.issuer,
        "valid_from": begin.and_then(instant),
        "valid_until": end.and_then(instant),
        "left_s": end.map(|end| end.saturating_sub(now_s)),
        "not_yet": begin.map(|begin| begin > now_s),
    });
    said.as_object().cloned().unwrap_or_default()
}

/// A line for each.
pub(super) fn lines(report: &Value) -> String {
    let mut out = String::new();
    let all = report.pointer("/certificates").and_then(Value::as_array);
    let cause = report.pointer("/uplink/cause").and_then(Value::as_str);
    // The first in the words of TLS, of a collector that says no more; the second in its own.
    let says = |cause: &str| {
        [REVOKED, CERTIFICATE_REVOKED]
            .iter()
            .any(|words| cause.contains(words))
    };
    let is_revoked = cause.is_some_and(says);
    for one in all.into_iter().flatten() {
        let word = |name: &str| one.pointer(name).and_then(Value::as_str).unwrap_or("?");
        let said = match one.pointer("/unread").and_then(Value::as_str) {
            Some(why) => format!("{} CANNOT BE READ: {why}", word("/file")),
            None => format!(
                "{}, by {}, {}",
                word("/subject"),
                word("/issuer"),
                validity(one)
            ),
        };
        let revoked = match is_revoked && word("/section") == "uplink" {
            true => "; REVOKED, as the collector says",
            false => "",
        };
        let _ = writeln!(out, "cert       [{}] {said}{revoked}", word("/section"));
    }
    out
}

fn validity(one: &Value) -> String {
    let until = one.pointer("/valid_until").and_then(Value::as_str);
    let left = one.pointer("/left_s").and_then(Value::as_i64);
    let until = match (until, left) {
        (Some(until), _) => words::shortened(until),
        // Beyond the years that a time here can have: longer than any key is kept.
        (None, Some(_)) => return "valid until a year beyond 2262".to_owned(),
        (None, None) => return "and it does not say until when".to_owned(),
    };
    let left = left.unwrap_or(0);
    if one.pointer("/not_yet") == Some(&Value::Bool(true)) {
        return format!("NOT VALID YET; until {until}");
    }
    let span = words::span(left.unsigned_abs().saturating_mul(1_000));
    match left {
        ..0 => format!("EXPIRED {span} ago, {until}"),
        _ if left < SOON_S => format!("valid until {until}, {span} left: RENEW IT"),
        _ => format!("valid until {until}, {span} left"),
    }
}

#[cfg(test)]
mod tests {
    use super::{lines, state};
    use certificates::Holder;
    use serde_json::{Value, json};

    //= R8.2
    #[test]
    fn a_certificate_says_how_long_it_still_holds() {
        let day = 86_400;
        let shown = |holder: &Holder, now: i64| {
            let mut told = state(holder, now);
            told.insert("section".to_owned(), json!("uplink"));
            lines(&json!({ "certificates": [Value::Object(told)] }))
        };
        for (valid, now, words) in [
            (
                (0, 400 * day),
                10 * day,
                "valid until 1971-02-05T00:00:00.000Z, 390 d 0 h left\n",
            ),
            ((0, 40 * day), 20 * day, "20 d 0 h left: RENEW IT\n"),
            ((0, 10 * day), 20 * day, "EXPIRED 10 d 0 h ago"),
            ((30 * day, 99 * day), 20 * day, "NOT VALID YET"),
            (
                (0, 800_000 * day),
                20 * day,
                "valid until a year beyond 2262\n",
            ),
        ] {
            let holder = Holder {
                name: Some("station-7".to_owned()),
                issuer: Some("authority".to_owned()),
                serial: Vec::new(),
                valid_s: Some(valid),
                hosts: Vec::new(),
            };
            let said = shown(&holder, now);
            let begins = said.starts_with("cert       [uplink] station-7, by authority, ");
            assert!(begins && said.contains(words), "{said}");
        }
        let cause = format!("https://c: {} in `cert_file`", super::REVOKED);
        let answer = format!(
            "add-entries answered 403: {} on a day",
            super::CERTIFICATE_REVOKED
        );
        for (cause, section, is_told) in [
            (cause.as_str(), "uplink", true),
            (answer.as_str(), "uplink", true),
            (answer.as_str(), "syslog", false),
            (cause.as_str(), "syslog", false),
            ("https://c: it is away", "uplink", false),
        ] {
            let report = json!({
                "uplink": { "cause": cause },
                "certificates": [{ "section": section, "valid_until": "1971-02-05T00:00:00.000Z", "left_s": 99 * day }],
            });
            let said = lines(&report);
            assert_eq!(said.contains("left; REVOKED"), is_told, "{said}");
        }
        let said = shown(&Holder::default(), 0);
        assert!(said.contains("does not say until when"), "{said}");
    }
}
