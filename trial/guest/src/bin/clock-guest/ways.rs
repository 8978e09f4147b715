//! The ways in which a clock is moved while the node runs, and what it has to say of each.

use crate::station::{self, RTC_MOVED, Station, Told, wait_for};
use crate::tally::{Tally, Tried};
use std::time::Duration;
use trial::Random;
use trial_guest::Guest;

/// What a clock is moved by where a way leaves that open, in nanoseconds.
const STEP_NS: i64 = 2_000_000;
/// What is told may differ from what was done: clocks are read one after the other.
const TOLERANCE_NS: u64 = 300_000;
/// A move is told by then.
const TOLD_WITHIN_S: u64 = 60;
/// And nothing else follows in this time.
const QUIET: Duration = Duration::from_secs(5);
/// How long the machine stands still or sleeps.
const STILL: Duration = Duration::from_secs(3);

/// The cause of a step that chronyd made.
const DAEMON: &str = "daemon_correction";

/// What has to be told.
#[derive(Clone, Copy, Debug)]
enum Expected {
    /// These jumps of the clock, by their causes.
    Jumps(&'static [&'static str]),
    /// No jump, and that the real-time clock moved, with this cause.
    Rtc(&'static str),
}

/// Who holds the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    Nobody,
    Chronyd,
    Ptp4l,
}

impl Holder {
    const ALL: [Self; 3] = [Self::Nobody, Self::Chronyd, Self::Ptp4l];

    /// Has it hold the clock, behind the one before it.
    fn begin(self, guest: &mut Guest) -> Result<(), String> {
        match self {
            Self::Nobody => return Ok(()),
            Self::Chronyd => station::start_true_time(guest, 0)?,
            Self::Ptp4l => {
                station::stop_true_time(guest)?;
                station::start_grandmaster(guest)?;
            }
        }
        station::synced(guest)
    }
}

/// How a clock is moved.
struct Way {
    what: &'static str,
    expected: Expected,
    /// Who holds the clock meanwhile.
    holder: Holder,
    /// Moves it; gives by how much in nanoseconds, where the way does not leave that to somebody else.
    act: fn(&mut Guest, i64) -> Result<Option<i64>, String>,
}

const WAYS: &[Way] = &[
    Way {
        what: "clock_settime by a program that nobody knows",
        expected: Expected::Jumps(&["set_by_program"]),
        holder: Holder::Nobody,
        act: set,
    },
    Way {
        what: "adjtimex with ADJ_SETOFFSET by a program that nobody knows",
        expected: Expected::Jumps(&["set_by_program"]),
        holder: Holder::Nobody,
        act: |guest, by_ns| {
            let sign = if by_ns < 0 { "-" } else { "" };
            let micros = by_ns.unsigned_abs() / 1_000;
            guest.do_it(&format!(
                "phc_ctl CLOCK_REALTIME -- adj {sign}0.{micros:06}"
            ))?;
            Ok(Some(by_ns))
        },
    },
    Way {
        what: "hwclock --hctosys",
        expected: Expected::Jumps(&["set_by_program"]),
        holder: Holder::Nobody,
        act: |guest, _| {
            guest.do_it("/programs/hwclock --hctosys --utc --noadjfile")?;
            Ok(None)
        },
    },
    Way {
        what: "the real-time clock set an hour back",
        expected: Expected::Rtc("rtc_set"),
        holder: Holder::Nobody,
        act: |guest, _| {
            guest.do_it("/programs/hwclock --set --utc --noadjfile --date \"$(date -u -d @$(( $(date +%s) - 3600 )) '+%Y-%m-%d %H:%M:%S')\"")?;
            Ok(None)
        },
    },
    Way {
        what: "the machine stands still and nobody tells it",
        expected: Expected::Rtc("rtc_ran_on"),
        holder: Holder::Nobody,
        act: |guest, _| {
            guest.power.order("stop")?;
            std::thread::sleep(STILL);
            guest.power.order("cont")?;
            Ok(None)
        },
    },
    Way {
        what: "the machine sleeps",
        expected: Expected::Jumps(&["machine_slept"]),
        holder: Holder::Nobody,
        act: |guest, _| {
            const SLEEP: &str = "echo mem > /sys/power/state";
            guest.begin(SLEEP)?;
            std::thread::sleep(STILL);
            guest.power.order("system_wakeup")?;
            match guest.end(SLEEP)? {
                (0, _) => Ok(None),
                (code, said) => Err(format!("`{SLEEP}` ended with {code}: {said}")),
            }
        },
    },
    Way {
        what: "chronyd makes a step that it has measured",
        expected: Expected::Jumps(&[DAEMON]),
        holder: Holder::Chronyd,
        act: lead,
    },
    Way {
        what: "clock_settime under a chronyd that makes it good",
        expected: Expected::Jumps(&["set_by_program", DAEMON]),
        holder: Holder::Chronyd,
        // Twice as far: what is left when it is done must be worth a step to chronyd.
        act: |guest, by_ns| set(guest, 2 * by_ns),
    },
    Way {
        what: "ptp4l makes a step that it has measured",
        expected: Expected::Jumps(&[DAEMON]),
        holder: Holder::Ptp4l,
        act: lead,
    },
    Way {
        what: "clock_settime under a ptp4l that makes it good",
        expected: Expected::Jumps(&["set_by_program", DAEMON]),
        holder: Holder::Ptp4l,
        act: |guest, by_ns| set(guest, 2 * by_ns),
    },
];

