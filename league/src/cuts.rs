//! Power cuts: an engine works on devices with a tape, and is opened on what may be left of them.

use std::fs;
use std::path::Path;

use crate::child::Running;
use crate::device::{Mount, make_ext4, settle};
use crate::engine::{Failed, Place};
use crate::engines::ours;
use crate::faults::{Fault, Faulty, Tally};
use crate::noise::Noise;
use crate::tape::{Recorder, Sectors, Tape};
use crate::verbs::{ACKNOWLEDGED, OPENED};
use crate::verdict::Written;

/// The devices: names and bytes. Room for what the engines preallocate.
const DEVICES: [(&str, u64); 2] = [("data", 192 << 20), ("truth", 64 << 20)];
/// Commits of one record each, and then the batch that is torn.
const COMMITS: u64 = 40;
const TORN_BATCH: u64 = 64;

/// An engine's work on tape.
pub(crate) struct Recording {
    tape: Tape,
    /// The devices before they were mounted.
    bases: Vec<Sectors>,
    /// Length of the tape when so many records were acknowledged.
    acknowledged: Vec<(usize, u64)>,
}

impl Recording {
    /// Has an engine work; nothing where devices with a tape are not permitted.
    pub(crate) fn make(row: &Faulty<'_>) -> Result<Option<Self>, Failed> {
        let folder = tempfile::tempdir_in(row.below)?;
        let tape = Tape::default();
        // Dropped in the order of their fields: file systems first, then what they lie on.
        let (mut mounts, mut recorders, mut bases) = (Vec::new(), Vec::new(), Vec::new());
        for (device, (name, bytes)) in DEVICES.into_iter().enumerate() {
            let [image, fuse, at] = ["image", "device", "mounted"]
                .map(|what| folder.path().join(format!("{name}-{what}")));
            make_ext4(&image, bytes)?;
            bases.push(Sectors::of(&image)?);
            fs::create_dir(&fuse)?;
            fs::create_dir(&at)?;
            let recorder = Recorder::try_new(&image, &fuse, device, &tape)?;
            let Some(recorder) = recorder else {
                return Ok(None);
            };
            mounts.extend(Mount::try_new(&recorder.disk(), &at)?);
            recorders.push(recorder);
        }
        if mounts.len() < DEVICES.len() {
            return Ok(None);
        }
        let place = place_in(folder.path(), "mounted");
        for path in [&place.data, &place.truth] {
            fs::create_dir(path)?;
            settle(path)?;
        }
        let acknowledged = work(row, &place, &tape)?;
        drop(mounts);
        drop(recorders);
        Ok(Some(Self {
            tape,
            bases,
            acknowledged,
        }))
    }

    /// Cuts power so often while a batch is on its way, and so often anywhere.
    pub(crate) fn cut(&self, row: &Faulty<'_>, fault: Fault, trials: u64) -> Result<Tally, Failed> {
        let mut tally = Tally::default();
        let noise = Noise::new(row.seed).apart(fault as u64);
        for trial in 0..trials {
            let mut noise = noise.apart(trial);
            let folder = tempfile::tempdir_in(row.below)?;
            let written = self.leave(folder.path(), row, fault, &mut noise)?;
            let mut mounts = Vec::new();
            for (name, _) in DEVICES {
                let at = folder.path().join(format!("{name}-mounted"));
                fs::create_dir(&at)?;
                let mount = Mount::try_new(&folder.path().join(name), &at)?;
                mounts.push(mount.ok_or_else(|| Failed("ext4 after a cut: no mount".into()))?);
            }
            tally.add(row.tried(&place_in(folder.path(), "mounted"), &written)?);
            drop(mounts);
        }
        Ok(tally)
    }

    /// Writes what may be left of the devices after a cut; what was written until then.
    fn leave(
        &self,
        folder: &Path,
        row: &Faulty<'_>,
        fault: Fault,
        noise: &mut Noise,
    ) -> Result<Written, Failed> {
        let point_of = |n: usize| self.acknowledged.get(n).map_or(0, |(point, _)| *point);
        let torn = point_of(self.acknowledged.len().saturating_sub(2));
        let begin = match fault {
            Fault::TornBatch => torn,
            _ => point_of(1),
        };
        let end = point_of(self.acknowledged.len().saturating_sub(1));
        let point = begin + 1 + noise.below(end.saturating_sub(begin));
        for (device, ((name, bytes), base)) in DEVICES.into_iter().zip(&self.bases).enumerate() {
            let held = self
                .tape
                .at_cut(device, point, base, |sectors| match fault {
                    Fault::TornBatch => torn_sectors(sectors, noise),
                    _ => vec![noise.below(2) == 0; sectors],
                });
            held.put(&folder.join(name), bytes)?;
        }
        let before = self.acknowledged.iter().rev();
        let acknowledged = before
            .filter(|(at, _)| *at <= point)
            .map(|(_, count)| *count)
            .next();
        Ok(Written {
            seed: row.seed,
            acknowledged: acknowledged.unwrap_or(0),
            handed_in: COMMITS + TORN_BATCH,
            end_is_promised: ours::END_PROMISED.contains(&row.engine),
        })
    }
}

/// Commits in step with the tape: records acknowledged, by length of the tape.
fn work(row: &Faulty<'_>, place: &Place, tape: &Tape) -> Result<Vec<(usize, u64)>, Failed> {
    let mut child = Running::start("commit", row.engine, place, &[("seed", row.seed)])?;
    row.expect(&mut child, OPENED)?;
    let mut acknowledged = vec![(tape.len(), 0)];
    let mut count = 0;
    for records in std::iter::repeat_n(1, usize::try_from(COMMITS)?).chain([TORN_BATCH]) {
        child.say(&records.to_string())?;
        row.expect(&mut child, ACKNOWLEDGED)?;
        count += records;
        acknowledged.push((tape.len(), count));
    }
    child.kill()?;
    Ok(acknowledged)
}

/// The sectors that a write cut short leaves: the first ones, all but one, or any.
fn torn_sectors(sectors: usize, noise: &mut Noise) -> Vec<bool> {
    let (shape, at) = (noise.below(3), noise.below(sectors + 1));
    let kept = |n: usize| match shape {
        0 => n < at,
        1 => n != at,
        _ => noise.below(2) == 0,
    };
    (0..sectors).map(kept).collect()
}

fn place_in(folder: &Path, what: &str) -> Place {
    Place {
        data: folder.join(format!("data-{what}/engine")),
        truth: folder.join(format!("truth-{what}/engine")),
    }
}
