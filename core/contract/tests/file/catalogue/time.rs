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
        "a limit of 0us",
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
        "a budget of 10us",
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
        "[time]\nptp_timestamping = \"kernel\"\n\n[seal]",
        "9:20 time.ptp_timestamping",
        "hardware",
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
        "an asymmetry of 60s",
    ),
    case(
        "[seal]",
        "[time]\nchrony = \"chronyd.sock\"\n\n[seal]",
        "9:10 time.chrony",
        "not a whole path",
    ),
    case(
        "[seal]",
        "[time]\nchrony = \"\"\n\n[seal]",
        "9:10 time.chrony",
        "the path is empty; write it from the root on, such as \"/run/chrony/chronyd.sock\"",
    ),
    case(
        "[seal]",
        "[time]\nchorny = \"/run/chrony/chronyd.sock\"\n\n[seal]",
        "9:1 time.chorny",
        "did you mean `chrony`",
    ),
    case(
        "[seal]",
        "[time]\nrefclock = \"/run/chrony/fn.sock\"\n\n[seal]",
        "9:12 time.refclock",
        "write a [[time.offered]] for each sender",
    ),
    case(
        "[seal]",
        "[time]\nrefclock = \"fn.sock\"\n[[time.offered]]\nid = \"head-end\"\n\n\n[seal]",
        "9:12 time.refclock",
        "is not a whole path",
    ),
    case(
        "[seal]",
        "[time]\noffered = \"head-end\"\n\n[seal]",
        "9:11 time.offered",
        "write [[time.offered]] above each",
    ),
    case(
        "[seal]",
        "[time]\n[time.offered]\nid = \"head-end\"\n\n[seal]",
        "9:1 time.offered",
        "write [[time.offered]] above each",
    ),
    case(
        "[seal]",
        "[time]\n[[time.offered]]\npriority = 1\n\n[seal]",
        "9:1 time.offered.#1.id",
        "`id` is missing",
    ),
    case(
        "[seal]",
        "[time]\n[[time.offered]]\nid = \"head end\"\n\n[seal]",
        "10:6 time.offered.#1.id",
        "",
    ),
    case(
        "[seal]",
        "[time]\n[[time.offered]]\nid = \"recorder\"\n\n[seal]",
        "10:6 time.offered.recorder.id",
        "names a part of the node",
    ),
    case(
        "[seal]",
        "[time]\n[[time.offered]]\nid = \"head-end\"\n[[time.offered]]\nid = \"head-end\"\n\n\n[seal]",
        "12:6 time.offered.head-end.id",
        "is declared twice",
    ),
    case(
        "[seal]",
        "[time]\n[[time.offered]]\nid = \"head-end\"\npriority = 0\n\n[seal]",
        "11:12 time.offered.head-end.priority",
        "write 1 to 255",
    ),
    case(
        "[seal]",
        "[time]\n[[time.offered]]\nid = \"head-end\"\npriority = 256\n\n[seal]",
        "11:12 time.offered.head-end.priority",
        "1 to 255",
    ),
    case(
        "[seal]",
        "[time]\n[[time.offered]]\nid = \"head-end\"\noffset_max = \"2d\"\n\n[seal]",
        "11:14 time.offered.head-end.offset_max",
        "write \"1ms\" to \"1d\"",
    ),
    case(
        "[seal]",
        "[time]\n[[time.offered]]\nid = \"head-end\"\nuncertainty_max = \"11s\"\n\n[seal]",
        "11:19 time.offered.head-end.uncertainty_max",
        "an uncertainty of 11s",
    ),
    case(
        "[seal]",
        "[time]\n[[time.offered]]\nid = \"head-end\"\ninterval = \"100ms\"\n\n[seal]",
        "11:12 time.offered.head-end.interval",
        "an interval of 100ms",
    ),
    case(
        "[seal]",
        "[time]\n[[time.offered]]\nid = \"head-end\"\npause_min = \"2min\"\n\n[seal]",
        "11:13 time.offered.head-end.pause_min",
        "a pause of 2min is longer than the interval, 1min",
    ),
    case(
        "[seal]",
        "[time]\n[[time.offered]]\nid = \"head-end\"\ntrust = true\n\n[seal]",
        "11:1 time.offered.head-end.trust",
        "unknown key `trust`",
    ),
    case(
        "[seal]",
        "[time]\nrefclock = \"/0123456789012345678901234567890123456789012345678901234567890123456789\
        01234567890123456789012345678901234567890\"\n[[time.offered]]\nid = \"head-end\"\n\n[seal]",
        "9:12 time.refclock",
        "a path of 112 bytes",
    ),
];
