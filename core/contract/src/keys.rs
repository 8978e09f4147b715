//! The one declared table of what a file may say: suggestions, defaults and the reference come from it.

mod meter;
mod port;

use crate::firmware::FIRMWARE;
use crate::modem::MODEM;
use crate::near::either;
use crate::offered::OFFERED;
use crate::outputs::{AO, DO};
use crate::station::{AI, CARD, DEBOUNCE, DI, PULSE};
use crate::syslog::SYSLOG;
use crate::time::TIME;
use crate::timestamp::TIMESTAMP;
use crate::watch::{ENVIRONMENT, POWER, RESET};
use alloc::format;
use alloc::string::String;
pub(crate) use meter::{METER, POINT, PROFILE};
pub(crate) use port::PORT;

/// What holds when a key is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// It cannot be left out.
    Required,
    /// This, in words.
    Stated(&'static str),
    /// This text, as if it had been written.
    Text(&'static str),
    /// This number, as if it had been written.
    Number(u32),
}

/// One key of a table of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// Type of its value, for people.
    pub kind: &'static str,
    /// What holds when it is left out.
    pub preset: Preset,
    /// The kinds of ports it is for; empty where it is for all.
    pub only: &'static [&'static str],
    /// What it means.
    pub doc: &'static str,
}

/// One table of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    /// How its header is written.
    pub header: &'static str,
    /// What it is for.
    pub doc: &'static str,
    /// Its keys.
    pub keys: &'static [Key],
}

impl Section {
    /// The key of this name.
    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// Which ports a key is for, as a sentence; empty where it is for all.
    pub(crate) fn only(&self, key: &Key) -> String {
        match (key.only, self.header) {
            ([], _) => String::new(),
            (ports, "[[port]]" | "[[card]]") => {
                format!(" Only with kind = {}.", either(ports.iter().copied()))
            }
            (ports, _) => format!(" Only on a port of kind {}.", either(ports.iter().copied())),
        }
    }
}

const REQUIRED: Preset = Preset::Required;
pub(crate) const RTU: &str = "modbus-rtu";
pub(crate) const TCP: &str = "modbus-tcp";
pub(crate) const MBUS: &str = "mbus";
const MODBUS: &[&str] = &[RTU, TCP];

pub(crate) const fn key(
    name: &'static str,
    kind: &'static str,
    preset: Preset,
    doc: &'static str,
) -> Key {
    Key {
        name,
        kind,
        preset,
        only: &[],
        doc,
    }
}

pub(crate) const fn only(ports: &'static [&'static str], key: Key) -> Key {
    Key { only: ports, ..key }
}

const fn text(text: &'static str) -> Preset {
    Preset::Text(text)
}

const fn child(name: &'static str, header: &'static str) -> Key {
    key(name, header, Preset::Stated(""), "")
}

/// The file itself.
pub(crate) const ROOT: Section = Section {
    header: "the file",
    doc: "",
    keys: &[
        child("station", "[station]"),
        child("storage", "[storage]"),
        child("seal", "[seal]"),
        child("time", "[time]"),
        child("uplink", "[uplink]"),
        child("syslog", "[syslog]"),
        child("timestamp", "[timestamp]"),
        child("firmware", "[firmware]"),
        child("port", "[[port]]"),
        child("schedule", "[[schedule]]"),
        child("profile", "[[profile]]"),
        child("meter", "[[meter]]"),
        child("card", "[[card]]"),
        child("debounce", "[[debounce]]"),
        child("di", "[[di]]"),
        child("pulse", "[[pulse]]"),
        child("ai", "[[ai]]"),
        child("power", "[[power]]"),
        child("environment", "[[environment]]"),
        child("reset", "[[reset]]"),
        child("do", "[[do]]"),
        child("ao", "[[ao]]"),
        child("modem", "[[modem]]"),
    ],
};

pub(crate) const STATION: Section = Section {
    header: "[station]",
    doc: "Who this node is. Required.",
    keys: &[
        key(
            "origin",
            "text",
            REQUIRED,
            "The log's name: a URL without its scheme, such as \
            `example.org/station-7`, that nobody else uses. The node appends the generation. No spaces, no `+`.",
        ),
        key(
            "name",
            "text",
            Preset::Stated("the origin"),
            "A name for people.",
        ),
    ],
};

