//! Where the telegrams of real meters lie: outside this repository, in `FIELDNOTARY_CORPUS`, else beside the
//! workspace. Where they are absent, that is said and nothing is compared.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Telegrams in the corpus: one that shrank would prove less.
pub(crate) const TELEGRAMS_MIN: usize = 38;

pub(crate) fn folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let folder = std::env::var_os("FIELDNOTARY_CORPUS").map_or(beside, PathBuf::from);
    let folder = folder.join("mbus");
    if folder.is_dir() {
        return Some(folder);
    }
    // Not by a macro: the harness would keep that to itself.
    let skipped = format!(
        "\nSKIPPED: no corpus of real telegrams in {}\n",
        folder.display()
    );
    std::io::stderr().write_all(skipped.as_bytes()).unwrap();
    None
}

/// The files of telegrams, in order.
pub(crate) fn telegrams(folder: &Path) -> Vec<PathBuf> {
    let mut names: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "hex"))
        .collect();
    names.sort();
    assert!(names.len() >= TELEGRAMS_MIN, "{}", names.len());
    names
}

pub(crate) fn bytes_of(path: &Path) -> Vec<u8> {
    let text = std::fs::read_to_string(path).unwrap();
    text.split_whitespace()
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect()
}
