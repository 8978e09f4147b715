//! Mistakes in `[firmware]`.

use super::{Case, case};

pub(super) const FIRMWARE: &[Case] = &[
    case(
        "[[port]]",
        "[firmware]\nrollback = \"block\"\n[[port]]",
        "18:1 firmware.version",
        "write either `version` or `file`",
    ),
    case(
        "[[port]]",
        "[firmware]\nversion = 3\nfile = \"/etc/os-release\"\n[[port]]",
        "19:11 firmware.version",
        "write either `version` or `file`",
    ),
    case(
        "[[port]]",
        "[firmware]\nversion = 0\n[[port]]",
        "19:11 firmware.version",
        "0 is no security version",
    ),
    case(
        "[[port]]",
        "[firmware]\nversion = 4294967296\n[[port]]",
        "19:11 firmware.version",
        "1 to 4294967295",
    ),
    case(
        "[[port]]",
        "[firmware]\nversion = \"3\"\n[[port]]",
        "19:11 firmware.version",
        "without quotes: 3",
    ),
    case(
        "[[port]]",
        "[firmware]\nfile = \"os-release\"\n[[port]]",
        "19:8 firmware.file",
        "write its whole path",
    ),
    case(
        "[[port]]",
        "[firmware]\nfile = \"/etc/os-release\"\nkey = \"security version\"\n[[port]]",
        "20:7 firmware.key",
        "write capitals, digits and underscores",
    ),
    case(
        "[[port]]",
        "[firmware]\nversion = 3\nrollback = \"refuse\"\n[[port]]",
        "20:12 firmware.rollback",
        "is not known here",
    ),
    case(
        "[[port]]",
        "[firmware]\nversion = 3\nallow_down_to = 2\n[[port]]",
        "20:17 firmware.allow_down_to",
        "write `rollback = \"block\"`",
    ),
    case(
        "[[port]]",
        "[firmware]\nversion = 3\nrollback = \"block\"\nallow_down_to = 4\n[[port]]",
        "21:17 firmware.allow_down_to",
        "write 3 or less, the version of the other slot",
    ),
    case(
        "[[port]]",
        "[firmware]\nversion = 3\nkey = \"SECURITY_VERSION\"\n[[port]]",
        "20:7 firmware.key",
        "write `file`, or remove the line",
    ),
    case(
        "[[port]]",
        "[firmware]\nversion = 3\nrolback = \"block\"\n[[port]]",
        "20:1 firmware.rolback",
        "did you mean `rollback`?",
    ),
];
