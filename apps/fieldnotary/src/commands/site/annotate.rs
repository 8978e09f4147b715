//! `fieldnotary annotate`: a measurement of a probe point, on the same timeline (A3.6).

use super::attach::{Attached, attach};
use super::recorder::{Site, actor};
use crate::cli::AnnotateArgs;
use crate::clock;
use crate::commands::Ended;
use evidence::kinds::Probe;

/// Adds a measurement.
pub(crate) fn annotate(args: &AnnotateArgs) -> Result<Ended, String> {
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
    committed.tell(by, &args.probe);
    Ok(Ended::Well)
}
