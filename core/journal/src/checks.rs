//! The document against the code, and arbitrary bytes against every reader.

mod opening;
mod salvage;

use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;
use std::string::String;

use evidence::reasons::TruthClass;
use evidence::{BootId, CommitId, Generation, LogId, MeterId, Seq, SourceId, Stream};
use proptest::prelude::{any, prop, prop_assert_eq, proptest};

use crate::decide::{Decision, ROWS};
use crate::layout::{
    EntryFixed, FieldRow, FrameFixed, KeepFixed, PartFixed, SegmentFixed, TableFixed, TruthFixed,
};
use crate::leases::Table;
use crate::limits::{RANGE_HASHES_MAX, SEGMENT_HEADER_BYTES, TABLE_BYTES, TRUTH_SLOT_BYTES};
use crate::{
    Journal, Leases, MediumError, OpenInput, Options, ReadTruth, ReadVolume, Reader, Shape,
    TruthMedium, Volume,
};

const DOCUMENT: &str = include_str!("../../../spec/journal-v1.md");

/// The rows of the table behind a marker, cell by cell.
fn table_of(marker: &str) -> Vec<Vec<String>> {
    let (_, behind) = DOCUMENT
        .split_once(&std::format!("<!-- {marker} -->\n"))
        .unwrap_or_else(|| panic!("the document has no table {marker}"));
    behind
        .lines()
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| {
            line.trim_matches('|')
                .split('|')
                .map(|cell| String::from(cell.trim()))
                .collect()
        })
        .collect()
}

fn check_layout(name: &str, fields: &[FieldRow]) {
    let written: Vec<(usize, usize, String)> = table_of(&std::format!("layout: {name}"))
        .into_iter()
        .map(|row| {
            (
                row[0].parse().unwrap(),
                row[1].parse().unwrap(),
                row[2].clone(),
            )
        })
        .collect();
    let declared: Vec<(usize, usize, String)> = fields
        .iter()
        .map(|field| (field.offset, field.bytes, String::from(field.name)))
        .collect();
    assert_eq!(written, declared, "{name}");
}

//= A5.2
#[test]
fn the_document_and_the_code_name_the_same_bytes() {
    check_layout("SegmentFixed", SegmentFixed::FIELDS);
    check_layout("FrameFixed", FrameFixed::FIELDS);
    check_layout("EntryFixed", EntryFixed::FIELDS);
    check_layout("TruthFixed", TruthFixed::FIELDS);
    check_layout("TableFixed", TableFixed::FIELDS);
    check_layout("KeepFixed", KeepFixed::FIELDS);
    check_layout("PartFixed", PartFixed::FIELDS);
}

//= A5.4
#[test]
fn the_document_and_the_code_decide_alike() {
    let written = table_of("recovery");
    assert_eq!(written.len(), ROWS.len());
    for (cells, row) in written.iter().zip(&ROWS) {
        let mut declared = vec![String::from(row.letter)];
        declared.extend(row.when.iter().map(|want| {
            String::from(match want {
                Some(true) => "yes",
                Some(false) => "no",
                None => "-",
            })
        }));
        declared.push(std::format!("{:?}", row.decision));
        declared.push(String::from(row.because));
        assert_eq!(*cells, declared);
    }
    assert!(
        ROWS.iter()
            .any(|row| row.decision == Decision::DropTornTail)
    );
}

#[test]
fn the_compact_range_of_a_frame_fits_its_room() {
    // The worst range of n leaves begins at 1: one hash for every bit on both sides.
    let worst = (1..=4_096u64)
        .flat_map(|count| [1, 3, 4_095, 4_097].map(|begin| (begin, begin + count)))
        .map(|(begin, end)| proof::tree::compact_range_len(begin, end))
        .max();
    assert!(worst.is_some_and(|worst| worst > 20 && worst <= RANGE_HASHES_MAX));
}

//= A4.2
#[test]
fn a_lease_table_holds_a_thousand_meters_and_says_when_it_cannot() {
    let meter = |n: usize| Stream::Meter(MeterId::new(&std::format!("{n:048}")).unwrap());
    let mut table = Table::default();
    for n in 0..1_000 {
        table.leases.seqs.insert(meter(n), Seq(n as u64));
    }
    assert_eq!(
        table.encode(LogId([1; 16]), Generation(1)).unwrap().len(),
        TABLE_BYTES
    );
    for n in 0..1_200 {
        table.leases.seqs.insert(meter(n), Seq(0));
    }
    assert!(table.encode(LogId([1; 16]), Generation(1)).is_err());
}

/// Media in memory.
struct Memory {
    shape: Shape,
    ring: RefCell<Vec<u8>>,
    truth: RefCell<Vec<u8>>,
}

