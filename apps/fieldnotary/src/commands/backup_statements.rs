//! What keys state of those that followed them, as a backup takes it; and by it, that the keys in a backup are one pair.
//!
//! A statement is durable before the first file of the new keys is put into its place, and `keys.vkey` is put there last. So where the
//! last statement names the keys in `keys.vkey`, no change is under way; and where no statement came while files were read, all
//! of them are of these keys.

use super::backup::PUBLIC;
use super::backup_archive::Writer;
use super::directory::keys_beside;
use crate::paths::DataDir;
use std::path::{Path, PathBuf};
use trust_plane::Rotation;
use trust_plane::limits::ROTATIONS_MAX;

/// The statements in a folder, as they are: the oldest first, also what is none, which a verdict names.
pub(super) struct Statements(Vec<(String, Vec<u8>)>);

impl Statements {
    pub(super) fn in_folder(folder: &Path) -> Result<Self, String> {
        let mut all = Vec::new();
        for name in (1..=ROTATIONS_MAX).map(Rotation::file) {
            let path = folder.join(&name);
            match std::fs::read(&path) {
                Ok(note) => all.push((name, note)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
            }
        }
        Ok(Self(all))
    }

    /// It verifies the older part of the log.
    pub(super) fn put(&self, writer: &mut Writer, to: &str) -> Result<(), String> {
        for (name, note) in &self.0 {
            writer.put_text(&format!("{to}/{name}"), PUBLIC, note)?;
        }
        Ok(())
    }

    /// Whether the keys of the node are those that the last statement names.
    ///
    /// # Errors
    /// That they are changing, and when a backup can have them.
    pub(super) fn are_settled(&self, data: &DataDir) -> Result<(), String> {
        let Some((name, note)) = self.0.last() else {
            return Ok(());
        };
        let stated = Rotation::read(note)
            .map_err(|error| format!("{}: {error}", data.identity().join(name).display()))?;
        match keys_beside(data)? == stated.new {
            true => Ok(()),
            false => Err(changing(&data.identity().join(name))),
        }
    }

    /// Whether these are all statements still, once everything was read that goes with them.
    ///
    /// # Errors
    /// That keys changed meanwhile.
    pub(super) fn are_still(&self, folder: &Path) -> Result<(), String> {
        match Self::in_folder(folder)?.0 == self.0 {
            true => Ok(()),
            false => Err(format!(
                "the keys changed while the backup was made, and it would have the old ones beside a log of the new: make it \
                 again ({})",
                folder.display()
            )),
        }
    }
}

fn changing(statement: &Path) -> String {
    let identity = statement
        .parent()
        .map_or_else(PathBuf::new, Path::to_path_buf);
    format!(
        "the keys are changing: {} names others than keys.vkey, and a backup now would mix two pairs\n\
         a node that runs is done with it in a moment: make the backup again; where the change was cut, a start of the node ends \
         it, or: fieldnotary-signer check --identity {}",
        statement.display(),
        identity.display()
    )
}

#[cfg(test)]
mod tests {
    use super::Statements;

    //= R10.5
    #[test]
    fn a_statement_that_came_went_or_changed_while_files_were_read_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let file = |number: u32| folder.path().join(format!("rotation-{number:03}.note"));
        std::fs::write(file(1), "one").unwrap();
        let before = Statements::in_folder(folder.path()).unwrap();
        before.are_still(folder.path()).unwrap();
        let found = || {
            let words = before.are_still(folder.path()).unwrap_err();
            assert!(words.contains("the keys changed while"), "{words}");
        };
        std::fs::write(file(2), "two").unwrap();
        found();
        std::fs::remove_file(file(2)).unwrap();
        before.are_still(folder.path()).unwrap();
        std::fs::write(file(1), "another").unwrap();
        found();
        std::fs::remove_file(file(1)).unwrap();
        found();
    }
}
