//! Up to where the receiver has the log, kept across restarts.

use evidence::{CommitId, Generation};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The first entry that the receiver may not have.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    generation: Generation,
    next: CommitId,
    noted: Option<CommitId>,
    /// Where it stood in an older generation, whose rest is told to nobody.
    left: Option<(Generation, CommitId)>,
}

impl Place {
    /// As it was noted; the beginning of the log where nothing was, or where that was of another generation.
    pub(super) fn open(path: &Path, generation: Generation) -> Result<Self, String> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
        };
        // One that cannot be read says nothing: then everything is told once more.
        let noted: Option<Value> = serde_json::from_str(&text).ok();
        let number = |name: &str| noted.as_ref()?.get(name)?.as_u64();
        let same = number("generation") == Some(generation.0);
        let place = number("next").map(CommitId);
        let next = place.filter(|_| same);
        let before = number("generation").map(Generation).filter(|_| !same);
        Ok(Self {
            path: path.to_path_buf(),
            generation,
            next: next.unwrap_or_default(),
            noted: next,
            left: before.zip(place),
        })
    }

    pub(super) const fn next(&self) -> CommitId {
        self.next
    }

    /// Where it stood in an older generation, once.
    pub(super) const fn left(&mut self) -> Option<(Generation, CommitId)> {
        self.left.take()
    }

    /// The receiver has everything before this entry.
    pub(super) fn settled(&mut self, next: CommitId) {
        self.next = self.next.max(next);
    }

    /// Makes it durable, where it moved.
    pub(super) fn note(&mut self) -> Result<(), String> {
        if self.noted == Some(self.next) {
            return Ok(());
        }
        let text = json!({ "generation": self.generation.0, "next": self.next.0 });
        crate::files::write_durably(&self.path, format!("{text}\n"))?;
        self.noted = Some(self.next);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Place;
    use evidence::{CommitId, Generation};

    #[test]
    fn a_place_is_kept_within_its_generation_and_never_goes_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("place.json");
        let open = |generation| Place::open(&path, Generation(generation)).unwrap();
        let mut place = open(1);
        assert_eq!(place.next(), CommitId(0));
        place.settled(CommitId(7));
        place.settled(CommitId(5));
        place.note().unwrap();
        assert_eq!(open(1).next(), CommitId(7));
        assert_eq!(open(1).left(), None);
        let mut newer = open(2);
        assert_eq!(newer.next(), CommitId(0));
        assert_eq!(newer.left(), Some((Generation(1), CommitId(7))));
        assert_eq!(newer.left(), None, "told once");
        std::fs::write(&path, "torn").unwrap();
        assert_eq!(open(1).next(), CommitId(0));
    }
}
