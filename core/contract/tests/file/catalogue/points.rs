//! Mistakes in the points of a profile.

use super::{Case, case};

pub(super) const POINTS: &[Case] = &[
    case(
        "holding:0",
        "holdng:0",
        "43:12 profile.acme.energy.register",
        "did you mean \"holding\"?",
    ),
    case(
        "holding:0",
        "holding:65535",
        "43:12 profile.acme.energy.register",
        "ends past 65535",
    ),
    case(
        "holding:0",
        "holding:65536",
        "43:12 profile.acme.energy.register",
        "addresses end at 65535",
    ),
    case(
        "holding:0",
        "holding:+1",
        "43:12 profile.acme.energy.register",
        "is not a register",
    ),
    case(
        "holding:0",
        "40001",
        "43:12 profile.acme.energy.register",
        "40001 of the old numbering is \"holding:0\"",
    ),
    case(
        "\"holding:0\"",
        "30010",
        "43:12 profile.acme.energy.register",
        "30010 of the old numbering is \"input:9\"",
    ),
    case(
        "holding:0",
        "coil:0",
        "44:8 profile.acme.energy.type",
        "the table `coil` holds bits, not `u32`",
    ),
    case(
        "type = \"u32\"",
        "type = \"bit\"",
        "44:8 profile.acme.energy.type",
        "holds registers, not bits",
    ),
    case(
        "type = \"u32\"",
        "type = \"float\"",
        "44:8 profile.acme.energy.type",
        "\"bit\", \"u16\"",
    ),
    case(
        "type = \"u32\"",
        "",
        "41:1 profile.acme.energy.type",
        "`type` is missing",
    ),
    case(
        "scale = \"0.01\"",
        "scale = 0.01",
        "45:9 profile.acme.energy.scale",
        "write it in quotes, so that it stays exact: \"0.01\"",
    ),
    case(
        "scale = \"0.01\"",
        "scale = 1e-2",
        "45:9 profile.acme.energy.scale",
        "is a binary fraction",
    ),
    case(
        "scale = \"0.01\"",
        "scale = \"1e-2\"",
        "45:9 profile.acme.energy.scale",
        "write plain digits",
    ),
    case(
        "scale = \"0.01\"",
        "scale = 0",
        "45:9 profile.acme.energy.scale",
        "makes every value 0",
    ),
    case(
        "scale = \"0.01\"",
        "scale = \"1.23456789012\"",
        "45:9 profile.acme.energy.scale",
        "fewer digits",
    ),
    case(
        "scale = \"0.01\"",
        "range = [\"5\", \"1\"]",
        "45:9 profile.acme.energy.range",
        "no value lies between 5 and 1",
    ),
    case(
        "scale = \"0.01\"",
        "range = [0.5, 1]",
        "45:9 profile.acme.energy.range",
        "stays exact: \"0.5\"",
    ),
    case(
        "scale = \"0.01\"",
        "policy = \"availability\"",
        "45:10 profile.acme.energy.policy",
        "did you mean \"availability-first\"?",
    ),
    case(
        "scale = \"0.01\"",
        "bits = \"0-32\"",
        "45:8 profile.acme.energy.bits",
        "bits 0 to 32 of a number whose last bit is 31",
    ),
    case(
        "scale = \"0.01\"",
        "bits = \"7-4\"",
        "45:8 profile.acme.energy.bits",
        "bits 7 to 4",
    ),
    case(
        "scale = \"0.01\"",
        "bits = \"x\"",
        "45:8 profile.acme.energy.bits",
        "names no bits",
    ),
    case(
        "scale = \"0.01\"",
        "bits = 4",
        "45:8 profile.acme.energy.bits",
        "expected bits, found a number",
    ),
    case(
        "scale = \"0.01\"",
        "word_order = \"low_first\"",
        "45:14 profile.acme.energy.word_order",
        "did you mean \"low-first\"?",
    ),
    case(
        "scale = \"0.01\"",
        "unit = \"kilowatt hours, imported, all three phases\"",
        "45:8 profile.acme.energy.unit",
        "at most 32",
    ),
    case(
        "scale = \"0.01\"",
        "unit = \"k\\u0007\"",
        "45:8 profile.acme.energy.unit",
        "a control character",
    ),
];
