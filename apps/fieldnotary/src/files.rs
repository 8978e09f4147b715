//! Small files that must be whole or absent after a power cut.

use std::fs::File;
use std::io::Write;
use std::path::Path;

/// The folder that a file lies in; a plain name lies in the current one.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Whether a folder is there and holds nothing at all.
pub(crate) fn is_empty_folder(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut inside| inside.next().is_none())
}

/// Writes under another name, flushes, renames, and flushes the directory.
pub(crate) fn write_durably(path: &Path, content: impl AsRef<[u8]>) -> Result<(), String> {
    let draft = path.with_extension("new");
    let parent = folder_of(path);
    File::create(&draft)
        .and_then(|mut file| {
            file.write_all(content.as_ref())?;
            file.sync_all()
        })
        .and_then(|()| std::fs::rename(&draft, path))
        .and_then(|()| File::open(parent)?.sync_all())
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}
