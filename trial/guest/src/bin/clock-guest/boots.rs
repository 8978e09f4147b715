//! Boots with a real-time clock that lies.

use crate::station::{self, RTC_MOVED, Station, Told, wait_for};
use crate::tally::{Tally, Tried};
use serde_json::Value;
use std::time::Duration;
use trial_guest::Guest;

/// By how much the true time is ahead of a real-time clock that the kernel then sets, in nanoseconds.
const RTC_BEHIND_NS: i64 = 3_000_000_000;
/// The kernel sets the real-time clock within seconds after somebody told it that its clock is held.
const RTC_SET_WITHIN_S: u64 = 30;
/// What a real-time clock begins with, and its day.
const RTC_BASE: &str = "2027-01-01T00:00:00";
const RTC_DAY: &str = "2027-01-01T00:";
/// Counters are taken once a minute, and the drift takes some seconds to be known.
const COUNTED_WITHIN_S: u64 = 240;
/// What is told of a boot is told by then.
const TOLD_WITHIN_S: u64 = 60;
/// And nothing else follows in this time.
const QUIET: Duration = Duration::from_secs(5);

/// What a boot begins with, and the jump that `time why` has to tell.
struct Boot {
    what: &'static str,
    rtc: &'static str,
    /// Kind and cause; `None` where the clock only went on.
    expected: Option<(&'static str, &'static str)>,
    /// Whether the node is ended by the machine's power.
    cut: bool,
    bounded: bool,
}

const BOOTS: &[Boot] = &[
    Boot {
        what: "the machine boots in 1970",
        rtc: "1970-01-01T00:00:10",
        expected: Some(("reset_at_boot", "boot_clock")),
        cut: true,
        bounded: true,
    },
    Boot {
        what: "the machine boots in 2020, after 1970",
        rtc: "2020-02-29T12:00:00",
        expected: None,
        cut: false,
        bounded: false,
    },
    Boot {
        what: "the machine boots in 2031",
        rtc: "2031-05-01T00:00:00",
        expected: None,
        cut: false,
        bounded: false,
    },
    Boot {
        what: "the machine boots in the present, after 2031",
        rtc: "utc",
        expected: Some(("reset_at_boot", "boot_clock")),
        cut: false,
        bounded: false,
    },
];

/// Every boot, each on the log that the others left.
pub(crate) fn boots(station: &Station, bounded: bool, tally: &mut Tally) -> Result<(), String> {
    for boot in BOOTS.iter().filter(|boot| boot.bounded || !bounded) {
        let began = clocks::mono();
        let mut guest = station.boot(boot.rtc)?;
        let known = station::newest(&mut guest)?;
        station::start_node(&mut guest)?;
        if boot.expected.is_some() {
            wait_for(TOLD_WITHIN_S, || {
                let jumps = station::jumps(&station::history(&mut guest)?, known);
                Ok(jumps.iter().any(|(jump, _)| jump.explained).then_some(()))
            })?;
        }
        let told_after_ms = clocks::mono().since(began) / 1_000_000;
        std::thread::sleep(QUIET);
        let mut jumps = Vec::new();
        for (_, entry) in station::jumps(&station::history(&mut guest)?, known) {
            jumps.extend(station::why_before(&mut guest, &entry)?);
        }
        let told: Vec<String> = jumps.iter().map(Told::line).collect();
        let right = |told: &Told| {
            boot.expected == Some((told.kind.as_str(), told.cause.as_str())) && told.explained
        };
        let verified = guest.run("fieldnotary verify /ext4/node")?.0 == 0;
        tally.take(Tried {
            what: boot.what,
            expected: match boot.expected {
                Some((kind, cause)) => format!("{kind}: {cause}"),
                None => "no jump".into(),
            },
            told: format!("{}; verified {verified}", told.join("; ")),
            held: verified
                && told.len() == usize::from(boot.expected.is_some())
                && jumps.iter().all(right),
            told_after_ms,
        });
        if !boot.cut {
            station::stop_node(&mut guest)?;
        }
    }
    Ok(())
}

/// The kernel sets the real-time clock by a clock that a daemon holds: that is nobody's alteration.
pub(crate) fn eleven_minutes(station: &Station, tally: &mut Tally) -> Result<(), String> {
    let mut guest = station.boot("utc")?;
    station::start_node(&mut guest)?;
    std::thread::sleep(QUIET);
    let known = station::newest(&mut guest)?;
    let began = clocks::mono();
    station::start_true_time(&mut guest, RTC_BEHIND_NS)?;
    station::synced(&mut guest)?;
    let set = wait_for(RTC_SET_WITHIN_S, || {
        Ok((ahead_s(&mut guest)?.abs() <= 1).then_some(()))
    })?;
    let told_after_ms = clocks::mono().since(began) / 1_000_000;
    std::thread::sleep(QUIET);
    let history = station::history(&mut guest)?;
    let jumps = station::jumps(&history, known);
    let events = station::events(&history, known, RTC_MOVED);
    let told = jumps.iter().map(|(jump, _)| jump.line());
    let told: Vec<String> = told.chain(events.iter().cloned()).collect();
    tally.take(Tried {
        what: "the kernel sets the real-time clock by a clock that is held",
        expected: "daemon_correction, and nothing of the real-time clock".into(),
        held: set.is_some()
            && events.is_empty()
            && jumps.len() == 1
            && jumps
                .iter()
                .all(|(jump, _)| jump.cause == "daemon_correction"),
        told: told.join("; "),
        told_after_ms,
    });
    station::stop_node(&mut guest)
}

/// The node reads the real-time clock that the machine has, and says how it drifts and that it holds.
pub(crate) fn real_time_clock(station: &Station, tally: &mut Tally) -> Result<(), String> {
    let mut guest = station.boot(RTC_BASE)?;
    station::start_node(&mut guest)?;
    let began = clocks::mono();
    let known = wait_for(COUNTED_WITHIN_S, || {
        let now = station::now(&mut guest)?;
        let counted = |name| station::counter(&now, name);
        Ok(counted("rtc_valid_flag").zip(counted("drift_estimate")))
    })?;
    let told_after_ms = clocks::mono().since(began) / 1_000_000;
    let now = station::now(&mut guest)?;
    let newest = now.get("newest").and_then(|mark| mark.get("utc"));
    let newest = newest.and_then(Value::as_str).unwrap_or_default();
    let (valid, drift_ppb) = known.unwrap_or((0, 0));
    tally.take(Tried {
        what: "the machine's real-time clock is read",
        expected: format!("stamps of {RTC_DAY}, a clock that holds, its drift"),
        told: format!("{newest}, valid {valid}, drift {drift_ppb} ppb"),
        held: newest.starts_with(RTC_DAY) && known.is_some() && valid == 1,
        told_after_ms,
    });
    station::stop_node(&mut guest)
}

/// How many seconds the real-time clock is ahead of the kernel's.
fn ahead_s(guest: &mut Guest) -> Result<i64, String> {
    let said = guest.do_it("echo $(( $(cat /sys/class/rtc/rtc0/since_epoch) - $(date +%s) ))")?;
    let seconds = said.trim().parse();
    seconds.map_err(|_| format!("the real-time clock: {said:?} is no number"))
}
