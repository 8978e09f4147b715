//! Mistakes in `[time]`.

use super::{Case, case};

pub(super) const TIME: &[Case] = &[
    case(
        "[seal]",
        "[time]\nlimit = 5\n\n[seal]",
        "9:9 time.limit",
        "expected a duration, found a number; write a whole number and us, ms or s",
    ),
    case(
        "[seal]",
        "[time]\nlimit = \"5\"\n\n[seal]",
        "9:9 time.limit",
        "\"5\" is not a duration",
    ),
    case(
        "[seal]",
        "[time]\nlimit = \"0us\"\n\n[seal]",
        "9:9 time.limit",
        "a limit of 0 us",
    ),
    case(
        "[seal]",
        "[time]\nlimit = \"11s\"\n\n[seal]",
        "9:9 time.limit",
        "write \"1us\" to \"10s\"",
    ),
    case(
        "[seal]",
        "[time]\nbudget = \"10us\"\n\n[seal]",
        "9:10 time.budget",
        "a budget of 10 us",
    ),
    case(
        "[seal]",
        "[time]\noscillator = \"quartz\"\n\n[seal]",
        "9:14 time.oscillator",
        "xo",
    ),
    case(
        "[seal]",
        "[time]\nptp_mode = \"slave\"\n\n[seal]",
        "9:12 time.ptp_mode",
        "free-running",
    ),
    case(
        "[seal]",
        "[time]\nptp_domain = 256\n\n[seal]",
        "9:14 time.ptp_domain",
        "0 to 255",
    ),
    case(
        "[seal]",
        "[time]\nptp_asymmetry = \"60s\"\n\n[seal]",
        "9:17 time.ptp_asymmetry",
        "an asymmetry of 60000000 us",
    ),
    case(
        "[seal]",
        "[time]\nchrony = \"chronyd.sock\"\n\n[seal]",
        "9:10 time.chrony",
        "not a whole path",
    ),
    case(
        "[seal]",
        "[time]\nchorny = \"/run/chrony/chronyd.sock\"\n\n[seal]",
        "9:1 time.chorny",
        "did you mean `chrony`",
    ),
];
