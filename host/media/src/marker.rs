//! The poll marker board: what a port attempted last, outside the journal (A4.8).
//!
//! One small file per port. Marks are written without a flush before the request leaves: they
//! survive a crash of any process of the node, not of the machine. Two copies of each mark are
//! written in turn, so that a write cut short never costs the mark before it.

use std::fs::File;
use std::path::{Path, PathBuf};

use evidence::{BootId, MeterId, MonoNs, Seq, Slot, SourceId};
use rustix::fs::{Mode, OFlags};

use crate::MediaError;
use crate::file::write_all;

/// Bytes of one copy of a mark.
const MARK_BYTES: usize = 128;
/// Copies of each mark.
const COPIES: usize = 2;
/// Most meters of one port: more than any bus carries.
const METERS_MAX: usize = 4_096;
/// First bytes of every copy.
const MAGIC: [u8; 4] = *b"FNMK";
/// Ending of the files' names.
const EXTENSION: &str = "fnm";
/// Room for a meter's identifier.
const METER_BYTES: usize = evidence::limits::ID_BYTES_MAX;

/// A session and when it was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Number of the read session.
    pub seq: Seq,
    /// When, on the clock of the mark's boot.
    pub at: MonoNs,
}

/// Where a port stood with one meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The meter.
    pub meter_id: MeterId,
    /// Boot to whose clock the times belong.
    pub boot_id: BootId,
    /// The last attempt.
    pub attempt: Option<Times>,
    /// The last reply.
    pub reply: Option<Times>,
    /// The due slot of the last attempt.
    pub slot: Option<Slot>,
}

/// Something unreadable on a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MarkFinding {
    /// Both copies of a mark are damaged.
    MarkDamaged {
        /// The port's file.
        file: String,
        /// Index of the mark in it.
        index: usize,
    },
    /// The file cannot be read.
    FileUnreadable {
        /// The port's file.
        file: String,
        /// Why.
        why: String,
    },
}

/// The marks of one port, to be written.
#[derive(Debug)]
pub struct MarkerBoard {
    file: File,
    path: PathBuf,
    boot_id: BootId,
    marks: Vec<(Mark, u64)>,
}

impl MarkerBoard {
    /// Opens the board of a port, with room for these meters; marks that are there stay.
    ///
    /// # Errors
    /// [`MediaError`] when the file cannot be written; damaged marks are findings.
    pub fn open(
        dir: &Path,
        port: &SourceId,
        boot_id: BootId,
        meters: &[MeterId],
    ) -> Result<(Self, Vec<Mark>, Vec<MarkFinding>), MediaError> {
        std::fs::create_dir_all(dir).map_err(|error| MediaError::new("creating", dir, error))?;
        Self::open_file(&dir.join(file_name(port, EXTENSION)), boot_id, meters)
    }

