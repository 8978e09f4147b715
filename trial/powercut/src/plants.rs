//! Faults planted on purpose: each must be found, or the suite proves nothing.

use crate::amnesia::{Flaw, Mounted};
use crate::cuts;
use crate::kills;
use crate::ledger::Ledger;
use crate::log::{CLASSES, Log, said};
use crate::tally::{Breach, Tally};
use crate::work::Pace;
use evidence::reasons::TruthClass;
use media::segment_file_name;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use trial::Random;

/// Cuts or kills within which a planted fault must be found.
const FOUND_WITHIN: u64 = 60;
/// Cuts before the ledger or the files are falsified.
const CUTS_BEFORE: u64 = 3;

/// Logs made until one has an entry after so few cuts.
const LOGS_TRIED_MAX: u32 = 20;

/// What is falsified after some cuts, and what must be said about it.
const FALSIFIED: [(&str, Falsify, Breach); 5] = [
    (
        "an acknowledged entry that is not there",
        drop_entry,
        Breach::SilentLoss,
    ),
    ("an entry that was another one", exchange, Breach::WrongData),
    ("an entry that nobody handed in", disown, Breach::Invented),
    ("a log that is gone", remove, Breach::RefusedOpen),
    ("a frame that rots", rot, Breach::FalseAlarm),
];

type Falsify = fn(&mut Ledger, &Log) -> std::io::Result<()>;

/// Plants every fault so often and counts those that are not found.
pub(crate) fn plants(
    folder: &Path,
    seed: u64,
    count: u64,
    tally: &mut Tally,
) -> Result<(), String> {
    let (cuts_folder, kills_folder) = (folder.join("cuts"), folder.join("kills"));
    std::fs::create_dir(&cuts_folder).map_err(said)?;
    let mut random = Random::new(seed);
    let mounted = Mounted::at(&cuts_folder)?;
    for _ in 0..count {
        under_cuts(&mounted, &cuts_folder, &mut random, tally)?;
        let (seed, mut found) = (random.number(), Tally::default());
        kills::life(
            &kills_folder,
            0,
            seed,
            FOUND_WITHIN,
            Pace::Hasty,
            &mut found,
        )?;
        expect(
            found.losses() > 0,
            "an early acknowledgement before a kill",
            tally,
        );
    }
    Ok(())
}

fn under_cuts(
    mounted: &Mounted,
    folder: &Path,
    random: &mut Random,
    tally: &mut Tally,
) -> Result<(), String> {
    for class in CLASSES {
        let folders = || folder.to_owned();
        let mut log = || Log::of_seed(random.number(), class, folders(), folders());
        let faults = [
            ("a sync that lies", Some(Flaw::LyingSync), Pace::Sound),
            ("an early acknowledgement", None, Pace::Hasty),
        ];
        for (fault, flaw, pace) in faults {
            let mut found = Tally::default();
            cuts::life(mounted, &log(), FOUND_WITHIN, (flaw, pace), &mut found)?;
            expect(found.losses() > 0, fault, tally);
        }
        for (fault, falsify, breach) in FALSIFIED {
            let (log, mut ledger, mut found) = worked_log(mounted, &mut log)?;
            expect(
                found.breaches() == 0,
                "a sound log before it is falsified",
                tally,
            );
            falsify(&mut ledger, &log).map_err(|error| format!("{fault}: {error}"))?;
            ledger.judge(&log, fault, &mut found);
            let deferred = class == TruthClass::SameDeviceDeferred;
            let breach = match breach {
                Breach::SilentLoss if deferred => Breach::DoubtedLoss,
                other => other,
            };
            expect(found.count(breach) > 0, fault, tally);
        }
    }
    Ok(())
}

/// A log with entries, after a few cuts.
fn worked_log(
    mounted: &Mounted,
    log: &mut dyn FnMut() -> Log,
) -> Result<(Log, Ledger, Tally), String> {
    for _ in 0..LOGS_TRIED_MAX {
        let (log, mut found) = (log(), Tally::default());
        let sound = (None, Pace::Sound);
        let (_, ledger) = cuts::life(mounted, &log, CUTS_BEFORE, sound, &mut found)?;
        if !ledger.entries.is_empty() {
            return Ok((log, ledger, found));
        }
    }
    Err("no log has an entry after a few cuts".to_owned())
}

fn expect(holds: bool, fault: &str, tally: &mut Tally) {
    tally.planted += 1;
    if !holds {
        tally.breach(Breach::Undetected, fault.to_owned());
    }
}

fn drop_entry(ledger: &mut Ledger, _: &Log) -> std::io::Result<()> {
    let next = ledger.entries.last_key_value().map_or(0, |(id, _)| id + 1);
    ledger.entries.insert(next, ledger.handed_in);
    Ok(())
}

fn exchange(ledger: &mut Ledger, _: &Log) -> std::io::Result<()> {
    if let Some((_, number)) = ledger.entries.iter_mut().next_back() {
        *number += 1;
    }
    Ok(())
}

fn disown(ledger: &mut Ledger, _: &Log) -> std::io::Result<()> {
    ledger.handed_in = ledger.entries.values().max().copied().unwrap_or(0);
    Ok(())
}

fn remove(_: &mut Ledger, log: &Log) -> std::io::Result<()> {
    std::fs::remove_file(log.truth_file())
}

/// Zeros over all frames of all segments: a loss that must be named.
fn rot(_: &mut Ledger, log: &Log) -> std::io::Result<()> {
    let from = log.shape.first_frame_offset();
    let zeros = vec![0; usize::try_from(log.shape.segment_bytes - from).unwrap_or(0)];
    for segment in 0..log.shape.segments {
        let path = log.dir.join(segment_file_name(segment));
        let file = std::fs::File::options().write(true).open(path)?;
        file.write_all_at(&zeros, from)?;
    }
    Ok(())
}
