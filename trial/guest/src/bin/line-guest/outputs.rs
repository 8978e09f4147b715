//! Lines that are driven, and what the chip itself says of their level.

use crate::bench::{Bench, LINES, line};
use crate::ways::{Verdict, demand};
use io_plane::outputs::Drive;
use lines::{Fault, Source, WantedOutput};
use serde_json::json;

/// The lines that are driven, and one that is read beside them.
const LOW: u32 = 2;
const HIGH: u32 = 3;
const READ: u32 = 0;

const fn output(line: u32, high: bool, keep: bool) -> WantedOutput {
    WantedOutput { line, high, keep }
}

fn opened(bench: &Bench, outputs: &[WantedOutput]) -> Result<Box<dyn Source>, String> {
    let card = bench.open_driven(&[line(READ, 0)], outputs)?;
    card.map_err(|fault| fault.to_string())
}

fn expect(bench: &Bench, due: &[(u32, bool)]) -> Result<(), String> {
    due.iter().try_for_each(|(line, high)| {
        let seen = bench.level(*line)?;
        demand(seen == *high, || {
            format!("line {line} is {seen}, not {high}")
        })
    })
}

/// Outputs are at their safe level when the chip is open, move alone, and stand where they were left.
pub(crate) fn driven(bench: &Bench) -> Verdict {
    let mut card = opened(
        bench,
        &[output(LOW, false, false), output(HIGH, true, false)],
    )?;
    expect(bench, &[(LOW, false), (HIGH, true)])?;
    for (line, high) in [(LOW, true), (HIGH, false), (LOW, false), (LOW, true)] {
        let other = if line == LOW { HIGH } else { LOW };
        let before = bench.level(other)?;
        let drive = Drive::Line { line, high };
        card.drive(&drive, clocks::mono())
            .map_err(|fault| fault.to_string())?;
        expect(bench, &[(line, high), (other, before)])?;
        let told = card.levels().map_err(|fault| fault.to_string())?;
        let told = told.iter().find(|level| level.line == line);
        demand(told.is_some_and(|level| level.high == high), || {
            format!("line {line} was driven {high}, and the adapter tells {told:?}")
        })?;
    }
    // The input beside them is still read, and a line that is not an output is not driven.
    bench.pull(READ, true)?;
    let told = card.levels().map_err(|fault| fault.to_string())?;
    demand(
        told.iter().any(|level| level.line == READ && level.high),
        || format!("{told:?}"),
    )?;
    bench.pull(READ, false)?;
    let never = Drive::Line {
        line: READ,
        high: true,
    };
    demand(card.drive(&never, clocks::mono()).is_err(), || {
        "an input was driven".to_owned()
    })?;
    Ok(json!({"outputs": 2}))
}

/// Nobody else gets an output, and what the chip does not have is refused by its number.
pub(crate) fn refused(bench: &Bench) -> Verdict {
    let first = opened(bench, &[output(LOW, false, false)])?;
    let again = bench.open_driven(&[], &[output(LOW, true, false)])?.err();
    demand(matches!(again, Some(Fault::Busy { line: LOW, .. })), || {
        format!("{again:?}")
    })?;
    expect(bench, &[(LOW, false)])?;
    drop(first);
    let beyond = bench.open_driven(&[], &[output(LINES, true, false)])?.err();
    demand(
        matches!(beyond, Some(Fault::NoSuchLine { lines: LINES, .. })),
        || format!("{beyond:?}"),
    )?;
    Ok(json!({}))
}
