//! Data directories: cut, foreign, newer than this program, or none.

use super::RUN;
use crate::bench::{Case, Place};
use crate::common::damage::truncate;
use crate::common::layout::{SLOT_BYTES, SLOT_COPIES};

const VERIFY: &[&str] = &["fieldnotary", "verify", "node"];
const GAPS: &[&str] = &["fieldnotary", "gaps", "node"];
const JOURNAL: &str = "node/journal/g000001";

fn journal(file: &str) -> String {
    format!("{JOURNAL}/{file}")
}

fn cut(place: &Place, file: &str, bytes: u64) {
    place.node();
    truncate(&place.path(&journal(file)), bytes);
}

/// A version that nobody knows yet, in every copy of every slot, with the CRC that belongs to it.
fn newer_truth(place: &Place) {
    place.node();
    let path = place.path(&journal("truth.fnt"));
    let mut bytes = std::fs::read(&path).unwrap();
    for slot in bytes.chunks_mut(SLOT_BYTES).take(SLOT_COPIES) {
        if slot.starts_with(b"FNTRUTH1") {
            slot[8..10].copy_from_slice(&9u16.to_be_bytes());
            let (body, crc) = slot.split_at_mut(SLOT_BYTES - 4);
            crc.copy_from_slice(&crc32c(body).to_be_bytes());
        }
    }
    std::fs::write(path, bytes).unwrap();
}

/// CRC-32C, bit by bit.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32| crc >> 1 ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 };
    let all = bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc))
    });
    !all
}

/// `ring.json` with another number of segments than were made.
fn ring_of_another(place: &Place) {
    place.node();
    let path = place.path(&journal("ring.json"));
    let text = std::fs::read_to_string(&path).unwrap();
    let mut ring: serde_json::Value = serde_json::from_str(&text).unwrap();
    ring["segments"] = serde_json::json!(4);
    std::fs::write(path, ring.to_string()).unwrap();
    place.config("segments = 16", "segments = 4");
}

pub(crate) const DIRECTORIES: &[Case] = &[
    Case::new("segment-cut-gaps", 1, GAPS, |place| {
        cut(place, "seg-0001.fnj", 5_000)
    })
    .only_lines(2),
    Case::new("segment-cut-verify", 1, VERIFY, |place| {
        cut(place, "seg-0001.fnj", 5_000)
    })
    .only_lines(4),
    Case::new("segment-missing-verify", 1, VERIFY, |place| {
        place.node();
        std::fs::remove_file(place.path(&journal("seg-0001.fnj"))).unwrap();
    })
    .only_lines(4),
    Case::new("truth-store-cut", 3, RUN, |place| {
        cut(place, "truth.fnt", 5_000)
    }),
    Case::new("truth-store-cut-verify", 1, VERIFY, |place| {
        cut(place, "truth.fnt", 5_000)
    }),
    Case::new("truth-store-missing", 3, RUN, |place| {
        place.node();
        std::fs::remove_file(place.path(&journal("truth.fnt"))).unwrap();
    }),
    Case::new("truth-store-newer", 3, RUN, newer_truth),
    Case::new("truth-store-newer-verify", 1, VERIFY, newer_truth),
    Case::new("ring-of-another", 3, RUN, ring_of_another),
    Case::new("ring-foreign", 3, RUN, |place| {
        place.node();
        place.write(&journal("ring.json"), "{\"hello\": \"world\"}\n");
    }),
    Case::new("ring-cut", 3, RUN, |place| cut(place, "ring.json", 9)),
    Case::new("ring-missing", 3, RUN, |place| {
        place.node();
        std::fs::remove_file(place.path(&journal("ring.json"))).unwrap();
    }),
    Case::new("journal-gone", 3, RUN, |place| {
        place.node();
        std::fs::remove_dir_all(place.path("node/journal")).unwrap();
    })
    .makes(&["node/journal"]),
    Case::new("a-file", 3, RUN, |place| {
        place.config("", "");
        place.write("node", "not a directory\n");
    }),
    Case::new("a-collector", 3, RUN, |place| {
        place.config("", "");
        place.collector();
        std::fs::rename(place.path("collector"), place.path("node")).unwrap();
    }),
];
