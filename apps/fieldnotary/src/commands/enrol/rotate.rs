//! Other keys sign the log.

use super::signer::Signer;
use crate::cli::KeysRotateArgs;
use crate::clock;
use crate::commands::site::{Site, actor};
use crate::commands::{Ended, own_signer};
use crate::paths::DataDir;
use crate::roles::recorder::rotation_entry;
use evidence::reasons::Custody;
use ipc::message::{Keys, NoteText};
use serde_json::json;

/// Has the signer change its keys, and the log tell of it. Once they changed, whoever asked sees the new ones and what lies beside
/// the log follows them, whatever becomes of the rest.
pub(super) fn rotate(args: &KeysRotateArgs) -> Result<Ended, String> {
    let data = DataDir::new(&args.dir);
    let site = Site::open(&args.dir)?;
    // Whoever cannot tell the log of it changes nothing.
    let recorder = site.recorder()?;
    let signer = Signer::of(&data)?;
    let before = signer.describe()?;
    let actor = actor(args.why.actor.as_deref())?;
    let asked = signer.rotate(recorder.origin(), &actor, args.why.reason.trim());
    let statement = match asked {
        Ok(statement) => statement,
        Err(error) => return Err(unanswered(args, &data, &before, error)),
    };
    let entry = match rotation_entry(&statement, clock::mono()) {
        Ok(entry) => entry,
        Err(error) => {
            let error = format!("the signer gave no statement of new keys: {error}");
            return Err(unanswered(args, &data, &before, error));
        }
    };
    let new = entry.new.clone();
    if !args.json {
        say_new(&new);
    }
    let told = recorder.tell(entry);
    let followed = own_signer::follow(&data);
    if args.json {
        let committed = told.as_ref().ok().and_then(Option::as_ref);
        say_json(
            committed.map(|committed| committed.event_id()),
            &new,
            &statement,
        );
    }
    let told = told.map_err(|error| {
        let more = followed.as_ref().err().map(|more| format!("\n{more}"));
        format!(
            "{error}\nthe keys changed all the same; the node tells its log of them before its next seal{}",
            more.unwrap_or_default()
        )
    });
    let committed = told?;
    followed.map_err(not_beside)?;
    if args.json {
        return Ok(Ended::Well);
    }
    match committed {
        Some(committed) => committed.tell(&args.dir, false, "keys changed"),
        None => sayln!(
            "keys changed: fieldnotary log {} --kind key_rotation",
            args.dir.display()
        ),
    }
    if matches!(before.custody, Custody::Pkcs11 | Custody::Pkcs11Emulated) {
        sayln!(
            "old key    it stays in the token, where it signs nothing that counts; delete it with the token's own tools"
        );
    }
    Ok(Ended::Well)
}

/// What is said where no statement came: the answer may have been lost, and not what the signer did.
fn unanswered(args: &KeysRotateArgs, data: &DataDir, before: &Keys, error: String) -> String {
    // Asked anew: that connection may be gone.
    let now = Signer::of(data).and_then(|signer| signer.describe());
    let Some(now) = now.ok().filter(|now| now.vkeys != before.vkeys) else {
        return error;
    };
    let statement = now.rotations.last().map(|NoteText(note)| note.as_str());
    match args.json {
        true => say_json(None, &now.vkeys, statement.unwrap_or_default()),
        false => say_new(&now.vkeys),
    }
    let followed = own_signer::follow(data).map_err(not_beside);
    let more = followed.err().map(|more| format!("\n{more}"));
    format!(
        "{error}\nthe keys changed all the same, as the signer says now; the node tells its log of them before its next seal{}",
        more.unwrap_or_default()
    )
}

fn say_new(keys: &[String]) {
    for key in keys {
        sayln!("new key    {key}");
    }
    sayln!("           keep them with the old ones: with either the whole log verifies");
}

fn say_json(event_id: Option<String>, new_keys: &[String], statement: &str) {
    sayln!(
        "{}",
        json!({"event_id": event_id, "new_keys": new_keys, "statement": statement})
    );
}

/// The public half of the new keys could not be put beside the log.
fn not_beside(error: String) -> String {
    format!(
        "{error}\nthe keys changed all the same, and their public half is not beside the log yet: the next start of the node with \
         --signer puts it there"
    )
}
