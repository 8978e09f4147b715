//! The `[syslog]` table whole: its keys, how it is read, what must hold of it.

use crate::block::Block;
use crate::error::Report;
use crate::item::records;
use crate::keys::{Key, Preset, Section, key};
use crate::limits::{SYSLOG_TIMEOUT_MS_MAX, SYSLOG_TIMEOUT_MS_MIN};
use crate::names::{address, path};
use crate::read::{duration, text};
use crate::rules::{Problems, shown_ms};
use alloc::format;
use alloc::string::String;

/// The receiver of what matters for security.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Syslog {
    /// `host:port`.
    pub address: String,
    /// PEM file of the authority that signed the receiver's certificate.
    pub ca_file: String,
    /// PEM file of this node's client certificate, where the receiver asks for one.
    pub cert_file: Option<String>,
    /// PEM file of its key.
    pub key_file: Option<String>,
    /// Deadline of a connection and of a write.
    pub timeout_ms: u64,
}

records! {
    Syslog { 0 address; 1 ca_file; 2 cert_file; 3 key_file; 4 timeout_ms; }
}

const REQUIRED: Preset = Preset::Required;
const OWN: &[Key] = &[
    key(
        "address",
        "address",
        REQUIRED,
        "The receiver, `host:port`; 6514 is usual. Its certificate must have this host\'s name.",
    ),
    key(
        "ca_file",
        "path",
        REQUIRED,
        "PEM file of the authority that signed the receiver\'s certificate.",
    ),
    key(
        "cert_file",
        "path",
        Preset::Stated("none"),
        "PEM file of this node\'s client certificate, where the receiver asks for one.",
    ),
    key(
        "key_file",
        "path",
        Preset::Stated("none"),
        "PEM file of that certificate\'s key.",
    ),
    key(
        "timeout",
        "duration",
        Preset::Text("10s"),
        "Deadline of a connection and of a write: 1s to 60s.",
    ),
];

pub(crate) const SYSLOG: Section = Section {
    header: "[syslog]",
    doc: "A receiver of syslog over TLS (RFC 5424, RFC 5425), which is told of audit entries and of events that matter for security. \
        What it could not be told of while it was away comes from the log. Without this table nobody is told.",
    keys: OWN,
};

pub(crate) fn read(block: &mut Block<'_, '_>, report: &mut Report<'_>) -> Syslog {
    block.refuse_unknown(report);
    Syslog {
        address: block.get(report, "address", String::new(), text),
        ca_file: block.get(report, "ca_file", String::new(), text),
        cert_file: block.maybe(report, "cert_file", text),
        key_file: block.maybe(report, "key_file", text),
        timeout_ms: block.get(
            report,
            "timeout",
            10_000,
            duration(SYSLOG_TIMEOUT_MS_MIN..=SYSLOG_TIMEOUT_MS_MAX),
        ),
    }
}

/// Every broken rule.
pub(crate) fn problems(syslog: &Syslog) -> Problems {
    let mut out = Problems::default();
    out.check(&["address"], address(&syslog.address));
    out.check(&["ca_file"], path(&syslog.ca_file));
    if let Some(file) = &syslog.cert_file {
        out.check(&["cert_file"], path(file));
    }
    if let Some(file) = &syslog.key_file {
        out.check(&["key_file"], path(file));
    }
    out.unless(
        syslog.cert_file.is_some() == syslog.key_file.is_some(),
        &["cert_file", "key_file"],
        "a certificate and its key go together",
        "write both, or neither",
    );
    out.unless(
        (SYSLOG_TIMEOUT_MS_MIN..=SYSLOG_TIMEOUT_MS_MAX).contains(&syslog.timeout_ms),
        &["timeout"],
        format!("a deadline of {}", shown_ms(syslog.timeout_ms)),
        "write 1s to 60s",
    );
    out
}
