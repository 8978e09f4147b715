//! Points that are carried and not decoded (U7): what may be said of them.

use crate::limits::READ_REGISTERS_MAX;
use crate::model::{Point, Source, Table};
use crate::rules::Problems;
use crate::words::word_of;
use alloc::format;
use evidence::limits::CONTENT_TYPE_BYTES_MAX;

/// Of a point that is a payload, and of what only a payload has.
pub(crate) fn rules(point: &Point, out: &mut Problems) {
    let register = match &point.from {
        Source::Register(register) => Some(register),
        Source::Record(_) => None,
    };
    let count = register.and_then(|register| register.registers);
    let Some(label) = &point.content_type else {
        out.unless(
            count.is_none(),
            &["registers"],
            "`registers` is of a payload, and this point is a number",
            "write `payload` with the type of its content beside it, or remove the line",
        );
        return;
    };
    let parts = label.split_once('/').filter(|(kind, subtype)| {
        let visible = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && byte != b'/')
        };
        visible(kind) && visible(subtype)
    });
    out.unless(
        parts.is_some() && label.len() <= CONTENT_TYPE_BYTES_MAX,
        &["payload"],
        format!("\"{label}\" is no type of a content"),
        format!("write a type and a subtype, at most {CONTENT_TYPE_BYTES_MAX} characters, such as \"application/octet-stream\""),
    );
    let Some(register) = register else {
        return;
    };
    out.unless(
        matches!(register.table, Table::Holding | Table::Input),
        &["payload", "register"],
        format!(
            "the table `{}` holds bits, and a payload is of registers",
            word_of(register.table)
        ),
        "choose registers of `holding` or `input`",
    );
    out.unless(
        count.is_some_and(|count| (1..=READ_REGISTERS_MAX).contains(&u32::from(count))),
        &["registers", "payload"],
        "a payload of registers says how many there are",
        format!("write `registers`, 1 to {READ_REGISTERS_MAX}: what one request reads"),
    );
}

/// What a file says of a payload that only numbers have.
pub(crate) fn keys(point: &Point, has: &dyn Fn(&str) -> bool) -> Problems {
    const OF_NUMBERS: [&[&str]; 9] = [
        &["type"],
        &["word_order"],
        &["bits"],
        &["scale"],
        &["unit"],
        &["range"],
        &["role"],
        &["memory_offset"],
        &["record_unit"],
    ];
    let mut out = Problems::default();
    if point.content_type.is_none() {
        return out;
    }
    let said = OF_NUMBERS
        .into_iter()
        .filter(|keys| keys.iter().any(|key| has(key)));
    for keys in said {
        let key = keys.first().copied().unwrap_or_default();
        let what = format!("`{key}` is of a number, and a payload is carried as it came");
        out.add(keys, what, "remove the line, or the line `payload`");
    }
    out
}