pub(crate) const STORAGE: Section = Section {
    header: "[storage]",
    doc: "Shape of the journal and its truth store. May be left out.",
    keys: &[
        key(
            "segment_size",
            "size",
            text("16MiB"),
            "Size of one segment file: 64KiB to 1GiB, a multiple of `block`.",
        ),
        key(
            "segments",
            "integer",
            Preset::Number(8),
            "Segments in the ring, at least 2.",
        ),
        key(
            "block",
            "size",
            Preset::Number(4_096),
            "Alignment of every write: 512, 4096 or 16384.",
        ),
        key(
            "truth",
            "word",
            text("same-device-sync"),
            "What the truth store can prove: `same-device-sync` \
            (a second flush on the same device), `same-device-deferred` (one flush for each commit: after a \
            crash the end of the log is named as uncertain) or `independent` (a medium of its own, see \
            `truth_dir`).",
        ),
        key(
            "truth_dir",
            "path",
            Preset::Stated("none"),
            "Where an `independent` truth store lies, and required for one: a directory on \
            another device than the node's data directory, as a whole path.",
        ),
        key(
            "truth_device",
            "path",
            Preset::Stated("none"),
            "Instead of `truth_dir`: a device that holds the truth store and nothing else, such as an FRAM as \
            the kernel offers it, or a block device; 144 KiB from its first byte on.",
        ),
        key(
            "keep_soe",
            "size",
            text("2MiB"),
            "Size of the ring that keeps events (SOE) when readings push them out of the segments: 2MiB to \
            1GiB, or 0 for none.",
        ),
        key(
            "keep_audit",
            "size",
            text("2MiB"),
            "The same for audit entries, starts of the recorder and losses.",
        ),
        key(
            "group_wait",
            "duration",
            text("5ms"),
            "Longest wait for more records before a group is committed; at most 1s.",
        ),
    ],
};

pub(crate) const SEAL: Section = Section {
    header: "[seal]",
    doc: "When the tree is sealed. May be left out.",
    keys: &[
        key(
            "every",
            "duration",
            text("60s"),
            "At least this often, also when idle: 1s to 1d.",
        ),
        key(
            "entries",
            "integer",
            Preset::Number(4_096),
            "And whenever this many entries are unsealed: 1 to 1000000.",
        ),
    ],
};

pub(crate) const UPLINK: Section = Section {
    header: "[uplink]",
    doc: "The collector. Without this table the node keeps its log to itself.",
    keys: &[
        key(
            "url",
            "text",
            REQUIRED,
            "Base URL of the collector; `https` only, without user, query or fragment.",
        ),
        key(
            "collector_key",
            "text",
            REQUIRED,
            "The collector's verifier key, `name+8 hex digits+base64`: \
            an Ed25519 cosigner key (type 0x04), as the collector prints it.",
        ),
        key(
            "ca_file",
            "path",
            REQUIRED,
            "PEM file of the authority that signed the collector's certificate.",
        ),
        key(
            "cert_file",
            "path",
            REQUIRED,
            "PEM file of this node's client certificate.",
        ),
        key(
            "key_file",
            "path",
            REQUIRED,
            "PEM file of that certificate's key. The path is part of the contract, the key never.",
        ),
        key(
            "backoff",
            "two durations",
            Preset::Stated("`[\"1s\", \"60s\"]`"),
            "First and longest wait after a failed upload.",
        ),
        key(
            "timeout",
            "duration",
            text("20s"),
            "Deadline of one request: 1s to 10min.",
        ),
    ],
};

pub(crate) const SCHEDULE: Section = Section {
    header: "[[schedule]]",
    doc: "When meters are read and counts and values written: at UTC multiples of `every`, shifted by `offset`.",
    keys: &[
        key("id", "id", REQUIRED, "Its name."),
        key(
            "every",
            "duration",
            REQUIRED,
            "Length of a slot: 100ms to 1d. One that does not divide a day is \
            allowed, with a warning.",
        ),
        key(
            "offset",
            "duration",
            text("0s"),
            "Shift from the UTC multiples; less than `every`.",
        ),
    ],
};

/// Every table of the file, in the order of the reference.
pub const SECTIONS: &[Section] = &[
    STATION,
    STORAGE,
    SEAL,
    TIME,
    OFFERED,
    UPLINK,
    SYSLOG,
    TIMESTAMP,
    FIRMWARE,
    PORT,
    SCHEDULE,
    PROFILE,
    METER,
    POINT,
    CARD,
    DEBOUNCE,
    DI,
    PULSE,
    AI,
    POWER,
    ENVIRONMENT,
    RESET,
    DO,
    AO,
    MODEM,
];

/// The reference of every key as Markdown, a table for each table of the file.
#[must_use]
pub fn reference() -> String {
    let mut out = String::new();
    for section in SECTIONS {
        let headers = section.header.replace(" and ", "` and `");
        out += &format!("### `{headers}`\n\n{}\n\n", section.doc);
        out += "| key | type | left out | meaning |\n| --- | --- | --- | --- |\n";
        for key in section.keys {
            let preset = match key.preset {
                Preset::Required => String::from("**required**"),
                Preset::Stated(words) => String::from(words),
                Preset::Text("") => String::from("`\"\"`"),
                Preset::Text(text) => format!("`\"{text}\"`"),
                Preset::Number(number) => format!("`{number}`"),
            };
            let only = section.only(key);
            out += &format!(
                "| `{}` | {} | {preset} | {}{only} |\n",
                key.name, key.kind, key.doc
            );
        }
        out.push('\n');
    }
    out
}
