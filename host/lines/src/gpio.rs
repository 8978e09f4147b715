//! Lines of a GPIO character device, version 2: edges with the kernel's monotonic timestamp.
//!
//! Tried on the kernel's simulated chip (`cargo xtask line-guest`); no chip of a board was at hand.

mod outputs;

use crate::fault::{Fault, of_errno};
use crate::limits::{EDGES_PER_READ, EDGES_TAKEN_MAX};
use crate::uapi::{
    ATTRIBUTE_DEBOUNCE, ATTRIBUTE_FLAGS, ATTRIBUTES_MAX, Attribute, CHIP_INFO, ChipInfo, Config,
    ConfigAttribute, EVENT_BYTES, EVENT_FALLING, EVENT_RISING, FLAG_BIAS_DISABLED,
    FLAG_BIAS_PULL_DOWN, FLAG_BIAS_PULL_UP, FLAG_EDGE_FALLING, FLAG_EDGE_RISING, FLAG_INPUT,
    FLAG_USED, GET_LINE, GET_VALUES, LINE_INFO, LINES_MAX, LineInfo, Request, Values, events,
};
use crate::{Source, Wanted, WantedOutput};
use contract::Bias;
use evidence::{Decimal, MonoNs};
use io_plane::outputs::Drive;
use io_plane::points::{Edge, Level};
use outputs::OutputLines;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::ioctl::{Getter, Updater, ioctl};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The lines of a chip that this process has.
#[derive(Debug)]
pub(crate) struct Chip {
    path: PathBuf,
    lines: Vec<u32>,
    /// Absent where it has outputs alone.
    request: Option<OwnedFd>,
    outputs: Option<OutputLines>,
}

impl Chip {
    /// Asks the kernel for the lines, each edge of them from now on; outputs first, so that they are safe.
    pub(crate) fn open(
        path: &Path,
        wanted: &[Wanted],
        outputs: &[WantedOutput],
        buffer: u32,
        consumer: &str,
    ) -> Result<Self, Fault> {
        let (chip, lines) = chip(path)?;
        let inputs = wanted.iter().map(|one| one.line);
        let all = || inputs.clone().chain(outputs.iter().map(|one| one.line));
        if let Some(line) = all().find(|line| *line >= lines) {
            let path = path.to_path_buf();
            return Err(Fault::NoSuchLine { path, line, lines });
        }
        let refused = |errno| match errno {
            Errno::BUSY => busy(chip.as_fd(), path, all()),
            Errno::INVAL | Errno::OPNOTSUPP => Fault::Refused(path.to_path_buf()),
            other => of_errno(path, other),
        };
        let outputs = match outputs {
            [] => None,
            some => Some(OutputLines::open(chip.as_fd(), some, consumer).map_err(refused)?),
        };
        let request = match (wanted, &outputs) {
            ([], Some(_)) => None,
            _ => {
                let mut request = request_of(wanted, buffer, consumer)
                    .ok_or_else(|| Fault::TooManyKinds(path.to_path_buf()))?;
                Some(request_lines(chip.as_fd(), &mut request).map_err(refused)?)
            }
        };
        Ok(Self {
            path: path.to_path_buf(),
            lines: inputs.clone().collect(),
            request,
            outputs,
        })
    }
}

/// Whether there is a chip that this process may use.
pub(crate) fn look(path: &Path) -> Result<(), Fault> {
    chip(path).map(drop)
}

/// The chip, and how many lines it has.
fn chip(path: &Path) -> Result<(OwnedFd, u32), Fault> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC;
    let chip = rustix::fs::open(path, flags, Mode::empty());
    let chip = chip.map_err(|errno| match errno {
        // A device file without a device behind it.
        Errno::NODEV | Errno::NXIO => Fault::Missing(path.to_path_buf()),
        Errno::ISDIR => Fault::NotAChip(path.to_path_buf()),
        other => of_errno(path, other),
    })?;
    let lines = chip_lines(chip.as_fd(), path)?;
    Ok((chip, lines))
}

