//! The files of a directory, in memory: forged there, then written for whoever verifies them.

use std::collections::BTreeMap;
use std::path::Path;

/// Paths under the directory, and their bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Files(BTreeMap<String, Vec<u8>>);

impl Files {
    /// Adds a file or takes the place of one.
    pub(crate) fn put(&mut self, path: &str, bytes: Vec<u8>) {
        self.0.insert(path.to_owned(), bytes);
    }

    /// Takes a file away.
    pub(crate) fn remove(&mut self, path: &str) -> Option<Vec<u8>> {
        self.0.remove(path)
    }

    /// The bytes of a file.
    pub(crate) fn get(&self, path: &str) -> Option<&Vec<u8>> {
        self.0.get(path)
    }

    /// The bytes of a file, to be changed.
    pub(crate) fn get_mut(&mut self, path: &str) -> Option<&mut Vec<u8>> {
        self.0.get_mut(path)
    }

    /// The paths that begin like this.
    pub(crate) fn under(&self, prefix: &str) -> Vec<String> {
        let begins = |path: &&String| path.starts_with(prefix);
        self.0.keys().filter(begins).cloned().collect()
    }

    /// Writes the directory, which must not be there yet.
    pub(crate) fn write(&self, dir: &Path) -> Result<(), String> {
        let failed = |path: &Path, error| format!("cannot write {}: {error}", path.display());
        std::fs::create_dir(dir).map_err(|error| failed(dir, error))?;
        for (name, bytes) in &self.0 {
            let path = dir.join(name);
            let parent = path.parent().unwrap_or(dir);
            std::fs::create_dir_all(parent)
                .and_then(|()| std::fs::write(&path, bytes))
                .map_err(|error| failed(&path, error))?;
        }
        Ok(())
    }
}
