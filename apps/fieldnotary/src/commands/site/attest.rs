//! `fieldnotary attest`: the signer's statement over a number of whoever asks, and what its TPM quotes with it.

use super::recorder::{Site, actor};
use crate::cli::AttestArgs;
use crate::commands::{Ended, answer_folder};
use evidence::kinds::Attestation;
use evidence::{Actor, Blob, Payload};
use serde_json::json;
use std::path::Path;

/// Bytes of a number of our own.
const NONCE_BYTES: usize = 32;

/// Asks, and writes down what came.
pub(crate) fn attest(args: &AttestArgs) -> Result<Ended, String> {
    let site = Site::open(&args.dir)?;
    let nonce = match &args.nonce {
        Some(nonce) => nonce.0.clone(),
        None => random()?,
    };
    let uid = rustix::process::getuid().as_raw();
    let name = actor(args.actor.as_deref())?;
    let name = name.as_str().strip_suffix(&Actor::vouched(uid));
    let name = name.map_or("", str::trim_end);
    if let Some(to) = &args.to
        && to.symlink_metadata().is_ok()
    {
        return Err(cannot_make(to, "it is there already"));
    }
    let (at, entry) = site.recorder()?.attest(Blob(nonce.clone()), name)?;
    let Ok(Payload::Attestation(told)) = entry.payload() else {
        return Err("the recorder answered with an entry that is no attestation".to_owned());
    };
    // Made only now: what no answer came for must not stand in the way of the same command.
    if let Some(to) = &args.to {
        std::fs::create_dir(to).map_err(|error| cannot_make(to, error))?;
        answer_folder::write(to, &told)?;
    }
    let nonce = hex(&nonce);
    if args.json {
        sayln!(
            "{}",
            json!({
                "event_id": at.to_string(),
                "commit_id": at.commit_id.0,
                "attestation_id": told.id.to_string(),
                "nonce": nonce,
                "custody": told.custody.name(),
                "hardware": told.custody.is_hardware(),
                "quoted": told.attest.is_some(),
                "note": told.note,
                "why_not": told.detail,
            })
        );
    } else {
        sayln!("nonce      {nonce}");
        sayln!("id         {}", told.id);
        sayln!("keys       {}: {}", told.custody, told.custody.meaning());
        sayln!("quote      {}", quote_words(&told));
        sayln!("entry      {at}, under the log's next seal");
    }
    Ok(match told.attest {
        Some(_) => Ended::Well,
        None => Ended::Badly,
    })
}

fn cannot_make(to: &Path, why: impl std::fmt::Display) -> String {
    format!(
        "cannot make {}: {why}; name a directory that is not there yet",
        to.display()
    )
}

fn quote_words(told: &Attestation) -> String {
    match (&told.attest, &told.detail) {
        (Some(_), _) => format!("of {} PCRs, over the statement", told.pcrs.len()),
        (None, Some(why)) => format!("none: {why}"),
        (None, None) => "none: the store of the keys attests nothing".to_owned(),
    }
}

fn random() -> Result<Vec<u8>, String> {
    let mut bytes = vec![0; NONCE_BYTES];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) => Err(format!("no random number: {error}; give one with --nonce")),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
