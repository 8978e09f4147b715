//! One tar file (ustar) with the files of a backup: its headers, written and read.

use super::backup_archive::Part;
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Blocks of a tar file.
pub(super) const TAR_BLOCK: usize = 512;
pub(super) const TAR_BLOCK_U64: u64 = 512;

/// The header of a file; `None` where name or size do not fit one.
pub(super) fn tar_header(name: &str, mode: u32, bytes: u64) -> Option<[u8; TAR_BLOCK]> {
    let mut header = [0u8; TAR_BLOCK];
    let mut put = |at: usize, size: usize, text: &str| -> Option<()> {
        (text.len() <= size).then_some(())?;
        header
            .get_mut(at..at + text.len())?
            .copy_from_slice(text.as_bytes());
        Some(())
    };
    put(0, 100, name)?;
    put(100, 8, &format!("{mode:07o}"))?;
    put(108, 8, "0000000")?;
    put(116, 8, "0000000")?;
    put(124, 11, &format!("{bytes:011o}"))?;
    put(136, 12, "00000000000")?;
    put(148, 8, "        ")?;
    put(156, 1, "0")?;
    put(257, 8, "ustar\x0000")?;
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    let text = format!("{sum:06o}\0 ");
    header.get_mut(148..156)?.copy_from_slice(text.as_bytes());
    Some(header)
}

/// Finds every file; one that is cut short is an error that names it.
pub(super) fn list_tar(path: &Path, parts: &mut BTreeMap<String, Part>) -> Result<(), String> {
    let shown = path.display();
    let failed = |error: std::io::Error| format!("cannot read {shown}: {error}");
    let file = File::open(path).map_err(failed)?;
    let end = file.metadata().map_err(failed)?.len();
    let mut at = 0;
    let mut last: Option<String> = None;
    loop {
        let mut header = [0u8; TAR_BLOCK];
        if file.read_exact_at(&mut header, at).is_err() {
            return Err(match &last {
                Some(last) => format!("{shown} is cut short behind {last}"),
                None => no_backup(path),
            });
        }
        if header.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        let name = tar_text(&header, 0, 100).filter(|_| header.get(257..262) == Some(b"ustar"));
        let bytes = tar_text(&header, 124, 12).and_then(|text| u64::from_str_radix(&text, 8).ok());
        let (Some(name), Some(bytes)) = (name, bytes) else {
            return Err(match &last {
                Some(last) => format!("{shown} is damaged behind {last}"),
                None => no_backup(path),
            });
        };
        let offset = at + TAR_BLOCK_U64;
        at = offset.saturating_add(bytes.next_multiple_of(TAR_BLOCK_U64));
        if at > end {
            return Err(format!("{shown} is cut short within {name}"));
        }
        last = Some(name.clone());
        let path = path.to_path_buf();
        parts.insert(
            name,
            Part {
                path,
                offset,
                bytes,
            },
        );
    }
}

fn no_backup(path: &Path) -> String {
    let shown = path.display();
    format!(
        "{shown} is no backup: neither a directory nor a tar file that `fieldnotary backup` wrote"
    )
}

fn tar_text(header: &[u8], at: usize, size: usize) -> Option<String> {
    let field = header.get(at..at + size)?;
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(size);
    String::from_utf8(field.get(..end)?.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::{TAR_BLOCK, list_tar, tar_header};
    use std::collections::BTreeMap;

    #[test]
    fn a_tar_file_lists_what_was_put_and_says_where_it_is_cut() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("b.tar");
        let mut bytes = Vec::new();
        for (name, size) in [
            ("identity/log-id", 33usize),
            ("journal/g000001/seg-0000.fnj", 1_024),
        ] {
            bytes.extend(tar_header(name, 0o600, size as u64).unwrap());
            bytes.extend(vec![7; size.next_multiple_of(TAR_BLOCK)]);
        }
        bytes.extend([0; 2 * TAR_BLOCK]);
        let list = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            let mut parts = BTreeMap::new();
            list_tar(&path, &mut parts).map(|()| parts)
        };
        let parts = list(&bytes).unwrap();
        let found: Vec<_> = parts
            .iter()
            .map(|(name, part)| (name.as_str(), part.bytes))
            .collect();
        assert_eq!(
            found,
            [
                ("identity/log-id", 33),
                ("journal/g000001/seg-0000.fnj", 1_024)
            ]
        );
        for size in 0..bytes.len() - TAR_BLOCK {
            let cut = bytes.get(..size).unwrap();
            // Every place but the end marker itself.
            let words = list(cut).unwrap_err();
            let said = if size < TAR_BLOCK {
                "no backup"
            } else {
                "cut short"
            };
            assert!(words.contains(said), "{size}: {words}");
        }
        // Whatever stands in a header, it is read or refused.
        for place in 0..TAR_BLOCK {
            let mut harmed = bytes.clone();
            harmed[place] = 0xff;
            let _ = list(&harmed);
        }
        assert!(tar_header(&"n".repeat(101), 0o600, 1).is_none());
        assert!(tar_header("n", 0o600, 1 << 33).is_none());
    }
}