    /// The board in this file.
    pub(crate) fn open_file(
        path: &Path,
        boot_id: BootId,
        meters: &[MeterId],
    ) -> Result<(Self, Vec<Mark>, Vec<MarkFinding>), MediaError> {
        let path = path.to_path_buf();
        let (found, findings) = read_file(&path);
        // Written anew it would say that nothing was ever attempted.
        if let Some(MarkFinding::FileUnreadable { why, .. }) = findings
            .iter()
            .find(|finding| matches!(finding, MarkFinding::FileUnreadable { .. }))
        {
            return Err(MediaError::because("reading", &path, why));
        }
        let is_sound = findings.is_empty() && !found.is_empty();
        let mut marks: Vec<(Mark, u64)> = found;
        let held = marks.len();
        for meter in meters {
            if !marks.iter().any(|(mark, _)| mark.meter_id == *meter) {
                let mark = Mark {
                    meter_id: meter.clone(),
                    boot_id,
                    attempt: None,
                    reply: None,
                    slot: None,
                };
                marks.push((mark, 0));
            }
        }
        if marks.len() > METERS_MAX {
            return Err(MediaError::because(
                "opening",
                &path,
                "too many meters on one port",
            ));
        }
        let before = marks.iter().map(|(mark, _)| mark.clone()).collect();
        // Written whole under another name first, so that no crash leaves half a board.
        let draft = path.with_extension("new");
        let image: Vec<u8> = marks
            .iter()
            .flat_map(|(mark, counter)| encode(mark, *counter).repeat(COPIES))
            .collect();
        // A board with room for all of them is taken as it is: capture goes on also on a full disk.
        if !is_sound || marks.len() > held {
            std::fs::write(&draft, image)
                .map_err(|error| MediaError::new("writing", &draft, error))?;
            std::fs::rename(&draft, &path)
                .map_err(|error| MediaError::new("naming", &path, error))?;
        }
        let file = rustix::fs::open(&path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
            .map(File::from)
            .map_err(|errno| MediaError::new("opening", &path, errno))?;
        let board = Self {
            file,
            path,
            boot_id,
            marks,
        };
        Ok((board, before, findings))
    }

    /// Notes an attempt; to be called before the request leaves. Retries of a session keep its seq.
    ///
    /// # Errors
    /// [`MediaError`] when the meter is not on the board or the write fails.
    pub fn attempt(
        &mut self,
        meter: &MeterId,
        times: Times,
        slot: Option<Slot>,
    ) -> Result<(), MediaError> {
        self.update(meter, |mark| {
            mark.attempt = Some(times);
            mark.slot = slot;
        })
    }

    /// Notes a reply.
    ///
    /// # Errors
    /// As [`Self::attempt`].
    pub fn reply(&mut self, meter: &MeterId, times: Times) -> Result<(), MediaError> {
        self.update(meter, |mark| mark.reply = Some(times))
    }

    fn update(
        &mut self,
        meter: &MeterId,
        change: impl FnOnce(&mut Mark),
    ) -> Result<(), MediaError> {
        let found = (0u64..)
            .zip(&mut self.marks)
            .find(|(_, (mark, _))| mark.meter_id == *meter);
        let Some((index, (mark, counter))) = found else {
            return Err(MediaError::because(
                "marking",
                &self.path,
                "the meter is not on the board",
            ));
        };
        if mark.boot_id != self.boot_id {
            // Times of another boot do not compare with those of this one.
            mark.boot_id = self.boot_id;
            mark.reply = None;
        }
        change(mark);
        *counter += 1;
        let copy = index * COPIES as u64 + *counter % COPIES as u64;
        write_all(
            &self.file,
            &encode(mark, *counter),
            copy * MARK_BYTES as u64,
        )
        .map_err(|errno| MediaError::new("marking", &self.path, errno))?;
        Ok(())
    }
}

/// Reads every board in a directory, port by port, without touching it.
#[must_use]
pub fn read_marks(dir: &Path) -> (Vec<(SourceId, Vec<Mark>)>, Vec<MarkFinding>) {
    let mut ports = Vec::new();
    let mut findings = Vec::new();
    let files = match std::fs::read_dir(dir) {
        Ok(files) => files,
        Err(error) => {
            if error.kind() != std::io::ErrorKind::NotFound {
                findings.push(MarkFinding::FileUnreadable {
                    file: dir.display().to_string(),
                    why: error.to_string(),
                });
            }
            return (ports, findings);
        }
    };
    for path in files.filter_map(|file| file.ok().map(|file| file.path())) {
        if path
            .extension()
            .is_none_or(|extension| extension != EXTENSION)
        {
            continue;
        }
        let Some(port) = port_of(&path) else { continue };
        let (marks, mut found) = read_file(&path);
        findings.append(&mut found);
        ports.push((port, marks.into_iter().map(|(mark, _)| mark).collect()));
    }
    ports.sort_by(|(a, _), (b, _)| a.cmp(b));
    (ports, findings)
}

fn read_file(path: &Path) -> (Vec<(Mark, u64)>, Vec<MarkFinding>) {
    let file = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let file = file.unwrap_or_default();
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Default::default(),
        Err(error) => {
            let why = error.to_string();
            return (Vec::new(), vec![MarkFinding::FileUnreadable { file, why }]);
        }
    };
    let mut marks = Vec::new();
    let mut findings = Vec::new();
    let pairs = bytes.chunks(MARK_BYTES * COPIES).take(METERS_MAX);
    for (index, pair) in pairs.enumerate() {
        let copies = pair.chunks_exact(MARK_BYTES).filter_map(decode);
        match copies.max_by_key(|(_, counter)| *counter) {
            Some(mark) => marks.push(mark),
            None => findings.push(MarkFinding::MarkDamaged {
                file: file.clone(),
                index,
            }),
        }
    }
    (marks, findings)
}

