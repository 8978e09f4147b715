//! The ring as files: `seg-0000.fnj` and on, one per segment.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use journal::{MediumError, MediumFault, ReadVolume, Shape, Volume};

use crate::file::{FILL_BYTES, Fault, FixedFile, Flush, sync_dir};
use crate::{Access, MediaError};

/// Name of a segment's file.
#[must_use]
pub fn segment_file_name(segment: u32) -> String {
    format!("seg-{segment:04}.fnj")
}

/// The segments of a ring.
#[derive(Debug)]
pub struct FileVolume {
    shape: Shape,
    dir: PathBuf,
    access: Access,
    /// By segment; `None` where the file is missing.
    files: Vec<Option<FixedFile>>,
}

impl FileVolume {
    /// Creates the files, filled with zeros, and makes them and their names durable. `progress` is
    /// told the number of segments done. Files that are there already are kept: a provisioning
    /// that was interrupted goes on.
    ///
    /// # Errors
    /// [`MediaError`] with the file at fault.
    pub fn provision(
        dir: &Path,
        shape: Shape,
        mut progress: impl FnMut(u32),
    ) -> Result<(), MediaError> {
        if let Some(why) = shape.objection() {
            return Err(MediaError::because("provisioning", dir, why));
        }
        std::fs::create_dir_all(dir).map_err(|error| MediaError::new("creating", dir, error))?;
        for segment in 0..shape.segments {
            let path = dir.join(segment_file_name(segment));
            let found = std::fs::metadata(&path).map(|found| found.len());
            match found {
                Ok(bytes) if bytes == shape.segment_bytes => {}
                // Cut short by an interrupted provisioning: no frame was ever written to it.
                Ok(_) if is_blank(&path)? => {
                    std::fs::remove_file(&path)
                        .map_err(|error| MediaError::new("removing", &path, error))?;
                    FixedFile::provision(&path, shape.segment_bytes)?;
                }
                Ok(_) => {
                    let why = "the segment has another size than asked for";
                    return Err(MediaError::because("provisioning", &path, why));
                }
                Err(_) => FixedFile::provision(&path, shape.segment_bytes)?,
            }
            progress(segment + 1);
        }
        sync_dir(dir)
    }

    /// Opens the ring of a directory. Missing files are left out: what they held is reported as lost by
    /// whoever reads. Bytes behind the end of a segment are passed over. Of a file that is too short the rest is
    /// missing; a writer makes it whole ([`Volume::make_whole`]).
    ///
    /// # Errors
    /// [`MediaError`] when the directory or a file that is there cannot be opened.
    pub fn open(dir: &Path, shape: Shape, access: Access) -> Result<Self, MediaError> {
        if let Some(why) = shape.objection() {
            return Err(MediaError::because("opening", dir, why));
        }
        let mut files: Vec<Option<FixedFile>> = Vec::new();
        // They lie in one directory: what the first of them takes, all take.
        let mut is_direct = false;
        for segment in 0..shape.segments {
            let file = open_segment(&dir.join(segment_file_name(segment)), access, is_direct)?;
            is_direct = file.as_ref().map_or(is_direct, FixedFile::direct);
            files.push(file);
        }
        Ok(Self {
            shape,
            dir: dir.to_owned(),
            access,
            files,
        })
    }

    /// Whether writes go past the page cache; where the file system refuses that, `O_DSYNC` alone
    /// makes them durable.
    #[must_use]
    pub fn direct(&self) -> bool {
        self.files.iter().flatten().all(FixedFile::direct)
    }

    /// Segments whose file is missing or has another size.
    #[must_use]
    pub fn missing(&self) -> Vec<u32> {
        let all = (0..).zip(&self.files);
        let due = self.shape.segment_bytes;
        let whole = |file: &FixedFile| file.bytes() == due;
        all.filter(|(_, file)| !file.as_ref().is_some_and(whole))
            .map(|(segment, _)| segment)
            .collect()
    }

