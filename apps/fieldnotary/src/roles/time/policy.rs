//! From the contract's `[time]` to what the engine goes by.

use crate::clock::EARLIEST;
use contract::{Contract, Oscillator, PtpMode, Time};
use evidence::UtcNs;
use time_plane::drift::OscillatorClass;
use time_plane::fresh::{ChronyPolicy, PtpPolicy};
use time_plane::{OfferPolicy, Policy};

/// The limit where nothing is measured: it is never asked for.
const UNMEASURED_LIMIT_NS: u64 = 0;

/// What the engine goes by; `newest` is the latest time in the log.
pub(super) fn of(contract: &Contract, newest: UtcNs) -> Policy {
    let time = contract.time.as_ref();
    Policy {
        limit_ns: time.map_or(UNMEASURED_LIMIT_NS, |time| {
            time.limit_us.saturating_mul(1_000)
        }),
        oscillator: time.map_or(OscillatorClass::Xo, |time| class(time.oscillator)),
        ptp: time.map_or_else(PtpPolicy::default, ptp),
        chrony: ChronyPolicy::default(),
        // Nobody sends the time yet, and so nobody may.
        offered: OfferPolicy::default(),
        floor: newest.max(EARLIEST),
    }
}

fn ptp(time: &Time) -> PtpPolicy {
    PtpPolicy {
        free_running: time.ptp_mode == PtpMode::FreeRunning,
        domain: time.ptp_domain,
        class_max: time.ptp_class_max,
        asymmetry_ns: time.ptp_asymmetry_us.map(|us| us.saturating_mul(1_000)),
        ..PtpPolicy::default()
    }
}

const fn class(of: Oscillator) -> OscillatorClass {
    match of {
        Oscillator::Xo => OscillatorClass::Xo,
        Oscillator::Tcxo => OscillatorClass::Tcxo,
        Oscillator::Ocxo => OscillatorClass::Ocxo,
        Oscillator::Rubidium => OscillatorClass::Rubidium,
    }
}