const SHAPE: Shape = Shape {
    segment_bytes: 16_384,
    segments: 2,
    block_bytes: 512,
};
const SLOTS_BYTES: usize = 4 * TRUTH_SLOT_BYTES;
const RING_BYTES: usize = 2 * 16_384;

impl Memory {
    fn blank() -> Self {
        Self {
            shape: SHAPE,
            ring: RefCell::new(vec![0; RING_BYTES]),
            truth: RefCell::new(vec![0; SLOTS_BYTES + 2 * TABLE_BYTES]),
        }
    }

    fn at(segment: u32, offset: u64) -> usize {
        segment as usize * 16_384 + crate::bytes::to_usize(offset)
    }
}

impl ReadVolume for &Memory {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn read(&self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), MediumError> {
        let at = Memory::at(segment, offset);
        into.copy_from_slice(&self.ring.borrow()[at..at + into.len()]);
        Ok(())
    }
}

impl Volume for &Memory {
    fn write_durable(
        &mut self,
        segment: u32,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), MediumError> {
        let at = Memory::at(segment, offset);
        self.ring.borrow_mut()[at..at + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }
}

impl ReadTruth for &Memory {
    fn class(&self) -> TruthClass {
        TruthClass::Independent
    }

    fn read(&self, slot: u32, copy: u32, into: &mut [u8]) -> Result<(), MediumError> {
        let at = (slot * 2 + copy) as usize * TRUTH_SLOT_BYTES;
        into.copy_from_slice(&self.truth.borrow()[at..at + into.len()]);
        Ok(())
    }

    fn read_table(&self, copy: u32, into: &mut [u8]) -> Result<(), MediumError> {
        let at = SLOTS_BYTES + copy as usize * TABLE_BYTES;
        into.copy_from_slice(&self.truth.borrow()[at..at + into.len()]);
        Ok(())
    }
}

impl TruthMedium for &Memory {
    fn write_durable(&mut self, slot: u32, bytes: &[u8]) -> Result<(), MediumError> {
        let at = slot as usize * 2 * TRUTH_SLOT_BYTES;
        let both = [bytes, bytes].concat();
        self.truth.borrow_mut()[at..at + both.len()].copy_from_slice(&both);
        Ok(())
    }

