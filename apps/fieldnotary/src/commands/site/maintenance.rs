//! `fieldnotary maintenance`: people begin or end work.

use super::recorder::{Site, actor};
use crate::cli::{MaintenanceArgs, Phase};
use crate::clock;
use crate::commands::Ended;
use evidence::kinds::Maintenance;
use evidence::reasons::MaintenancePhase;

/// Says that work begins or has ended.
pub(crate) fn maintenance(args: &MaintenanceArgs) -> Result<Ended, String> {
    let by = &args.by;
    if args.reason.trim().is_empty() {
        return Err("--reason is empty: say what is done, and why".to_owned());
    }
    let ends = args.phase == Phase::End;
    if ends && args.until.is_some() {
        return Err("work that has ended has no --until".to_owned());
    }
    let site = Site::open(&by.dir)?;
    site.has(by.meter.as_ref(), by.port.as_ref())?;
    let recorder = site.recorder()?;
    let committed = recorder.commit(Maintenance {
        at: clock::mono(),
        phase: match ends {
            true => MaintenancePhase::End,
            false => MaintenancePhase::Begin,
        },
        actor: actor(by.actor.as_deref())?,
        reason: args.reason.clone(),
        source: by.port.clone(),
        meter_id: by.meter.clone(),
        until: args.until,
    })?;
    let what = if ends {
        "work has ended"
    } else {
        "work begins"
    };
    committed.tell(by, what);
    Ok(Ended::Well)
}
