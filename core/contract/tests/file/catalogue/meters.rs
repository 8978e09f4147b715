//! Mistakes in `[[meter]]` and its ties to ports, schedules and profiles.

use super::{Case, case};

pub(super) const METERS: &[Case] = &[
    case(
        "id = \"m2\"",
        "id = \"m1\"",
        "60:6 meter.m1.id",
        "\"m1\" is declared twice",
    ),
    case(
        "port = \"lan\"",
        "port = \"lam\"",
        "61:8 meter.m2.port",
        "did you mean \"lan\"?",
    ),
    case(
        "port = \"lan\"",
        "port = \"elsewhere\"",
        "61:8 meter.m2.port",
        "declare it with [[port]], or write \"lan\"",
    ),
    case(
        "port = \"lan\"",
        "",
        "59:1 meter.m2.port",
        "`port` is missing",
    ),
    case(
        "port = \"lan\"",
        "port = \"line\"",
        "62:8 meter.m2.unit",
        "meter \"m1\" has unit 1 on port \"line\" too",
    ),
    case(
        "unit = 1 # one",
        "unit = 0",
        "55:8 meter.m1.unit",
        "unit 0 is the broadcast",
    ),
    case(
        "unit = 1 # one",
        "unit = 248",
        "55:8 meter.m1.unit",
        "unit 248 is reserved",
    ),
    case(
        "unit = 1 # one",
        "unit = 300",
        "55:8 meter.m1.unit",
        "1 to 247 on a serial line",
    ),
    case(
        "schedule = \"quarter\" # one",
        "schedule = \"quartr\"",
        "56:12 meter.m1.schedule",
        "did you mean \"quarter\"?",
    ),
    case(
        "profile = \"acme\"",
        "profile = \"amce\"",
        "57:11 meter.m1.profile",
        "did you mean \"acme\"?",
    ),
    case(
        "profile = \"acme\"",
        "",
        "52:1 meter.m1.profile",
        "the meter has no points",
    ),
    case(
        "id = \"level\"",
        "id = \"energy\"",
        "48:6 profile.acme.energy.id",
        "the meter has two points of this id",
    ),
    case(
        "profile = \"acme\"",
        "profile = \"acme\"\npoint = [{id = \"energy\", register = \"input:0\", type = \"u16\"}]",
        "58:16 meter.m1.energy.id",
        "its profile has a point of this id",
    ),
    case(
        "profile = \"acme\"",
        "profile = \"acme\"\npoint = 7",
        "58:9 meter.m1.point",
        "write [[meter.point]] above each",
    ),
];
