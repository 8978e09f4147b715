//! Readings of the two daemons as lines: one for the daemon, one for each of its ports or sources.

use super::fields::{Fields, Line, seconds};
use super::words::Named as _;
use evidence::UtcNs;
use std::fmt::Write as _;
use time_plane::reading::{
    ChronyReading, ChronySource, ChronySourceState, ClockIdentity, LeapStatus, PortState,
    PowerProfile, PtpCounts, PtpMismatches, PtpPort, PtpReading, Reading, Timestamping,
};

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn array<const N: usize>(fields: &mut Fields<'_>, name: &str) -> Result<[u8; N], String> {
    let text = fields.required(name)?;
    let wrong = || format!("`{name}={text}`: {N} bytes are {} hex digits", 2 * N);
    let mut bytes = [0; N];
    if text.len() != 2 * N {
        return Err(wrong());
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        let digits = text.get(2 * at..2 * at + 2).ok_or_else(wrong)?;
        *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
    }
    Ok(bytes)
}

fn utc(at: UtcNs) -> String {
    seconds(i128::from(at.0))
}

pub(super) fn write_ptp(line: &mut Line, reading: &PtpReading) -> Vec<Line> {
    line.field("clock", hex(&reading.clock.0));
    line.field("domain", reading.domain);
    line.field("offset_ns", reading.offset_ns);
    line.field("mean_path_delay_ns", reading.mean_path_delay_ns);
    line.optional("ingress", reading.ingress.map(utc));
    line.field("gm_present", reading.gm_present);
    line.field("gm", hex(&reading.gm.0));
    line.field("gm_class", reading.gm_class);
    line.field("gm_accuracy", reading.gm_accuracy);
    line.field("gm_variance", reading.gm_variance);
    line.field("gm_priorities", hex(&reading.gm_priorities));
    line.field("steps_removed", reading.steps_removed);
    line.field("utc_offset_s", reading.utc_offset_s);
    line.field("time_flags", hex(&[reading.time_flags]));
    line.field("time_source", hex(&[reading.time_source]));
    let profile = reading.power_profile.iter().map(write_profile);
    profile
        .chain(reading.ports.iter().map(write_port))
        .collect()
}

fn write_profile(profile: &PowerProfile) -> Line {
    let mut line = Line::below("power-profile");
    line.field("edition", profile.edition);
    line.field("gm_id", profile.gm_id);
    line.optional("gm_inaccuracy_ns", profile.gm_inaccuracy_ns);
    line.optional("network_inaccuracy_ns", profile.network_inaccuracy_ns);
    line.optional("total_inaccuracy_ns", profile.total_inaccuracy_ns);
    line
}

fn write_port(port: &PtpPort) -> Line {
    let mut line = Line::below("port");
    line.field("number", port.number);
    line.field("state", port.state.name());
    line.field("log_sync_interval", port.log_sync_interval);
    line.field("log_announce_interval", port.log_announce_interval);
    if let Some(interface) = &port.interface {
        line.text_field("interface", interface);
    }
    line.optional("timestamping", port.timestamping.map(Timestamping::name));
    line.optional("hardware_clock", port.hardware_clock);
    line.field("sync", port.received.sync);
    line.field("follow_up", port.received.follow_up);
    line.field("delay_resp", port.received.delay_resp);
    line.field("announce", port.received.announce);
    if let Some(mismatches) = port.mismatches {
        line.field("sync_mismatches", mismatches.sync);
        line.field("follow_up_mismatches", mismatches.follow_up);
    }
    line
}

pub(super) fn write_chrony(line: &mut Line, reading: &ChronyReading) -> Vec<Line> {
    line.field("reference", hex(&reading.reference));
    line.field("stratum", reading.stratum);
    line.field("leap", reading.leap.name());
    line.field("reference_time", utc(reading.reference_time));
    line.field("correction_ns", reading.correction_ns);
    line.field("last_offset_ns", reading.last_offset_ns);
    line.field("rms_offset_ns", reading.rms_offset_ns);
    line.field("frequency_ppb", reading.frequency_ppb);
    line.field("residual_ppb", reading.residual_ppb);
    line.field("skew_ppb", reading.skew_ppb);
    line.field("root_delay_ns", reading.root_delay_ns);
    line.field("root_dispersion_ns", reading.root_dispersion_ns);
    line.field("update_interval_ms", reading.update_interval_ms);
    reading.sources.iter().map(write_source).collect()
}

fn write_source(source: &ChronySource) -> Line {
    let mut line = Line::below("source");
    line.text_field("name", &source.name);
    line.field("stratum", source.stratum);
    line.field("state", source.state.name());
    line.field("is_refclock", source.is_refclock);
    line.field("log_poll", source.log_poll);
    line.field("reach", hex(&[source.reach]));
    line.optional("last_sample_age_s", source.last_sample_age_s);
    line.field("offset_ns", source.offset_ns);
    line.field("error_ns", source.error_ns);
    line
}

