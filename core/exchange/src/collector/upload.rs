//! `add-entries`: takes packages one by one as the body streams in, then commits and cosigns (tlog-mirror).

use alloc::string::ToString as _;
use alloc::vec::Vec;
use core::fmt;
use evidence::CommitId;
use proof::consistency::verify_range;
use proof::tree::leaf_hash;
use proof::wire::{AddEntriesHeader, Reader, WireError};
use proof::{Hash, ProofError};

use super::{Cosigner, Mirror, MirrorStore, Reply, Sample};
use crate::body::{Format, Part, RunPackage, read_package};
use crate::hole::{Hole, loss_in_leaf};
use crate::limits::{SAMPLE_BYTES_MAX, UPLOAD_BUFFER_BYTES_MAX};

/// What to do with a body after the bytes given so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Give more, or say that it ended.
    More,
    /// Answer this; the rest of the body is not looked at.
    Answer(Reply),
}

/// One body on its way in.
#[derive(Debug)]
pub struct Upload {
    format: Format,
    buffer: Vec<u8>,
    header: Option<AddEntriesHeader>,
    root: Option<Hash>,
    at: u64,
    saved: u64,
}

impl Upload {
    /// A body of a format, nothing of it read.
    #[must_use]
    pub const fn new(format: Format) -> Self {
        Self {
            format,
            buffer: Vec::new(),
            header: None,
            root: None,
            at: 0,
            saved: 0,
        }
    }

    /// Takes bytes. At most [`UPLOAD_BUFFER_BYTES_MAX`] wait here: what is more is not taken, and
    /// the caller ends the body.
    #[must_use]
    pub fn push(&mut self, bytes: &[u8]) -> bool {
        if self.buffer.len().saturating_add(bytes.len()) > UPLOAD_BUFFER_BYTES_MAX {
            return false;
        }
        self.buffer.extend_from_slice(bytes);
        true
    }

    /// The origin, as soon as the header is whole: which mirror takes the rest.
    ///
    /// # Errors
    /// The reply to a header that is malformed.
    pub fn origin(&mut self) -> Result<Option<&str>, Reply> {
        if self.header.is_none() {
            let mut reader = Reader::new(&self.buffer);
            match AddEntriesHeader::decode(&mut reader) {
                Ok(header) => {
                    let consumed = reader.consumed();
                    self.buffer.drain(..consumed);
                    self.at = header.upload_start;
                    self.header = Some(header);
                }
                Err(WireError::Truncated { .. }) => return Ok(None),
                Err(error) => return Err(Reply::text(400, &error)),
            }
        }
        Ok(self.header.as_ref().map(|header| header.origin.as_str()))
    }

    /// Size that the upload leads to, once the header is whole.
    #[must_use]
    pub fn upload_end(&self) -> Option<u64> {
        self.header.as_ref().map(|header| header.upload_end)
    }

    /// Packages saved so far.
    #[must_use]
    pub const fn saved(&self) -> u64 {
        self.saved
    }
}

/// Holes and the LOSS entries that name them.
type Named = Vec<(Hole, CommitId)>;

/// Why a package is not saved.
enum PackageFault {
    Proof(ProofError),
    EmptyEntry,
    /// It begins where this side knows no single hashes.
    Unplaced,
}

impl fmt::Display for PackageFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proof(error) => error.fmt(f),
            Self::EmptyEntry => f.write_str("an entry is empty"),
            Self::Unplaced => f.write_str("the upload begins inside one hash of a hole"),
        }
    }
}

