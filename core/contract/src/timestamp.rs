//! The `[timestamp]` table whole: its keys, how it is read, what must hold of it.

use crate::block::Block;
use crate::error::Report;
use crate::item::records;
use crate::keys::{Key, Preset, Section, key};
use crate::limits::{
    TIMESTAMP_ANSWER_BYTES_MAX, TIMESTAMP_ANSWER_BYTES_MIN, TIMESTAMP_EVERY_MS_MAX,
    TIMESTAMP_EVERY_MS_MIN, TIMESTAMP_TIMEOUT_MS_MAX, TIMESTAMP_TIMEOUT_MS_MIN,
};
use crate::names::{path, plain_url};
use crate::read::{duration, size, text, word};
use crate::rules::{Problems, shown_ms};
use alloc::format;
use alloc::string::String;

/// The hash of a checkpoint that is stamped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StampHash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// The timestamp authority that is asked about checkpoints (RFC 3161).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timestamp {
    /// Where it is asked, `http://host[:port][/path]`.
    pub url: String,
    /// The hash that it is asked over.
    pub hash: StampHash,
    /// PEM file of the authorities that vouch for it.
    pub trust_file: String,
    /// From one timestamp to the next.
    pub every_ms: u64,
    /// Deadline of one question, whole.
    pub timeout_ms: u64,
    /// Longest answer, in bytes.
    pub answer_bytes_max: u64,
}

records! {
    Timestamp { 0 url; 1 hash; 2 trust_file; 3 every_ms; 4 timeout_ms; 5 answer_bytes_max; }
}

const REQUIRED: Preset = Preset::Required;
const OWN: &[Key] = &[
    key(
        "url",
        "url",
        REQUIRED,
        "Where it is asked, `http://host:port/path`. What is sent is a hash, and what comes back is signed: neither needs TLS.",
    ),
    key(
        "trust_file",
        "path",
        REQUIRED,
        "PEM file of the authority that vouches for the timestamp authority, and of those between the two that do not come \
         with its answers.",
    ),
    key(
        "hash",
        "sha256, sha384 or sha512",
        Preset::Text("sha256"),
        "The hash of the checkpoint that is stamped.",
    ),
    key(
        "every",
        "duration",
        Preset::Text("1d"),
        "From one timestamp to the next: 1min to 31d.",
    ),
    key(
        "timeout",
        "duration",
        Preset::Text("10s"),
        "Deadline of one question, from the look at the host\'s name to the last byte of the answer: 1s to 60s.",
    ),
    key(
        "answer_max",
        "size",
        Preset::Text("16KiB"),
        "Longest answer: 1KiB to 34KiB. It goes into the log whole, with the certificates that come with it.",
    ),
];

pub(crate) const TIMESTAMP: Section = Section {
    header: "[timestamp]",
    doc: "A timestamp authority (RFC 3161), which is asked once a day about the newest checkpoint: somebody else\'s word that the log up to there \
        existed then. Without this table nobody is asked.",
    keys: OWN,
};

pub(crate) fn read(block: &mut Block<'_, '_>, report: &mut Report<'_>) -> Timestamp {
    block.refuse_unknown(report);
    Timestamp {
        url: block.get(report, "url", String::new(), text),
        trust_file: block.get(report, "trust_file", String::new(), text),
        hash: block.get(report, "hash", StampHash::Sha256, word),
        every_ms: block.get(
            report,
            "every",
            86_400_000,
            duration(TIMESTAMP_EVERY_MS_MIN..=TIMESTAMP_EVERY_MS_MAX),
        ),
        timeout_ms: block.get(
            report,
            "timeout",
            10_000,
            duration(TIMESTAMP_TIMEOUT_MS_MIN..=TIMESTAMP_TIMEOUT_MS_MAX),
        ),
        answer_bytes_max: block.get(report, "answer_max", 16 * 1_024, size),
    }
}

/// Every broken rule.
pub(crate) fn problems(timestamp: &Timestamp) -> Problems {
    let mut out = Problems::default();
    out.check(&["url"], plain_url(&timestamp.url));
    out.check(&["trust_file"], path(&timestamp.trust_file));
    out.unless(
        (TIMESTAMP_EVERY_MS_MIN..=TIMESTAMP_EVERY_MS_MAX).contains(&timestamp.every_ms),
        &["every"],
        format!("a timestamp every {}", shown_ms(timestamp.every_ms)),
        "write 1min to 31d",
    );
    out.unless(
        (TIMESTAMP_TIMEOUT_MS_MIN..=TIMESTAMP_TIMEOUT_MS_MAX).contains(&timestamp.timeout_ms),
        &["timeout"],
        format!("a deadline of {}", shown_ms(timestamp.timeout_ms)),
        "write 1s to 60s",
    );
    out.unless(
        (TIMESTAMP_ANSWER_BYTES_MIN..=TIMESTAMP_ANSWER_BYTES_MAX)
            .contains(&timestamp.answer_bytes_max),
        &["answer_max"],
        format!("an answer of {} bytes", timestamp.answer_bytes_max),
        "write 1KiB to 34KiB",
    );
    out
}
