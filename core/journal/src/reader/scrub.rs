//! The scrub: everything is read once, and what is wrong is said.

use alloc::vec::Vec;
use core::cell::Cell;
use evidence::reasons::TruthClass;

use super::Reader;
use crate::find::{Finding, Loss};
use crate::frame::StoredEntry;
use crate::leases;
use crate::limits::{DEFERRED_COMMITS_MAX, TRUTH_COPIES};
use crate::medium::{ReadTruth, ReadVolume};
use crate::recovery::{Named, is_named, note_named};
use crate::truth;

/// What a look at everything found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scrub {
    /// All findings, in the order of the log.
    pub findings: Vec<Finding>,
    /// Losses that no loss entry of the log names yet.
    pub unnamed: Vec<Loss>,
    /// Entries read.
    pub entries: u64,
    /// Bytes read from the ring.
    pub bytes: u64,
}

impl<V: ReadVolume, T: ReadTruth> Reader<V, T> {
    /// Reads everything in the ring and the truth store once, and says what is wrong.
    pub fn scrub(&self) -> Scrub {
        self.scrub_each(|_| {})
    }

    /// The same, and shows every entry and finding of the ring on the way, in the order of the log.
    pub fn scrub_each(&self, mut show: impl FnMut(&Result<StoredEntry, Finding>)) -> Scrub {
        let mut scrub = Scrub {
            findings: self.truth_findings.clone(),
            ..Scrub::default()
        };
        let table = leases::load(&self.medium, self.ring.log_id, self.ring.generation);
        for copy in table.damaged_copies {
            scrub.findings.push(Finding::LeaseCopyDamaged { copy });
        }
        let mut named = Named::new();
        let before = self.ring.scanned_bytes();
        for item in self.entries(self.truth.fixed.oldest_commit_id) {
            show(&item);
            match item {
                Ok(entry) => {
                    scrub.entries = scrub.entries.saturating_add(1);
                    note_named(&mut named, &entry);
                }
                Err(finding) => scrub.findings.push(finding),
            }
        }
        self.scrub_headers(&mut scrub.findings);
        self.scrub_truth(&mut scrub.findings);
        scrub.unnamed = scrub
            .findings
            .iter()
            .filter_map(|finding| match finding {
                Finding::Lost(loss) if !is_named(&named, loss) => Some(loss.clone()),
                _ => None,
            })
            .collect();
        scrub.bytes = self.ring.scanned_bytes().saturating_sub(before);
        scrub
    }

    /// Whether the truth store is as old as the log. A log that is written meanwhile is not judged.
    fn scrub_truth(&self, findings: &mut Vec<Finding>) {
        let fixed = &self.truth.fixed;
        let counters = truth::counters(&self.medium);
        if counters
            .iter()
            .flatten()
            .any(|counter| *counter > fixed.counter)
        {
            return;
        }
        let orderly = self.closed_orderly();
        if orderly {
            for (slot, copies) in (0u32..).zip(counters.chunks(TRUTH_COPIES as usize)) {
                let newest = copies.iter().flatten().max();
                for (copy, counter) in (0u32..).zip(copies) {
                    if counter.is_some() && counter.as_ref() < newest {
                        findings.push(Finding::TruthCopyOld { slot, copy });
                    }
                }
            }
        }
        // One frame may be durable before the truth store knows of it, none after an orderly close; a
        // deferred one may be as many commits old as it takes between two flushes.
        let deferred = !orderly && self.medium.class() == TruthClass::SameDeviceDeferred;
        let least = fixed.size.saturating_add(u64::from(!orderly && !deferred));
        let unknown_max = match deferred {
            true => DEFERRED_COMMITS_MAX.saturating_add(1),
            false => 0,
        };
        let unknown = Cell::new(0u32);
        let one_too_many = || {
            unknown.set(unknown.get().saturating_add(1));
            unknown.get() > unknown_max
        };
        let next = fixed.lap.saturating_add(1);
        let places = [
            (fixed.lap, fixed.commit_offset),
            (next, self.ring.shape.first_frame_offset()),
        ];
        let later = places.into_iter().find_map(|(lap, from)| {
            let segment = self.ring.shape.segment_of(lap);
            let end = self.ring.shape.segment_bytes;
            self.ring.search(segment, from, end, &|head| {
                head.fixed.lap == lap
                    && head.first() >= least
                    && head.fixed.epoch.0 >= fixed.epoch.0
                    && (lap != fixed.lap || head.fixed.salt_key == fixed.salt_key)
                    && one_too_many()
            })
        });
        if let Some(head) = later {
            let (size, seen_to) = (fixed.size, head.end());
            findings.push(Finding::TruthBehind { size, seen_to });
        }
    }

    /// The headers of laps without frames, which the walk does not mention.
    fn scrub_headers(&self, findings: &mut Vec<Finding>) {
        let fixed = &self.truth.fixed;
        for lap in fixed.oldest_lap..=fixed.lap {
            let segment = self.ring.shape.segment_of(lap);
            let sound = self
                .ring
                .segment_head(segment)
                .is_ok_and(|head| head.fixed.lap == lap);
            let finding = Finding::SegmentHeaderDamaged { segment, lap };
            if !sound && !findings.contains(&finding) {
                findings.push(finding);
            }
        }
    }
}
