//! `--follow`: what comes after, from the files alone, until Ctrl-C.

use super::View;
use crate::commands::directory::{Directory, generations, open_found};
use crate::commands::entries::{Place, Seen, each_stored};
use crate::commands::journal::look::FoundReader;
use crate::paths::DataDir;
use evidence::{CommitId, Generation};
use query::CollectorDir;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often is looked.
const LOOK_UP: Duration = Duration::from_millis(200);

/// How far each generation was read.
#[derive(Default)]
pub(super) struct Places(BTreeMap<u64, u64>);

impl Places {
    /// This was seen.
    pub(super) fn passed(&mut self, seen: &Seen<'_>) {
        let (generation, end) = seen.reaches();
        let next = self.0.entry(generation.0).or_default();
        *next = (*next).max(end);
    }

    fn next(&self, generation: u64) -> u64 {
        self.0.get(&generation).copied().unwrap_or(0)
    }
}

/// Shows every new entry until it is told to stop, or its reader leaves.
pub(super) fn follow(
    dir: &Path,
    only: Option<u64>,
    mut places: Places,
    view: &mut View,
) -> Result<(), String> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .map_err(|error| format!("cannot listen for signal {signal}: {error}"))?;
    }
    let mut node = None;
    while !stop.load(Ordering::Relaxed) && !view.printer.is_done() {
        match Directory::open(dir)? {
            Directory::Node(data) => of_node(&data, only, &mut node, &mut places, view)?,
            Directory::Collector(collector) => of_collector(&collector, &mut places, view),
        }
        view.finish();
        std::thread::sleep(LOOK_UP);
    }
    Ok(())
}

/// The reader of the generation that grows.
type Growing = Option<(Generation, FoundReader)>;

fn of_node(
    data: &DataDir,
    only: Option<u64>,
    growing: &mut Growing,
    places: &mut Places,
    view: &mut View,
) -> Result<(), String> {
    for generation in generations(data)? {
        let newest = places.0.keys().next_back().copied().unwrap_or(0);
        if generation.0 < newest || only.is_some_and(|only| only != generation.0) {
            continue;
        }
        if growing.as_ref().is_none_or(|(of, _)| *of != generation) {
            // A ring that is just being made is there at the next look.
            *growing = open_found(data, generation)
                .ok()
                .map(|found| (generation, found.reader));
        }
        let Some((_, reader)) = growing else {
            return Ok(());
        };
        reader.refresh().map_err(|error| error.to_string())?;
        let next = places.next(generation.0);
        if reader.size() <= next {
            continue;
        }
        let place = Place::of(data, generation);
        for item in reader.entries(CommitId(next)) {
            place.show(item, &mut |seen| view.see(seen));
        }
        // Past what is damaged too: it will not be there at the next look either.
        places.0.insert(generation.0, reader.size());
    }
    Ok(())
}

/// What a collector stored since; a bundle that it is just replacing is there at the next look.
fn of_collector(collector: &CollectorDir, places: &mut Places, view: &mut View) {
    let oldest = places.0.values().min().copied().unwrap_or(0);
    let mut passed = Places::default();
    for log in &collector.logs {
        let _ = each_stored(log, oldest, &mut |seen| {
            let (generation, end) = seen.reaches();
            passed.passed(&seen);
            if end > places.next(generation.0) {
                view.see(seen);
            }
        });
    }
    places.0.extend(passed.0);
}
