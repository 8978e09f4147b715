//! What is done to the folder of a journal, and what has to be found then.

use crate::common::damage::truncate;
use std::collections::BTreeMap;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Bytes of a segment of these rings.
const SEGMENT_BYTES: usize = 131_072;
/// Bytes of a block.
pub(crate) const BLOCK_BYTES: usize = 4_096;

pub(crate) fn overwrite(path: &Path, offset: u64, bytes: &[u8]) {
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(bytes, offset).unwrap();
}

/// Every file of a folder with its bytes.
pub(crate) fn image(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = std::fs::read_dir(dir).unwrap();
    files
        .map(|file| file.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect()
}

/// A harm to the folder of a journal, and the kinds of what is found then; `None`: nothing of a journal.
pub(crate) struct Harm {
    pub(crate) name: &'static str,
    pub(crate) deed: fn(&Path, &Path),
    pub(crate) kinds: Option<&'static [&'static str]>,
    /// Whether entries are still read.
    pub(crate) read: bool,
}

const fn harm(
    name: &'static str,
    kinds: &'static [&'static str],
    read: bool,
    deed: fn(&Path, &Path),
) -> Harm {
    Harm {
        name,
        deed,
        kinds: Some(kinds),
        read,
    }
}

fn noise(len: usize) -> Vec<u8> {
    let mut state = 7u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..len).map(next).collect()
}

fn each_file(ring: &Path, deed: impl Fn(&Path)) {
    image(ring).keys().for_each(|path| deed(path));
}

/// The segment that is neither the oldest nor the newest: it is full, whatever the load of the machine.
pub(crate) fn middle(ring: &Path) -> PathBuf {
    let laps = (0..3).map(|segment| {
        let file = ring.join(format!("seg-{segment:04}.fnj"));
        let header = std::fs::read(&file).unwrap();
        (u64::from_be_bytes(header[48..56].try_into().unwrap()), file)
    });
    let mut laps: Vec<_> = laps.collect();
    laps.sort();
    laps[1].1.clone()
}

/// The second path is the journal of another log.
pub(crate) const HARMS: &[Harm] = &[
    harm("a frame is damaged", &["lost"], true, |ring, _| {
        overwrite(&middle(ring), 8_192, &[9; BLOCK_BYTES]);
    }),
    harm(
        "a segment's header is damaged",
        &["damaged"],
        true,
        |ring, _| {
            overwrite(&middle(ring), 20, &[9; 4]);
        },
    ),
    harm(
        "a segment is cut short",
        &["file", "lost"],
        true,
        |ring, _| {
            truncate(&middle(ring), 50_000);
        },
    ),
    harm("a segment is empty", &["file", "lost"], true, |ring, _| {
        truncate(&middle(ring), 0);
    }),
    harm(
        "a segment is missing",
        &["file", "lost"],
        true,
        |ring, _| {
            std::fs::remove_file(middle(ring)).unwrap();
        },
    ),
    harm(
        "a segment is noise",
        &["damaged", "lost"],
        true,
        |ring, _| {
            std::fs::write(middle(ring), noise(SEGMENT_BYTES)).unwrap();
        },
    ),
    harm(
        "a segment is of another log",
        &["file", "lost"],
        true,
        |ring, other| {
            std::fs::copy(other.join("seg-0000.fnj"), middle(ring)).unwrap();
        },
    ),
    harm(
        "a segment is a folder",
        &["file", "lost"],
        true,
        |ring, _| {
            let file = middle(ring);
            std::fs::remove_file(&file).unwrap();
            std::fs::create_dir(file).unwrap();
        },
    ),
    harm("the measures are missing", &["file"], true, |ring, _| {
        std::fs::remove_file(ring.join("ring.json")).unwrap();
    }),
    harm("the measures are wrong", &["file"], true, |ring, _| {
        let wrong = "{\"segment_bytes\":262144,\"segments\":3,\"block_bytes\":4096}";
        std::fs::write(ring.join("ring.json"), wrong).unwrap();
    }),
    harm("the measures are noise", &["file"], true, |ring, _| {
        std::fs::write(ring.join("ring.json"), noise(99)).unwrap();
    }),
    harm("the truth store is missing", &["truth"], true, |ring, _| {
        std::fs::remove_file(ring.join("truth.fnt")).unwrap();
    }),
    harm(
        "measures and truth store are missing",
        &["file", "truth"],
        true,
        |ring, _| {
            std::fs::remove_file(ring.join("ring.json")).unwrap();
            std::fs::remove_file(ring.join("truth.fnt")).unwrap();
        },
    ),
    harm(
        "the truth store is cut short",
        &["truth"],
        true,
        |ring, _| {
            truncate(&ring.join("truth.fnt"), 10_000);
        },
    ),
    harm(
        "the truth store is of another log",
        &["truth"],
        true,
        |ring, other| {
            std::fs::copy(other.join("truth.fnt"), ring.join("truth.fnt")).unwrap();
        },
    ),
    harm(
        "one copy of a slot is damaged",
        &["truth"],
        true,
        |ring, _| {
            overwrite(&ring.join("truth.fnt"), 4_096 + 100, &[9; 9]);
        },
    ),
    harm(
        "all files are noise",
        &["file", "unreadable"],
        false,
        |ring, _| {
            each_file(ring, |path| {
                let len = std::fs::metadata(path).unwrap().len();
                std::fs::write(path, noise(usize::try_from(len).unwrap())).unwrap();
            });
        },
    ),
    harm(
        "all files but the measures are empty",
        &["file", "truth", "unreadable"],
        false,
        |ring, _| {
            each_file(ring, |path| {
                if !path.ends_with("ring.json") {
                    truncate(path, 0);
                }
            });
        },
    ),
    Harm {
        name: "the folder is empty",
        deed: |ring, _| each_file(ring, |path| std::fs::remove_file(path).unwrap()),
        kinds: None,
        read: false,
    },
];
