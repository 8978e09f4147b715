//! Mistakes in `[uplink]`.

use super::{Case, case};

const KEY: &str = "collector.example.org+15d1a274+BLJlUhQYCbhJkyF9U5xc/X9dHRRjf54/ty7oPUy1d599";

pub(super) const UPLINK: &[Case] = &[
    case(
        "https://c.example.org",
        "http://c.example.org",
        "12:7 uplink.url",
        "is not encrypted",
    ),
    case(
        "https://c.example.org",
        "c.example.org",
        "12:7 uplink.url",
        "is not an https URL",
    ),
    case(
        "https://c.example.org",
        "https://",
        "12:7 uplink.url",
        "names no host",
    ),
    case(
        "https://c.example.org",
        "https://c:0",
        "12:7 uplink.url",
        "a port from 1 to 65535",
    ),
    case(
        "https://c.example.org",
        "https://a:b@c",
        "12:7 uplink.url",
        "carries a user name",
    ),
    case(
        "https://c.example.org",
        "https://c?x",
        "12:7 uplink.url",
        "a query or a fragment",
    ),
    case(
        KEY,
        "collector",
        "13:17 uplink.collector_key",
        "fewer than three parts",
    ),
    case(
        KEY,
        "c+123+AAAA",
        "13:17 uplink.collector_key",
        "8 lower-case hex digits",
    ),
    case(
        KEY,
        "c+15d1a274+!",
        "13:17 uplink.collector_key",
        "is not base64",
    ),
    case(
        KEY,
        "c+15d1a274+AbJl",
        "13:17 uplink.collector_key",
        "not a cosigner key (type 0x04)",
    ),
    case(
        KEY,
        "c+15d1a274+BLJl",
        "13:17 uplink.collector_key",
        "the key is cut",
    ),
    case(
        "collector.example.org+",
        "collector2.example.org+",
        "13:17 uplink.collector_key",
        "does not fit its name",
    ),
    case(
        "ca_file = \"ca.pem\"",
        "ca_file = \"\"",
        "14:11 uplink.ca_file",
        "the path is empty",
    ),
    case(
        "ca_file = \"ca.pem\"",
        "ca_file = \"-----BEGIN\"",
        "14:11 uplink.ca_file",
        "the key or certificate itself",
    ),
    case(
        "key_file = \"key.pem\"",
        "",
        "11:1 uplink.key_file",
        "`key_file` is missing",
    ),
    case(
        "key_file = \"key.pem\"",
        "key_file = \"key.pem\"\nbackoff = \"1s\"",
        "17:11 uplink.backoff",
        "[\"1s\", \"60s\"]",
    ),
    case(
        "key_file = \"key.pem\"",
        "key_file = \"key.pem\"\nbackoff = [\"1s\"]",
        "17:11 uplink.backoff",
        "expected two values, found 1",
    ),
    case(
        "key_file = \"key.pem\"",
        "key_file = \"key.pem\"\nbackoff = [\"9s\", \"1s\"]",
        "17:11 uplink.backoff",
        "the first wait",
    ),
    case(
        "key_file = \"key.pem\"",
        "key_file = \"key.pem\"\ntimeout = \"1ms\"",
        "17:11 uplink.timeout",
        "write 1s to 10min",
    ),
];
