//! What an opening reads, and what it makes durable before it builds on it.

use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;

use super::{Memory, SHAPE, input, with_a_log};
use crate::limits::FRAME_HEADER_BYTES_MAX;
use crate::{Finding, Journal, MediumError, ReadVolume, Reader, Shape, Volume};
use evidence::{CommitId, Generation, LogId};

/// A volume that notes what is asked of it.
struct Watched<'m> {
    memory: &'m Memory,
    /// Segment, offset and bytes of each read.
    reads: RefCell<Vec<(u32, u64, usize)>>,
    settled: RefCell<Vec<u32>>,
}

impl<'m> Watched<'m> {
    fn of(memory: &'m Memory) -> Self {
        Self {
            memory,
            reads: RefCell::default(),
            settled: RefCell::default(),
        }
    }
}

impl ReadVolume for &Watched<'_> {
    fn shape(&self) -> Shape {
        self.memory.shape()
    }

    fn read(&self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), MediumError> {
        let read = (segment, offset, into.len());
        self.reads.borrow_mut().push(read);
        self.memory.read(segment, offset, into)
    }
}

impl Volume for &Watched<'_> {
    fn write_durable(
        &mut self,
        segment: u32,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), MediumError> {
        let mut memory = self.memory;
        memory.write_durable(segment, offset, bytes)
    }

    fn settle(&mut self, segment: u32) -> Result<(), MediumError> {
        self.settled.borrow_mut().push(segment);
        Ok(())
    }
}

//= A5.2
#[test]
fn an_opening_reads_the_newest_segment_and_of_the_others_their_headers() {
    let memory = with_a_log();
    let watched = Watched::of(&memory);
    let (_journal, recovery) = Journal::open(&watched, &memory, &input()).unwrap();
    // Lap 2 is the newest, in segment 1; lap 3 would be the next, in segment 0.
    assert_eq!(recovery.epoch.0, 2);
    let reads = watched.reads.borrow();
    let header = SHAPE.first_frame_offset();
    // Of another segment its header, and the place of its first frame, which tells the lap as well.
    let look = header + FRAME_HEADER_BYTES_MAX as u64;
    let of_others: Vec<_> = reads.iter().filter(|(segment, ..)| *segment == 0).collect();
    assert!(of_others.iter().any(|(_, offset, _)| *offset == 0));
    assert!(
        of_others
            .iter()
            .all(|(_, offset, len)| *offset + *len as u64 <= look)
    );
    let bytes_of = |segment: u32| {
        let own = reads
            .iter()
            .filter(move |(of, offset, _)| *of == segment && *offset >= header);
        own.map(|(.., len)| *len as u64).sum::<u64>()
    };
    assert!(bytes_of(1) <= SHAPE.segment_bytes, "{} bytes", bytes_of(1));
    // The headers of a few laps are asked for again.
    let headers = 8 * header;
    assert!(recovery.scan_bytes <= SHAPE.segment_bytes + headers);
    assert_eq!(*watched.settled.borrow(), vec![1, 0]);
}

/// What a walk has read is forgotten with it.
//= A5.5
#[test]
fn whoever_reads_again_hears_from_the_medium_again() {
    let memory = with_a_log();
    let reader = Reader::open(&memory, &memory, LogId([7; 16]), Generation(1)).unwrap();
    let lost = || {
        let items = reader.entries(CommitId(0));
        items
            .filter(|item| matches!(item, Err(Finding::Lost(_))))
            .count()
    };
    assert_eq!(lost(), 0);
    let newest = reader.locate(CommitId(reader.size() - 1)).unwrap();
    let at = Memory::at(newest.segment, newest.offset);
    memory.ring.borrow_mut()[at + 300..at + 420].fill(0xa5);
    assert_eq!(lost(), 1);
}
