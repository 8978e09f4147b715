//! Mistakes in `[syslog]`.

use super::{Case, case};

pub(super) const SYSLOG: &[Case] = &[
    case(
        "[[port]]",
        "[syslog]\nca_file = \"a\"\n[[port]]",
        "18:1 syslog.address",
        "`address` is missing",
    ),
    case(
        "[[port]]",
        "[syslog]\naddress = \"s.example:6514\"\n[[port]]",
        "18:1 syslog.ca_file",
        "`ca_file` is missing",
    ),
    case(
        "[[port]]",
        "[syslog]\nca_file = \"a\"\naddress = \"s.example\"\n[[port]]",
        "20:11 syslog.address",
        "port",
    ),
    case(
        "[[port]]",
        "[syslog]\nca_file = \"a\"\naddress = \"s.example:6514\"\ncert_file = \"c\"\n[[port]]",
        "21:13 syslog.cert_file",
        "go together",
    ),
    case(
        "[[port]]",
        "[syslog]\nca_file = \"a\"\naddress = \"s.example:6514\"\ntimeout = \"2min\"\n[[port]]",
        "21:11 syslog.timeout",
        "60s",
    ),
    case(
        "[[port]]",
        "[syslog]\nca_file = \"a\"\naddress = \"s.example:6514\"\nfacility = 4\n[[port]]",
        "21:1 syslog.facility",
        "facility",
    ),
];
