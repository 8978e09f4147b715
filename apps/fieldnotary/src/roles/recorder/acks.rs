//! Verification of a collector's cosignature before it becomes an ack entry.

use super::committer::Committer;
use evidence::kinds::Ack;
use proof::note::{SignatureLine, VerifierKey};
use proof::{Checkpoint, Hash};

/// Fails unless the ack is a cosignature of the configured collector over a head that we sealed.
///
/// The root is compared with our own tree: a cosignature over another one would free what it never saw.
pub(super) fn check(recorder: &Committer, ack: &Ack) -> Result<(), String> {
    let Some(uplink) = &recorder.contract.uplink else {
        return Err("a cosignature, but the contract names no collector".to_owned());
    };
    if ack.size > recorder.seal.sealed_size {
        return Err(format!(
            "a cosignature for size {}, but only {} is sealed",
            ack.size, recorder.seal.sealed_size
        ));
    }
    let key: VerifierKey = uplink
        .collector_vkey
        .parse()
        .map_err(|error| format!("the contract's collector key is not a verifier key: {error}"))?;
    let line = SignatureLine::parse(ack.cosignature.trim_end_matches('\n'))
        .ok_or("the cosignature is not a note signature line")?;
    let mut note = Checkpoint::new(&recorder.origin, ack.size, Hash(ack.root.0))
        .and_then(|head| head.to_note())
        .map_err(|error| error.to_string())?;
    note.add(line).map_err(|error| error.to_string())?;
    match note.verify(std::slice::from_ref(&key)) {
        Ok(verified) if verified.has_key(0) => same_tree(recorder, ack),
        Ok(_) => Err("the cosignature is of another key".to_owned()),
        Err(error) => Err(format!("the cosignature does not hold: {error}")),
    }
}

fn same_tree(recorder: &Committer, ack: &Ack) -> Result<(), String> {
    let ours = match recorder.seal.root {
        Some(root) if recorder.seal.sealed_size == ack.size => root,
        _ => recorder.feed.root_at(ack.size)?,
    };
    if ours == ack.root {
        return Ok(());
    }
    let size = ack.size;
    Err(format!(
        "the collector cosigned another tree of {size} entries: root {}, ours is {ours}",
        ack.root
    ))
}
