//! Mistakes in the notation itself, in keys and in names.

use super::{Case, case};

pub(super) const NOTATION_AND_NAMES: &[Case] = &[
    case(
        "[storage]",
        "[station]\nname = \"x\"\n[storage]",
        "5:2 ",
        "each table once in the file",
    ),
    case(
        "type = \"i16\"",
        "type = \"i16\"\nrange = [\"0\", \"1\"",
        "51:1 ",
        "this list is not closed",
    ),
    case("name = \"Hall\"", "name \"Hall\"", "3:6 ", "expected `=`"),
    case(
        "name = \"Hall\"",
        "name = \"Hall",
        "3:13 ",
        "invalid basic string",
    ),
    case(
        "[[meter]]\nid = \"m1\"",
        "[[meter]\nid = \"m1\"",
        "52:9 ",
        "unclosed array table",
    ),
    case(
        "baud = 9600",
        "baud = 9600\nbaud = 9600",
        "23:1 ",
        "duplicate key",
    ),
    case(
        "baud = 9600",
        "buad = 9600",
        "22:1 port.line.buad",
        "did you mean `baud`?",
    ),
    case(
        "baud = 9600",
        "every = \"1s\"",
        "22:1 port.line.every",
        "belongs in [seal] or [timestamp] or [[schedule]]",
    ),
    case(
        "baud = 9600",
        "colour = 1",
        "22:1 port.line.colour",
        "known here: `id`, `kind`",
    ),
    case(
        "[station]",
        "[sattion]\nx = 1\n[station]",
        "1:2 sattion",
        "did you mean [station]?",
    ),
    case(
        "[station]",
        "[meters]\n[station]",
        "1:2 meters",
        "did you mean [[meter]]?",
    ),
    case(
        "[[schedule]]",
        "[schedule]",
        "34:1 schedule",
        "write [[schedule]] above each",
    ),
    case(
        "[station]",
        "[[station]]",
        "1:1 station",
        "write [station] once",
    ),
    case(
        "id = \"line\"",
        "id = \"my line\"",
        "19:6 port.#1.id",
        "made of letters, digits",
    ),
    case(
        "id = \"line\"",
        "id = \"\"",
        "19:6 port.#1.id",
        "cannot be empty",
    ),
    case(
        "id = \"line\"",
        "id = 7",
        "19:6 port.#1.id",
        "write it in quotes: \"7\"",
    ),
    case(
        "id = \"spare\"",
        "id = \"recorder\"",
        "25:6 port.recorder.id",
        "names a part of the node",
    ),
];