impl<S: MirrorStore> Mirror<S> {
    /// Works on what the upload has taken: checks the header, then verifies and saves every package
    /// that is whole.
    ///
    /// # Errors
    /// When storage fails; then nothing may be answered but 500.
    pub fn advance(&mut self, upload: &mut Upload) -> Result<Flow, S::Error> {
        match upload.origin() {
            Ok(None) => return Ok(Flow::More),
            Ok(Some(origin)) if origin != self.origin => {
                return Ok(answer(404, &"the log is not known here"));
            }
            Ok(Some(_)) => {}
            Err(reply) => return Ok(Flow::Answer(reply)),
        }
        let Some((start, end)) = upload
            .header
            .as_ref()
            .map(|header| (header.upload_start, header.upload_end))
        else {
            return Ok(Flow::More);
        };
        if upload.root.is_none() {
            let root = self.known(end).map(|sealed| sealed.head.root);
            if let Some(Err(reply)) = self.known(end).map(|sealed| self.still_signed(sealed)) {
                return Ok(Flow::Answer(reply));
            }
            let valid = end >= self.mirrored_head().size && start <= self.store.next_entry();
            let Some(root) = root.filter(|_| valid) else {
                let usable = root.is_some() && end >= self.mirrored_head().size;
                return Ok(Flow::Answer(self.info(409, usable.then_some(end))));
            };
            upload.root = Some(root);
        }
        let buffer = core::mem::take(&mut upload.buffer);
        let mut reader = Reader::new(&buffer);
        let flow = self.packages(upload, &mut reader, end);
        upload.buffer = reader.rest().to_vec();
        flow
    }

    fn packages(
        &mut self,
        upload: &mut Upload,
        reader: &mut Reader<'_>,
        end: u64,
    ) -> Result<Flow, S::Error> {
        let Some(root) = upload.root else {
            return Ok(Flow::More);
        };
        while upload.at < end {
            let bytes = reader.rest();
            let mut ahead = reader.clone();
            let package = match read_package(&mut ahead, upload.format, upload.at, end) {
                Ok(package) => package,
                Err(error) if error.is_truncated() => return Ok(Flow::More),
                Err(error) => {
                    self.sample(upload.at, end, &error, bytes)?;
                    return Ok(answer(400, &error));
                }
            };
            if let Err(fault) = self.verify(&package, end, &root)? {
                if matches!(fault, PackageFault::Unplaced) {
                    return Ok(Flow::Answer(self.info(409, Some(end))));
                }
                self.sample(upload.at, end, &fault, bytes)?;
                self.store.sync()?;
                return Ok(answer(422, &fault));
            }
            self.store.save(&package)?;
            upload.at = package.extent.end;
            upload.saved = upload.saved.saturating_add(1);
            *reader = ahead;
        }
        Ok(Flow::More)
    }

    /// The body has ended: makes what was saved durable, and commits if it was all.
    ///
    /// # Errors
    /// When storage fails; then nothing may be answered but 500.
    pub fn finish(&mut self, upload: &Upload, cosigner: &dyn Cosigner) -> Result<Reply, S::Error> {
        let (Some(header), Some(_)) = (&upload.header, upload.root) else {
            return Ok(Reply::text(400, &"the body ends before its first package"));
        };
        self.store.sync()?;
        if upload.at == header.upload_end {
            return self.commit(header.upload_end, cosigner);
        }
        if upload.saved == 0 {
            return Ok(Reply::text(400, &"the body holds no whole package"));
        }
        Ok(self.info(202, Some(header.upload_end)))
    }

    fn verify(
        &self,
        package: &RunPackage<'_>,
        size: u64,
        root: &Hash,
    ) -> Result<Result<(), PackageFault>, S::Error> {
        let extent = &package.extent;
        let stored = self
            .store
            .stored_range(extent.subtree_begin, extent.begin)?;
        let Some(mut range) = stored else {
            return Ok(Err(PackageFault::Unplaced));
        };
        for part in &package.parts {
            match part {
                Part::Entries(entries) => {
                    if entries.iter().any(|entry| entry.is_empty()) {
                        return Ok(Err(PackageFault::EmptyEntry));
                    }
                    entries
                        .iter()
                        .for_each(|entry| range.push(leaf_hash(entry)));
                }
                Part::Hole(hole) => {
                    if range.append(hole.range()).is_err() {
                        return Ok(Err(PackageFault::Proof(ProofError::SubtreeMismatch)));
                    }
                }
            }
        }
        Ok(verify_range(&range, size, &package.proof, root).map_err(PackageFault::Proof))
    }

