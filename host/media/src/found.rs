//! The files of a ring as they are found, for those who only look: short, long, missing or no files.
//!
//! Where a file ends early, what reaches over its end reads as zeros there; what begins behind the end of a segment is
//! missing.

use std::path::{Path, PathBuf};

use evidence::reasons::TruthClass;
use journal::{MediumError, ReadTruth, ReadVolume, Shape};

use crate::file::{Fault, FixedFile, Flush};
use crate::truth::{TRUTH_FILE_BYTES, slot_at, table_at};
use crate::{Access, segment_file_name};

/// What was found in the place of a file.
#[derive(Debug)]
pub enum Found {
    /// A file of so many bytes.
    Bytes(u64),
    /// Nothing.
    Missing,
    /// Something that cannot be read, and why.
    Refused(String),
}

/// A file that may be anything.
#[derive(Debug)]
struct Part {
    file: Option<FixedFile>,
    found: Found,
}

impl Part {
    const fn missing() -> Self {
        Self {
            file: None,
            found: Found::Missing,
        }
    }

    fn open(path: &Path) -> Self {
        let without = |found| Self { file: None, found };
        match std::fs::metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Self::missing(),
            Err(error) => return without(Found::Refused(error.to_string())),
            // A pipe would wait for its writer.
            Ok(found) if !found.is_file() && !crate::file::is_device(&found) => {
                return without(Found::Refused("no file".to_owned()));
            }
            Ok(_) => {}
        }
        match FixedFile::open(path, Access::ReadOnly, Flush::EachWrite) {
            Ok(file) => Self {
                found: Found::Bytes(file.bytes()),
                file: Some(file),
            },
            Err(error) => without(Found::Refused(error.cause.to_string())),
        }
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), Fault> {
        let Some(file) = &self.file else {
            return Err(match self.found {
                Found::Missing => Fault::MISSING,
                Found::Bytes(_) | Found::Refused(_) => Fault::REFUSED,
            });
        };
        file.read_found(offset, into)
    }
}

/// The segments of a ring as they are found.
#[derive(Debug)]
pub struct FoundVolume {
    shape: Shape,
    parts: Vec<Part>,
}

impl FoundVolume {
    /// Looks at the files of a ring of these measures; whatever they are is no error.
    #[must_use]
    pub fn open(dir: &Path, shape: Shape) -> Self {
        let path = |segment| dir.join(segment_file_name(segment));
        Self {
            shape,
            parts: (0..shape.segments)
                .map(|segment| Part::open(&path(segment)))
                .collect(),
        }
    }

    /// The same without some segments: they read as missing.
    #[must_use]
    pub fn without(mut self, segments: &[u32]) -> Self {
        for (segment, part) in (0u32..).zip(&mut self.parts) {
            if segments.contains(&segment) {
                *part = Part::missing();
            }
        }
        self
    }

    /// What was found in the place of a segment.
    #[must_use]
    pub fn found(&self, segment: u32) -> &Found {
        let part = self.parts.get(segment as usize);
        part.map_or(&Found::Missing, |part| &part.found)
    }
}

impl ReadVolume for FoundVolume {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn read(&self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), MediumError> {
        let part = self.parts.get(segment as usize);
        let end = offset.saturating_add(into.len() as u64);
        let part = part.filter(|_| end <= self.shape.segment_bytes);
        let part = part.ok_or_else(|| Fault::RANGE.at(segment, offset))?;
        // Zeros would read as a frame that was damaged where nothing is left to be damaged.
        let read = match part.found {
            Found::Bytes(bytes) if offset >= bytes => Err(Fault::MISSING),
            Found::Bytes(_) | Found::Missing | Found::Refused(_) => part.read(offset, into),
        };
        read.map_err(|fault| fault.at(segment, offset))
    }
}

/// A truth store as it is found.
#[derive(Debug)]
pub struct FoundTruth {
    path: PathBuf,
    class: TruthClass,
    part: Part,
}

impl FoundTruth {
    /// Bytes of a whole store.
    pub const BYTES: u64 = TRUTH_FILE_BYTES;

    /// Looks at a file or device; whatever it is is no error.
    #[must_use]
    pub fn open(path: &Path, class: TruthClass) -> Self {
        Self {
            path: path.to_owned(),
            class,
            part: Part::open(path),
        }
    }

    /// The place of a store that is not to be used: it reads as one that is missing.
    #[must_use]
    pub fn without(path: &Path, class: TruthClass) -> Self {
        Self {
            path: path.to_owned(),
            class,
            part: Part::missing(),
        }
    }

    /// Where it is looked for.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was found there.
    #[must_use]
    pub fn found(&self) -> &Found {
        &self.part.found
    }
}

impl ReadTruth for FoundTruth {
    fn class(&self) -> TruthClass {
        self.class
    }

    fn read(&self, slot: u32, copy: u32, into: &mut [u8]) -> Result<(), MediumError> {
        let at = slot_at(slot, copy);
        self.part.read(at, into).map_err(|fault| fault.at(slot, at))
    }

    fn read_table(&self, copy: u32, into: &mut [u8]) -> Result<(), MediumError> {
        let at = table_at(copy);
        self.part.read(at, into).map_err(|fault| fault.at(copy, at))
    }
}

#[cfg(test)]
mod tests {
    use super::{Found, FoundTruth, FoundVolume};
    use evidence::reasons::TruthClass;
    use journal::{MediumFault, ReadTruth, ReadVolume, Shape};

    //= A5.4
    #[test]
    fn a_short_file_is_read_up_to_its_end_and_what_is_missing_says_so() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("seg-0000.fnj"), [7; 5_000]).unwrap();
        std::fs::create_dir(dir.path().join("seg-0001.fnj")).unwrap();
        let shape = Shape {
            segment_bytes: 16_384,
            segments: 3,
            block_bytes: 512,
        };
        let volume = FoundVolume::open(dir.path(), shape);
        let mut bytes = [1; 1_024];
        volume.read(0, 4_608, &mut bytes).unwrap();
        assert_eq!(bytes.iter().filter(|byte| **byte == 7).count(), 392);
        assert_eq!(bytes[392..], [0; 632]);
        for behind in [5_000, 8_192] {
            let missing = volume.read(0, behind, &mut bytes).unwrap_err();
            assert_eq!(missing.fault, MediumFault::Missing);
        }
        assert!(matches!(volume.found(0), Found::Bytes(5_000)));
        assert!(matches!(volume.found(1), Found::Refused(_)));
        let missing = volume.read(2, 0, &mut bytes).unwrap_err();
        assert_eq!(missing.fault, MediumFault::Missing);
        let outside = volume.read(0, 16_000, &mut bytes).unwrap_err();
        assert_eq!(outside.fault, MediumFault::OutOfRange);
        let without = volume.without(&[0]);
        let aside = without.read(0, 0, &mut bytes).unwrap_err();
        assert_eq!(aside.fault, MediumFault::Missing);
        assert!(matches!(without.found(1), Found::Refused(_)));
        let store = dir.path().join("truth.fnt");
        let truth = FoundTruth::open(&store, TruthClass::SameDeviceSync);
        let missing = truth.read(0, 0, &mut [0; 4_096]).unwrap_err();
        assert_eq!(missing.fault, MediumFault::Missing);
    }
}
