//! `kill -9` of a writer at a random moment; the one who keeps the ledger is never killed.

use crate::ledger::Ledger;
use crate::log::{CLASSES, Log, cases_of_log, said};
use crate::tally::{Breach, Tally};
use crate::work::{Pace, Word};
use crate::writer::Writer;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use trial::Random;

/// Kills on one log before a new one is made.
const KILLS_OF_LOG: u64 = 40;
/// A writer is killed before it is this old, or before its log is open for this long.
const KILL_WITHIN_US: u64 = 50_000;
/// A writer that has not opened its log by then has failed.
const OPENED_WITHIN: Duration = Duration::from_secs(20);

/// Kills a writer so often.
pub(crate) fn kills(folder: &Path, seed: u64, count: u64, tally: &mut Tally) -> Result<(), String> {
    let mut random = Random::new(seed);
    let mut left = count;
    let mut number = 0;
    let of_log = cases_of_log(count, KILLS_OF_LOG);
    while left > 0 {
        let class = number % CLASSES.len();
        number += 1;
        let most = left.min(of_log);
        left -= life(folder, class, random.number(), most, Pace::Sound, tally)?;
    }
    Ok(())
}

/// One log from its making on, until so many kills or something that does not hold; the kills made.
pub(crate) fn life(
    folder: &Path,
    class: usize,
    seed: u64,
    most: u64,
    pace: Pace,
    tally: &mut Tally,
) -> Result<u64, String> {
    let mut random = Random::new(seed);
    let log = Log::in_folder(folder, class, seed)?;
    for before in [&log.dir, &log.truth_dir] {
        let _ = std::fs::remove_dir_all(before);
    }
    log.make()?;
    let own = std::env::current_exe().map_err(said)?;
    let mut ledger = Ledger::default();
    for kill in 1..=most {
        let mut writer = Command::new(&own);
        writer
            .args(["writer", "--class", &class.to_string()])
            .arg("--dir")
            .arg(folder)
            .args(["--log-seed", &seed.to_string()])
            .args(["--first", &ledger.handed_in.to_string()])
            .args(["--work-seed", &random.number().to_string()])
            .args((pace == Pace::Hasty).then_some("--hasty"));
        let writer = Writer::start(&mut writer)?;
        tally.kills += 1;
        let what = format!("kill {kill} of {} log {seed}", log.class);
        match struck(writer, &mut random) {
            Ok(words) => words.into_iter().for_each(|word| ledger.hear(word, tally)),
            Err(why) => {
                tally.breach(Breach::RefusedOpen, format!("{what}: {why}"));
                return Ok(kill);
            }
        }
        if !ledger.judge(&log, &what, tally) {
            return Ok(kill);
        }
    }
    Ok(most)
}

/// Kills a writer at a random moment; what it has said, or how it failed before.
fn struck(mut writer: Writer, random: &mut Random) -> Result<Vec<Word>, String> {
    if random.between(0, 2) == 0 {
        writer.opened(OPENED_WITHIN)?;
    }
    let after = Duration::from_micros(random.between(0, KILL_WITHIN_US));
    std::thread::sleep(after);
    writer.kill()
}
