//! What a child does with an engine: commit in step with its parent, read, or be timed.

use std::io::{BufRead as _, Write as _, stdin, stdout};

use crate::engine::{Answer, Engine, Failed, Place, row};
use crate::record::Batch;

/// What a reading child says once the engine is open.
pub(crate) const OPENED: &str = "opened";
/// What it says at the end, when reading did not fail.
pub(crate) const DONE: &str = "done";
/// What a committing child says of each commit.
pub(crate) const ACKNOWLEDGED: &str = "acknowledged";

pub(crate) fn open(engine: &str, place: &Place) -> Result<Box<dyn Engine>, Failed> {
    let row = row(engine).ok_or_else(|| Failed(format!("there is no engine `{engine}`")))?;
    (row.open)(place)
}

/// Commits: for each line on standard input (`count`) one batch, acknowledged by a line. It never
/// closes the engine: it is killed.
pub(crate) fn commit(engine: &str, place: &Place, seed: u64) -> Result<(), Failed> {
    let mut engine = open(engine, place)?;
    println!("{OPENED}");
    let mut next = 0;
    for line in stdin().lock().lines() {
        let count: u64 = line?.parse()?;
        let batch = Batch::of(seed, next, count);
        engine.commit(&batch)?;
        next += count;
        println!("{ACKNOWLEDGED}");
    }
    std::mem::forget(engine);
    Ok(())
}

/// Opens, reads everything and says it, line by line.
pub(crate) fn read(engine: &str, place: &Place) -> Result<(), Failed> {
    let mut engine = open(engine, place)?;
    let mut out = stdout().lock();
    writeln!(out, "{OPENED}")?;
    let mut failed = Ok(());
    engine.read(&mut |answer| {
        if failed.is_ok() {
            failed = writeln!(out, "{}", line_of(&answer));
        }
    })?;
    failed?;
    Ok(writeln!(out, "{DONE}")?)
}

/// An answer as a line.
fn line_of(answer: &Answer) -> String {
    match answer {
        Answer::Record { key, bytes } => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("record {key} {digits}")
        }
        Answer::Lost { first, end } => format!("lost {first} {end}"),
        Answer::Uncertain { from } => format!("uncertain {from}"),
    }
}

/// The answer that a line says.
pub(crate) fn answer_of(line: &str) -> Option<Answer> {
    let words: Vec<&str> = line.split(' ').collect();
    match *words.as_slice() {
        ["record", key, digits] => Some(Answer::Record {
            key: key.parse().ok()?,
            bytes: bytes_of(digits)?,
        }),
        ["lost", first, end] => Some(Answer::Lost {
            first: first.parse().ok()?,
            end: end.parse().ok()?,
        }),
        ["uncertain", from] => Some(Answer::Uncertain {
            from: from.parse().ok()?,
        }),
        _ => None,
    }
}

fn bytes_of(digits: &str) -> Option<Vec<u8>> {
    let byte = |at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    (0..digits.len()).step_by(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::{answer_of, line_of};
    use crate::engine::Answer;

    #[test]
    fn an_answer_survives_its_line() {
        for answer in [
            Answer::Record {
                key: 7,
                bytes: vec![0, 9, 255],
            },
            Answer::Record {
                key: u64::MAX,
                bytes: vec![],
            },
            Answer::Lost { first: 3, end: 9 },
            Answer::Uncertain { from: 0 },
        ] {
            assert_eq!(answer_of(&line_of(&answer)), Some(answer));
        }
        for line in [
            "",
            "record",
            "record 1 0",
            "record x 00",
            "lost 1",
            "lost a b",
            "what 1 2",
        ] {
            assert_eq!(answer_of(line), None, "{line}");
        }
    }
}
