//! `fieldnotary annotate`: a measurement of a probe point, on the same timeline (A3.6).

use super::attach::{Attached, attach};
use super::recorder::{Site, actor};
use crate::cli::AnnotateArgs;
use crate::clock;
use crate::commands::Ended;
use evidence::kinds::Probe;

/// The probe points of the field (spec/counters.md).
const PROBES: [&str; 9] = [
    "TP_IF_DIFF",
    "TP_IF_CM",
    "TP_VBUS",
    "TP_EDGE",
    "TP_PULSE_IN",
    "TP_COUNTER_EDGE",
    "TP_COUPLING",
    "TP_NOISE_EVT",
    "TP_RF",
];

/// Whether a probe point is known, or stated to be the site's own; and no text is empty.
fn is_sound(args: &AnnotateArgs) -> Result<(), String> {
    let probe = args.probe.as_str();
    if !args.own_probe && !PROBES.contains(&probe) {
        let meant = match contract::nearest(probe, PROBES) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("those of the field are {}", PROBES.join(", ")),
        };
        return Err(format!(
            "--probe {probe} is no probe point of the field: {meant} One that only this site has is stated with \
             --own-probe; nothing was written"
        ));
    }
    for (option, text) in [("--note", &args.note), ("--unit", &args.unit)] {
        if text.as_deref().is_some_and(|text| text.trim().is_empty()) {
            return Err(format!(
                "{option} is empty: write its words, or leave it out; nothing was written"
            ));
        }
    }
    Ok(())
}

/// Adds a measurement.
pub(crate) fn annotate(args: &AnnotateArgs) -> Result<Ended, String> {
    is_sound(args)?;
    if args.value.is_none() && args.file.is_none() && args.note.is_none() {
        return Err("nothing to add: give a --value, a --file or a --note".to_owned());
    }
    let by = &args.by;
    let site = Site::open(&by.dir)?;
    site.has(by.meter.as_ref(), by.port.as_ref())?;
    let actor = actor(by.actor.as_deref())?;
    let recorder = site.recorder()?;
    let file = args.file.as_deref();
    let file = file.map(|file| attach(&site.data, file)).transpose()?;
    let committed = recorder.commit(Probe {
        at: clock::mono(),
        probe: args.probe.clone(),
        actor,
        source: by.port.clone(),
        meter_id: by.meter.clone(),
        value: args.value,
        unit: args.unit.clone(),
        file: file.as_ref().map(|file| file.digest),
        note: args.note.clone(),
        file_name: file.as_ref().map(|file| file.name.clone()),
        file_bytes: file.as_ref().map(|file| file.bytes),
        measured: args.measured,
    });
    let committed = committed.inspect_err(|_| file.into_iter().for_each(Attached::give_up))?;
    committed.tell(&by.dir, by.json, &args.probe);
    Ok(Ended::Well)
}
