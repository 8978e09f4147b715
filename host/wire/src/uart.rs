//! What a UART counted since it was last asked (`TIOCGICOUNT`).

use io_plane::UartErrors;
use rustix::fd::AsFd;
use rustix::ioctl::{Getter, Opcode, ioctl};

/// `TIOCGICOUNT` of the kernel's `asm/ioctls.h`, which differs between processors.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the number has 32 bits, whatever type libc gives it"
)]
const GET_COUNTS: Opcode = libc::TIOCGICOUNT as Opcode;

/// `struct serial_icounter_struct` of `linux/serial.h`. The kernel's numbers are 32 bits wide and come round.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Changes of the modem lines.
    lines: [u32; 4],
    received: u32,
    sent: u32,
    framing: u32,
    overrun: u32,
    parity: u32,
    breaks: u32,
    buffer_overrun: u32,
    reserved: [u32; 9],
}

/// What it has counted so far; `None` where the driver does not count, as that of a pseudo-terminal.
#[expect(
    unsafe_code,
    reason = "no safe wrapper of TIOCGICOUNT is at hand; it writes one serial_icounter_struct and changes nothing"
)]
pub(crate) fn counts(device: impl AsFd) -> Option<Counts> {
    // SAFETY: the kernel writes one serial_icounter_struct, which Counts is laid out as.
    unsafe { ioctl(device, Getter::<GET_COUNTS, Counts>::new()) }.ok()
}

impl Counts {
    /// What was counted between two looks.
    pub(crate) fn since(&self, before: &Self) -> UartErrors {
        let between = |now: u32, before: u32| u64::from(now.wrapping_sub(before));
        UartErrors {
            framing: between(self.framing, before.framing),
            parity: between(self.parity, before.parity),
            overrun: between(self.overrun, before.overrun),
            buffer_overrun: between(self.buffer_overrun, before.buffer_overrun),
            breaks: between(self.breaks, before.breaks),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, counts};
    use crate::tests::pseudo_terminal;
    use io_plane::UartErrors;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    //= R5.1
    #[test]
    fn the_structure_is_as_long_as_the_kernels() {
        assert_eq!(size_of::<Counts>(), 80);
        assert_eq!(core::mem::offset_of!(Counts, framing), 24);
        assert_eq!(core::mem::offset_of!(Counts, buffer_overrun), 40);
    }

    //= A2.5
    #[test]
    fn a_pseudo_terminal_counts_nothing() {
        let (_master, device) = pseudo_terminal();
        let device = std::fs::File::open(device).unwrap();
        assert_eq!(counts(&device), None);
    }

    proptest! {
        //= R5.1
        #[test]
        fn each_number_comes_round_for_itself(
            from in any::<[u32; 5]>(),
            more in any::<[u32; 5]>(),
        ) {
            let counts = |[framing, parity, overrun, breaks, buffer_overrun]: [u32; 5]| Counts {
                framing,
                parity,
                overrun,
                breaks,
                buffer_overrun,
                ..Counts::default()
            };
            let mut now = from;
            for (now, more) in now.iter_mut().zip(more) {
                *now = now.wrapping_add(more);
            }
            let [framing, parity, overrun, breaks, buffer_overrun] = more.map(u64::from);
            prop_assert_eq!(
                counts(now).since(&counts(from)),
                UartErrors { framing, parity, overrun, breaks, buffer_overrun }
            );
        }
    }
}