impl Source for Chip {
    fn levels(&mut self) -> Result<Vec<Level>, Fault> {
        let mut levels = Vec::new();
        let gone = |errno| of_errno(&self.path, errno);
        if let Some(request) = &self.request {
            levels = levels_of(request.as_fd(), &self.lines).map_err(gone)?;
        }
        if let Some(outputs) = &self.outputs {
            levels.extend(outputs.levels().map_err(gone)?);
        }
        Ok(levels)
    }

    fn edges(&mut self, _now: MonoNs) -> Result<Vec<Edge>, Fault> {
        let mut found = Vec::new();
        let Some(request) = &self.request else {
            return Ok(found);
        };
        loop {
            let mut watched = [PollFd::new(request, PollFlags::IN)];
            let none = rustix::time::Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            };
            let ready = poll(&mut watched, Some(&none)).unwrap_or(0);
            let [watched] = watched;
            if ready == 0 {
                return Ok(found);
            }
            let mut bytes = [0u8; EVENT_BYTES * EDGES_PER_READ];
            let read = match rustix::io::read(request, &mut bytes) {
                Ok(read) => read,
                Err(Errno::INTR | Errno::AGAIN) => return Ok(found),
                // What was read before is told first; the fault is met again.
                Err(_) if !found.is_empty() => return Ok(found),
                Err(errno) => return Err(of_errno(&self.path, errno)),
            };
            if read == 0 || !watched.revents().contains(PollFlags::IN) {
                return match found.is_empty() {
                    true => Err(Fault::Gone(self.path.clone())),
                    false => Ok(found),
                };
            }
            found.extend(edges_of(bytes.get(..read).unwrap_or_default()));
            if read < bytes.len() || found.len() >= EDGES_TAKEN_MAX {
                return Ok(found);
            }
        }
    }

    fn sample(&mut self, channel: &str, _now: MonoNs) -> Result<Decimal, Fault> {
        Err(Fault::NoSuchChannel {
            path: self.path.clone(),
            channel: channel.to_owned(),
        })
    }

    fn text(&mut self, channel: &str, _now: MonoNs) -> Result<String, Fault> {
        Err(Fault::NoSuchChannel {
            path: self.path.clone(),
            channel: channel.to_owned(),
        })
    }

    fn drive(&mut self, to: &Drive, _now: MonoNs) -> Result<(), Fault> {
        let driven = match (to, &self.outputs) {
            (Drive::Line { line, high }, Some(outputs)) => outputs.drive(*line, *high),
            _ => Err(Errno::INVAL),
        };
        driven.map_err(|errno| of_errno(&self.path, errno))
    }

    fn watched(&self) -> Option<BorrowedFd<'_>> {
        self.request.as_ref().map(AsFd::as_fd)
    }

    fn next_at(&self, _now: MonoNs) -> Option<MonoNs> {
        None
    }
}

fn edges_of(bytes: &[u8]) -> impl Iterator<Item = Edge> {
    let edges = events(bytes).filter(|event| [EVENT_RISING, EVENT_FALLING].contains(&event.id));
    edges.map(|event| Edge {
        at: MonoNs(event.timestamp_ns),
        line: event.offset,
        rising: event.id == EVENT_RISING,
        line_seqno: event.line_seqno,
    })
}

/// Has the kernel give the lines; what comes back is read for edges.
#[expect(unsafe_code, reason = "an ioctl that makes a descriptor")]
fn request_lines(chip: BorrowedFd<'_>, request: &mut Request) -> Result<OwnedFd, Errno> {
    // SAFETY: `Request` is the kernel's `struct gpio_v2_line_request`, whose size the opcode carries; the
    // kernel reads it and writes `fd`.
    unsafe { ioctl(chip, Updater::<GET_LINE, Request>::new(request)) }?;
    // SAFETY: the call succeeded, so the kernel made this descriptor for us and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(request.fd) })
}

/// The levels of the lines of a request.
fn levels_of(request: BorrowedFd<'_>, lines: &[u32]) -> Result<Vec<Level>, Errno> {
    let values = values(request, mask_of(0..lines.len()))?;
    let level = |(place, line): (usize, &u32)| Level {
        line: *line,
        high: values >> place & 1 == 1,
    };
    Ok(lines.iter().enumerate().map(level).collect())
}

