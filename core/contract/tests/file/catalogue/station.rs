//! Mistakes in `[station]`, `[storage]` and `[seal]`.

use super::{Case, case};

pub(super) const STATION_STORAGE_AND_SEAL: &[Case] = &[
    case(
        "origin = \"example.org/s1\"",
        "",
        "1:1 station.origin",
        "`origin` is missing",
    ),
    case(
        "example.org/s1",
        "",
        "2:10 station.origin",
        "the origin is empty",
    ),
    case(
        "example.org/s1",
        "example.org/s 1",
        "2:10 station.origin",
        "a space or a plus",
    ),
    case(
        "example.org/s1",
        "example.org/s+1",
        "2:10 station.origin",
        "a space or a plus",
    ),
    case(
        "example.org/s1",
        "https://example.org/s1",
        "2:10 station.origin",
        "has a scheme",
    ),
    case(
        "example.org/s1",
        "example.org/s1/",
        "2:10 station.origin",
        "with a slash",
    ),
    case(
        "example.org/s1",
        "example.org/s1/g3",
        "2:10 station.origin",
        "leave the generation out",
    ),
    case(
        "segments = 4",
        "segments = 1",
        "6:12 storage.segments",
        "at least 2",
    ),
    case(
        "segments = 4",
        "segments = 2.5",
        "6:12 storage.segments",
        "expected a whole number, found a number with a fraction",
    ),
    case(
        "segments = 4",
        "segments = \"4\"",
        "6:12 storage.segments",
        "write it without quotes: 4",
    ),
    case(
        "segments = 4",
        "segments = -1",
        "6:12 storage.segments",
        "outside the range",
    ),
    case(
        "segments = 4",
        "block = 1000",
        "6:9 storage.block",
        "write 512, 4096 or 16384",
    ),
    case(
        "segments = 4",
        "segment_size = \"16MB\"",
        "6:16 storage.segment_size",
        "did you mean \"16MiB\"?",
    ),
    case(
        "segments = 4",
        "segment_size = \"4KiB\"",
        "6:16 storage.segment_size",
        "write 64KiB to 1GiB",
    ),
    case(
        "segments = 4",
        "segment_size = 100000",
        "6:16 storage.segment_size",
        "the next multiple is 102400",
    ),
    case(
        "segments = 4",
        "truth = \"independant\"",
        "6:9 storage.truth",
        "did you mean \"independent\"?",
    ),
    case(
        "segments = 4",
        "truth = \"same-device-deferred\"",
        "6:9 storage.truth",
        "write \"independent\" or \"same-device-sync\"",
    ),
    case(
        "segments = 4",
        "group_wait = \"2s\"",
        "6:14 storage.group_wait",
        "at most 1s",
    ),
    case(
        "every = \"30s\"",
        "every = 30",
        "9:9 seal.every",
        "write the unit too, in quotes: \"30s\"",
    ),
    case(
        "every = \"30s\"",
        "every = \"30m\"",
        "9:9 seal.every",
        "did you mean \"30min\"?",
    ),
    case(
        "every = \"30s\"",
        "every = \"1.5s\"",
        "9:9 seal.every",
        "write a whole number and ms, s, min, h or d",
    ),
    case(
        "every = \"30s\"",
        "every = \"99999999999999999999d\"",
        "9:9 seal.every",
        "is not a duration",
    ),
    case(
        "every = \"30s\"",
        "every = \"0s\"",
        "9:9 seal.every",
        "write 1s to 1d",
    ),
    case(
        "every = \"30s\"",
        "every = true",
        "9:9 seal.every",
        "found a boolean",
    ),
    case(
        "every = \"30s\"",
        "entries = 0",
        "9:11 seal.entries",
        "write 1 to 1000000",
    ),
];
