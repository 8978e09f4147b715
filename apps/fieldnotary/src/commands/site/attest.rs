//! `fieldnotary attest`: the signer's statement over a number of whoever asks, and what its TPM quotes with it.

use super::recorder::{Site, actor};
use crate::cli::AttestArgs;
use crate::commands::Ended;
use evidence::kinds::{Attestation, BootPcr};
use evidence::{Actor, Blob, Payload};
use proof::note::Note;
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
        write(to, &told)?;
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

/// The files that strangers' tools take.
fn write(to: &Path, told: &Attestation) -> Result<(), String> {
    let note = Note::parse(told.note.as_bytes()).map_err(|error| error.to_string())?;
    let put = |name: &str, bytes: &[u8]| {
        let path = to.join(name);
        std::fs::write(&path, bytes)
            .map_err(|error| format!("cannot write {}: {error}", path.display()))
    };
    put("statement", note.text().as_bytes())?;
    put("statement.note", told.note.as_bytes())?;
    if let (Some(attest), Some(signature)) = (&told.attest, &told.signature) {
        put("quote", &attest.0)?;
        put("quote.signature", &signature.0)?;
        put("pcrs", &for_checkquote(&told.pcrs))?;
    }
    Ok(())
}

/// PCRs of the SHA-256 bank as `tpm2_checkquote` takes them: its own structures of C, little-endian, each list filled up.
#[expect(clippy::little_endian_bytes, reason = "the file of that program is")]
fn for_checkquote(pcrs: &[BootPcr]) -> Vec<u8> {
    const SELECTIONS: usize = 16;
    const DIGESTS: usize = 8;
    const DIGEST_BYTES: usize = 64;
    let mut bits = [0u8; 4];
    for one in pcrs {
        let place = usize::try_from(one.pcr / 8).unwrap_or(usize::MAX);
        if let Some(byte) = bits.get_mut(place) {
            *byte |= 1 << (one.pcr % 8);
        }
    }
    let mut out = 1u32.to_le_bytes().to_vec();
    // TPMS_PCR_SELECTION: hash, length of the bits, bits, one byte to fill up.
    out.extend([0x0b, 0, 3]);
    out.extend(bits);
    out.push(0);
    out.resize(4 + SELECTIONS * 8, 0);
    let lists = pcrs.chunks(DIGESTS);
    out.extend(u32::try_from(lists.len()).unwrap_or(0).to_le_bytes());
    for list in lists {
        let end = out.len() + 4 + DIGESTS * (2 + DIGEST_BYTES);
        out.extend(u32::try_from(list.len()).unwrap_or(0).to_le_bytes());
        for one in list {
            let next = out.len() + 2 + DIGEST_BYTES;
            out.extend([32, 0]);
            out.extend(one.value.0);
            out.resize(next, 0);
        }
        out.resize(end, 0);
    }
    out
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
