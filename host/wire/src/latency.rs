//! Asks a driver to hand bytes over at once (`ASYNC_LOW_LATENCY`), where it knows the wish: USB adapters otherwise
//! hold them back for up to 16 ms.

use rustix::fd::{AsFd, BorrowedFd};
use rustix::io::Errno;
use rustix::ioctl::{Getter, Opcode, Setter, ioctl};

/// `TIOCGSERIAL` and `TIOCSSERIAL` of the kernel's `asm/ioctls.h`, which differ between processors.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the number has 32 bits, whatever type libc gives it"
)]
const GET: Opcode = libc::TIOCGSERIAL as Opcode;
#[expect(
    clippy::cast_possible_truncation,
    reason = "the number has 32 bits, whatever type libc gives it"
)]
const SET: Opcode = libc::TIOCSSERIAL as Opcode;
const LOW_LATENCY: i32 = 1 << 13;

/// `struct serial_struct` of `linux/serial.h`. What is not looked at goes back as it came.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
struct Settings {
    kind: i32,
    line: i32,
    port: u32,
    irq: i32,
    flags: i32,
    rest: [i32; 3],
    small: [u16; 2],
    hub6: i32,
    waits: [u16; 2],
    mapped: usize,
    shift: [u32; 2],
    base: usize,
}

/// Wishes for it; whether bytes now come at once. A driver that does not know the wish is no fault.
pub(crate) fn lower(device: impl AsFd) -> bool {
    let device = device.as_fd();
    let Ok(settings) = get(device) else {
        return false;
    };
    if settings.flags & LOW_LATENCY != 0 {
        return true;
    }
    let wished = Settings {
        flags: settings.flags | LOW_LATENCY,
        ..settings
    };
    set(device, wished).is_ok() && get(device).is_ok_and(|taken| taken.flags & LOW_LATENCY != 0)
}

#[expect(
    unsafe_code,
    reason = "no safe wrapper of TIOCGSERIAL is at hand; it writes one serial_struct and changes nothing"
)]
fn get(device: BorrowedFd<'_>) -> Result<Settings, Errno> {
    // SAFETY: the kernel writes one serial_struct, which Settings is laid out as.
    unsafe { ioctl(device, Getter::<GET, Settings>::new()) }
}

#[expect(
    unsafe_code,
    reason = "no safe wrapper of TIOCSSERIAL is at hand; it reads one serial_struct, here the driver's own with one flag more"
)]
fn set(device: BorrowedFd<'_>, settings: Settings) -> Result<(), Errno> {
    // SAFETY: the kernel reads one serial_struct, which Settings is laid out as.
    unsafe { ioctl(device, Setter::<SET, Settings>::new(settings)) }
}

#[cfg(test)]
mod tests {
    use super::{Settings, lower};
    use crate::tests::pseudo_terminal;
    use std::mem::offset_of;

    //= R5.1
    #[test]
    fn the_structure_is_laid_out_as_the_kernels() {
        assert_eq!(offset_of!(Settings, flags), 16);
        assert_eq!(offset_of!(Settings, hub6), 36);
        assert_eq!(offset_of!(Settings, waits), 40);
        let pointer = size_of::<usize>();
        let whole = if pointer == 8 { 72 } else { 60 };
        assert_eq!(size_of::<Settings>(), whole);
        assert_eq!(offset_of!(Settings, base), whole - pointer);
    }

    #[test]
    fn a_pseudo_terminal_has_no_such_wish() {
        let (_master, device) = pseudo_terminal();
        let device = std::fs::File::open(device).unwrap();
        assert!(!lower(&device));
    }
}
