//! Lines that are driven: at their level from the first moment on, or taken over as they stand.

use super::{NO_ATTRIBUTE, levels_of, line_info, mask_of, request, request_lines, values};
use crate::WantedOutput;
use crate::uapi::{
    ATTRIBUTE_VALUES, ATTRIBUTES_MAX, Attribute, Config, ConfigAttribute, FLAG_OUTPUT, LINES_MAX,
    SET_CONFIG, SET_VALUES, Values,
};
use io_plane::points::Level;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::ioctl::{Updater, ioctl};

/// The output lines of a chip that this process has.
#[derive(Debug)]
pub(super) struct OutputLines {
    lines: Vec<u32>,
    request: OwnedFd,
}

impl OutputLines {
    /// Asks for the lines as they are, then makes outputs of them. A line that is driven already and is to be kept
    /// gets the level that it has, so that it does not move.
    pub(super) fn open(
        chip: BorrowedFd<'_>,
        wanted: &[WantedOutput],
        consumer: &str,
    ) -> Result<Self, Errno> {
        let lines: Vec<u32> = wanted.iter().map(|one| one.line).collect();
        if lines.len() > LINES_MAX {
            return Err(Errno::INVAL);
        }
        let driven = |line: u32| {
            let info = line_info(chip, line);
            info.is_some_and(|info| info.flags & FLAG_OUTPUT != 0)
        };
        let kept: Vec<bool> = wanted
            .iter()
            .map(|one| one.keep && driven(one.line))
            .collect();
        let as_is = config(0, 0, 0);
        let mut asked = request(lines.iter().copied(), as_is, 0, consumer).ok_or(Errno::INVAL)?;
        let request = request_lines(chip, &mut asked)?;
        let mask = mask_of(0..lines.len());
        let stand = values(request.as_fd(), mask)?;
        let high = (0..)
            .zip(wanted.iter().zip(kept))
            .filter(|(place, (one, kept))| match kept {
                true => stand >> place & 1 == 1,
                false => one.high,
            });
        let levels = mask_of(high.map(|(place, _)| place));
        set_config(request.as_fd(), &mut config(FLAG_OUTPUT, levels, mask))?;
        Ok(Self { lines, request })
    }

    pub(super) fn levels(&self) -> Result<Vec<Level>, Errno> {
        levels_of(self.request.as_fd(), &self.lines)
    }

    pub(super) fn drive(&self, line: u32, high: bool) -> Result<(), Errno> {
        let place = self.lines.iter().position(|one| *one == line);
        let mask = mask_of(place);
        if mask == 0 {
            return Err(Errno::INVAL);
        }
        let bits = if high { mask } else { 0 };
        set_values(self.request.as_fd(), Values { bits, mask })
    }
}

/// Lines with these flags, those of the mask with these levels.
#[expect(
    clippy::host_endian_bytes,
    reason = "the kernel reads its own structures in the byte order of the machine"
)]
fn config(flags: u64, levels: u64, mask: u64) -> Config {
    let mut attributes = [NO_ATTRIBUTE; ATTRIBUTES_MAX];
    if let ([first, ..], true) = (&mut attributes, mask != 0) {
        *first = ConfigAttribute {
            attribute: Attribute {
                id: ATTRIBUTE_VALUES,
                padding: 0,
                value: levels.to_ne_bytes(),
            },
            mask,
        };
    }
    Config {
        flags,
        attribute_count: u32::from(mask != 0),
        padding: [0; 5],
        attributes,
    }
}

#[expect(unsafe_code, reason = "an ioctl")]
fn set_config(request: BorrowedFd<'_>, config: &mut Config) -> Result<(), Errno> {
    // SAFETY: `Config` is the kernel's `struct gpio_v2_line_config`, whose size the opcode carries.
    unsafe { ioctl(request, Updater::<SET_CONFIG, Config>::new(config)) }
}

#[expect(unsafe_code, reason = "an ioctl")]
fn set_values(request: BorrowedFd<'_>, mut values: Values) -> Result<(), Errno> {
    // SAFETY: `Values` is the kernel's `struct gpio_v2_line_values`, whose size the opcode carries.
    unsafe { ioctl(request, Updater::<SET_VALUES, Values>::new(&mut values)) }
}

#[cfg(test)]
mod tests {
    use super::config;
    use crate::uapi::FLAG_OUTPUT;

    //= R3.2
    #[test]
    #[expect(clippy::host_endian_bytes, reason = "as the kernel reads it")]
    fn levels_are_a_bit_for_each_line_of_the_request() {
        let driven = config(FLAG_OUTPUT, 0b101, 0b111);
        assert_eq!((driven.flags, driven.attribute_count), (8, 1));
        let first = driven.attributes[0];
        assert_eq!((first.attribute.id, first.mask), (2, 0b111));
        assert_eq!(first.attribute.value, 0b101u64.to_ne_bytes());
        let as_is = config(0, 0, 0);
        assert_eq!((as_is.flags, as_is.attribute_count), (0, 0));
    }
}