    fn write_copy(&mut self, slot: u32, copy: u32, bytes: &[u8]) -> Result<(), MediumError> {
        let at = (slot as usize * 2 + copy as usize) * TRUTH_SLOT_BYTES;
        self.truth.borrow_mut()[at..at + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn write_deferred(&mut self, slot: u32, bytes: &[u8]) -> Result<(), MediumError> {
        TruthMedium::write_durable(self, slot, bytes)
    }

    fn write_table(&mut self, copy: u32, bytes: &[u8]) -> Result<(), MediumError> {
        let at = SLOTS_BYTES + copy as usize * TABLE_BYTES;
        self.truth.borrow_mut()[at..at + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }
}

fn input() -> OpenInput {
    OpenInput {
        log_id: LogId([7; 16]),
        generation: Generation(1),
        boot_id: BootId([1; 16]),
        options: Options::default(),
    }
}

fn read_everything(memory: &Memory) {
    if let Ok(reader) = Reader::open(memory, memory, LogId([7; 16]), Generation(1)) {
        let _ = reader.entries(CommitId(0)).take(20_000).count();
        let _ = reader.scrub();
        let _ = reader.range(0, reader.size());
        let _ = reader.frontier_at(reader.size() / 2);
    }
    salvage::everything(memory);
    let _ = Journal::open(memory, memory, &input());
}

/// Puts sound checks on whatever the fields say, so that damage gets past them.
fn reseal(memory: &Memory, segment: u32, offset: usize) {
    let at = Memory::at(segment, offset as u64);
    let mut ring = memory.ring.borrow_mut();
    let Some(fixed) = FrameFixed::read(&mut &ring[at..]) else {
        return;
    };
    let end = at + fixed.header_bytes as usize;
    if fixed.header_bytes < 4 || end > ring.len() {
        return;
    }
    let place = crate::bytes::Place {
        log_id: fixed.log_id,
        segment: fixed.segment_no,
        lap: fixed.lap,
        offset: fixed.self_offset,
    };
    let crc = place.crc(&ring[at..end - 4]);
    ring[end - 4..end].copy_from_slice(&crc.to_be_bytes());
}

fn with_a_log() -> Memory {
    use evidence::kinds::{Kind, Payload, SeqSkip};
    use evidence::reasons::{HoldoverReason, SkipCause, TimeQuality, TimeStatus};
    use evidence::{Captured, MonoNs, SaltKey, Stamp, TimeDetail, UtcNs};
    let memory = Memory::blank();
    let mut journal = Journal::create(&memory, &memory, &input(), SaltKey([3; 16])).unwrap();
    for n in 0..30 {
        let payload: Payload = SeqSkip {
            at: MonoNs(n),
            meter_id: MeterId::new("m1").unwrap(),
            first: Seq(n),
            count: 1,
            cause: SkipCause::LeaseAbandoned,
        }
        .into();
        assert_eq!(payload.kind(), Kind::SeqSkip);
        let stamp = Stamp {
            timestamp: UtcNs(0),
            quality: TimeQuality::RtcOnly,
            status: TimeStatus::FreeRun,
            bound_ns: None,
            detail: TimeDetail::Holdover(HoldoverReason::NeverSynchronised),
        };
        let group = vec![(stamp, Captured::new(&payload)); 3];
        journal.commit(&group, SaltKey([4; 16])).unwrap();
    }
    assert_eq!(journal.stats().segments_opened, 2);
    drop(journal);
    memory
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(
        ring in prop::collection::vec(any::<u8>(), 0..20_000),
        truth in prop::collection::vec(any::<u8>(), 0..9_000),
    ) {
        let memory = Memory::blank();
        memory.ring.borrow_mut()[..ring.len()].copy_from_slice(&ring);
        memory.truth.borrow_mut()[..truth.len()].copy_from_slice(&truth);
        read_everything(&memory);
    }

    #[test]
    fn a_changed_field_under_a_sound_check_never_panics(
        frame in 0usize..4, field in 0usize..FrameFixed::BYTES, value in any::<u8>(),
    ) {
        let memory = with_a_log();
        // The frames' places: the first follows the header, the others follow in whole blocks.
        let mut offset = 4_096;
        for _ in 0..frame {
            let at = offset;
            let ring = memory.ring.borrow();
            let fixed = FrameFixed::read(&mut &ring[at..]).unwrap();
            offset += fixed.frame_bytes as usize;
        }
        memory.ring.borrow_mut()[offset + field] = value;
        reseal(&memory, 0, offset);
        read_everything(&memory);
    }

    #[test]
    fn a_changed_segment_field_under_a_sound_check_neither_panics_nor_hangs(
        segment in 0u32..2, field in 0usize..SegmentFixed::BYTES, value in any::<u8>(),
    ) {
        let memory = with_a_log();
        let at = Memory::at(segment, 0);
        memory.ring.borrow_mut()[at + field] = value;
        let fixed = SegmentFixed::read(&mut &memory.ring.borrow()[at..]).unwrap();
        let place = crate::bytes::Place {
            log_id: fixed.log_id,
            segment: fixed.segment_no,
            lap: fixed.lap,
            offset: 0,
        };
        let end = at + SEGMENT_HEADER_BYTES - 4;
        let crc = place.crc(&memory.ring.borrow()[at..end]);
        memory.ring.borrow_mut()[end..end + 4].copy_from_slice(&crc.to_be_bytes());
        read_everything(&memory);
    }

    #[test]
    fn a_changed_truth_field_under_a_sound_check_never_panics(
        field in 0usize..TruthFixed::BYTES + 64, value in any::<u8>(),
    ) {
        let memory = with_a_log();
        for copy in 0..4 {
            let mut truth = memory.truth.borrow_mut();
            let slot = &mut truth[copy * TRUTH_SLOT_BYTES..(copy + 1) * TRUTH_SLOT_BYTES];
            slot[field] = value;
            let crc = crc32c::crc32c(&slot[..TRUTH_SLOT_BYTES - 4]);
            slot[TRUTH_SLOT_BYTES - 4..].copy_from_slice(&crc.to_be_bytes());
        }
        read_everything(&memory);
    }

    #[test]
    fn leases_come_back_from_their_table(
        meters in prop::collection::btree_map("[a-z0-9]{1,48}", any::<u64>(), 0..40),
        ports in prop::collection::btree_map("[a-z]{1,12}", any::<u64>(), 0..10),
        counter in any::<u64>(),
    ) {
        let meters = meters.iter().map(|(id, seq)| {
            (Stream::Meter(MeterId::new(id).unwrap()), Seq(*seq))
        });
        let ports = ports.iter().map(|(id, seq)| {
            (Stream::Port(SourceId::new(id).unwrap()), Seq(*seq))
        });
        let leases = Leases { seqs: meters.chain(ports).collect(), floor: 7 };
        let table = Table { counter, leases };
        let memory = Memory::blank();
        let bytes = table.encode(LogId([7; 16]), Generation(1)).unwrap();
        (&memory).write_table(1, &bytes).unwrap();
        let loaded = crate::leases::load(&&memory, LogId([7; 16]), Generation(1));
        prop_assert_eq!(loaded.table, Some(table));
        prop_assert_eq!(loaded.damaged_copies, vec![0]);
    }
}