/// Moves the time that the daemon follows, and with it what the daemon has to do.
fn lead(guest: &mut Guest, by_ns: i64) -> Result<Option<i64>, String> {
    guest.do_it(&format!(
        "echo $(( $(cat /run/ahead) + {by_ns} )) > /run/ahead"
    ))?;
    Ok(Some(by_ns))
}

fn set(guest: &mut Guest, by_ns: i64) -> Result<Option<i64>, String> {
    let said = guest.do_it(&format!("clock-guest set --by {by_ns}"))?;
    let moved = said.trim().parse();
    moved
        .map(Some)
        .map_err(|_| format!("set printed {said:?}, no number"))
}

/// Every way, in a direction that the seed draws.
pub(crate) fn ways(station: &Station, seed: u64, tally: &mut Tally) -> Result<(), String> {
    let mut random = Random::new(seed);
    let mut guest = station.boot("utc")?;
    station::start_node(&mut guest)?;
    for holder in Holder::ALL {
        holder.begin(&mut guest)?;
        std::thread::sleep(QUIET);
        for way in WAYS.iter().filter(|way| way.holder == holder) {
            let sign = if random.between(0, 2) == 0 { -1 } else { 1 };
            tried(&mut guest, way, sign * STEP_NS, tally)?;
        }
    }
    station::stop_node(&mut guest)
}

/// One way, once.
fn tried(guest: &mut Guest, way: &Way, by_ns: i64, tally: &mut Tally) -> Result<(), String> {
    let known = station::newest(guest)?;
    let began = clocks::mono();
    let moved_ns = (way.act)(guest, by_ns)?;
    wait_for(TOLD_WITHIN_S, || {
        let now = station::history(guest)?;
        let told = match way.expected {
            Expected::Jumps(causes) => station::jumps(&now, known).len() >= causes.len(),
            Expected::Rtc(_) => !station::events(&now, known, RTC_MOVED).is_empty(),
        };
        Ok(told.then_some(()))
    })?;
    let told_after_ms = clocks::mono().since(began) / 1_000_000;
    std::thread::sleep(QUIET);
    let after = station::history(guest)?;
    let mut jumps = Vec::new();
    for (_, entry) in station::jumps(&after, known) {
        jumps.extend(station::why_before(guest, &entry)?);
    }
    let events = station::events(&after, known, RTC_MOVED);
    let (expected, held) = match way.expected {
        Expected::Jumps(causes) => (
            causes.join(", "),
            events.is_empty() && jumps_are(&jumps, causes, moved_ns),
        ),
        Expected::Rtc(cause) => (
            format!("{RTC_MOVED}: {cause}"),
            jumps.is_empty()
                && events.len() == 1
                && events.iter().all(|told| told.starts_with(cause)),
        ),
    };
    let told = jumps.iter().map(Told::line);
    let told: Vec<String> = told.chain(events).collect();
    tally.take(Tried {
        what: way.what,
        expected,
        told: told.join("; "),
        held,
        told_after_ms,
    });
    Ok(())
}

