//! Small files that must be whole or absent after a power cut.

use std::fs::File;
use std::io::Write;
use std::path::Path;

/// Writes under another name, flushes, renames, and flushes the directory.
pub(crate) fn write_durably(path: &Path, content: impl AsRef<[u8]>) -> Result<(), String> {
    let draft = path.with_extension("new");
    let parent = path.parent().unwrap_or(Path::new("."));
    File::create(&draft)
        .and_then(|mut file| {
            file.write_all(content.as_ref())?;
            file.sync_all()
        })
        .and_then(|()| std::fs::rename(&draft, path))
        .and_then(|()| File::open(parent)?.sync_all())
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}
