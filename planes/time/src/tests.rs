//! Readings that tests start from.

use crate::reading::{
    ChronyReading, ChronySource, ChronySourceState, ClockIdentity, LeapStatus, PortState,
    PtpCounts, PtpPort, PtpReading, Timestamping,
};
use crate::sample::{ClockComparison, ClockSample, KernelStatus};
use evidence::{MonoNs, UtcNs};
use std::string::String;
use std::vec;

/// UTC when monotonic time was zero.
pub(crate) const UTC_0: i64 = 1_800_000_000_000_000_000;

/// UTC at this monotonic time, on an undisturbed clock.
pub(crate) fn utc(mono_ns: u64) -> UtcNs {
    UtcNs(UTC_0 + i64::try_from(mono_ns).unwrap())
}

/// The undisturbed clock.
pub(crate) fn clock(mono_ns: u64) -> ClockSample {
    ClockSample {
        mono: MonoNs(mono_ns),
        utc: utc(mono_ns),
        read_uncertainty_ns: 200,
        kernel: Some(KernelStatus::default()),
    }
}

/// All four clocks, undisturbed.
pub(crate) fn comparison(mono_ns: u64) -> ClockComparison {
    ClockComparison {
        sample: clock(mono_ns),
        raw_ns: mono_ns,
        boot_ns: mono_ns,
    }
}

/// ptp4l in order: its last Sync came in at this monotonic time, and was the so-manieth.
pub(crate) fn ptp(ingress_ns: u64, syncs: u64) -> PtpReading {
    PtpReading {
        clock: ClockIdentity([0x02, 0, 0, 0xff, 0xfe, 0, 0, 2]),
        domain: 0,
        offset_ns: 400,
        mean_path_delay_ns: 1_500,
        ingress: Some(utc(ingress_ns)),
        gm_present: true,
        gm: ClockIdentity([0x02, 0, 0, 0xff, 0xfe, 0, 0, 1]),
        gm_class: 6,
        gm_accuracy: 0x21,
        gm_variance: 0x4e5d,
        gm_priorities: [100, 128],
        steps_removed: 1,
        utc_offset_s: 37,
        time_flags: 0x3c,
        time_source: 0x20,
        ports: vec![PtpPort {
            number: 1,
            state: PortState::Slave,
            log_sync_interval: -3,
            log_announce_interval: 1,
            interface: Some(String::from("eth0")),
            timestamping: Some(Timestamping::Software),
            received: PtpCounts {
                sync: syncs,
                follow_up: syncs,
                delay_resp: syncs / 8,
                announce: syncs / 16,
            },
            mismatches: None,
            hardware_clock: None,
        }],
        power_profile: None,
    }
}

/// chronyd in order, its last update at this monotonic time.
pub(crate) fn chrony(updated_ns: u64) -> ChronyReading {
    ChronyReading {
        reference: [10, 9, 0, 1],
        stratum: 2,
        leap: LeapStatus::Normal,
        reference_time: utc(updated_ns),
        correction_ns: 130,
        last_offset_ns: -80,
        rms_offset_ns: 120,
        frequency_ppb: -2_200,
        residual_ppb: 10,
        skew_ppb: 300,
        root_delay_ns: 1_500,
        root_dispersion_ns: 12_000,
        update_interval_ms: 2_000,
        sources: vec![ChronySource {
            name: String::from("10.9.0.1"),
            stratum: 1,
            state: ChronySourceState::Selected,
            is_refclock: false,
            log_poll: 1,
            reach: 0xff,
            last_sample_age_s: Some(1),
            offset_ns: -80,
            error_ns: 12_000,
        }],
    }
}
