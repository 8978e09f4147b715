//! Power cuts under the journal's files: the file system forgets, and the log is opened again.

use crate::amnesia::{Flaw, Mounted};
use crate::ledger::Ledger;
use crate::log::{CLASSES, Log};
use crate::tally::Tally;
use crate::work::work;
use std::path::Path;
use trial::Random;

/// Cuts on one log before a new one is made.
const CUTS_OF_LOG: u64 = 40;
/// Most writes and syncs between two cuts: some hit the opening, some come late.
const OPERATIONS: [u64; 3] = [12, 60, 400];

/// Cuts the power so often. A seed gives the same cuts again.
pub(crate) fn cuts(folder: &Path, seed: u64, count: u64, tally: &mut Tally) -> Result<(), String> {
    let mounted = Mounted::at(folder)?;
    let mut random = Random::new(seed);
    let mut left = count;
    let mut number = 0;
    while left > 0 {
        let log = next_log(folder, &mut random, &mut number);
        left -= life(&mounted, &log, left.min(CUTS_OF_LOG), None, tally)?;
    }
    Ok(())
}

fn next_log(folder: &Path, random: &mut Random, number: &mut usize) -> Log {
    let class = CLASSES.iter().cycle().nth(*number % CLASSES.len());
    *number += 1;
    let class = class.copied().unwrap_or(CLASSES[0]);
    Log::of_seed(random.number(), class, folder.to_owned(), folder.to_owned())
}

/// One log from its making on, until so many cuts or something that does not hold; the cuts made.
fn life(
    mounted: &Mounted,
    log: &Log,
    most: u64,
    flaw: Option<Flaw>,
    tally: &mut Tally,
) -> Result<u64, String> {
    let mut random = Random::new(log.seed);
    mounted.disk().wipe();
    log.make()?;
    mounted.disk().settle();
    if let Some(flaw) = flaw {
        mounted.disk().plant(flaw);
    }
    let mut ledger = Ledger::default();
    for cut in 1..=most {
        let reach = random.one_of(&OPERATIONS).copied().unwrap_or(12);
        mounted.disk().arm(random.between(0, reach));
        let first = ledger.handed_in;
        let why = work(log, first, &mut random, &mut |word| {
            ledger.hear(word, tally);
        });
        if !mounted.disk().is_off() {
            return Err(format!(
                "the log of seed {} ended with the power on: {why}",
                log.seed
            ));
        }
        mounted.disk().restore(&mut random);
        tally.cuts += 1;
        let what = format!("cut {cut} of {} log {}", log.class, log.seed);
        if !ledger.judge(log, &what, tally) {
            return Ok(cut);
        }
    }
    Ok(most)
}
