//! A registrar's notice of keys that it took back goes into the log.

use super::{amiss, paper};
use crate::cli::EnrolRevokedArgs;
use crate::clock;
use crate::commands::Ended;
use crate::commands::site::{Site, actor};
use certificates::papers::Notice;
use evidence::kinds::Revocation;
use trust_plane::RevokedKeys;

/// Takes a notice.
pub(super) fn revoked(args: &EnrolRevokedArgs) -> Result<Ended, String> {
    let wrong = |error: String| amiss(&args.notice, error);
    let notice = Notice::read(&paper(&args.notice)?).map_err(|error| wrong(error.to_string()))?;
    let read = RevokedKeys::read(notice.statement.as_bytes(), &args.registrar);
    let stated =
        read.map_err(|error| wrong(format!("its statement: {error} {}", args.registrar)))?;
    let site = Site::open(&args.dir)?;
    let committed = site.recorder()?.commit(Revocation {
        at: clock::mono(),
        actor: actor(args.why.actor.as_deref())?,
        reason: args.why.reason.clone(),
        keys: stated.vkeys.iter().map(ToString::to_string).collect(),
        since_s: stated.since_s,
        by: stated.by,
        why: stated.reason,
        registrar: args.registrar.to_string(),
        statement: notice.statement,
    })?;
    committed.tell(&args.dir, args.json, "revocation noted");
    Ok(Ended::Well)
}
