//! A transceiver that the kernel's driver switches (`TIOCSRS485`), and what the driver made of the wish.

use contract::{Echo, Rs485, RtsLevel};
use rustix::fd::AsFd;
use rustix::io::Errno;
use rustix::ioctl::{Opcode, Updater, ioctl};

/// `TIOCSRS485` of the kernel's `asm/ioctls.h`, which differs between processors.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the number has 32 bits, whatever type libc gives it"
)]
const SET: Opcode = libc::TIOCSRS485 as Opcode;

const ENABLED: u32 = 1;
const RTS_ON_SEND: u32 = 1 << 1;
const RTS_AFTER_SEND: u32 = 1 << 2;
const RX_DURING_TX: u32 = 1 << 4;

/// `struct serial_rs485` of `linux/serial.h`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Mode {
    flags: u32,
    before_ms: u32,
    after_ms: u32,
    rest: [u32; 5],
}

impl Mode {
    fn wished(rs485: &Rs485, echo: Echo) -> Self {
        let rts = match rs485.rts {
            RtsLevel::High => RTS_ON_SEND,
            RtsLevel::Low => RTS_AFTER_SEND,
        };
        let heard = match echo {
            Echo::Heard => RX_DURING_TX,
            Echo::None => 0,
        };
        let ms = |ms: u64| u32::try_from(ms).unwrap_or(u32::MAX);
        Self {
            flags: ENABLED | rts | heard,
            before_ms: ms(rs485.before_ms),
            after_ms: ms(rs485.after_ms),
            rest: [0; 5],
        }
    }

    /// What of the wish the driver left out, in words.
    fn left_out(&self, taken: &Self) -> Vec<String> {
        let mut out = Vec::new();
        let has = |mode: &Self, flag: u32| mode.flags & flag != 0;
        let level = |mode: &Self| {
            if has(mode, RTS_ON_SEND) {
                "high"
            } else {
                "low"
            }
        };
        if level(self) != level(taken) {
            out.push(format!(
                "RTS is {} while it sends, not {}",
                level(taken),
                level(self)
            ));
        }
        match (has(self, RX_DURING_TX), has(taken, RX_DURING_TX)) {
            (true, false) => {
                out.push("it does not listen while it sends: there will be no echo".to_owned())
            }
            (false, true) => {
                out.push("it listens while it sends: write echo = \"heard\"".to_owned())
            }
            _ => {}
        }
        for (key, wished, taken) in [
            ("rs485_before", self.before_ms, taken.before_ms),
            ("rs485_after", self.after_ms, taken.after_ms),
        ] {
            if wished != taken {
                out.push(format!("{key} is {taken}ms, not {wished}ms"));
            }
        }
        out
    }
}

/// Has the driver switch the transceiver; what it left out of the wish.
///
/// # Errors
/// It does not switch at all, in words: then nothing this port sends would leave.
pub(crate) fn apply(device: impl AsFd, rs485: &Rs485, echo: Echo) -> Result<Vec<String>, String> {
    let wished = Mode::wished(rs485, echo);
    let refused = |why: &str| {
        Err(format!(
            "its driver does not switch an RS-485 transceiver ({why}): write rs485 = \"adapter\" if the adapter does \
             by itself, or use a port whose driver can"
        ))
    };
    match set(device, wished) {
        Ok(taken) if taken.flags & ENABLED == 0 => {
            refused("it took the wish and left the mode off")
        }
        Ok(taken) => Ok(wished.left_out(&taken)),
        Err(errno) => refused(&errno.to_string()),
    }
}

#[expect(
    unsafe_code,
    reason = "no safe wrapper of TIOCSRS485 is at hand; it reads one serial_rs485 and writes back what was taken"
)]
fn set(device: impl AsFd, mut mode: Mode) -> Result<Mode, Errno> {
    // SAFETY: the kernel reads and writes one serial_rs485, which Mode is laid out as.
    unsafe { ioctl(device, Updater::<SET, Mode>::new(&mut mode)) }?;
    Ok(mode)
}

#[cfg(test)]
mod tests {
    use super::{ENABLED, Mode, RTS_AFTER_SEND, RTS_ON_SEND, RX_DURING_TX, apply};
    use crate::tests::pseudo_terminal;
    use contract::{Echo, Rs485, RtsLevel};

    fn wish(rts: RtsLevel) -> Rs485 {
        Rs485 {
            rts,
            before_ms: 3,
            after_ms: 1,
        }
    }

    //= R5.1
    #[test]
    fn the_wish_is_what_the_kernel_calls_it() {
        assert_eq!(size_of::<Mode>(), 32);
        let high = Mode::wished(&wish(RtsLevel::High), Echo::None);
        assert_eq!(
            (high.flags, high.before_ms, high.after_ms),
            (ENABLED | RTS_ON_SEND, 3, 1)
        );
        let low = Mode::wished(&wish(RtsLevel::Low), Echo::Heard);
        assert_eq!(low.flags, ENABLED | RTS_AFTER_SEND | RX_DURING_TX);
    }

    //= A2.5
    #[test]
    fn what_a_driver_leaves_out_is_said() {
        let wished = Mode::wished(&wish(RtsLevel::High), Echo::Heard);
        assert_eq!(wished.left_out(&wished), Vec::<String>::new());
        let taken = Mode {
            flags: ENABLED | RTS_AFTER_SEND,
            before_ms: 0,
            ..wished
        };
        assert_eq!(
            wished.left_out(&taken),
            [
                "RTS is low while it sends, not high",
                "it does not listen while it sends: there will be no echo",
                "rs485_before is 0ms, not 3ms",
            ]
        );
        let deaf = Mode::wished(&wish(RtsLevel::High), Echo::None);
        assert_eq!(
            deaf.left_out(&wished),
            ["it listens while it sends: write echo = \"heard\""]
        );
    }

    //= A2.5
    #[test]
    fn a_pseudo_terminal_switches_nothing() {
        let (_master, device) = pseudo_terminal();
        let device = std::fs::File::open(device).unwrap();
        let words = apply(&device, &wish(RtsLevel::High), Echo::None).unwrap_err();
        assert!(words.contains("rs485 = \"adapter\""), "{words}");
    }
}
