//! Reads the points of a profile or of a meter.

use crate::block::Block;
use crate::error::{Report, wrong};
use crate::keys::POINT;
use crate::life;
use crate::mbus;
use crate::model::{Point, Policy, RecordPick, Register, Source, Table, ValueType, WordOrder};
use crate::opaque;
use crate::read::{bits, decimal, id, integer, pair, register, text, word};
use crate::rules::{Problem, point};
use crate::sound::STAND_IN_POINT;
use crate::words::{PortWord, word_of};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use evidence::{Decimal, PointId};

/// The points in `parent`, none of which may repeat an id of its own or of `inherited`. `on_mbus`: they are of a meter on
/// an M-Bus, where no register is asked for.
pub(crate) fn read(
    parent: &mut Block<'_, '_>,
    report: &mut Report<'_>,
    inherited: &[Point],
    on_mbus: bool,
) -> Vec<Point> {
    let mut seen: BTreeMap<PointId, &str> = inherited
        .iter()
        .map(|point| (point.id.clone(), "its profile has a point of this id"))
        .collect();
    let mut points = Vec::new();
    for (place, (table, span)) in parent.children(report, "point").into_iter().enumerate() {
        let path = Block::path_of(table, parent.path(), place);
        let mut block = Block::new(&POINT, path, table, span);
        block.refuse_unknown_on(report, on_mbus.then(|| word_of(PortWord::Mbus)));
        let Some(read) = read_point(&mut block, report, on_mbus) else {
            continue;
        };
        for problem in point(&read).0 {
            block.problem(report, problem);
        }
        for problem in opaque::keys(&read, &|key| block.has(key)).0 {
            block.problem(report, problem);
        }
        if !block.is_faulty("id")
            && let Some(fault) = seen.insert(read.id.clone(), "the meter has two points of this id")
        {
            let wrong = wrong(
                format!("{fault}: \"{}\"", read.id),
                "give each point an id of its own",
            );
            block.problem(
                report,
                Problem {
                    keys: &["id"],
                    wrong,
                    absent: false,
                },
            );
        }
        points.push(read);
    }
    points
}

fn read_point(block: &mut Block<'_, '_>, report: &mut Report<'_>, on_mbus: bool) -> Option<Point> {
    let name = block.get(report, "id", None, |raw| id::<PointId>(raw).map(Some));
    let carried = block.has("payload");
    let from = match mbus::pick(block, report) {
        Some(pick) => Source::Record(pick),
        // A payload of which nothing else is said is all that the meter tells.
        None if carried && (on_mbus || !block.has("register")) => {
            Source::Record(RecordPick::default())
        }
        None if on_mbus => Source::Record(mbus::no_pick(block, report)),
        None => Source::Register(read_register(block, report)),
    };
    let one = Decimal::new(1, 0).ok()?;
    Some(Point {
        id: name.or_else(|| STAND_IN_POINT.parse().ok())?,
        from,
        scale: block.get(report, "scale", one, decimal),
        unit: block.get(report, "unit", String::new(), text),
        range: block.maybe(report, "range", pair(decimal, "[\"0\", \"99999999\"]")),
        policy: block.get(report, "policy", Policy::EvidenceFirst, word),
        role: life::role(block, report),
        memory_offset: block.maybe(report, "memory_offset", integer("2 to 124")),
        content_type: block.maybe(report, "payload", text),
    })
}

fn read_register(block: &mut Block<'_, '_>, report: &mut Report<'_>) -> Register {
    let carried = block.has("payload");
    // Registers that are carried as they are have no type.
    let value = match carried && !block.has("type") {
        true => ValueType::U16,
        false => block.get(report, "type", ValueType::U16, word),
    };
    let (table, address) = block.get(report, "register", (Table::Holding, 0), register);
    Register {
        table,
        address,
        value,
        word_order: block.get(report, "word_order", WordOrder::HighFirst, word),
        bits: block.maybe(report, "bits", bits),
        registers: block.maybe(report, "registers", integer("1 to 125")),
    }
}
