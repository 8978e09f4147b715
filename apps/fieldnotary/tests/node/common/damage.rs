//! One flipped bit at a time: the copy is harmed, verified and healed again.

use super::{Said, about, length, list};
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One in so many of the bytes is harmed at the desk, and every one at night. It is odd, so that no alignment hides one.
const SHARE: usize = 5;
/// Findings that a failed sweep quotes.
const QUOTED: usize = 12;

/// A byte to harm, and the entries of which one must be named.
#[derive(Clone, Debug)]
pub(crate) struct Flip {
    /// The file, under the directory that is verified.
    pub(crate) file: PathBuf,
    pub(crate) offset: usize,
    /// First and last entry whose bytes these are.
    pub(crate) entries: Option<(u64, u64)>,
}

impl Flip {
    /// Another bit at every offset.
    fn mask(&self) -> u8 {
        1 << (self.offset * 5 % 8)
    }

    /// Harms the byte, or heals it when it was harmed.
    pub(crate) fn apply(&self, dir: &Path) {
        let path = dir.join(&self.file);
        let file = OpenOptions::new().read(true).write(true).open(path);
        let (file, mut byte) = (file.unwrap(), [0]);
        let at = u64::try_from(self.offset).unwrap();
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ self.mask()], at).unwrap();
    }
}

/// Harms every one of these bytes, each alone, and requires that verification finds it.
pub(crate) fn sweep(dir: &Path, flips: &[Flip]) {
    sweep_with(dir, flips, &[]);
}

/// The same, with more words on the command line of verify.
pub(crate) fn sweep_with(dir: &Path, flips: &[Flip], more: &[&str]) {
    let share = length("FIELDNOTARY_SWEEP_SHARE", SHARE);
    let flips: Vec<&Flip> = flips.iter().step_by(share).collect();
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let missed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let copy = Copy::of(dir);
                while let Some(flip) = flips.get(next.fetch_add(1, Ordering::Relaxed)) {
                    flip.apply(copy.path());
                    let said = about("verify", copy.path(), more);
                    flip.apply(copy.path());
                    if let Err(words) = found(&said, flip.entries) {
                        let words =
                            format!("{}, byte {}: {words}", flip.file.display(), flip.offset);
                        missed.lock().unwrap().push(words);
                    }
                }
                sound(copy.path());
            });
        }
    });
    let missed = missed.into_inner().unwrap();
    let quoted: Vec<&String> = missed.iter().take(QUOTED).collect();
    assert!(
        missed.is_empty(),
        "{} of {} harmed bytes are not reported as they should be:\n{quoted:#?}",
        missed.len(),
        flips.len()
    );
}

/// Whether a verification that had to fail did so, and named entries within the range.
pub(crate) fn found(said: &Said, entries: Option<(u64, u64)>) -> Result<(), String> {
    if said.code != Some(1) {
        let words = said.err.trim();
        return Err(format!(
            "code {:?} instead of 1, findings {}, {words}",
            said.code,
            serde_json::from_str::<Value>(&said.out).unwrap_or_default()["findings"]
        ));
    }
    let report = said.json();
    if report["ok"] != false {
        return Err(format!("ok is not false: {report}"));
    }
    let failures: Vec<_> = list(&report, "findings")
        .iter()
        .filter(|finding| finding["failure"] == true)
        .collect();
    if failures.is_empty() {
        return Err(format!("nothing was found: {report}"));
    }
    let Some((first, last)) = entries else {
        return Ok(());
    };
    let within = |finding: &&&Value| {
        let bound = |key: &str| finding[key].as_u64();
        bound("first").is_some_and(|from| from <= last)
            && bound("last").is_some_and(|to| to >= first)
    };
    if failures.iter().any(|finding| within(&finding)) {
        return Ok(());
    }
    Err(format!(
        "none of the entries {first} to {last} is named: {failures:?}"
    ))
}

/// The directory verifies.
pub(crate) fn sound(dir: &Path) {
    let said = about("verify", dir, &[]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(said.json()["ok"], true);
}

/// A copy of a directory, to be harmed.
pub(crate) struct Copy(tempfile::TempDir);

impl Copy {
    pub(crate) fn of(dir: &Path) -> Self {
        let copy = tempfile::tempdir().unwrap();
        copy_into(dir, copy.path());
        Self(copy)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

/// Copies all files and folders; sockets stay behind, and what is renamed or removed meanwhile, as with `cp`.
pub(crate) fn copy_into(from: &Path, to: &Path) {
    for item in std::fs::read_dir(from).unwrap() {
        let item = item.unwrap();
        let (kind, target) = (item.file_type().unwrap(), to.join(item.file_name()));
        if kind.is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy_into(&item.path(), &target);
        } else if kind.is_file() {
            match std::fs::copy(item.path(), target) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                copied => drop(copied.unwrap()),
            }
        }
    }
}

/// Cuts a file to a length.
pub(crate) fn truncate(path: &Path, bytes: u64) {
    let file: File = OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(bytes).unwrap();
}

/// Two files change places.
pub(crate) fn swap(a: &Path, b: &Path) {
    let (in_a, in_b) = (std::fs::read(a).unwrap(), std::fs::read(b).unwrap());
    assert_ne!(in_a, in_b, "{} and {}", a.display(), b.display());
    std::fs::write(a, in_b).unwrap();
    std::fs::write(b, in_a).unwrap();
}