/// Whether these jumps and no others were told, each of its size. A daemon makes good in one step or in several: its
/// cause may be told again, and what it does not step it slews.
fn jumps_are(jumps: &[Told], causes: &[&str], moved_ns: Option<i64>) -> bool {
    let again = causes.last().filter(|cause| **cause == DAEMON);
    let more = std::iter::repeat_with(|| again).map_while(|again| again);
    let all: Vec<&&str> = causes.iter().chain(more).take(jumps.len()).collect();
    let named = jumps.len() >= causes.len()
        && jumps.len() == all.len()
        && jumps
            .iter()
            .zip(all)
            .all(|(jump, cause)| jump.cause == **cause && jump.explained);
    named && moved_ns.is_none_or(|moved_ns| are_sized(jumps, moved_ns))
}

/// Whether a stranger's jump is what was done, and a daemon's jumps together are about what it had to do: to take the
/// stranger's back, or where there is none, the same way. It steps by its estimate, and three quarters may be missing
/// or too much.
fn are_sized(jumps: &[Told], moved_ns: i64) -> bool {
    let (by_daemon, by_strangers): (Vec<&Told>, Vec<&Told>) =
        jumps.iter().partition(|jump| jump.cause == DAEMON);
    let due_ns = if by_strangers.is_empty() {
        moved_ns
    } else {
        -moved_ns
    };
    let made_good_ns: i64 = by_daemon.iter().map(|jump| jump.signed_ns()).sum();
    by_strangers
        .iter()
        .all(|jump| jump.signed_ns().abs_diff(moved_ns) <= TOLERANCE_NS)
        && (by_daemon.is_empty() || made_good_ns.abs_diff(due_ns) < due_ns.unsigned_abs() / 4 * 3)
}

#[cfg(test)]
mod tests {
    use super::{DAEMON, jumps_are};
    use crate::station::Told;

    fn told(cause: &str, by_ns: i64) -> Told {
        Told {
            kind: "step".into(),
            cause: cause.into(),
            magnitude_ns: by_ns.unsigned_abs(),
            direction: if by_ns < 0 { "backward" } else { "forward" }.into(),
            explained: cause != "unexplained",
        }
    }

    //= R1.2
    #[test]
    fn what_is_told_wrongly_twice_or_not_at_all_does_not_hold() {
        let set = told("set_by_program", 2_000_000);
        let back = told(DAEMON, -2_000_000);
        let both = ["set_by_program", DAEMON];
        let moved = Some(2_000_000);
        assert!(jumps_are(&[told(DAEMON, 1_900_000)], &both[1..], moved));
        assert!(jumps_are(std::slice::from_ref(&set), &both[..1], moved));
        assert!(jumps_are(&[set.clone(), back.clone()], &both, moved));
        // In two steps.
        assert!(jumps_are(
            &[
                set.clone(),
                told(DAEMON, -1_200_000),
                told(DAEMON, -700_000)
            ],
            &both,
            moved
        ));
        for (jumps, causes, moved_ns) in [
            (vec![], &both[..1], moved),
            (vec![set.clone()], &both[..], moved),
            (vec![set.clone(), set.clone()], &both[..1], moved),
            (vec![back.clone(), set.clone()], &both[..], moved),
            (vec![told("unexplained", 2_000_000)], &both[..1], moved),
            (vec![set.clone()], &both[..1], Some(-2_000_000)),
            (vec![set.clone()], &both[..1], Some(4_000_000)),
            // Made good the wrong way, by a fifth, or twice.
            (vec![set.clone(), told(DAEMON, 2_000_000)], &both[..], moved),
            (vec![set.clone(), told(DAEMON, -400_000)], &both[..], moved),
            (vec![back.clone()], &both[1..], moved),
            (vec![told(DAEMON, 4_000_000)], &both[1..], moved),
        ] {
            assert!(!jumps_are(&jumps, causes, moved_ns), "{jumps:?} {causes:?}");
        }
    }
}
