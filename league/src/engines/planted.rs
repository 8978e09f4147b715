//! Engines with a flaw planted, for the league's own test: two files of checked records, so that one
//! fault harms none, and one thing wrong with each engine.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use crate::engine::{Answer, Engine, Failed, Place, Row, Tell};
use crate::engines::key_of;
use crate::record::{Batch, KEY_BYTES, RECORD_BYTES};

/// What is wrong with each.
pub(crate) const ROWS: &[Row] = &[
    row("planted/sound", |place| open(place, Flaw::None)),
    row("planted/believes", |place| open(place, Flaw::Believes)),
    row("planted/loses", |place| open(place, Flaw::Loses)),
    row("planted/names", |place| open(place, Flaw::Names)),
    row("planted/misnames", |place| open(place, Flaw::Misnames)),
    row("planted/alters", |place| open(place, Flaw::Alters)),
    row("planted/invents", |place| open(place, Flaw::Invents)),
    row("planted/refuses", |place| open(place, Flaw::Refuses)),
    row("planted/falters", |place| open(place, Flaw::Falters)),
    row("planted/panics", |place| open(place, Flaw::Panics)),
    row("planted/hangs", |place| open(place, Flaw::Hangs)),
];

const fn row(name: &'static str, open: fn(&Place) -> Result<Box<dyn Engine>, Failed>) -> Row {
    Row {
        name,
        mode: "for the league's own test",
        open,
    }
}

/// What goes wrong when it is opened again, or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    None,
    /// There is one copy, and its checks are not looked at.
    Believes,
    /// A record is left out.
    Loses,
    /// A record is left out, and it says so.
    Names,
    /// A record is left out, and another is named.
    Misnames,
    /// A record comes back with another byte.
    Alters,
    /// A record comes that nobody wrote.
    Invents,
    Refuses,
    /// It opens, and reading ends with an error.
    Falters,
    Panics,
    Hangs,
}

struct Planted {
    copies: [PathBuf; 2],
    flaw: Flaw,
}

/// The record that a flaw concerns: one that every fault comes after.
const VICTIM: u64 = 0;

/// Bytes of a record with its key and check.
const STORED_BYTES: usize = KEY_BYTES + RECORD_BYTES + 4;

fn open(place: &Place, flaw: Flaw) -> Result<Box<dyn Engine>, Failed> {
    let copies = ["one", "two"].map(|name| place.data.join(name));
    let again = copies.iter().any(|path| path.exists());
    match flaw {
        Flaw::Refuses if again => return Err(Failed("planted: will not open".into())),
        Flaw::Hangs if again => loop {
            std::thread::sleep(Duration::from_secs(1));
        },
        #[expect(clippy::panic, reason = "this engine is here to panic")]
        Flaw::Panics if again => panic!("planted: panics when opened"),
        _ => {}
    }
    Ok(Box::new(Planted { copies, flaw }))
}

impl Engine for Planted {
    fn commit(&mut self, batch: &Batch) -> Result<(), Failed> {
        let mut all = Vec::new();
        for (key, bytes) in batch.records() {
            let record = [&key.to_be_bytes(), bytes].concat();
            all.extend_from_slice(&record);
            all.extend_from_slice(&crc32c::crc32c(&record).to_be_bytes());
        }
        let copies = if self.flaw == Flaw::Believes { 1 } else { 2 };
        for path in self.copies.iter().take(copies) {
            let mut file = OpenOptions::new().create(true).append(true).open(path)?;
            file.write_all(&all)?;
            file.sync_data()?;
        }
        Ok(())
    }

    fn read(&mut self, tell: Tell<'_>) -> Result<(), Failed> {
        let [one, two] = self.copies.each_ref().map(|path| fs::read(path).ok());
        let one = one.unwrap_or_default();
        let two = two.unwrap_or_else(|| one.clone());
        let copies = one
            .chunks_exact(STORED_BYTES)
            .zip(two.chunks_exact(STORED_BYTES));
        for (one, two) in copies {
            let checked = self.flaw != Flaw::Believes;
            let stored = if checked && !holds(one) { two } else { one };
            let (key, rest) = stored.split_at(KEY_BYTES);
            let bytes = rest.get(..RECORD_BYTES).unwrap_or_default();
            self.say(key_of(key)?, bytes.to_vec(), tell)?;
        }
        if self.flaw == Flaw::Invents {
            tell(Answer::Record {
                key: u64::MAX,
                bytes: vec![0; RECORD_BYTES],
            });
        }
        Ok(())
    }
}

impl Planted {
    /// Says a record, or what the flaw makes of it.
    fn say(&self, key: u64, mut bytes: Vec<u8>, tell: Tell<'_>) -> Result<(), Failed> {
        let lost = |first| Answer::Lost {
            first,
            end: first + 1,
        };
        match self.flaw {
            Flaw::Loses if key == VICTIM => return Ok(()),
            Flaw::Names if key == VICTIM => {
                tell(lost(key));
                return Ok(());
            }
            Flaw::Misnames if key == VICTIM => {
                tell(lost(key + 1));
                return Ok(());
            }
            Flaw::Falters if key == VICTIM => {
                return Err(Failed("planted: cannot go on".into()));
            }
            Flaw::Alters if key == VICTIM => bytes.reverse(),
            _ => {}
        }
        tell(Answer::Record { key, bytes });
        Ok(())
    }
}

fn holds(stored: &[u8]) -> bool {
    let checked = stored.split_last_chunk::<4>();
    checked.is_some_and(|(record, check)| crc32c::crc32c(record).to_be_bytes() == *check)
}
