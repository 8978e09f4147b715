//! Files of a ring that are not where or what they must be: who reads is told, and a node is kept from starting over
//! what could still be read.

use super::directory::lacking_segments;
use super::journal::finding::has_reached;
use crate::files::{begins_no_log, instead_of_a_log};
use crate::paths::DataDir;
use evidence::Generation;
use journal::{Displaced, ReadTruth, ReadVolume, Reader};
use media::segment_file_name;
use std::collections::BTreeSet;
use std::path::Path;

/// Says on standard error which segments are read from the place of another.
pub(super) fn tell_displaced<V: ReadVolume, T: ReadTruth>(ring: &Path, reader: &Reader<V, T>) {
    let moved = read_elsewhere(reader.displaced());
    if !moved.is_empty() {
        complain!(
            "{}: {}; they are read from where they lie, and nothing in them is lost\nwhat to do: {}",
            ring.display(),
            list(&moved),
            put_back(ring, &moved)
        );
    }
}

/// Refuses a ring whose files lie in each other's places: a writer would name lost what they hold, and write over it.
///
/// # Errors
/// Which file belongs where, and the commands that put them there.
pub(super) fn in_their_places<V: ReadVolume, T: ReadTruth>(
    ring: &Path,
    reader: &Reader<V, T>,
) -> Result<(), String> {
    let moved = read_elsewhere(reader.displaced());
    match moved.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "{}: {}; a node that started here would write over them\n\
             nothing in them is lost, and nothing was changed; {}",
            ring.display(),
            list(&moved),
            put_back(ring, &moved)
        )),
    }
}

/// Says on standard error which folders of generations hold no log, and what they hold instead.
pub(super) fn tell_passed_over(data: &DataDir) {
    let inside = std::fs::read_dir(data.root().join("journal"));
    let paths = inside.into_iter().flatten().flatten().map(|one| one.path());
    let passed_over = paths.filter(|path| {
        let number = path
            .file_name()
            .and_then(|name| name.to_str()?.strip_prefix('g')?.parse::<u64>().ok());
        number.is_some_and(|number| number > 1) && begins_no_log(path)
    });
    for path in passed_over {
        complain!(
            "{} {}; it is passed over",
            path.display(),
            instead_of_a_log(&path)
        );
    }
}

/// Says on standard error which files of segments are cut short or gone, before a node makes them whole.
pub(super) fn tell_lacking<V: ReadVolume, T: ReadTruth>(
    data: &DataDir,
    generation: Generation,
    reader: &Reader<V, T>,
) -> Result<(), String> {
    for words in lacking_in_reach(data, generation, reader)? {
        complain!(
            "{words}: what can be read of it stays, entries that cannot are named lost, and the node makes the \
             file whole\nif the file is elsewhere, stop the node and put it back"
        );
    }
    Ok(())
}

/// What is wrong with the files of segments in which the log stood, in words. One that it has not reached holds
/// nothing; a backup leaves it out.
pub(super) fn lacking_in_reach<V: ReadVolume, T: ReadTruth>(
    data: &DataDir,
    generation: Generation,
    reader: &Reader<V, T>,
) -> Result<Vec<String>, String> {
    let lacking = lacking_segments(data, generation)?.into_iter();
    let lacking = lacking.filter(|(segment, _)| has_reached(reader, *segment));
    Ok(lacking.map(|(_, words)| words).collect())
}

fn read_elsewhere(displaced: &[Displaced]) -> Vec<Displaced> {
    let read = displaced.iter().filter(|one| one.read);
    read.copied().collect()
}

fn list(moved: &[Displaced]) -> String {
    let one = |one: &Displaced| {
        format!(
            "{} holds what belongs into {}",
            segment_file_name(one.lies),
            segment_file_name(one.belongs)
        )
    };
    moved.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The commands that give each file its own name: by way of a third one, as places may have been exchanged.
fn put_back(ring: &Path, moved: &[Displaced]) -> String {
    let mut lines = vec![format!(
        "with the node stopped, give each file its own name:\n  cd {}",
        ring.display()
    )];
    let lying: BTreeSet<u32> = moved.iter().map(|one| one.lies).collect();
    for one in moved {
        let (lies, belongs) = (segment_file_name(one.lies), one.belongs);
        lines.push(format!("  mv {lies} {lies}.moved"));
        let own = segment_file_name(belongs);
        if !lying.contains(&belongs) && ring.join(&own).exists() {
            lines.push(format!("  mv {own} {own}.damaged"));
        }
    }
    for one in moved {
        let (lies, own) = (segment_file_name(one.lies), segment_file_name(one.belongs));
        lines.push(format!("  mv {lies}.moved {own}"));
    }
    lines.join("\n")
}