    /// A segment's file at its full length, made or filled up where it must be.
    fn whole(&self, segment: u32) -> Result<Option<FixedFile>, MediaError> {
        let path = self.dir.join(segment_file_name(segment));
        let due = self.shape.segment_bytes;
        match self.files.get(segment as usize).and_then(Option::as_ref) {
            Some(short) => FixedFile::lengthen(&path, short.bytes(), due)?,
            None => FixedFile::provision(&path, due)?,
        }
        open_segment(&path, self.access, false)
    }

    fn file(&self, segment: u32, offset: u64, bytes: usize) -> Result<&FixedFile, MediumError> {
        let fail = |fault| MediumError {
            fault,
            segment,
            offset,
            os_error: None,
        };
        let end = offset.saturating_add(bytes as u64);
        let file = self.files.get(segment as usize);
        file.filter(|_| end <= self.shape.segment_bytes)
            .ok_or(fail(MediumFault::OutOfRange))?
            .as_ref()
            .ok_or(fail(MediumFault::Missing))
    }
}

/// Opens a segment's file; `tried` where another of the directory is known to take direct reads.
fn open_segment(path: &Path, access: Access, tried: bool) -> Result<Option<FixedFile>, MediaError> {
    // A file that cannot be looked at is not missing: what it holds would be given up as lost.
    let there = path
        .try_exists()
        .map_err(|error| MediaError::new("looking for", path, error))?;
    if !there {
        return Ok(None);
    }
    let open = match tried {
        true => FixedFile::open_untried,
        false => FixedFile::open,
    };
    open(path, access, Flush::EachWrite).map(Some)
}

/// Whether a file holds nothing but zeros; read piece by piece, as a segment has up to 1 GiB.
fn is_blank(path: &Path) -> Result<bool, MediaError> {
    let failed = |error| MediaError::new("reading", path, error);
    let mut file = File::open(path).map_err(failed)?;
    let mut piece = vec![0; FILL_BYTES];
    loop {
        let count = match file.read(&mut piece) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            read => read.map_err(failed)?,
        };
        let found = piece.get(..count).unwrap_or_default();
        if found.iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
        if count == 0 {
            return Ok(true);
        }
    }
}

impl ReadVolume for FileVolume {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn read(&self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), MediumError> {
        let file = self.file(segment, offset, into.len())?;
        if offset >= file.bytes() {
            return Err(Fault::MISSING.at(segment, offset));
        }
        file.read_found(offset, into)
            .map_err(|fault| fault.at(segment, offset))
    }
}

impl Volume for FileVolume {
    fn write_durable(
        &mut self,
        segment: u32,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), MediumError> {
        // A segment's own header stands at its start, frames behind it.
        let is_frame = offset > 0;
        if is_frame {
            steps::pass("commit.before_frame");
        }
        self.file(segment, offset, bytes.len())?
            .write_durable(offset, bytes)
            .map_err(|fault| fault.at(segment, offset))?;
        steps::pass(if is_frame {
            "commit.frame_durable"
        } else {
            "segment.opened"
        });
        Ok(())
    }

    fn settle(&mut self, segment: u32) -> Result<(), MediumError> {
        let file = self.files.get(segment as usize).and_then(Option::as_ref);
        file.map_or(Ok(()), FixedFile::settle)
            .map_err(|errno| Fault::from(errno).at(segment, 0))
    }

    /// A file that cannot be made whole stays as it is: what is written to it fails, and the log goes on elsewhere.
    fn make_whole(&mut self) {
        if self.access != Access::ReadWrite {
            return;
        }
        let due = self.shape.segment_bytes;
        let lacking = self.missing().into_iter();
        let short = |segment: &u32| {
            let file = self.files.get(*segment as usize);
            file.and_then(Option::as_ref)
                .is_none_or(|file| file.bytes() < due)
        };
        let mended: Vec<(u32, FixedFile)> = lacking
            .filter(short)
            .filter_map(|segment| Some((segment, self.whole(segment).ok()??)))
            .collect();
        // What is written to a file is only as durable as its name.
        if sync_dir(&self.dir).is_err() {
            return;
        }
        for (segment, file) in mended {
            if let Some(place) = self.files.get_mut(segment as usize) {
                *place = Some(file);
            }
        }
    }
}
