//! IEEE C37.118: message time quality, PMU time quality and unlocked time.

use super::{is_failed, is_locked};
use evidence::Stamp;

const SECOND_NS: u64 = 1_000_000_000;
/// MSG_TQ of a clock that is not reliable.
const MSG_TQ_FAULT: u8 = 0xF;
/// PMU_TQ of an error of more than 10 ms, or an unknown one.
const PMU_TQ_WORST: u8 = 7;

/// The time's quality in a frame of a phasor measurement unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct C37Quality {
    /// MSG_TQ, the low four bits of the time quality octet: 0 locked, 1 to 0xB within 1 ns to 10 s,
    /// 0xF not reliable.
    pub msg_tq: u8,
    /// PMU_TQ, STAT bits 8 to 6: 1 below 100 ns, to 6 below 10 ms, 7 worse or unknown.
    pub pmu_tq: u8,
    /// Unlocked time, STAT bits 5 to 4: 0 locked or below 10 s, 1 below 100 s, 2 below 1,000 s, 3 more.
    pub unlocked: u8,
}

/// The time's quality in the words of IEEE C37.118.2 (tables 2 and 6). A stamp does not say since when
/// the clock is unlocked; `unlocked_ns` does, and is `None` where it never was locked.
///
/// Lost: in MSG_TQ the bound of a locked clock, and of an unlocked one all but its decade; in PMU_TQ
/// all but the decade, and everything below 100 ns or from 10 ms on; of the unlocked time all but four
/// steps; the reason everywhere.
#[must_use]
pub fn c37118(stamp: &Stamp, unlocked_ns: Option<u64>) -> C37Quality {
    let locked = is_locked(stamp);
    C37Quality {
        msg_tq: match stamp.bound_ns {
            _ if is_failed(stamp) => MSG_TQ_FAULT,
            None => MSG_TQ_FAULT,
            Some(_) if locked => 0,
            Some(bound_ns) => msg_tq(bound_ns),
        },
        pmu_tq: stamp.bound_ns.map_or(PMU_TQ_WORST, pmu_tq),
        unlocked: if locked { 0 } else { unlocked(unlocked_ns) },
    }
}

/// The smallest code whose decade holds the bound: 1 is 1 ns, each further one ten times as much.
fn msg_tq(bound_ns: u64) -> u8 {
    let mut within_ns = 1;
    for code in 1..=0xB {
        if bound_ns <= within_ns {
            return code;
        }
        within_ns *= 10;
    }
    MSG_TQ_FAULT
}

fn pmu_tq(bound_ns: u64) -> u8 {
    match bound_ns {
        0..100 => 1,
        100..1_000 => 2,
        1_000..10_000 => 3,
        10_000..100_000 => 4,
        100_000..1_000_000 => 5,
        1_000_000..10_000_000 => 6,
        10_000_000.. => PMU_TQ_WORST,
    }
}

fn unlocked(unlocked_ns: Option<u64>) -> u8 {
    match unlocked_ns.map(|ns| ns / SECOND_NS) {
        Some(0..10) => 0,
        Some(10..100) => 1,
        Some(100..1_000) => 2,
        Some(1_000..) | None => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::{MSG_TQ_FAULT, msg_tq, pmu_tq, unlocked};

    #[test]
    fn each_code_ends_where_the_standard_says() {
        let mut within_ns = 1;
        for code in 1..=0xB {
            assert_eq!(msg_tq(within_ns), code);
            assert_eq!(
                msg_tq(within_ns + 1),
                if code == 0xB { MSG_TQ_FAULT } else { code + 1 }
            );
            within_ns *= 10;
        }
        assert_eq!(msg_tq(10_000_000_000), 0xB);
        assert_eq!(msg_tq(u64::MAX), MSG_TQ_FAULT);
        for (edge_ns, code) in [
            (100, 1),
            (1_000, 2),
            (10_000, 3),
            (100_000, 4),
            (1_000_000, 5),
            (10_000_000, 6),
        ] {
            assert_eq!((pmu_tq(edge_ns - 1), pmu_tq(edge_ns)), (code, code + 1));
        }
        for (edge_s, code) in [(10, 0), (100, 1), (1_000, 2)] {
            assert_eq!(unlocked(Some(edge_s * 1_000_000_000 - 1)), code);
            assert_eq!(unlocked(Some(edge_s * 1_000_000_000)), code + 1);
        }
        assert_eq!(unlocked(None), 3);
    }
}