/// A port's file: characters that a file name cannot have are written as `%` and two hex digits.
pub(crate) fn file_name(port: &SourceId, extension: &str) -> String {
    let mut name = String::new();
    for c in port.as_str().chars() {
        if c.is_ascii_alphanumeric() || "_-".contains(c) {
            name.push(c);
        } else {
            name.push_str(&format!("%{:02x}", u32::from(c)));
        }
    }
    format!("{name}.{extension}")
}

fn port_of(path: &Path) -> Option<SourceId> {
    let name = path.file_stem()?.to_str()?;
    let mut parts = name.split('%');
    let mut port = String::from(parts.next()?);
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        port.push(char::from(u8::from_str_radix(code, 16).ok()?));
        port.push_str(rest);
    }
    SourceId::new(&port).ok()
}

fn encode(mark: &Mark, counter: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(MARK_BYTES);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&counter.to_be_bytes());
    out.extend_from_slice(&mark.boot_id.0);
    let present = [
        mark.attempt.is_some(),
        mark.reply.is_some(),
        mark.slot.is_some(),
    ];
    let flags = present
        .iter()
        .rev()
        .fold(0, |flags, is| flags << 1 | u8::from(*is));
    out.push(flags);
    for times in [mark.attempt, mark.reply] {
        let (seq, at) = times.map_or((0, 0), |times| (times.seq.0, times.at.0));
        out.extend_from_slice(&seq.to_be_bytes());
        out.extend_from_slice(&at.to_be_bytes());
    }
    let (version, number) = mark.slot.map_or((0, 0), |slot| (slot.version, slot.number));
    // Six bytes each: 2^48 slots outlast any clock.
    for value in [version, number] {
        out.extend_from_slice(value.to_be_bytes().get(2..).unwrap_or_default());
    }
    let meter = mark.meter_id.as_str().as_bytes();
    out.extend_from_slice(meter);
    // Identifiers have no zero byte: the rest is padding.
    out.resize(MARK_BYTES - 4, 0);
    let crc = crc32c::crc32c(&out);
    out.extend_from_slice(&crc.to_be_bytes());
    out
}

fn decode(bytes: &[u8]) -> Option<(Mark, u64)> {
    let (body, crc) = bytes.split_last_chunk::<4>()?;
    if crc32c::crc32c(body) != u32::from_be_bytes(*crc) {
        return None;
    }
    let mut rest = body.strip_prefix(&MAGIC)?;
    let counter = take(&mut rest)?;
    let (boot_id, tail) = rest.split_first_chunk::<16>()?;
    let (flags, tail) = tail.split_first()?;
    rest = tail;
    let attempt = (take(&mut rest)?, take(&mut rest)?);
    let reply = (take(&mut rest)?, take(&mut rest)?);
    let (version, number) = (take_six(&mut rest)?, take_six(&mut rest)?);
    let meter = rest.split(|byte| *byte == 0).next()?;
    let present = |bit: u8| flags >> bit & 1 == 1;
    let times = |(seq, at): (u64, u64)| Times {
        seq: Seq(seq),
        at: MonoNs(at),
    };
    let mark = Mark {
        meter_id: MeterId::new(core::str::from_utf8(meter).ok()?).ok()?,
        boot_id: BootId(*boot_id),
        attempt: present(0).then(|| times(attempt)),
        reply: present(1).then(|| times(reply)),
        slot: present(2).then_some(Slot { version, number }),
    };
    Some((mark, counter))
}

fn take(from: &mut &[u8]) -> Option<u64> {
    let (head, rest) = from.split_first_chunk::<8>()?;
    *from = rest;
    Some(u64::from_be_bytes(*head))
}

