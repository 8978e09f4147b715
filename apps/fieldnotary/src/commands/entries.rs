//! The entries of a directory in the order of commit, and what is missing between them.

use super::directory::{Directory, generations, keep_rings, lacking_segments, open_found};
use crate::paths::DataDir;
use evidence::{CommitId, Entry, Generation, split_leaf};
use journal::keep::Part;
use journal::{Finding, Loss};
use query::{LogDir, StoredHole};
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::Range;

/// Whether what was shown of a log is all that was committed, but for what is named as lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Its end is known.
    Certain,
    /// Without a truth store nobody can tell whether more was committed.
    Uncertain,
}

/// What comes next in a log.
pub(super) enum Seen<'e> {
    /// An entry.
    Entry(&'e Entry),
    /// Committed entries that cannot be read.
    Lost(Absent),
}

impl Seen<'_> {
    /// The generation, and one past the last entry of this.
    pub(super) fn reaches(&self) -> (Generation, u64) {
        match self {
            Self::Entry(entry) => (
                entry.header.generation,
                entry.header.commit_id.0.saturating_add(1),
            ),
            Self::Lost(absent) => (absent.generation, absent.end),
        }
    }
}

/// Committed entries that cannot be read here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Absent {
    pub(super) generation: Generation,
    /// The first of them.
    pub(super) first: u64,
    /// One past the last of them.
    pub(super) end: u64,
    /// The word for programs.
    pub(super) cause: String,
    /// Why, in words.
    pub(super) why: String,
    /// Whether they only left the ring, as every entry does in its time.
    pub(super) retired: bool,
}

impl Absent {
    /// How many.
    pub(super) const fn count(&self) -> u64 {
        self.end.saturating_sub(self.first)
    }

    /// The last of them.
    pub(super) const fn last(&self) -> u64 {
        self.end.saturating_sub(1)
    }
}

impl Directory {
    /// Shows every entry in the order of commit; damaged stretches are passed over.
    /// With `kept`, what the keep-rings hold of those that left the ring comes before the others.
    ///
    /// # Errors
    /// What cannot be opened, in words.
    pub(super) fn each_entry(
        &self,
        from: u64,
        kept: bool,
        mut show: impl FnMut(&Entry),
    ) -> Result<End, String> {
        self.each(from, kept, |seen| {
            if let Seen::Entry(entry) = seen {
                show(entry);
            }
        })
    }

    /// The same, and at its place what cannot be read.
    ///
    /// # Errors
    /// What cannot be opened, in words.
    pub(super) fn each(
        &self,
        from: u64,
        kept: bool,
        mut show: impl FnMut(Seen<'_>),
    ) -> Result<End, String> {
        let mut end = End::Certain;
        match self {
            Self::Node(data) => {
                for generation in generations(data)? {
                    let found = open_found(data, generation)?;
                    found.tell();
                    if found.end_is_uncertain() {
                        end = End::Uncertain;
                    }
                    let mut reader = found.reader;
                    if kept {
                        each_kept(data, generation, from..reader.oldest().0, &mut show)?;
                    }
                    let place = Place::of(data, generation);
                    let mut next = from.max(reader.oldest().0);
                    loop {
                        let mut overtaken = None;
                        for item in reader.entries(CommitId(next)) {
                            if let Err(Finding::Retired { to, .. }) = &item {
                                overtaken = Some(to.0).filter(|to| *to > next);
                            }
                            place.show(item, &mut show);
                        }
                        // A node that runs wrote over what was to be read next: its log goes on behind that.
                        match overtaken {
                            Some(to) if reader.refresh().is_ok() => next = to,
                            _ => break,
                        }
                    }
                }
            }
            Self::Collector(collector) => {
                let mut logs = collector.logs.iter();
                logs.try_for_each(|log| each_stored(log, from, &mut show))?;
            }
        }
        Ok(end)
    }
}

/// Which ring is read, for the words about what it lacks.
pub(super) struct Place<'d> {
    data: &'d DataDir,
    generation: Generation,
    /// What is wrong with files as such; looked for when something is lost.
    lacking: OnceCell<BTreeMap<u32, String>>,
}

impl<'d> Place<'d> {
    pub(super) const fn of(data: &'d DataDir, generation: Generation) -> Self {
        Self {
            data,
            generation,
            lacking: OnceCell::new(),
        }
    }

