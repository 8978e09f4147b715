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

/// Whether a folder of a generation is there and holds nothing of a log: no measures, no truth store, no segment, no
/// keep-ring, whatever else somebody put into it. One that cannot be looked at may hold a log.
pub(crate) fn begins_no_log(folder: &Path) -> bool {
    let of_log = |name: &str| {
        ["ring.json", media::TRUTH_FILE].contains(&name)
            || name.starts_with("seg-")
            || name.starts_with("keep-")
    };
    match std::fs::read_dir(folder) {
        Ok(mut inside) => inside.all(|file| {
            file.is_ok_and(|file| !of_log(file.file_name().to_string_lossy().as_ref()))
        }),
        Err(error) => error.kind() == std::io::ErrorKind::NotADirectory,
    }
}

/// What a folder that holds nothing of a log holds instead, in words for whoever put it there.
pub(crate) fn instead_of_a_log(folder: &Path) -> String {
    let inside = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = inside
        .map(|file| file.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    match names.is_empty() {
        true if folder.is_file() => "is a file".to_owned(),
        true => "is empty".to_owned(),
        false => format!("holds nothing of a log, only {}", names.join(", ")),
    }
}

/// Writes under another name, flushes, renames, and flushes the directory.
pub(crate) fn write_durably(path: &Path, content: impl AsRef<[u8]>) -> Result<(), String> {
    let draft = path.with_extension("new");
    let parent = folder_of(path);
    let put = |mut file: File| {
        file.write_all(content.as_ref())?;
        file.sync_all()?;
        std::fs::rename(&draft, path)
    };
    // A draft that leads nowhere is not left to whoever looks there next.
    let put = |file: File| {
        put(file).inspect_err(|_| {
            let _ = std::fs::remove_file(&draft);
        })
    };
    File::create(&draft)
        .and_then(put)
        .and_then(|()| File::open(parent)?.sync_all())
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}