/// The levels of the lines of a request, a bit for each.
#[expect(unsafe_code, reason = "an ioctl")]
fn values(request: BorrowedFd<'_>, mask: u64) -> Result<u64, Errno> {
    let mut values = Values { bits: 0, mask };
    // SAFETY: `Values` is the kernel's `struct gpio_v2_line_values`, whose size the opcode carries.
    unsafe { ioctl(request, Updater::<GET_VALUES, Values>::new(&mut values)) }?;
    Ok(values.bits)
}

#[expect(unsafe_code, reason = "an ioctl")]
fn chip_lines(chip: BorrowedFd<'_>, path: &Path) -> Result<u32, Fault> {
    // SAFETY: `ChipInfo` is the kernel's `struct gpiochip_info`, plain numbers and bytes.
    let info = unsafe { ioctl(chip, Getter::<CHIP_INFO, ChipInfo>::new()) };
    match info {
        Ok(info) => Ok(info.lines),
        Err(Errno::NOTTY | Errno::INVAL) => Err(Fault::NotAChip(path.to_path_buf())),
        Err(errno) => Err(of_errno(path, errno)),
    }
}

/// Who has the first of the lines that is taken.
fn busy(chip: BorrowedFd<'_>, path: &Path, mut wanted: impl Iterator<Item = u32> + Clone) -> Fault {
    let taken = wanted.clone().find_map(|line| {
        let info = line_info(chip, line)?;
        (info.flags & FLAG_USED != 0).then(|| (line, words(&info.consumer)))
    });
    let first = wanted.next().unwrap_or(0);
    let (line, by) = taken.unwrap_or((first, String::new()));
    Fault::Busy {
        path: path.to_path_buf(),
        line,
        by,
    }
}

#[expect(unsafe_code, reason = "an ioctl")]
fn line_info(chip: BorrowedFd<'_>, line: u32) -> Option<LineInfo> {
    let attribute = Attribute {
        id: 0,
        padding: 0,
        value: [0; 8],
    };
    let mut info = LineInfo {
        name: [0; 32],
        consumer: [0; 32],
        offset: line,
        attribute_count: 0,
        flags: 0,
        attributes: [attribute; ATTRIBUTES_MAX],
        padding: [0; 4],
    };
    // SAFETY: `LineInfo` is the kernel's `struct gpio_v2_line_info`, whose size the opcode carries.
    unsafe { ioctl(chip, Updater::<LINE_INFO, LineInfo>::new(&mut info)) }.ok()?;
    Some(info)
}

/// The text of a field that ends with a zero.
fn words(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0);
    let text = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

const NO_ATTRIBUTE: ConfigAttribute = ConfigAttribute {
    attribute: Attribute {
        id: 0,
        padding: 0,
        value: [0; 8],
    },
    mask: 0,
};

fn mask_of(places: impl IntoIterator<Item = usize>) -> u64 {
    places.into_iter().fold(0, |mask, place| mask | 1 << place)
}

/// The request for these lines; `None` where they differ in more ways than one request can say.
#[expect(
    clippy::host_endian_bytes,
    reason = "the kernel reads its own structures in the byte order of the machine"
)]
fn request_of(wanted: &[Wanted], buffer: u32, consumer: &str) -> Option<Request> {
    let mut kinds: BTreeMap<(u32, [u8; 8]), u64> = BTreeMap::new();
    let base = FLAG_INPUT | FLAG_EDGE_RISING | FLAG_EDGE_FALLING;
    for (place, one) in wanted.iter().enumerate() {
        let bias = match one.bias {
            Bias::AsIs => 0,
            Bias::PullUp => FLAG_BIAS_PULL_UP,
            Bias::PullDown => FLAG_BIAS_PULL_DOWN,
            Bias::Disabled => FLAG_BIAS_DISABLED,
        };
        if bias != 0 {
            let flags = (base | bias).to_ne_bytes();
            *kinds.entry((ATTRIBUTE_FLAGS, flags)).or_default() |= mask_of([place]);
        }
        if one.debounce_us != 0 {
            let mut period = [0; 8];
            let (first, _) = period.split_at_mut(4);
            first.copy_from_slice(&one.debounce_us.to_ne_bytes());
            *kinds.entry((ATTRIBUTE_DEBOUNCE, period)).or_default() |= mask_of([place]);
        }
    }
    let mut attributes = [NO_ATTRIBUTE; ATTRIBUTES_MAX];
    if kinds.len() > attributes.len() || wanted.len() > LINES_MAX {
        return None;
    }
    let attribute_count = u32::try_from(kinds.len()).ok()?;
    for (slot, ((id, value), mask)) in attributes.iter_mut().zip(kinds) {
        let padding = 0;
        let attribute = Attribute { id, padding, value };
        *slot = ConfigAttribute { attribute, mask };
    }
    let config = Config {
        flags: base,
        attribute_count,
        padding: [0; 5],
        attributes,
    };
    request(wanted.iter().map(|one| one.line), config, buffer, consumer)
}