    fn commit(&mut self, upload_end: u64, cosigner: &dyn Cosigner) -> Result<Reply, S::Error> {
        let Some(sealed) = self.known(upload_end).cloned() else {
            return Ok(self.info(409, None));
        };
        let mirrored = self.mirrored_head();
        let is_new = self.store.mirrored().is_none() || mirrored.size < upload_end;
        if mirrored.size > upload_end {
            return Ok(self.info(409, None));
        }
        if is_new {
            if let Err(reply) = self.still_signed(&sealed) {
                return Ok(reply);
            }
            if self.store.root_at(upload_end)? != Some(sealed.head.root) {
                return Ok(Reply::text(
                    500,
                    &"the stored entries do not build the root",
                ));
            }
            let named = match self.name_holes(upload_end)? {
                Ok(named) => named,
                Err(hole) => {
                    let text = alloc::format!(
                        "no LOSS entry below {upload_end} names the hole of {} entries at {}",
                        hole.count(),
                        hole.first()
                    );
                    return Ok(Reply::text(422, &text));
                }
            };
            let expected = self.store.mirrored().map(|mirrored| mirrored.sealed.head);
            if !self.store.commit(expected, &sealed, &named)? {
                return Ok(self.info(409, None));
            }
        }
        self.cosignature(cosigner)
    }

    /// The cosignature of the mirrored head: the stored one, or a first one, stored before it leaves.
    ///
    /// # Errors
    /// When storage fails.
    pub fn cosignature(&mut self, cosigner: &dyn Cosigner) -> Result<Reply, S::Error> {
        let Some(mirrored) = self.store.mirrored() else {
            return Ok(Reply::text(404, &"nothing is mirrored yet"));
        };
        if let Some(lines) = &mirrored.cosignature {
            return Ok(Reply::lines(lines));
        }
        if let Err(reply) = self.still_signed(&mirrored.sealed) {
            return Ok(reply);
        }
        let text = mirrored
            .sealed
            .note
            .split_inclusive("\n\n")
            .next()
            .unwrap_or_default();
        // The text ends with the first of the two newlines.
        let text = text.strip_suffix('\n').unwrap_or(text);
        match cosigner.cosign(text) {
            Ok(line) => {
                let lines = alloc::format!("{line}\n");
                self.store.put_cosignature(&lines)?;
                Ok(Reply::lines(&lines))
            }
            Err(error) => Ok(Reply::text(500, &error)),
        }
    }

    /// Finds the LOSS entry of every hole below a size; the first hole without one otherwise.
    fn name_holes(&self, size: u64) -> Result<Result<Named, Hole>, S::Error> {
        let holes = self.store.unnamed_holes();
        let below = || holes.iter().filter(|hole| hole.first() < size);
        let Some(first) = below().map(Hole::first).min() else {
            return Ok(Ok(Vec::new()));
        };
        let mut losses = Vec::new();
        self.store.leaves(first, size, &mut |index, leaf| {
            losses.extend(loss_in_leaf(index, leaf));
        })?;
        let mut named = Vec::new();
        for hole in below() {
            match losses.iter().find(|(_, loss)| hole.is_named_by(loss)) {
                Some((id, _)) => named.push((hole.clone(), *id)),
                None => return Ok(Err(hole.clone())),
            }
        }
        Ok(Ok(named))
    }

    fn sample(
        &mut self,
        begin: u64,
        upload_end: u64,
        detail: &dyn fmt::Display,
        bytes: &[u8],
    ) -> Result<(), S::Error> {
        let kept = bytes.get(..SAMPLE_BYTES_MAX).unwrap_or(bytes);
        self.store.keep_sample(&Sample {
            begin,
            upload_end,
            detail: detail.to_string(),
            bytes: kept.to_vec(),
        })
    }
}

fn answer(status: u16, text: &dyn fmt::Display) -> Flow {
    Flow::Answer(Reply::text(status, text))
}
