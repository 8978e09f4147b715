//! Entries of a station's own points.

use super::{AT, SLOT, source};
use evidence::kinds::{
    Analog, Calibration, Excursion, ModemCount, ModemReport, PulseCount, ResetReason, Soe,
};
use evidence::reasons::{
    AnalogCause, Band, BandChange, CountBasis, EdgeLossCause, FieldMarker, ModemOutcome,
    QualityReason, ResetCause, SoeChange,
};
use evidence::{Blob, CommitId, Digest, Kind, Payload, PointId, Quality, Seq};

/// An entry of one of these kinds: with every field, or with only those that it must have.
pub(super) fn sample(kind: Kind, full: bool) -> Payload {
    let (point_id, seq, contract) = (PointId::new("di-17").unwrap(), Seq(7), CommitId(1));
    let policy = String::from("contact");
    match kind {
        Kind::Soe => Soe {
            at: AT,
            point_id,
            source: source(),
            line: 17,
            seq,
            change: SoeChange::Lost,
            value: full.then_some(true),
            quality: Quality::invalid(QualityReason::Chatter),
            policy,
            window_us: 10_000,
            confirmed_at: full.then_some(AT),
            bounce_from: full.then_some(AT),
            marker: full.then_some(FieldMarker::Surge),
            count: full.then_some(12),
            loss: full.then_some(EdgeLossCause::KernelBuffer),
            contract,
        }
        .into(),
        Kind::PulseCount => PulseCount {
            at: AT,
            point_id,
            source: source(),
            line: 3,
            seq,
            slot: full.then_some(SLOT),
            count: u64::MAX,
            pulse_at: full.then_some(AT),
            value: full.then(|| "1234.5".parse().unwrap()),
            quality: Quality::questionable(QualityReason::MissedPulses),
            basis: CountBasis::Board,
            suspect: 1,
            policy,
            window_us: 500,
            contract,
        }
        .into(),
        Kind::Excursion | Kind::ResetReason => surroundings(kind, full),
        Kind::ModemReport => modem(full),
        Kind::Calibration => Calibration {
            at: AT,
            point_id,
            source: source(),
            channel: "temp1_input".into(),
            version: "2026-03".into(),
            digest: Digest([9; 32]),
            scale: "0.001".parse().unwrap(),
            offset: "0".parse().unwrap(),
            unit: "degC".into(),
            range_min: full.then(|| "-40".parse().unwrap()),
            range_max: full.then(|| "85".parse().unwrap()),
            open_below: full.then(|| "-50000".parse().unwrap()),
            short_above: full.then(|| "130000".parse().unwrap()),
            calibrated: full.then(|| "2026-03-14".into()),
            calibrated_by: full.then(|| "ada".into()),
            contract,
        }
        .into(),
        _ => Analog {
            at: AT,
            point_id,
            source: source(),
            channel: "temp1_input".into(),
            seq,
            slot: full.then_some(SLOT),
            cause: AnalogCause::Spontaneous,
            raw: full.then(|| "21500".parse().unwrap()),
            value: full.then(|| "21.500".parse().unwrap()),
            quality: Quality::GOOD,
            calibration: full.then(|| "2026-03".into()),
            contract,
        }
        .into(),
    }
}

fn surroundings(kind: Kind, full: bool) -> Payload {
    let (point_id, seq, contract) = (PointId::new("vbat").unwrap(), Seq(7), CommitId(1));
    match kind {
        Kind::Excursion => Excursion {
            at: AT,
            point_id,
            source: source(),
            channel: "in1_input".into(),
            seq,
            change: BandChange::Left,
            band: full.then_some(Band::Uvlo),
            limit: full.then(|| "9".parse().unwrap()),
            value: full.then(|| "9.3".parse().unwrap()),
            extreme: full.then(|| "8.75".parse().unwrap()),
            lasted_ns: full.then_some(40_000_000),
            quality: Quality::GOOD,
            contract,
        }
        .into(),
        _ => ResetReason {
            at: AT,
            point_id,
            source: source(),
            channel: "power_on_reason".into(),
            seq,
            cause: ResetCause::Brownout,
            says: full.then(|| "brown-out reset".into()),
            quality: Quality::GOOD,
            contract,
        }
        .into(),
    }
}

fn modem(full: bool) -> Payload {
    let count = |step| ModemCount {
        name: "crc".into(),
        total: u64::MAX,
        step,
    };
    ModemReport {
        at: AT,
        point_id: PointId::new("plc-1").unwrap(),
        source: source(),
        seq: Seq(7),
        slot: full.then_some(SLOT),
        outcome: ModemOutcome::Garbled,
        link: full.then_some(true),
        retransmissions: full.then_some(130),
        step: full.then_some(30),
        quality_value: full.then(|| "21.5".parse().unwrap()),
        counters: match full {
            true => vec![count(Some(0)), count(None)],
            false => Vec::new(),
        },
        restarted: full,
        took_us: 40_000,
        detail: full.then(|| "not in the answer: SNR".into()),
        sample: full.then(|| Blob::from(&b"{"[..])),
        quality: Quality::GOOD,
        contract: CommitId(1),
    }
    .into()
}