pub(super) fn read_ptp(fields: &mut Fields<'_>) -> Result<PtpReading, String> {
    let has_ingress = fields.optional("ingress");
    let [time_flags] = array(fields, "time_flags")?;
    let [time_source] = array(fields, "time_source")?;
    Ok(PtpReading {
        clock: ClockIdentity(array(fields, "clock")?),
        domain: fields.number("domain")?,
        offset_ns: fields.number("offset_ns")?,
        mean_path_delay_ns: fields.number("mean_path_delay_ns")?,
        ingress: has_ingress.map(utc_of).transpose()?,
        gm_present: fields.number("gm_present")?,
        gm: ClockIdentity(array(fields, "gm")?),
        gm_class: fields.number("gm_class")?,
        gm_accuracy: fields.number("gm_accuracy")?,
        gm_variance: fields.number("gm_variance")?,
        gm_priorities: array(fields, "gm_priorities")?,
        steps_removed: fields.number("steps_removed")?,
        utc_offset_s: fields.number("utc_offset_s")?,
        time_flags,
        time_source,
        ports: Vec::new(),
        power_profile: None,
    })
}

fn utc_of(text: &str) -> Result<UtcNs, String> {
    let ns = super::fields::parse_seconds(text)?;
    i64::try_from(ns)
        .map(UtcNs)
        .map_err(|_| format!("`{text}` is beyond what 64 bits of nanoseconds hold"))
}

pub(super) fn read_chrony(fields: &mut Fields<'_>) -> Result<ChronyReading, String> {
    Ok(ChronyReading {
        reference: array(fields, "reference")?,
        stratum: fields.number("stratum")?,
        leap: LeapStatus::named(fields.required("leap")?)?,
        reference_time: UtcNs(fields.seconds("reference_time")?),
        correction_ns: fields.number("correction_ns")?,
        last_offset_ns: fields.number("last_offset_ns")?,
        rms_offset_ns: fields.number("rms_offset_ns")?,
        frequency_ppb: fields.number("frequency_ppb")?,
        residual_ppb: fields.number("residual_ppb")?,
        skew_ppb: fields.number("skew_ppb")?,
        root_delay_ns: fields.number("root_delay_ns")?,
        root_dispersion_ns: fields.number("root_dispersion_ns")?,
        update_interval_ms: fields.number("update_interval_ms")?,
        sources: Vec::new(),
    })
}

/// A line that belongs to the reading above it.
pub(super) fn read_below(reading: &mut Reading, text: &str) -> Result<(), String> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let mut fields = Fields::parse(rest)?;
    match (reading, word) {
        (Reading::Ptp(reading), "port") => reading.ports.push(read_port(&mut fields)?),
        (Reading::Ptp(reading), "power-profile") => {
            reading.power_profile = Some(PowerProfile {
                edition: fields.number("edition")?,
                gm_id: fields.number("gm_id")?,
                gm_inaccuracy_ns: fields.optional_number("gm_inaccuracy_ns")?,
                network_inaccuracy_ns: fields.optional_number("network_inaccuracy_ns")?,
                total_inaccuracy_ns: fields.optional_number("total_inaccuracy_ns")?,
            });
        }
        (Reading::Chrony(reading), "source") => reading.sources.push(read_source(&mut fields)?),
        _ => return Err(format!("`{word}` does not belong below this reading")),
    }
    fields.end()
}

fn read_port(fields: &mut Fields<'_>) -> Result<PtpPort, String> {
    let timestamping = fields.optional("timestamping");
    let mismatches: Option<u64> = fields.optional_number("sync_mismatches")?;
    let follow_up_mismatches = fields.optional_number("follow_up_mismatches")?;
    Ok(PtpPort {
        number: fields.number("number")?,
        state: PortState::named(fields.required("state")?)?,
        log_sync_interval: fields.number("log_sync_interval")?,
        log_announce_interval: fields.number("log_announce_interval")?,
        interface: fields.optional_text("interface")?,
        timestamping: timestamping.map(Timestamping::named).transpose()?,
        hardware_clock: fields.optional_number("hardware_clock")?,
        received: PtpCounts {
            sync: fields.number("sync")?,
            follow_up: fields.number("follow_up")?,
            delay_resp: fields.number("delay_resp")?,
            announce: fields.number("announce")?,
        },
        mismatches: mismatches
            .zip(follow_up_mismatches)
            .map(|(sync, follow_up)| PtpMismatches { sync, follow_up }),
    })
}

fn read_source(fields: &mut Fields<'_>) -> Result<ChronySource, String> {
    let [reach] = array(fields, "reach")?;
    Ok(ChronySource {
        name: fields.text("name")?,
        stratum: fields.number("stratum")?,
        state: ChronySourceState::named(fields.required("state")?)?,
        is_refclock: fields.number("is_refclock")?,
        log_poll: fields.number("log_poll")?,
        reach,
        last_sample_age_s: fields.optional_number("last_sample_age_s")?,
        offset_ns: fields.number("offset_ns")?,
        error_ns: fields.number("error_ns")?,
    })
}
