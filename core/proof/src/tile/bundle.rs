//! Entry bundles: 16-bit length-prefixed entries (tlog-tiles "Log entries").

use alloc::vec::Vec;

use crate::limits::TILE_WIDTH;
use crate::wire::{Reader, WireError, put_entry};

/// The contents of an entry bundle: 1 to 256 entries.
///
/// # Errors
/// [`WireError::EntryTooLong`] or [`WireError::EntryCount`].
pub fn encode_bundle<'a>(
    entries: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<u8>, WireError> {
    let mut bytes = Vec::new();
    let mut count = 0usize;
    for entry in entries {
        put_entry(&mut bytes, entry)?;
        count = count.saturating_add(1);
    }
    if count == 0 || count > usize::from(TILE_WIDTH) {
        return Err(WireError::EntryCount { count });
    }
    Ok(bytes)
}

/// The entries of a bundle of the given width, which the bytes must fill exactly.
///
/// # Errors
/// [`WireError::EntryCount`] for a width that is not 1 to 256, [`WireError::Truncated`] or [`WireError::Trailing`].
pub fn decode_bundle(bytes: &[u8], width: u16) -> Result<Vec<&[u8]>, WireError> {
    if width == 0 || width > TILE_WIDTH {
        return Err(WireError::EntryCount {
            count: usize::from(width),
        });
    }
    let mut reader = Reader::new(bytes);
    let entries = (0..width)
        .map(|_| reader.entry())
        .collect::<Result<Vec<_>, _>>()?;
    reader.finish()?;
    Ok(entries)
}
