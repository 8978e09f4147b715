//! Other keys sign the log.

use super::signer::Signer;
use crate::cli::KeysRotateArgs;
use crate::clock;
use crate::commands::site::{Site, actor};
use crate::commands::{Ended, own_signer};
use crate::paths::DataDir;
use crate::roles::recorder::rotation_entry;
use evidence::reasons::Custody;
use serde_json::json;

/// Has the signer change its keys, and the log tell of it.
pub(super) fn rotate(args: &KeysRotateArgs) -> Result<Ended, String> {
    let data = DataDir::new(&args.dir);
    let site = Site::open(&args.dir)?;
    // Whoever cannot tell the log of it changes nothing.
    let recorder = site.recorder()?;
    let signer = Signer::of(&data)?;
    let custody = signer.describe()?.custody;
    let actor = actor(args.why.actor.as_deref())?;
    let statement = signer.rotate(recorder.origin(), actor.as_str(), args.why.reason.trim())?;
    let entry = rotation_entry(&statement, clock::mono())
        .map_err(|error| format!("the signer gave no statement of new keys: {error}"))?;
    let new = entry.new.clone();
    let committed = recorder.tell(entry).map_err(|error| {
        format!(
            "{error}\nthe keys changed all the same; the node tells its log of them before its next seal"
        )
    })?;
    own_signer::follow(&data)?;
    if args.json {
        let event_id = committed.map(|committed| committed.event_id());
        sayln!(
            "{}",
            json!({"event_id": event_id, "new_keys": new, "statement": statement})
        );
        return Ok(Ended::Well);
    }
    match committed {
        Some(committed) => committed.tell(&args.dir, false, "keys changed"),
        None => sayln!(
            "keys changed: fieldnotary log {} --kind key_rotation",
            args.dir.display()
        ),
    }
    for key in &new {
        sayln!("new key    {key}");
    }
    if matches!(custody, Custody::Pkcs11 | Custody::Pkcs11Emulated) {
        sayln!(
            "old key    it stays in the token, where it signs nothing that counts; delete it with the token's own tools"
        );
    }
    sayln!("           keep them with the old ones: with either the whole log verifies");
    Ok(Ended::Well)
}
