//! What a device holds is never written over unless it is nothing, or kept.

use super::{FOUND_FILE, TruthPlace};
use crate::roles::recorder::journal_file::write_ring;
use evidence::reasons::TruthClass;
use evidence::{BootId, Generation, LogId, SaltKey};
use journal::{Journal, OpenInput, Options, Shape};
use media::{Access, FileTruth, FileVolume, TRUTH_FILE, TRUTH_FILE_BYTES};
use std::path::{Path, PathBuf};

const LOG: LogId = LogId([1; 16]);
const OTHER: LogId = LogId([9; 16]);
const STORE_BYTES: usize = 147_456;
const SHAPE: Shape = Shape {
    segment_bytes: 1 << 16,
    segments: 4,
    block_bytes: 512,
};

/// A device in a folder of its own, with the rings of two generations beside it.
struct Site(tempfile::TempDir);

impl Site {
    fn holding(bytes: &[u8]) -> Self {
        let site = Self(tempfile::tempdir().unwrap());
        std::fs::write(site.device(), bytes).unwrap();
        for generation in [1, 2] {
            let ring = site.ring(generation);
            std::fs::create_dir(&ring).unwrap();
            write_ring(&ring, SHAPE, Some(&site.place())).unwrap();
        }
        site
    }

    fn device(&self) -> PathBuf {
        self.0.path().join("fram")
    }

    fn ring(&self, generation: u64) -> PathBuf {
        self.0.path().join(format!("g{generation}"))
    }

    fn place(&self) -> TruthPlace {
        TruthPlace {
            class: TruthClass::Independent,
            path: self.device(),
            device: true,
        }
    }

    fn held(&self) -> Vec<u8> {
        std::fs::read(self.device()).unwrap()
    }

    fn provision(&self, generation: u64) -> Result<(), String> {
        let ring = |of: Generation| self.ring(of.0);
        self.place().provision(LOG, Generation(generation), ring)
    }

    fn settle(&self, generation: u64) -> Result<(), String> {
        TruthPlace::settle(&self.ring(generation), LOG, Generation(generation))
    }

    /// The store of the generation before, set aside beside its ring.
    fn set_aside(&self, bytes: &[u8]) -> PathBuf {
        let beside = self.ring(1).join(TRUTH_FILE);
        std::fs::write(&beside, bytes).unwrap();
        beside
    }
}

/// The store of a log that has begun.
fn store(log_id: LogId, generation: u64) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let place = |name: &str| dir.path().join(name);
    FileVolume::provision(dir.path(), SHAPE, |_| {}).unwrap();
    FileTruth::provision(&place("truth.fnt")).unwrap();
    let volume = FileVolume::open(dir.path(), SHAPE, Access::ReadWrite).unwrap();
    let class = TruthClass::Independent;
    let truth = FileTruth::open(&place("truth.fnt"), class, Access::ReadWrite).unwrap();
    let input = OpenInput {
        log_id,
        generation: Generation(generation),
        boot_id: BootId([2; 16]),
        options: Options::default(),
    };
    drop(Journal::create(volume, truth, &input, SaltKey([3; 16])).unwrap());
    let bytes = std::fs::read(place("truth.fnt")).unwrap();
    assert_eq!(bytes.len() as u64, TRUTH_FILE_BYTES);
    bytes
}

/// The same with both copies of its slots spoilt behind their headers.
fn damaged(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes
        .chunks_mut(4_096)
        .filter_map(|piece| piece.get_mut(150))
        .for_each(|byte| *byte ^= 0x55);
    bytes
}

/// Bytes of a file system, or of anything else.
fn strange() -> Vec<u8> {
    (0..STORE_BYTES)
        .map(|at| u8::try_from(at % 251).unwrap())
        .collect()
}

/// As if a newer version had written it.
fn newer(mut bytes: Vec<u8>) -> Vec<u8> {
    for piece in bytes
        .chunks_mut(4_096)
        .filter(|piece| piece.starts_with(b"FNTRUTH1"))
    {
        piece.get_mut(8..10).unwrap().copy_from_slice(&[0, 2]);
    }
    bytes
}

