//! The copy of the sources: as much as the suites need, kept between runs so that builds are short.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::table::Bug;

/// What is copied beside the workspace's own manifest.
const PARTS: [&str; 6] = [
    "core/evidence",
    "core/journal",
    "core/proof",
    "planes/time",
    "sim/src",
    "sim/tests",
];
/// Single files.
const FILES: [&str; 3] = ["Cargo.toml", "Cargo.lock", "sim/Cargo.toml"];
/// The members that the copy has.
const MEMBERS: &str =
    "\"core/evidence\", \"core/journal\", \"core/proof\", \"planes/time\", \"sim\"";

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A copy of the sources.
pub(crate) struct Tree {
    pub(crate) folder: PathBuf,
    /// A number that changes with the sources.
    pub(crate) fingerprint: u64,
}

impl Tree {
    /// Brings the copy up to date; files that are the same keep their times.
    pub(crate) fn update(folder: PathBuf) -> Result<Self, String> {
        let mut tree = Self {
            folder,
            fingerprint: 0xCBF2_9CE4_8422_2325,
        };
        for part in PARTS {
            tree.copy(Path::new(part))?;
        }
        for file in FILES {
            tree.copy(Path::new(file))?;
        }
        Ok(tree)
    }

    fn copy(&mut self, path: &Path) -> Result<(), String> {
        let from = root().join(path);
        let failed = |error: io::Error| format!("{}: {error}", path.display());
        if from.is_dir() {
            let entries = fs::read_dir(&from).map_err(failed)?;
            let mut names: Vec<_> = entries
                .map(|entry| entry.map(|entry| entry.file_name()))
                .collect::<Result<_, _>>()
                .map_err(failed)?;
            names.sort();
            // What is no longer in the sources must not be in the copy.
            for old in fs::read_dir(self.folder.join(path))
                .into_iter()
                .flatten()
                .flatten()
            {
                if !names.contains(&old.file_name()) && old.path().is_file() {
                    fs::remove_file(old.path()).map_err(failed)?;
                }
            }
            return names
                .iter()
                .try_for_each(|name| self.copy(&path.join(name)));
        }
        let mut bytes = fs::read(&from).map_err(failed)?;
        if path == Path::new("Cargo.toml") {
            bytes = with_members(&String::from_utf8_lossy(&bytes))?.into_bytes();
        }
        for byte in &bytes {
            self.fingerprint = (self.fingerprint ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3);
        }
        // Cargo writes its own lock file for fewer members.
        if path == Path::new("Cargo.lock") && self.folder.join(path).exists() {
            return Ok(());
        }
        self.write(path, &bytes)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), String> {
        let to = self.folder.join(path);
        if fs::read(&to).is_ok_and(|there| there == bytes) {
            return Ok(());
        }
        to.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&to, bytes))
            .map_err(|error| format!("{}: {error}", to.display()))
    }

    /// Whether the copy has a file.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.folder.join(path).is_file()
    }

    /// Plants a bug.
    pub(crate) fn plant(&self, bug: &Bug) -> Result<(), String> {
        let text = fs::read_to_string(root().join(&bug.file))
            .map_err(|error| format!("{}: {error}", bug.file))?;
        self.write(Path::new(&bug.file), bug.planted(&text)?.as_bytes())
    }

    /// Takes it out again.
    pub(crate) fn weed(&self, bug: &Bug) -> Result<(), String> {
        let bytes =
            fs::read(root().join(&bug.file)).map_err(|error| format!("{}: {error}", bug.file))?;
        self.write(Path::new(&bug.file), &bytes)
    }
}

/// The manifest of the workspace, with the members that are copied.
fn with_members(manifest: &str) -> Result<String, String> {
    let cut = |from: &str| {
        let begin = manifest.find(from)? + from.len();
        let end = manifest.get(begin..)?.find(']')?;
        Some((begin, begin + end))
    };
    let missing = || "Cargo.toml: no list of members".to_owned();
    let (begin, end) = cut("\nmembers = [").ok_or_else(missing)?;
    let (head, tail) = (manifest.get(..begin), manifest.get(end..));
    let (head, tail) = head.zip(tail).ok_or_else(missing)?;
    let without_default: Vec<&str> = tail
        .lines()
        .filter(|line| !line.starts_with("default-members") && !line.starts_with("exclude"))
        .collect();
    Ok(format!("{head}{MEMBERS}{}\n", without_default.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::{MEMBERS, PARTS, root, with_members};

    /// A crate that the suites came to need and the copy lacks would fail every build, bug or none.
    #[test]
    fn the_copy_has_what_the_suites_are_made_of() {
        let workspace = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
        let sim = std::fs::read_to_string(root().join("sim/Cargo.toml")).unwrap();
        let ours = sim.lines().filter_map(|line| {
            let name = line.strip_suffix(".workspace = true")?;
            let declared = format!("\n{name} = {{ package = \"fieldnotary-");
            let (_, rest) = workspace.split_once(&declared)?;
            Some(
                rest.split_once("path = \"")?
                    .1
                    .split_once('"')?
                    .0
                    .to_owned(),
            )
        });
        let ours: Vec<String> = ours.collect();
        assert!(ours.len() >= 4, "{ours:?}");
        for folder in ours {
            assert!(PARTS.contains(&folder.as_str()), "{folder}");
            assert!(MEMBERS.contains(&format!("\"{folder}\"")), "{folder}");
        }
    }

    #[test]
    fn the_copy_has_its_own_members_and_nothing_else_of_the_manifest_changes() {
        let manifest =
            "[workspace]\nmembers = [\n  \"a\",\n]\ndefault-members = [\"a\"]\n\n[x]\ny = [1]\n";
        let copied = with_members(manifest).unwrap();
        assert_eq!(
            copied,
            format!("[workspace]\nmembers = [{MEMBERS}]\n\n[x]\ny = [1]\n")
        );
    }
}
