//! Power cuts under the journal's files: the file system forgets, and the log is opened again.

use crate::amnesia::{Flaw, Mounted};
use crate::ledger::Ledger;
use crate::log::{CLASSES, Log, cases_of_log};
use crate::tally::{Breach, Tally};
use crate::work::{Pace, work};
use evidence::reasons::TruthClass;
use std::path::Path;
use trial::Random;

/// Cuts on one log before a new one is made.
const CUTS_OF_LOG: u64 = 40;
/// Most writes and syncs between two cuts: some hit the opening, some come late.
const OPERATIONS: [u64; 3] = [12, 60, 200];

/// Cuts the power so often. A seed gives the same cuts again.
pub(crate) fn cuts(folder: &Path, seed: u64, count: u64, tally: &mut Tally) -> Result<(), String> {
    let mounted = Mounted::at(folder)?;
    let mut random = Random::new(seed);
    let mut left = count;
    let mut number = 0;
    let of_log = cases_of_log(count, CUTS_OF_LOG);
    while left > 0 {
        let (dir, truth_dir) = (folder.to_owned(), folder.to_owned());
        let log = Log::of_seed(random.number(), class_of(number), dir, truth_dir);
        number += 1;
        let sound = (None, Pace::Sound);
        let (made, _) = life(&mounted, &log, left.min(of_log), sound, tally)?;
        left -= made;
    }
    Ok(())
}

/// The classes in turn.
pub(crate) fn class_of(number: usize) -> TruthClass {
    let class = CLASSES.get(number % CLASSES.len());
    class.copied().unwrap_or(TruthClass::SameDeviceSync)
}

/// One log from its making on, until so many cuts or something that does not hold; the cuts made
/// and what is known of it.
pub(crate) fn life(
    mounted: &Mounted,
    log: &Log,
    most: u64,
    (flaw, pace): (Option<Flaw>, Pace),
    tally: &mut Tally,
) -> Result<(u64, Ledger), String> {
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
        let why = work(log, first, pace, &mut random, &mut |word| {
            ledger.hear(word, tally);
        });
        tally.cuts += 1;
        let what = format!("cut {cut} of {} log {}", log.class, log.seed);
        if !mounted.disk().is_off() {
            // Nothing else may end the work.
            tally.breach(Breach::RefusedOpen, format!("{what}, the power on: {why}"));
            return Ok((cut, ledger));
        }
        mounted.disk().restore(&mut random);
        if !ledger.judge(log, &what, tally) {
            return Ok((cut, ledger));
        }
    }
    Ok((most, ledger))
}