fn not_ours() -> [(&'static str, Vec<u8>); 4] {
    [
        ("another log", store(OTHER, 1)),
        ("another log", damaged(store(OTHER, 1))),
        ("is not blank", strange()),
        ("newer version", newer(store(LOG, 1))),
    ]
}

fn refused(done: &Result<(), String>, word: &str, site: &Site, bytes: &[u8]) {
    let why = done.as_ref().unwrap_err();
    for word in [word, "fram", "dd if=/dev/zero"] {
        assert!(why.contains(word), "{word:?} is missing: {why}");
    }
    assert!(site.held() == bytes, "written over: {word}");
}

#[test]
fn a_device_that_is_not_ours_is_neither_cleared_nor_written_over() {
    for (word, bytes) in not_ours() {
        let site = Site::holding(&bytes);
        for generation in [1, 2] {
            refused(&site.provision(generation), word, &site, &bytes);
        }
        let own = store(LOG, 1);
        let beside = site.set_aside(&own);
        refused(&site.settle(1), word, &site, &bytes);
        assert!(std::fs::read(beside).unwrap() == own);
    }
}

#[test]
fn a_blank_device_is_taken() {
    let mut half_cleared = vec![0xA5; STORE_BYTES];
    half_cleared.get_mut(..9_000).unwrap().fill(0);
    for bytes in [vec![0; STORE_BYTES], vec![0xA5; STORE_BYTES], half_cleared] {
        let site = Site::holding(&bytes);
        site.provision(1).unwrap();
        assert!(site.held() == vec![0; STORE_BYTES]);
    }
}

fn is_kept(ring: &Path, name: &str, bytes: &[u8]) {
    let path = ring.join(name);
    assert!(std::fs::read(&path).unwrap() == bytes, "{}", path.display());
}

#[test]
fn each_other_generation_is_kept_before_the_device_is_cleared() {
    let (first, third) = (store(LOG, 1), store(LOG, 3));
    let site = Site::holding(&first);
    site.provision(2).unwrap();
    is_kept(&site.ring(1), TRUTH_FILE, &first);
    // A restored directory knows nothing of the third.
    let site = Site::holding(&third);
    site.provision(2).unwrap();
    is_kept(&site.ring(1), FOUND_FILE, &third);
    assert!(!site.ring(1).join(TRUTH_FILE).exists());
    assert!(site.held() == vec![0; STORE_BYTES]);
    // Nothing is written over that was found before.
    std::fs::write(site.device(), store(LOG, 4)).unwrap();
    site.provision(2).unwrap();
    is_kept(&site.ring(1), FOUND_FILE, &third);
    is_kept(&site.ring(1), "truth-found-2.fnt", &store(LOG, 4));
}

#[test]
fn a_store_set_aside_returns_and_what_it_replaces_is_kept() {
    let own = store(LOG, 1);
    for found in [store(LOG, 2), damaged(store(LOG, 2)), damaged(own.clone())] {
        let site = Site::holding(&found);
        let beside = site.set_aside(&own);
        site.settle(1).unwrap();
        assert!(site.held() == own && !beside.exists());
        is_kept(&site.ring(1), FOUND_FILE, &found);
    }
}

/// Power that is cut while a device is cleared leaves bytes without an owner; all of them are kept.
#[test]
fn a_clearing_that_was_interrupted_goes_on() {
    let own = store(LOG, 1);
    let mut torn = own.clone();
    let slots_from = own
        .windows(8)
        .rposition(|piece| piece == b"FNTRUTH1")
        .unwrap();
    torn.get_mut(..slots_from + 20).unwrap().fill(0);
    assert!(torn != vec![0; STORE_BYTES]);
    let site = Site::holding(&torn);
    let beside = site.set_aside(&own);
    site.provision(2).unwrap();
    assert!(site.held() == vec![0; STORE_BYTES]);
    std::fs::write(site.device(), &torn).unwrap();
    site.settle(1).unwrap();
    assert!(site.held() == own && !beside.exists());
}
