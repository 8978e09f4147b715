//! Statements of new keys that lie beside a log. Whoever put them there: what counts in them is who signed.

use std::io::Read as _;
use std::path::Path;
use trust_plane::Rotation;
use trust_plane::limits::{ROTATION_BYTES_MAX, ROTATIONS_MAX};

/// The statements in a directory, the oldest first, as far as they can be read.
#[must_use]
pub fn rotations_in(directory: &Path) -> Vec<(String, Rotation)> {
    let limit = u64::try_from(ROTATION_BYTES_MAX).unwrap_or(u64::MAX);
    let read = |number: usize| {
        let file = std::fs::File::open(directory.join(Rotation::file(number))).ok()?;
        let mut note = String::new();
        file.take(limit).read_to_string(&mut note).ok()?;
        let rotation = Rotation::read(note.as_bytes()).ok()?;
        Some((note, rotation))
    };
    (1..=ROTATIONS_MAX).map_while(read).collect()
}
