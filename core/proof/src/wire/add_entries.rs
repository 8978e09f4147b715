//! The binary body of `add-entries`: a header, then packages aligned to 256 entries (tlog-mirror "add-entries").

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::WireError;
use super::codec::{Reader, put_entry, put_proof};
use crate::limits::{NAME_BYTES_MAX, TILE_WIDTH, TILE_WIDTH_U64, TREE_SIZE_MAX};
use crate::text::has_forbidden_control;
use crate::tree::Hash;

/// What comes before the packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddEntriesHeader {
    /// Identity of the log.
    pub origin: String,
    /// First entry uploaded.
    pub upload_start: u64,
    /// Size of the pending checkpoint the upload leads to.
    pub upload_end: u64,
    /// Opaque value from the mirror, or empty.
    pub ticket: Vec<u8>,
}

impl AddEntriesHeader {
    /// The header.
    ///
    /// # Errors
    /// [`WireError::BadOrigin`], [`WireError::BadRange`] or [`WireError::BadTicket`].
    pub fn encode(&self) -> Result<Vec<u8>, WireError> {
        check_origin(&self.origin)?;
        check_range(self.upload_start, self.upload_end)?;
        let mut bytes = Vec::new();
        put_entry(&mut bytes, self.origin.as_bytes()).map_err(|_| WireError::BadOrigin)?;
        bytes.extend_from_slice(&self.upload_start.to_be_bytes());
        bytes.extend_from_slice(&self.upload_end.to_be_bytes());
        put_entry(&mut bytes, &self.ticket).map_err(|_| WireError::BadTicket)?;
        Ok(bytes)
    }

    /// Reads the header and leaves the reader at the first package.
    ///
    /// # Errors
    /// [`WireError::Truncated`] while bytes are missing, otherwise what breaks the form.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let origin = reader.entry()?;
        let origin = core::str::from_utf8(origin).map_err(|_| WireError::BadOrigin)?;
        check_origin(origin)?;
        let (upload_start, upload_end) = (reader.u64()?, reader.u64()?);
        check_range(upload_start, upload_end)?;
        Ok(Self {
            origin: origin.to_string(),
            upload_start,
            upload_end,
            ticket: reader.entry()?.to_vec(),
        })
    }
}

/// Which entries one package carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackageRange {
    /// Begin of the subtree that is proven: a multiple of 256, at or before `begin`.
    pub subtree_begin: u64,
    /// First entry carried.
    pub begin: u64,
    /// Index after the last entry carried, and end of the subtree.
    pub end: u64,
}

impl PackageRange {
    /// Entries carried.
    #[must_use]
    pub fn entries(&self) -> u16 {
        u16::try_from(self.end.saturating_sub(self.begin)).unwrap_or(TILE_WIDTH)
    }
}

/// The canonical packages of an upload of `[upload_start, upload_end)`, in order; a request carries a prefix of them.
///
/// # Errors
/// [`WireError::BadRange`].
pub fn canonical_packages(
    upload_start: u64,
    upload_end: u64,
) -> Result<impl Iterator<Item = PackageRange>, WireError> {
    check_range(upload_start, upload_end)?;
    let mut begin = upload_start;
    Ok(core::iter::from_fn(move || {
        if begin >= upload_end {
            return None;
        }
        let subtree_begin = begin.saturating_sub(begin % TILE_WIDTH_U64);
        let package = PackageRange {
            subtree_begin,
            begin,
            end: subtree_begin.saturating_add(TILE_WIDTH_U64).min(upload_end),
        };
        begin = package.end;
        Some(package)
    }))
}

/// One package as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package<'a> {
    /// The entries in order.
    pub entries: Vec<&'a [u8]>,
    /// The subtree consistency proof of `[subtree_begin, end)` in the tree of `upload_end` leaves.
    pub proof: Vec<Hash>,
}

/// Writes one package: 1 to 256 entries, then the proof.
///
/// # Errors
/// [`WireError::EntryTooLong`], [`WireError::EntryCount`] or [`WireError::ProofTooLong`]; `out` then holds a part.
pub fn encode_package<'a>(
    out: &mut Vec<u8>,
    entries: impl IntoIterator<Item = &'a [u8]>,
    proof: &[Hash],
) -> Result<(), WireError> {
    let mut count = 0usize;
    for entry in entries {
        put_entry(out, entry)?;
        count = count.saturating_add(1);
    }
    if count == 0 || count > usize::from(TILE_WIDTH) {
        return Err(WireError::EntryCount { count });
    }
    put_proof(out, proof)
}

/// Reads one package of a known number of entries (see [`PackageRange::entries`]) and leaves the reader behind it.
///
/// # Errors
/// [`WireError::Truncated`] while bytes are missing: keep them and try again with more, up to
/// [`PACKAGE_BYTES_MAX`](crate::limits::PACKAGE_BYTES_MAX). [`WireError::EntryCount`] or [`WireError::ProofTooLong`].
pub fn decode_package<'a>(
    reader: &mut Reader<'a>,
    entry_count: u16,
) -> Result<Package<'a>, WireError> {
    if entry_count == 0 || entry_count > TILE_WIDTH {
        return Err(WireError::EntryCount {
            count: usize::from(entry_count),
        });
    }
    let entries = (0..entry_count)
        .map(|_| reader.entry())
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Package {
        entries,
        proof: reader.proof()?,
    })
}

fn check_origin(origin: &str) -> Result<(), WireError> {
    if origin.is_empty()
        || origin.len() > NAME_BYTES_MAX
        || origin.contains('\n')
        || has_forbidden_control(origin)
    {
        Err(WireError::BadOrigin)
    } else {
        Ok(())
    }
}

const fn check_range(begin: u64, end: u64) -> Result<(), WireError> {
    if begin > end || end > TREE_SIZE_MAX {
        Err(WireError::BadRange { begin, end })
    } else {
        Ok(())
    }
}
