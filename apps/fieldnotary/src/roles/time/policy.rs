//! From the contract's `[time]` to what the engine goes by.

use crate::clock::EARLIEST;
use contract::{Contract, Oscillator, PtpMode, PtpTimestamping, Time};
use evidence::UtcNs;
use time_plane::drift::OscillatorClass;
use time_plane::fresh::{ChronyPolicy, PtpPolicy};
use time_plane::reading::Timestamping;
use time_plane::{OfferPolicy, OfferSource, Policy};

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
        offered: time.map_or_else(OfferPolicy::default, offered),
        floor: newest.max(EARLIEST),
    }
}

fn offered(time: &Time) -> OfferPolicy {
    let sources = time.offered.values().map(|source| OfferSource {
        name: source.id.to_string(),
        priority: source.priority,
        offset_max_ns: source.offset_max_ms.saturating_mul(1_000_000),
        uncertainty_max_ns: source.uncertainty_max_us.saturating_mul(1_000),
        interval_ns: source.interval_ms.saturating_mul(1_000_000),
        pause_min_ns: source.pause_min_ms.saturating_mul(1_000_000),
    });
    OfferPolicy {
        sources: sources.collect(),
    }
}

/// ptp4l answers in its own domain alone, so one has to be named: 0 where the contract names none.
pub(super) fn ptp_domain(time: &Time) -> u8 {
    time.ptp_domain.unwrap_or(0)
}

fn ptp(time: &Time) -> PtpPolicy {
    PtpPolicy {
        free_running: time.ptp_mode == PtpMode::FreeRunning,
        domain: Some(ptp_domain(time)),
        class_max: time.ptp_class_max,
        asymmetry_ns: time.ptp_asymmetry_us.map(|us| us.saturating_mul(1_000)),
        timestamping: time.ptp_timestamping.map(|of| match of {
            PtpTimestamping::Software => Timestamping::Software,
            PtpTimestamping::Hardware => Timestamping::Hardware,
        }),
    }
}

pub(super) const fn class(of: Oscillator) -> OscillatorClass {
    match of {
        Oscillator::Xo => OscillatorClass::Xo,
        Oscillator::Tcxo => OscillatorClass::Tcxo,
        Oscillator::Ocxo => OscillatorClass::Ocxo,
        Oscillator::Rubidium => OscillatorClass::Rubidium,
    }
}