    /// Shows what a reader gave: an entry, or which are lost. What else it found loses no entry.
    pub(super) fn show(
        &self,
        item: Result<journal::StoredEntry, Finding>,
        show: &mut impl FnMut(Seen<'_>),
    ) {
        let absent = match item {
            Ok(stored) => match stored.entry() {
                Ok(entry) => return show(Seen::Entry(&entry)),
                Err(error) => Absent {
                    generation: self.generation,
                    first: stored.commit_id.0,
                    end: stored.commit_id.0.saturating_add(1),
                    cause: "not_well_formed".to_owned(),
                    why: format!("its bytes are no entry: {error}"),
                    retired: false,
                },
            },
            Err(Finding::Lost(loss)) => self.lost(&loss),
            Err(Finding::Retired { from, to }) => Absent {
                generation: self.generation,
                first: from.0,
                end: to.0,
                cause: "retired".to_owned(),
                why: "the node wrote over them while they were read".to_owned(),
                retired: true,
            },
            Err(_) => return,
        };
        show(Seen::Lost(absent));
    }

    fn lost(&self, loss: &Loss) -> Absent {
        // Where that cannot be told, bytes are damaged as far as anybody knows.
        let look = || lacking_segments(self.data, self.generation).unwrap_or_default();
        let why = self.lacking.get_or_init(look).get(&loss.segment).cloned();
        Absent {
            generation: self.generation,
            first: loss.first.0,
            end: loss.end(),
            cause: loss.cause.name().to_owned(),
            retired: false,
            why: why.unwrap_or_else(|| {
                format!(
                    "the bytes of their frame are damaged: segment {} from byte {}",
                    loss.segment, loss.offset
                )
            }),
        }
    }
}

/// Shows the entries of a range that the keep-rings hold, in the order of commit.
fn each_kept(
    data: &DataDir,
    generation: Generation,
    range: Range<u64>,
    show: &mut impl FnMut(Seen<'_>),
) -> Result<(), String> {
    let mut entries = BTreeMap::new();
    for ring in keep_rings(data, generation)? {
        for frame in ring.frames().flatten() {
            for part in frame.stretch.parts() {
                if let Part::Kept(stored) = part
                    && range.contains(&stored.commit_id.0)
                    && let Ok(entry) = stored.entry()
                {
                    entries.insert(stored.commit_id, entry);
                }
            }
        }
    }
    entries.values().for_each(|entry| show(Seen::Entry(entry)));
    Ok(())
}

/// Shows what a collector stored of a log.
pub(super) fn each_stored(
    log: &LogDir,
    from: u64,
    show: &mut impl FnMut(Seen<'_>),
) -> Result<(), String> {
    let failed = |error: query::CollectorError| error.to_string();
    let holes = log.holes().map_err(failed)?;
    let generation = Generation(log.generation().unwrap_or(1));
    let mut absent: Option<Absent> = None;
    log.each_place(from, |id, leaf| {
        let entry = leaf.map(|leaf| split_leaf(leaf).map(|(_, bytes)| Entry::decode(bytes)));
        if let Some(Some(Ok(entry))) = entry {
            if let Some(absent) = absent.take() {
                show(Seen::Lost(absent));
            }
            return show(Seen::Entry(&entry));
        }
        let (cause, why) = match entry {
            None => of_hole(&holes, id.0),
            Some(_) => (
                "not_well_formed".to_owned(),
                "what is stored there is no entry".to_owned(),
            ),
        };
        match &mut absent {
            Some(before) if (&before.cause, &before.why) == (&cause, &why) => {
                before.end = id.0.saturating_add(1);
            }
            _ => {
                let next = Absent {
                    generation,
                    first: id.0,
                    end: id.0.saturating_add(1),
                    cause,
                    why,
                    retired: false,
                };
                if let Some(before) = absent.replace(next) {
                    show(Seen::Lost(before));
                }
            }
        }
    })
    .map_err(failed)?;
    if let Some(absent) = absent {
        show(Seen::Lost(absent));
    }
    Ok(())
}

/// Why an entry has no bytes at a collector.
fn of_hole(holes: &[StoredHole], id: u64) -> (String, String) {
    let hole = holes
        .iter()
        .find(|hole| hole.touches(id, id.saturating_add(1)));
    match hole {
        Some(hole) => (
            hole.cause.clone(),
            format!(
                "the node had lost them before they were delivered ({})",
                hole.cause
            ),
        ),
        None => (
            "unknown".to_owned(),
            "no bytes are stored, and holes.json does not name them".to_owned(),
        ),
    }
}
