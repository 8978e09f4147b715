//! The files of an engine, held in memory by sectors: copied out for every trial, and damaged.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use crate::engine::{Failed, Place};
use crate::noise::Noise;

/// What a device writes at once.
pub(crate) const SECTOR_BYTES: usize = 512;

/// Files that an engine rebuilds whenever it is opened: what lies in them is no record.
const REBUILT: &[&str] = &["-shm", "lock.mdb"];

/// The files of a place. What is not held is zero.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    /// By path below the place's directory.
    files: Vec<Held>,
    folders: Vec<(Side, PathBuf)>,
}

#[derive(Clone, Debug)]
struct Held {
    side: Side,
    path: PathBuf,
    bytes: u64,
    sectors: BTreeMap<u64, Vec<u8>>,
}

/// Which of the place's directories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Data,
    Truth,
}

impl Side {
    fn of(self, place: &Place) -> &Path {
        match self {
            Self::Data => &place.data,
            Self::Truth => &place.truth,
        }
    }
}

impl Image {
    /// Reads the files of a place.
    pub(crate) fn of(place: &Place) -> Result<Self, Failed> {
        let mut image = Self {
            files: Vec::new(),
            folders: Vec::new(),
        };
        for side in [Side::Data, Side::Truth] {
            image.take(side, side.of(place), Path::new(""))?;
        }
        Ok(image)
    }

    fn take(&mut self, side: Side, root: &Path, below: &Path) -> Result<(), Failed> {
        self.folders.push((side, below.to_owned()));
        let mut entries = fs::read_dir(root.join(below))?.collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = below.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                self.take(side, root, &path)?;
            } else {
                let mut file = File::open(entry.path())?;
                let (bytes, sectors) = sectors_of(&mut file)?;
                self.files.push(Held {
                    side,
                    path,
                    bytes,
                    sectors,
                });
            }
        }
        Ok(())
    }

    /// Writes the files into an empty place.
    pub(crate) fn put(&self, place: &Place) -> Result<(), Failed> {
        for (side, folder) in &self.folders {
            fs::create_dir_all(side.of(place).join(folder))?;
        }
        for held in &self.files {
            let mut file = File::create(held.side.of(place).join(&held.path))?;
            file.set_len(held.bytes)?;
            for (sector, bytes) in &held.sectors {
                file.seek(SeekFrom::Start(sector * SECTOR_BYTES as u64))?;
                file.write_all(bytes)?;
            }
        }
        Ok(())
    }

    /// Flips one bit of a byte that was written.
    pub(crate) fn flip(&mut self, noise: &mut Noise) {
        let written: usize = self.written().map(|bytes| nonzero(bytes).count()).sum();
        let mut nth = noise.below(written);
        let bit = noise.below(8);
        for bytes in self.written_mut() {
            let here = nonzero(bytes).count();
            let at = nonzero(bytes).nth(nth);
            if let Some(byte) = at.and_then(|at| bytes.get_mut(at)) {
                *byte ^= 1 << bit;
                return;
            }
            nth -= here;
        }
    }

    /// Zeroes one sector that was written.
    pub(crate) fn zero(&mut self, noise: &mut Noise) {
        let nth = noise.below(self.written().count());
        if let Some(bytes) = self.written_mut().nth(nth) {
            bytes.fill(0);
        }
    }

    fn written(&self) -> impl Iterator<Item = &Vec<u8>> {
        let files = self.files.iter().filter(|held| !held.is_rebuilt());
        files.flat_map(|held| held.sectors.values())
    }

    fn written_mut(&mut self) -> impl Iterator<Item = &mut Vec<u8>> {
        let files = self.files.iter_mut().filter(|held| !held.is_rebuilt());
        files.flat_map(|held| held.sectors.values_mut())
    }
}

impl Held {
    fn is_rebuilt(&self) -> bool {
        let name = self.path.to_string_lossy();
        REBUILT.iter().any(|end| name.ends_with(end))
    }
}

fn nonzero(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let numbered = bytes.iter().enumerate();
    numbered.filter(|(_, byte)| **byte != 0).map(|(at, _)| at)
}

/// Length of a file, and its sectors that are not all zero.
fn sectors_of(file: &mut File) -> Result<(u64, BTreeMap<u64, Vec<u8>>), Failed> {
    let mut all = Vec::new();
    file.read_to_end(&mut all)?;
    let numbered = (0..).zip(all.chunks(SECTOR_BYTES));
    let held = numbered.filter(|(_, bytes)| bytes.iter().any(|byte| *byte != 0));
    let sectors = held.map(|(sector, bytes)| (sector, bytes.to_vec()));
    Ok((all.len() as u64, sectors.collect()))
}

#[cfg(test)]
mod tests {
    use super::{Image, SECTOR_BYTES};
    use crate::engine::Place;
    use crate::noise::Noise;
    use std::fs;
    use std::path::Path;

    fn place(root: &Path) -> Place {
        let place = Place {
            data: root.join("data"),
            truth: root.join("truth"),
        };
        fs::create_dir_all(place.data.join("below")).unwrap();
        fs::create_dir_all(&place.truth).unwrap();
        place
    }

    fn bytes(root: &Path) -> Vec<u8> {
        let read = |name| fs::read(root.join(name)).unwrap();
        [read("data/below/a"), read("truth/b")].concat()
    }

    /// Damages once per draw; says how many bytes differ, and of those which differ by one bit.
    fn check(damage: fn(&mut Image, &mut Noise), expected: fn(usize, u32) -> bool) {
        let folder = tempfile::tempdir().unwrap();
        let from = place(folder.path());
        let mut a = vec![0; 5 * SECTOR_BYTES + 7];
        a[2 * SECTOR_BYTES..3 * SECTOR_BYTES].fill(0xa5);
        a[5 * SECTOR_BYTES..].fill(1);
        fs::write(from.data.join("below/a"), &a).unwrap();
        fs::write(from.truth.join("b"), [7; 3]).unwrap();
        fs::write(from.data.join("x-shm"), [9; 4_096]).unwrap();
        let image = Image::of(&from).unwrap();
        for draw in 0..40 {
            let mut damaged = image.clone();
            damage(&mut damaged, &mut Noise::new(draw));
            let other = tempfile::tempdir().unwrap();
            let to = place(other.path());
            damaged.put(&to).unwrap();
            let (before, after) = (bytes(folder.path()), bytes(other.path()));
            assert_eq!(before.len(), after.len());
            let pairs = before.iter().zip(&after);
            let differing: Vec<u32> = pairs
                .filter(|(a, b)| a != b)
                .map(|(a, b)| (a ^ b).count_ones())
                .collect();
            assert!(
                expected(differing.len(), differing.iter().sum()),
                "{differing:?}"
            );
            assert_eq!(fs::read(to.data.join("x-shm")).unwrap(), [9; 4_096]);
        }
    }

    #[test]
    fn a_copy_is_whole() {
        check(|_, _| {}, |bytes, _| bytes == 0);
    }

    #[test]
    fn a_flip_is_one_bit_and_a_zeroed_sector_one_that_was_written() {
        check(Image::flip, |bytes, bits| (bytes, bits) == (1, 1));
        check(Image::zero, |bytes, _| {
            [SECTOR_BYTES, 7, 3].contains(&bytes)
        });
    }
}
