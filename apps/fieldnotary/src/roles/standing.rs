//! Where the collector may stand: noted by the uplink before it says anything that moves it, read by
//! the recorder when entries have to be given up, so that a hole can be cut where delivery resumes.

use std::path::{Path, PathBuf};

/// Sizes in the note at the most; more would be no position of one exchange.
const SIZES_MAX: usize = 64;

/// The note, as its one writer holds it.
#[derive(Debug)]
pub(super) struct Standing {
    path: PathBuf,
    noted: Vec<u64>,
}

impl Standing {
    pub(super) fn new(path: PathBuf) -> Self {
        let noted = read(&path);
        Self { path, noted }
    }

    /// Makes the sizes durable, unless the note says them already.
    pub(super) fn note(&mut self, sizes: Vec<u64>) -> Result<(), String> {
        if sizes.iter().all(|size| self.noted.contains(size)) {
            return Ok(());
        }
        crate::files::write_durably(&self.path, format!("{}\n", serde_json::json!(sizes)))?;
        self.noted = sizes;
        Ok(())
    }
}

/// The sizes noted, ascending; none where there is no note, or none that can be read: a hole is then
/// cut at the cosigned size alone.
pub(super) fn read(path: &Path) -> Vec<u64> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut sizes: Vec<u64> = serde_json::from_str(&text).unwrap_or_default();
    sizes.truncate(SIZES_MAX);
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

#[cfg(test)]
mod tests {
    use super::{Standing, read};

    #[test]
    fn what_is_noted_is_read_and_rubbish_is_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("standing.json");
        let mut standing = Standing::new(path.clone());
        standing.note(vec![512, 256, 512]).unwrap();
        assert_eq!(read(&path), [256, 512]);
        let written = std::fs::metadata(&path).unwrap().modified().unwrap();
        standing.note(vec![256]).unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().modified().unwrap(),
            written
        );
        std::fs::write(&path, "{half").unwrap();
        assert_eq!(read(&path), [] as [u64; 0]);
    }
}
