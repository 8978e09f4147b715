//! `fieldnotary tag`: a person locks an output, or takes the lock away.

use super::recorder::{Site, actor};
use crate::cli::TagArgs;
use crate::clock;
use crate::commands::Ended;
use evidence::kinds::Tag;
use evidence::reasons::TagChange;

/// Commits the tag.
pub(crate) fn tag(args: &TagArgs) -> Result<Ended, String> {
    let on = &args.on;
    let site = Site::open(&on.dir)?;
    site.output(&on.point)?;
    let committed = site.recorder()?.commit(Tag {
        at: clock::mono(),
        point_id: on.point.clone(),
        change: match args.remove {
            true => TagChange::Removed,
            false => TagChange::Set,
        },
        actor: actor(on.actor.as_deref())?,
        reason: args.reason.clone(),
        owner: args.of.clone(),
    })?;
    let what = match args.remove {
        true => "tag removed",
        false => "tagged",
    };
    committed.tell(&on.dir, on.json, &format!("{} {what}", on.point));
    Ok(Ended::Well)
}
