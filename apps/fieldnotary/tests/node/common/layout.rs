//! Where a node's committed bytes lie, read by the journal's format document and not by its code.

use std::path::{Path, PathBuf};

/// Bytes of a segment's header where blocks are not larger.
pub(crate) const SEGMENT_HEADER_BYTES: usize = 4_096;
/// Bytes of a copy of a slot of the truth store, and of a copy of the lease table.
pub(crate) const SLOT_BYTES: usize = 4_096;
const LEASES_BYTES: usize = 65_536;
/// Copies of slots in front of the lease tables.
pub(crate) const SLOT_COPIES: usize = 4;
/// Where the fixed part of a header ends.
pub(crate) const FIXED_BYTES: usize = 160;

/// A frame: its place, its header's length and its entries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) begin: usize,
    pub(crate) end: usize,
    pub(crate) header_end: usize,
    pub(crate) payload_end: usize,
    pub(crate) first: u64,
    pub(crate) count: u64,
}

impl Frame {
    /// Its last entry.
    pub(crate) fn last(&self) -> u64 {
        self.first + self.count - 1
    }
}

/// A segment that holds a lap of the log.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    pub(crate) lap: u64,
    /// Its committed frames, without a gap from the header to the end.
    pub(crate) frames: Vec<Frame>,
}

/// The first generation of a node's journal.
pub(crate) struct Journal {
    pub(crate) truth: PathBuf,
    pub(crate) segments: Vec<Segment>,
}

/// The journal's folder in a node's directory.
pub(crate) fn folder(data: &Path) -> PathBuf {
    data.join("journal/g000001")
}

/// Reads an unharmed journal, oldest lap first.
pub(crate) fn read(data: &Path) -> Journal {
    let folder = folder(data);
    let truth = folder.join("truth.fnt");
    let newest = newest_slot(&truth);
    let newest = newest.as_slice();
    let (lap, commit_offset, oldest) =
        (u64_at(newest, 80), u64_at(newest, 104), u64_at(newest, 200));
    let mut files: Vec<(u64, PathBuf, Vec<u8>)> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "fnj"))
        .map(|path| (path.clone(), std::fs::read(&path).unwrap()))
        .filter(|(_, bytes)| bytes.starts_with(b"FNSEGv1\0"))
        .map(|(path, bytes)| (u64_at(&bytes, 48), path, bytes))
        .filter(|(found, ..)| oldest <= *found && *found <= lap)
        .collect();
    files.sort();
    let ends: Vec<u64> = files
        .iter()
        .skip(1)
        .map(|(_, _, next)| u64_at(next, 96))
        .chain([commit_offset])
        .collect();
    let segments = files
        .into_iter()
        .zip(ends)
        .map(|((lap, path, bytes), end)| Segment {
            frames: frames(&bytes, usize::try_from(end).unwrap()),
            path,
            lap,
        })
        .collect();
    Journal { truth, segments }
}

/// The lap being written; a node may be running.
pub(crate) fn newest_lap(data: &Path) -> u64 {
    u64_at(&newest_slot(&folder(data).join("truth.fnt")), 80)
}

fn newest_slot(truth: &Path) -> Vec<u8> {
    let bytes = std::fs::read(truth).unwrap();
    assert_eq!(bytes.len(), SLOT_COPIES * SLOT_BYTES + 2 * LEASES_BYTES);
    (0..SLOT_COPIES)
        .map(|copy| &bytes[copy * SLOT_BYTES..][..SLOT_BYTES])
        .filter(|slot| slot.starts_with(b"FNTRUTH1"))
        .max_by_key(|slot| u64_at(slot, 72))
        .unwrap()
        .to_vec()
}

fn frames(bytes: &[u8], end: usize) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut begin = SEGMENT_HEADER_BYTES;
    while begin < end {
        let frame = &bytes[begin..];
        assert!(frame.starts_with(b"FNFR"), "no frame at {begin}");
        let header_end = begin + u32_at(frame, 76);
        frames.push(Frame {
            begin,
            end: begin + u32_at(frame, 84),
            header_end,
            payload_end: header_end + u32_at(frame, 80),
            first: u64_at(frame, 64),
            count: u64::try_from(u32_at(frame, 72)).unwrap(),
        });
        begin += u32_at(frame, 84);
    }
    assert_eq!(begin, end, "frames end where the log does");
    frames
}

/// Entries of a frame: id, first byte and end of each, its own small header included.
pub(crate) fn entries(bytes: &[u8], frame: &Frame) -> Vec<(u64, usize, usize)> {
    let mut entries = Vec::new();
    let mut begin = frame.header_end;
    for id in frame.first..=frame.last() {
        let end = begin + 8 + u32_at(bytes, begin);
        entries.push((id, begin, end));
        begin = end;
    }
    assert_eq!(begin, frame.payload_end, "entries fill the payload");
    entries
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(bytes[at..at + 8].try_into().unwrap())
}

fn u32_at(bytes: &[u8], at: usize) -> usize {
    let number = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    usize::try_from(number).unwrap()
}
