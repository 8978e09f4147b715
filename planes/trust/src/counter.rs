//! When the plain counter moves, what that costs its flash, and what it leaves unseen.

use crate::backend::Capabilities;
use crate::limits::{FLASH_CYCLES, ORDERLY_STEPS_A_WRITE};
use alloc::format;
use alloc::string::String;
use evidence::BootId;

const YEAR_S: u64 = 365 * 86_400;

/// When the plain counter moved last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlainMark {
    /// In which boot.
    pub boot: BootId,
    /// At which instant of its monotonic clock, in nanoseconds.
    pub at_ns: u64,
    /// The value that it moves to: durable before it does, so that a cut between the step and the log's entry is not
    /// taken for a rollback. Marks of earlier versions have none.
    pub value: Option<u64>,
}

impl PlainMark {
    /// Whether the counter is due again: in another boot at once, in the same one after the interval.
    #[must_use]
    pub fn is_due(last: Option<Self>, now: Self, every_ns: u64) -> bool {
        match last {
            Some(last) if last.boot == now.boot => {
                // A mark from after now is of no clock that this boot had.
                now.at_ns
                    .checked_sub(last.at_ns)
                    .is_none_or(|since| since >= every_ns)
            }
            _ => true,
        }
    }

    /// Whether the value that it was moved to last is one that the log does not show.
    #[must_use]
    pub fn is_unseen(last: Option<Self>, shown: Option<u64>) -> bool {
        let marked = last.and_then(|last| last.value);
        marked
            .zip(shown)
            .is_some_and(|(marked, shown)| marked > shown)
    }
}

/// The longest stretch that a rollback from within could take away unseen while no collector has it and seals come, in
/// nanoseconds; `None` where it is unlimited, because there is no counter or its state is a file.
///
/// Two intervals: a cut between a step and its entry leaves the counter one ahead of the log, and whoever puts an older
/// disk back can write its mark so that it looks like that. While no seals come the counter stands still.
/// The orderly counter alone shows nothing: with a cut of power it skips as much as the rollback hides.
#[must_use]
pub const fn window_ns(
    capabilities: Capabilities,
    plain_every_ns: u64,
    seal_every_ns: u64,
) -> Option<u64> {
    if capabilities.monotonic_counter && capabilities.custody.is_hardware() {
        let steps = plain_every_ns.saturating_add(plain_every_ns);
        Some(steps.saturating_add(seal_every_ns))
    } else {
        None
    }
}

/// Writes to the flash of a TPM in a year at the most, of the plain counter and of the orderly one, for a machine that
/// starts so often: a boot moves the plain one at once and begins its interval anew, and has the orderly one saved.
#[must_use]
pub fn writes_a_year(plain_every_s: u64, seal_every_s: u64, boots: u64) -> (u64, u64) {
    let steps = |every_s: u64| YEAR_S.checked_div(every_s).unwrap_or(u64::MAX);
    let orderly = steps(seal_every_s).div_ceil(ORDERLY_STEPS_A_WRITE);
    (
        steps(plain_every_s).saturating_add(boots),
        orderly.saturating_add(boots),
    )
}

/// How long the flash lasts, in words.
#[must_use]
pub fn wear_words(plain_every_s: u64, seal_every_s: u64) -> String {
    let (plain, orderly) = writes_a_year(plain_every_s, seal_every_s, 0);
    format!(
        "the plain counter moves at most every {plain_every_s} s and once a boot: {plain} writes a year, {} years \
         of {FLASH_CYCLES}; the orderly one with each checkpoint: {orderly} writes a year; each boot adds at the most \
         one write to either",
        FLASH_CYCLES.checked_div(plain).unwrap_or(0)
    )
}

#[cfg(test)]
mod tests {
    use super::{PlainMark, wear_words, window_ns, writes_a_year};
    use crate::backend::Capabilities;
    use crate::limits::{FLASH_CYCLES, PLAIN_EVERY_S};
    use evidence::BootId;
    use evidence::reasons::Custody;

    const MINUTE_NS: u64 = 60_000_000_000;

    //= A6.4
    #[test]
    fn the_plain_counter_moves_once_a_boot_and_then_at_its_interval() {
        let mark = |boot: u8, at_ns| PlainMark {
            boot: BootId([boot; 16]),
            at_ns,
            value: None,
        };
        let every = 30 * MINUTE_NS;
        for (last, now, due) in [
            (None, mark(1, 5), true),
            (Some(mark(1, 5)), mark(1, 5), false),
            (Some(mark(1, 5)), mark(1, 4 + every), false),
            (Some(mark(1, 5)), mark(1, 5 + every), true),
            (Some(mark(1, 5)), mark(2, 5), true),
            (Some(mark(1, 5)), mark(1, 4), true),
        ] {
            assert_eq!(PlainMark::is_due(last, now, every), due, "{last:?} {now:?}");
        }
    }

    //= A6.4
    #[test]
    fn a_window_is_stated_only_for_a_counter_that_is_no_file() {
        for custody in Custody::ALL {
            let capabilities = Capabilities {
                custody: *custody,
                monotonic_counter: true,
                ..Capabilities::SOFTWARE
            };
            let window = window_ns(capabilities, 30 * MINUTE_NS, MINUTE_NS);
            assert_eq!(window, custody.is_hardware().then_some(61 * MINUTE_NS));
        }
        let without = Capabilities {
            custody: Custody::Pkcs11,
            ..Capabilities::SOFTWARE
        };
        assert_eq!(window_ns(without, 1, 1), None);
    }

    /// The numbers of docs/decisions/trust-backends.md.
    //= A6.4
    #[test]
    fn the_flash_lasts_as_long_as_the_document_says() {
        assert_eq!(writes_a_year(PLAIN_EVERY_S, 60, 0), (17_520, 2_062));
        let hourly = writes_a_year(PLAIN_EVERY_S, 60, 365 * 24);
        assert_eq!(hourly, (26_280, 10_822));
        assert_eq!(FLASH_CYCLES / hourly.0, 19);
        // And those of docs/measurements.md.
        for (plain_s, seal_s, boots, writes, years) in [
            (900, 60, 0, (35_040, 2_062), 14),
            (900, 60, 365 * 24, (43_800, 10_822), 11),
            (PLAIN_EVERY_S, 10, 0, (17_520, 12_368), 28),
            (60, 60, 0, (525_600, 2_062), 0),
        ] {
            let found = writes_a_year(plain_s, seal_s, boots);
            assert_eq!((found, FLASH_CYCLES / found.0), (writes, years));
        }
        let words = wear_words(PLAIN_EVERY_S, 60);
        assert!(
            words.contains("17520 writes a year, 28 years of 500000"),
            "{words}"
        );
        assert!(wear_words(900, 60).contains("14 years"));
    }
}
