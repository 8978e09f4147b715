//! Mistakes in `[timestamp]`.

use super::{Case, case};

pub(super) const TIMESTAMP: &[Case] = &[
    case(
        "[[port]]",
        "[timestamp]\ntrust_file = \"a\"\n[[port]]",
        "18:1 timestamp.url",
        "`url` is missing",
    ),
    case(
        "[[port]]",
        "[timestamp]\nurl = \"http://t.example\"\n[[port]]",
        "18:1 timestamp.trust_file",
        "`trust_file` is missing",
    ),
    case(
        "[[port]]",
        "[timestamp]\ntrust_file = \"a\"\nurl = \"https://t.example\"\n[[port]]",
        "20:7 timestamp.url",
        "answers are signed, and are fetched without TLS",
    ),
    case(
        "[[port]]",
        "[timestamp]\ntrust_file = \"a\"\nurl = \"t.example:80\"\n[[port]]",
        "20:7 timestamp.url",
        "write \"http://host/path\"",
    ),
    case(
        "[[port]]",
        "[timestamp]\ntrust_file = \"a\"\nurl = \"http://:80/\"\n[[port]]",
        "20:7 timestamp.url",
        "names no host",
    ),
    case(
        "[[port]]",
        "[timestamp]\ntrust_file = \"a\"\nurl = \"http://t.example:x/\"\n[[port]]",
        "20:7 timestamp.url",
        "no port number after the colon",
    ),
    case(
        "[[port]]",
        "[timestamp]\ntrust_file = \"a\"\nurl = \"http://t.example/a b\"\n[[port]]",
        "20:7 timestamp.url",
        "holds what such a URL does not",
    ),
    case(
        "[[port]]",
        "[timestamp]\ntrust_file = \"a\"\nurl = \"http://t.example\"\nhash = \"sha1\"\n[[port]]",
        "21:8 timestamp.hash",
        "is not known here",
    ),
    case(
        "[[port]]",
        "[timestamp]\ntrust_file = \"a\"\nurl = \"http://t.example\"\nevery = \"1s\"\n[[port]]",
        "21:9 timestamp.every",
        "1min",
    ),
    case(
        "[[port]]",
        "[timestamp]\ntrust_file = \"a\"\nurl = \"http://t.example\"\ntimeout = \"2min\"\n[[port]]",
        "21:11 timestamp.timeout",
        "write 1s to 60s",
    ),
    case(
        "[[port]]",
        "[timestamp]\ntrust_file = \"a\"\nurl = \"http://t.example\"\nanswer_max = \"1MiB\"\n[[port]]",
        "21:14 timestamp.answer_max",
        "write 1KiB to 34KiB",
    ),
];
