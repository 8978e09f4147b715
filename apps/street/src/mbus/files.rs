//! Telegrams from files, one meter each: `NAME.hex`, bytes in hex.

use crate::Stop;
use crate::site::Captured;
use mbus::master::Speaker;
use std::path::Path;

/// Files of one folder that are read.
const FILES_MAX: usize = 250;
/// Longest file, in bytes: each byte of a frame, and what separates them.
const FILE_BYTES_MAX: u64 = 4_096;

/// The telegrams of a folder, by the names of their files.
pub(crate) fn read(folder: &Path) -> Result<Vec<Captured>, Stop> {
    let failed = || Stop::host(format!("cannot read {}", folder.display()));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed())? {
        let path = entry.map_err(failed())?.path();
        if path.extension().is_some_and(|end| end == "hex") {
            found.push(path);
        }
    }
    found.sort();
    if found.is_empty() || found.len() > FILES_MAX {
        let count = found.len();
        let folder = folder.display();
        return Err(Stop::Usage(format!(
            "--mbus-telegrams {folder} holds {count} files *.hex; 1 to {FILES_MAX} can be served"
        )));
    }
    found.iter().map(|path| telegram(path)).collect()
}

fn telegram(path: &Path) -> Result<Captured, Stop> {
    let cannot = format!("cannot read {}", path.display());
    let length = std::fs::metadata(path).map_err(Stop::host(&cannot))?.len();
    let text = match length <= FILE_BYTES_MAX {
        true => std::fs::read_to_string(path).map_err(Stop::host(&cannot))?,
        false => String::new(),
    };
    let bytes = text
        .split_whitespace()
        .map(|byte| u8::from_str_radix(byte, 16).ok())
        .collect::<Option<Vec<u8>>>()
        .filter(|bytes| Speaker::of(bytes).is_some());
    let name = path
        .file_stem()
        .map(|name| name.to_string_lossy().into_owned());
    bytes
        .zip(name)
        .map(|(bytes, name)| (name, bytes))
        .ok_or_else(|| {
            Stop::Usage(format!(
                "{} is no telegram of a meter: write one frame, bytes in hex with spaces between",
                path.display()
            ))
        })
}
