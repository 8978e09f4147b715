//! The `[firmware]` table whole: its keys, how it is read, what must hold of it.

use crate::block::Block;
use crate::error::{Report, wrong};
use crate::item::records;
use crate::keys::{Key, Preset, Section, key};
use crate::names::path;
use crate::read::{integer, text, word};
use crate::rules::{Problem, Problems};
use alloc::format;
use alloc::string::{String, ToString as _};

/// What is done about a firmware that is older than the highest that ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnRollback {
    /// It is told, and runs.
    Observe,
    /// It is told, and captures nothing.
    Block,
}

/// The firmware that the node runs from, and what is done about an older one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Firmware {
    /// Its security version, where the contract says it itself.
    pub version: Option<u32>,
    /// The file of the image that says it.
    pub file: Option<String>,
    /// The name that it has in that file.
    pub key: String,
    /// What is done about an older one.
    pub rollback: OnRollback,
    /// The oldest that runs all the same, where older ones are blocked.
    pub allow_down_to: Option<u32>,
}

records! {
    Firmware { 0 version; 1 file; 2 key; 3 rollback; 4 allow_down_to; }
}

/// The name of the security version in a file where nothing else is said.
const KEY: &str = "SECURITY_VERSION";
/// Longest name of a variable.
const KEY_BYTES_MAX: usize = 64;
const RANGE: &str = "1 to 4294967295";

const OWN: &[Key] = &[
    key(
        "version",
        "integer",
        Preset::Stated("where `file` is absent"),
        "The security version of the image, 1 to 4294967295, where this file is part of it. It is raised when an older image must not \
         run any more; it is no build number that only names.",
    ),
    key(
        "file",
        "path",
        Preset::Stated("where `version` is absent"),
        "A file of the image that has it, in the form of os-release, from the root. It is read at each start of the node.",
    ),
    key(
        "key",
        "text",
        Preset::Text(KEY),
        "The name that it has there: capitals, digits and underscores.",
    ),
    key(
        "rollback",
        "observe or block",
        Preset::Text("observe"),
        "What is done about an image that is older than the highest that ran here. `observe`: it is told, and runs. `block`: it is told, and nothing is \
         captured; the log goes on, sealed and delivered.",
    ),
    key(
        "allow_down_to",
        "integer",
        Preset::Stated("none"),
        "The oldest version that runs all the same, where others are blocked: that of the other slot of an A/B system.",
    ),
];

pub(crate) const FIRMWARE: Section = Section {
    header: "[firmware]",
    doc: "The firmware that the node runs from: one number, which never falls unseen. Without this table the log names the programs alone.",
    keys: OWN,
};

pub(crate) fn read(block: &mut Block<'_, '_>, report: &mut Report<'_>) -> Firmware {
    block.refuse_unknown(report);
    if block.has("key") && block.has("version") && !block.has("file") {
        let what = "a name in a file, and no file is named";
        let problem = Problem {
            keys: &["key"],
            wrong: wrong(what, "write `file`, or remove the line"),
            absent: false,
        };
        block.problem(report, problem);
    }
    Firmware {
        version: block.maybe(report, "version", integer(RANGE)),
        file: block.maybe(report, "file", text),
        key: block.get(report, "key", KEY.to_string(), text),
        rollback: block.get(report, "rollback", OnRollback::Observe, word),
        allow_down_to: block.maybe(report, "allow_down_to", integer(RANGE)),
    }
}

/// Every broken rule.
pub(crate) fn problems(firmware: &Firmware) -> Problems {
    let mut out = Problems::default();
    let (version, file) = (firmware.version, firmware.file.as_deref());
    out.unless(
        version.is_some() != file.is_some(),
        &["version", "file"],
        match version {
            Some(_) => "the security version is said here and in a file",
            None => "nothing says the security version",
        },
        "write either `version` or `file`",
    );
    if let Some(file) = file {
        out.check(&["file"], path(file));
        out.unless(
            file.starts_with('/'),
            &["file"],
            "a file of the image that does not begin at the root",
            "write its whole path, such as \"/etc/os-release\"",
        );
    }
    let sound = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let begins = firmware.key.as_bytes().first();
    out.unless(
        begins.is_some_and(|first| !first.is_ascii_digit())
            && firmware.key.bytes().all(sound)
            && firmware.key.len() <= KEY_BYTES_MAX,
        &["key"],
        "a name that no variable of such a file has",
        "write capitals, digits and underscores, such as \"SECURITY_VERSION\"",
    );
    for (keys, number) in [
        (&["version"], version),
        (&["allow_down_to"], firmware.allow_down_to),
    ] {
        out.unless(
            number != Some(0),
            keys,
            "0 is no security version",
            format!("write a whole number, {RANGE}"),
        );
    }
    out.unless(
        firmware.allow_down_to.is_none() || firmware.rollback == OnRollback::Block,
        &["allow_down_to"],
        "a window where nothing is blocked",
        "write `rollback = \"block\"`, or remove the line",
    );
    let above = version
        .zip(firmware.allow_down_to)
        .filter(|(version, oldest)| oldest > version);
    out.unless(
        above.is_none(),
        &["allow_down_to"],
        "a window that begins above the version",
        format!(
            "write {} or less, the version of the other slot, or remove the line",
            version.unwrap_or(0)
        ),
    );
    out
}
