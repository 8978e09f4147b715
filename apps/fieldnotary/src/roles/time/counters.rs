//! What the time process counts of clocks and sources, each with its name from the counters' list.

use contract::Contract;
use evidence::SourceId;
use evidence::kinds::Counter;
use evidence::reasons::CounterState;
use time_plane::reading::Timestamping;
use time_plane::{Engine, PtpHealth};

const SECOND_NS: u64 = 1_000_000_000;

/// A name, what the value is of, and the value where there is one.
type Told = (&'static str, Option<String>, Option<u64>);

/// All of them, with the engine's last look.
pub(super) fn counters(engine: &Engine, contract: &Contract, source: &SourceId) -> Vec<Counter> {
    let drift_ppb = engine.rtc_drift().and_then(|drift| drift.certain_ppb());
    let counted = engine.counters();
    let stable_ns = Some(counted.boot_to_stable_ns).filter(|ns| *ns > 0);
    let mut told: Vec<Told> = vec![
        sized("drift_estimate", drift_ppb, ["slow", "fast"]),
        ("rtc_valid_flag", None, engine.rtc_valid().map(u64::from)),
        ("boot_to_stable", None, stable_ns.map(|ns| ns / SECOND_NS)),
        ("time_event_drop_cnt", None, Some(counted.events_dropped)),
        (
            "clock_look_reject_cnt",
            None,
            Some(counted.samples_rejected),
        ),
    ];
    if let Some(time) = &contract.time {
        let class = super::policy::class(time.oscillator).name().to_owned();
        told.push(("osc_quality", Some(class), Some(engine.hourly_wander_ns())));
        if time.ptp.is_some() {
            told.extend(of_ptp(engine.ptp_health()));
        }
    }
    let counter = |(name, label, value): Told| Counter {
        name: name.to_owned(),
        label,
        state: match value {
            Some(_) => CounterState::Value,
            None => CounterState::Unsupported,
        },
        value,
        source: source.clone(),
    };
    told.into_iter().map(counter).collect()
}

/// A size, and which of two ways as its label.
fn sized(name: &'static str, value: Option<i64>, [below, above]: [&str; 2]) -> Told {
    let way = value.map(|value| if value < 0 { below } else { above });
    (name, way.map(str::to_owned), value.map(i64::unsigned_abs))
}

/// PTP's health (R7.1, R7.2); without an answer of ptp4l nothing is claimed.
fn of_ptp(health: Option<&PtpHealth>) -> [Told; 11] {
    let port = health.and_then(|of| of.port);
    let timestamping = health.and_then(|of| of.timestamping);
    let profile = health.map(|of| match of.power_profile {
        Some(edition) => (format!("C37.238-{edition}"), u64::from(edition)),
        None => ("default".to_owned(), 0),
    });
    let (profile, edition) = profile.unzip();
    [
        (
            "gm_id",
            health.map(|of| of.gm.to_string()),
            health.map(|of| of.gm_class.into()),
        ),
        ("domain", None, health.map(|of| of.domain.into())),
        ("profile", profile, edition),
        (
            "port_state",
            port.map(|state| state.to_string()),
            port.map(|state| u64::from(state.follows())),
        ),
        sized("offset", health.map(|of| of.offset_ns), ["behind", "ahead"]),
        (
            "path_delay",
            None,
            health.and_then(|of| u64::try_from(of.path_delay_ns).ok()),
        ),
        ("jitter", None, health.and_then(|of| of.jitter_ns)),
        (
            "servo_lock",
            None,
            port.map(|state| u64::from(state == time_plane::reading::PortState::Slave)),
        ),
        (
            "hw_timestamping",
            None,
            timestamping.map(|of| u64::from(of == Timestamping::Hardware)),
        ),
        ("pkt_loss", None, health.map(|of| of.missing)),
        ("out_of_order", None, health.and_then(|of| of.out_of_order)),
    ]
}
