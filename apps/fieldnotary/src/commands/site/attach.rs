//! Files that people attach: kept under their hash, bounded, whole or not at all.

use crate::files::write_durably;
use crate::paths::DataDir;
use evidence::Digest;
use sha2::{Digest as _, Sha256};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Bytes of one file.
const FILE_BYTES_MAX: u64 = 16 << 20;
/// Bytes of all files of a node.
const ALL_BYTES_MAX: u64 = 512 << 20;

/// A file that is kept.
pub(super) struct Attached {
    pub(super) digest: Digest,
    pub(super) name: String,
    pub(super) bytes: u64,
    /// The copy, where it was not there before.
    fresh: Option<PathBuf>,
}

/// Copies a file to the node's directory; one that is there already is left as it is.
pub(super) fn attach(data: &DataDir, file: &Path) -> Result<Attached, String> {
    let shown = file.display();
    let of_it =
        |error: std::io::Error| format!("cannot read {shown}: {error}; nothing was written");
    let about = std::fs::metadata(file).map_err(of_it)?;
    if !about.is_file() {
        return Err(format!("{shown} is no file; nothing was written"));
    }
    if about.len() > FILE_BYTES_MAX {
        return Err(format!(
            "{shown} has {} bytes, and at most {FILE_BYTES_MAX} are taken: attach a smaller picture of it; nothing was written",
            about.len()
        ));
    }
    // It may grow meanwhile.
    let mut content = Vec::new();
    std::fs::File::open(file)
        .and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut content))
        .map_err(of_it)?;
    let digest = Digest(Sha256::digest(&content).into());
    let (folder, bytes) = (data.attachments(), content.len() as u64);
    let kept = folder.join(digest.to_string());
    let is_there = std::fs::read(&kept).is_ok_and(|there| there == content);
    if !is_there {
        let room = ALL_BYTES_MAX.saturating_sub(size_of(&folder));
        if bytes > room {
            return Err(format!(
                "{} holds {room} bytes less than the {ALL_BYTES_MAX} it may, and {shown} has {bytes}; nothing was written\n\
                 move files that are kept elsewhere out of it: the log goes on to name them by their SHA-256",
                folder.display()
            ));
        }
        std::fs::create_dir_all(&folder)
            .map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
        write_durably(&kept, &content)?;
    }
    let name = file.file_name().unwrap_or_default();
    Ok(Attached {
        digest,
        name: name.to_string_lossy().into_owned(),
        bytes,
        fresh: (!is_there).then_some(kept),
    })
}

impl Attached {
    /// The entry was refused: what was copied for it goes.
    pub(super) fn give_up(self) {
        if let Some(kept) = self.fresh {
            let _ = std::fs::remove_file(kept);
        }
    }
}

fn size_of(folder: &Path) -> u64 {
    let inside = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = inside.filter_map(|file| Some(file.metadata().ok()?.len()));
    sizes.sum()
}