/// A request for lines.
fn request(
    lines: impl ExactSizeIterator<Item = u32>,
    config: Config,
    buffer: u32,
    consumer: &str,
) -> Option<Request> {
    let line_count = u32::try_from(lines.len()).ok()?;
    let mut offsets = [0; LINES_MAX];
    for (offset, line) in offsets.iter_mut().zip(lines) {
        *offset = line;
    }
    let mut name = [0; 32];
    // The last byte stays zero: it ends the name.
    for (byte, c) in name.iter_mut().take(31).zip(consumer.bytes()) {
        *byte = c;
    }
    Some(Request {
        offsets,
        consumer: name,
        config,
        line_count,
        event_buffer_size: buffer,
        padding: [0; 5],
        fd: -1,
    })
}

#[cfg(test)]
mod tests {
    use super::{Chip, request_of, words};
    use crate::{Fault, Wanted};
    use contract::Bias;
    use std::path::Path;

    fn wanted(line: u32, bias: Bias, debounce_us: u32) -> Wanted {
        Wanted {
            line,
            bias,
            debounce_us,
        }
    }

    //= R3.1
    #[test]
    #[expect(clippy::host_endian_bytes, reason = "as the kernel reads it")]
    fn lines_of_one_kind_share_an_attribute_of_the_request() {
        let lines = [
            wanted(4, Bias::AsIs, 0),
            wanted(9, Bias::PullUp, 500),
            wanted(11, Bias::PullUp, 0),
            wanted(12, Bias::PullDown, 500),
        ];
        let request = request_of(
            &lines,
            256,
            "a name that is longer than the kernel keeps of it",
        )
        .unwrap();
        assert_eq!(request.offsets[..5], [4, 9, 11, 12, 0]);
        assert_eq!((request.line_count, request.event_buffer_size), (4, 256));
        assert_eq!(words(&request.consumer), "a name that is longer than the ");
        assert_eq!(request.config.flags, 0x34, "input, both edges");
        let attributes = request.config.attributes[..3].iter();
        let found: Vec<_> = attributes
            .map(|one| (one.attribute.id, one.attribute.value, one.mask))
            .collect();
        let of = |number: u64| number.to_ne_bytes();
        let low = |number: u32| {
            let mut bytes = [0; 8];
            bytes[..4].copy_from_slice(&number.to_ne_bytes());
            bytes
        };
        assert_eq!(request.config.attribute_count, 3);
        for one in [
            (1, of(0x134), 0b0110),
            (1, of(0x234), 0b1000),
            (3, low(500), 0b1010),
        ] {
            assert!(found.contains(&one), "{one:?} in {found:?}");
        }
        let many: Vec<Wanted> = (0..11)
            .map(|line| wanted(line, Bias::AsIs, 100 + line))
            .collect();
        assert!(request_of(&many, 64, "").is_none());
    }

    //= U3
    #[test]
    fn what_is_no_chip_is_said_so() {
        let open = |path: &str| Chip::open(Path::new(path), &[], &[], 64, "test").map(drop);
        let path = |path: &str| Path::new(path).to_path_buf();
        assert_eq!(
            open("/dev/gpiochip99"),
            Err(Fault::Missing(path("/dev/gpiochip99")))
        );
        assert_eq!(open("/dev/null"), Err(Fault::NotAChip(path("/dev/null"))));
        assert_eq!(open("/dev"), Err(Fault::NotAChip(path("/dev"))));
    }
}
