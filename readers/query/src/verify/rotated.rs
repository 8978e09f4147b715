//! Statements of new keys that lie beside a log. Whoever put them there: what counts in them is who signed.

use super::report::{FindingKind, Report};
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use trust_plane::Rotation;
use trust_plane::limits::{ROTATION_BYTES_MAX, ROTATIONS_MAX};

/// The statements in a directory, the oldest first, as far as they can be read.
#[must_use]
pub fn rotations_in(directory: &Path) -> Vec<(String, Rotation)> {
    let read = |number| read(directory, number)?.ok();
    (1..=ROTATIONS_MAX).map_while(read).collect()
}

/// Every statement that is in a directory or ought to be, for whoever decides by them whose signatures count: each file with what
/// it states, or with what is wrong with it: it cannot be read, is no statement, or is missing though a later one is there.
#[must_use]
pub fn all_rotations_in(directory: &Path) -> Vec<(PathBuf, Result<Rotation, String>)> {
    match std::fs::read_dir(directory) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            let words = format!("cannot be read: {error}");
            return vec![(directory.to_path_buf(), Err(words))];
        }
    }
    let mut all: Vec<(PathBuf, Result<Rotation, String>)> = Vec::new();
    let mut missing = Vec::new();
    for number in 1..=ROTATIONS_MAX {
        let path = directory.join(Rotation::file(number));
        match read(directory, number) {
            None => missing.push(path),
            Some(stated) => {
                let words = format!("it is missing, though {} is there", Rotation::file(number));
                all.extend(missing.drain(..).map(|path| (path, Err(words.clone()))));
                all.push((path, stated.map(|(_, stated)| stated)));
            }
        }
    }
    all
}

/// The same of the log with this base origin, for whoever verifies it: a file that is not what the keys of that log state, or
/// that does not follow the one before it, is a finding. A log without such files lacks nothing, as its entries state the same.
/// Those of one `identity` follow each other; a collector has those of a node that was replaced as well, whose keys follow nobody's.
pub fn statements_beside(
    directory: &Path,
    base: &str,
    identity: bool,
    report: &mut Report,
) -> Vec<Rotation> {
    let mut all: Vec<Rotation> = Vec::new();
    let mut missing = None;
    for number in 1..=ROTATIONS_MAX {
        let Some(read) = read(directory, number) else {
            missing = missing.or(Some(number));
            continue;
        };
        let told = match (read, missing.take()) {
            (_, Some(missing)) => Err(format!("{} is missing before it", Rotation::file(missing))),
            (Err(words), None) => Err(words),
            (Ok((_, stated)), None) if stated.base.as_str() != base => Err(format!(
                "it is of the log {}, and this is {base}",
                stated.base
            )),
            (Ok((_, stated)), None) => {
                let follows = all.last().is_none_or(|before| stated.follows(&before.new));
                let again = all.iter().any(|before| stated.follows(&before.old));
                match follows || !(identity || again) {
                    true => Ok(stated),
                    false => Err("it does not follow the statement before it".to_owned()),
                }
            }
        };
        match told {
            Ok(stated) => all.push(stated),
            Err(words) => {
                let path = directory.join(Rotation::file(number));
                let words = format!(
                    "{}: {words}\ncure       put it back from a backup, the signer's directory or the collector's rotations/; \
                     or take it away, as the log's own entries state the same",
                    path.display()
                );
                report.find(FindingKind::File, None, words);
                // What comes behind it leads nowhere.
                break;
            }
        }
    }
    all
}

/// The statement of this number, in its own words and read; `None` where there is no such file.
fn read(directory: &Path, number: usize) -> Option<Result<(String, Rotation), String>> {
    let limit = u64::try_from(ROTATION_BYTES_MAX + 1).unwrap_or(u64::MAX);
    let mut note = String::new();
    let file = std::fs::File::open(directory.join(Rotation::file(number)));
    match file.and_then(|file| file.take(limit).read_to_string(&mut note)) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => return Some(Err(format!("cannot be read: {error}"))),
    }
    let read = Rotation::read(note.as_bytes());
    Some(
        read.map(|rotation| (note, rotation))
            .map_err(|error| error.to_string()),
    )
}

#[cfg(test)]
mod tests {
    use super::statements_beside;
    use crate::verify::chain::tests::rotation::notes;
    use crate::verify::report::Report;

    //= R8.2
    #[test]
    fn a_file_that_is_no_statement_of_this_log_is_named() {
        let [first, second, strange] = notes();
        let check_in =
            |identity: bool, files: &[(usize, &str)], base: &str, taken: usize, says: &str| {
                let dir = tempfile::tempdir().unwrap();
                for (number, note) in files {
                    let name = trust_plane::Rotation::file(*number);
                    std::fs::write(dir.path().join(name), note).unwrap();
                }
                let mut report = Report::default();
                let all = statements_beside(dir.path(), base, identity, &mut report);
                assert_eq!(all.len(), taken, "{says}");
                let words: String = report
                    .findings
                    .iter()
                    .map(|one| one.words.clone())
                    .collect();
                assert!(words.contains(says), "{says}: {words}");
                assert_eq!(report.ok(), says.is_empty(), "{words}");
            };
        let check = |files: &[(usize, &str)], base: &str, taken: usize, says: &str| {
            check_in(true, files, base, taken, says);
        };
        let base = "example.org/n";
        check(&[], base, 0, "");
        check(&[(1, &first)], base, 1, "");
        check(&[(1, &first), (2, &second)], base, 2, "");
        let edited = second.replace("yearly", "weekly");
        check(
            &[(1, &first), (2, &edited)],
            base,
            1,
            "rotation-002.note: it is not signed",
        );
        check(
            &[(1, &first[..40])],
            base,
            0,
            "rotation-001.note: it is no signed note",
        );
        check(
            &[(2, &second)],
            base,
            0,
            "rotation-001.note is missing before it",
        );
        check(&[(1, &first), (2, &strange)], base, 1, "does not follow");
        check(&[(1, &second), (2, &first)], base, 1, "does not follow");
        check(
            &[(1, &first)],
            "example.org/other",
            0,
            "it is of the log example.org/n",
        );
        // A collector has those of a node that was replaced too, and no second word of keys that were followed.
        check_in(false, &[(1, &first), (2, &strange)], base, 2, "");
        let twice = [(1, first.as_str()), (2, first.as_str())];
        check_in(false, &twice, base, 1, "does not follow");
        let long = "x".repeat(10_000);
        check(&[(1, &long)], base, 0, "no signed note");
    }
}