fn take_six(from: &mut &[u8]) -> Option<u64> {
    let (head, rest) = from.split_first_chunk::<6>()?;
    *from = rest;
    Some(head.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

const _: () = assert!(4 + 8 + 16 + 1 + 4 * 8 + 2 * 6 + METER_BYTES + 4 <= MARK_BYTES);

#[cfg(test)]
mod tests {
    use super::{
        COPIES, EXTENSION, MARK_BYTES, MarkFinding, MarkerBoard, Times, file_name, read_marks,
    };
    use evidence::{BootId, MeterId, MonoNs, Seq, Slot, SourceId};

    fn times(seq: u64, at: u64) -> Times {
        Times {
            seq: Seq(seq),
            at: MonoNs(at),
        }
    }

    //= A4.8
    #[test]
    fn a_board_that_cannot_be_read_is_an_error_and_never_an_empty_one() {
        let dir = tempfile::tempdir().unwrap();
        let port = SourceId::new("p").unwrap();
        // Whatever keeps it from being read; permissions would not keep root.
        std::fs::create_dir(dir.path().join(file_name(&port, EXTENSION))).unwrap();
        let (_, findings) = read_marks(dir.path());
        assert!(matches!(findings[..], [MarkFinding::FileUnreadable { .. }]));
        let error = MarkerBoard::open(dir.path(), &port, BootId([1; 16]), &[]).unwrap_err();
        assert!(error.to_string().contains("reading"), "{error}");
        let (_, findings) = read_marks(&dir.path().join(file_name(&port, EXTENSION)).join("gone"));
        assert!(findings.is_empty(), "what is not there has nothing on it");
    }

    //= A4.8
    #[test]
    fn marks_survive_the_process_that_made_them() {
        let dir = tempfile::tempdir().unwrap();
        let port = SourceId::new("tcp:gw-1/502").unwrap();
        let meters = [
            MeterId::new("m1").unwrap(),
            MeterId::new(&"m".repeat(48)).unwrap(),
        ];
        let slot = Slot {
            version: 2,
            number: 77,
        };
        {
            let (mut board, before, findings) =
                MarkerBoard::open(dir.path(), &port, BootId([1; 16]), &meters).unwrap();
            assert!(before.iter().all(|mark| mark.attempt.is_none()) && findings.is_empty());
            board
                .attempt(&meters[0], times(41, 100), Some(slot))
                .unwrap();
            board.reply(&meters[0], times(41, 150)).unwrap();
            board
                .attempt(&meters[0], times(42, 200), Some(slot))
                .unwrap();
            board.attempt(&meters[1], times(9, 300), None).unwrap();
            assert!(
                board
                    .reply(&MeterId::new("other").unwrap(), times(1, 1))
                    .is_err()
            );
        }
        let (ports, findings) = read_marks(dir.path());
        assert!(findings.is_empty());
        assert_eq!(ports.len(), 1);
        assert_eq!(ports[0].0, port);
        let mark = &ports[0].1[0];
        assert_eq!(mark.attempt, Some(times(42, 200)));
        assert_eq!(mark.reply, Some(times(41, 150)));
        assert_eq!(mark.slot, Some(slot));
        assert_eq!(ports[0].1[1].attempt, Some(times(9, 300)));
        let (_, before, _) =
            MarkerBoard::open(dir.path(), &port, BootId([2; 16]), &meters).unwrap();
        assert_eq!(before, ports[0].1);
    }

    //= A4.8
    #[test]
    fn a_mark_cut_short_leaves_the_one_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let port = SourceId::new("rs485-1").unwrap();
        let meter = MeterId::new("m1").unwrap();
        let (mut board, _, _) = MarkerBoard::open(
            dir.path(),
            &port,
            BootId([1; 16]),
            std::slice::from_ref(&meter),
        )
        .unwrap();
        for seq in 1..=6 {
            board.attempt(&meter, times(seq, seq * 10), None).unwrap();
        }
        drop(board);
        let path = dir.path().join(file_name(&port, EXTENSION));
        let whole = std::fs::read(&path).unwrap();
        for byte in 0..MARK_BYTES * COPIES {
            let mut damaged = whole.clone();
            damaged[byte] ^= 0x10;
            std::fs::write(&path, damaged).unwrap();
            let (ports, findings) = read_marks(dir.path());
            let seq = ports[0].1[0].attempt.unwrap().seq.0;
            assert!(
                findings.is_empty() && (seq == 6 || seq == 5),
                "byte {byte}: seq {seq}"
            );
        }
        std::fs::write(&path, vec![0; whole.len()]).unwrap();
        let (ports, findings) = read_marks(dir.path());
        assert!(ports[0].1.is_empty());
        assert!(matches!(
            findings[..],
            [MarkFinding::MarkDamaged { index: 0, .. }]
        ));
    }
}
