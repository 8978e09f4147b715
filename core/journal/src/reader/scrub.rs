//! The scrub: everything is read once, and what is wrong is said.

use alloc::vec::Vec;
use core::cell::Cell;
use evidence::CommitId;
use evidence::reasons::TruthClass;

use super::{Reader, ReaderFrame};
use crate::find::{Finding, Loss};
use crate::frame::FrameHead;
use crate::leases;
use crate::limits::{DEFERRED_COMMITS_MAX, TRUTH_COPIES};
use crate::medium::{ReadTruth, ReadVolume};
use crate::recovery::{self, Named, is_named, note_named};
use crate::truth;
use crate::walk::ReadAhead;

/// What a look at everything found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scrub {
    /// All findings, in the order of the log.
    pub findings: Vec<Finding>,
    /// Losses that no loss entry of the log names yet.
    pub unnamed: Vec<Loss>,
    /// Entries read.
    pub entries: u64,
    /// Bytes read from the ring, but for those of frames that somebody read ahead.
    pub bytes: u64,
}

impl<V: ReadVolume, T: ReadTruth> Reader<V, T> {
    /// Reads everything in the ring and the truth store once, and says what is wrong.
    pub fn scrub(&self) -> Scrub {
        self.scrub_each(None, |_| {})
    }

    /// The same of the truth store, the headers, and the newest segment that says where it begins with what follows:
    /// as much as every opening reads.
    pub fn glance(&self) -> Scrub {
        let fixed = &self.truth.fixed;
        let mut laps = (fixed.oldest_lap..=fixed.lap).rev();
        let first = laps.find_map(|lap| recovery::lap_first(&self.ring, lap));
        let first = first.map_or(fixed.oldest_commit_id, CommitId);
        self.scrub_from(first.max(fixed.oldest_commit_id), None, |_| {})
    }

    /// The same of everything, and shows every frame and finding of the ring on the way, in the order of the log.
    /// Somebody may have read frames ahead.
    pub fn scrub_each(
        &self,
        ahead: Option<&dyn ReadAhead>,
        show: impl FnMut(&Result<ReaderFrame, Finding>),
    ) -> Scrub {
        self.scrub_from(self.truth.fixed.oldest_commit_id, ahead, show)
    }

    fn scrub_from(
        &self,
        from: CommitId,
        ahead: Option<&dyn ReadAhead>,
        mut show: impl FnMut(&Result<ReaderFrame, Finding>),
    ) -> Scrub {
        let mut scrub = Scrub {
            findings: self.truth_findings.clone(),
            ..Scrub::default()
        };
        let moved = self.displaced.iter().filter(|one| one.read);
        let moved = moved.map(|one| Finding::SegmentDisplaced {
            lies: one.lies,
            belongs: one.belongs,
        });
        scrub.findings.extend(moved);
        let table = leases::load(&self.medium, self.ring.log_id, self.ring.generation);
        for copy in table.damaged_copies {
            scrub.findings.push(Finding::LeaseCopyDamaged { copy });
        }
        let mut named = Named::new();
        let before = self.ring.scanned_bytes();
        let frames = match ahead {
            Some(ahead) => self.frames_ahead(from, ahead),
            None => self.frames(from),
        };
        for item in frames {
            show(&item);
            match item {
                Ok(frame) => {
                    let entries = frame.entries.iter();
                    for entry in entries.filter(|entry| entry.commit_id >= from) {
                        scrub.entries = scrub.entries.saturating_add(1);
                        note_named(&mut named, entry);
                    }
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
        if let Some(claimed) = self.claimed.filter(|claimed| claimed.old) {
            findings.push(Finding::TruthBehind {
                size: claimed.size,
                seen_to: fixed.size,
            });
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
        let later = self.frame_behind(least, &one_too_many);
        let newest = || {
            let heads = (0..self.ring.shape.segments).filter_map(|segment| {
                let head = self.ring.segment_head(segment).ok()?;
                Some(head.fixed)
            });
            heads.max_by_key(|fixed| fixed.lap)
        };
        let seen_to = later
            .map(|head| head.end())
            .or_else(|| recovery::outrun(newest().as_ref(), &self.truth));
        if let Some(seen_to) = seen_to {
            let size = fixed.size;
            findings.push(Finding::TruthBehind { size, seen_to });
        }
    }

    /// A frame behind the committed end, in its lap or the next, whose first entry is `least` or later, and
    /// that `counts`.
    fn frame_behind(&self, least: u64, counts: &dyn Fn() -> bool) -> Option<FrameHead> {
        let fixed = &self.truth.fixed;
        let next = fixed.lap.saturating_add(1);
        let places = [
            (fixed.lap, fixed.commit_offset),
            (next, self.ring.shape.first_frame_offset()),
        ];
        places.into_iter().find_map(|(lap, from)| {
            let segment = self.ring.shape.segment_of(lap);
            let end = self.ring.shape.segment_bytes;
            self.ring.search(segment, from, end, &|head| {
                head.fixed.lap == lap
                    && head.first() >= least
                    && head.fixed.epoch.0 >= fixed.epoch.0
                    && (lap != fixed.lap || head.fixed.salt_key == fixed.salt_key)
                    && counts()
            })
        })
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
