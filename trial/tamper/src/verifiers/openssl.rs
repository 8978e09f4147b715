//! `openssl dgst`: whether the authority's P-256 key signed the text of the checkpoint.

use super::{Exhibit, Verdict, Verifier, Who, read};
use proof::note::{Note, SignatureLine};
use std::path::Path;
use std::process::{Command, Stdio};

pub(super) struct OpenSsl;

impl Verifier for OpenSsl {
    fn who(&self) -> Who {
        Who::OpenSsl
    }

    fn judge(&mut self, exhibit: &Exhibit<'_>) -> Result<Verdict, String> {
        let Some([authority, _]) = exhibit.keys else {
            return Ok(Verdict::Holds);
        };
        let Some(note) = read(exhibit.dir, "checkpoint")? else {
            return Ok(Verdict::Found("no checkpoint".to_owned()));
        };
        let Ok(note) = Note::parse(&note) else {
            return Ok(Verdict::Found(
                "the checkpoint is no signed note".to_owned(),
            ));
        };
        let id = query::named_for(authority, exhibit.origin).map(|key| key.key_id());
        let by_it =
            |line: &&SignatureLine| line.name() == exhibit.origin && Some(line.key_id()) == id;
        let Some(line) = note.signatures().iter().find(by_it) else {
            return Ok(Verdict::Found("the authority did not sign".to_owned()));
        };
        let beside = exhibit.dir.with_extension("openssl");
        let outcome = verify(
            &beside,
            &authority.public_bytes(),
            line.bytes(),
            note.text(),
        );
        // It is of no use any more.
        let _ = std::fs::remove_dir_all(&beside);
        outcome
    }
}

fn verify(dir: &Path, spki: &[u8], signature: &[u8], text: &str) -> Result<Verdict, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", dir.display());
    let (key, line, said) = (dir.join("key"), dir.join("line"), dir.join("text"));
    std::fs::create_dir_all(dir).map_err(failed)?;
    std::fs::write(&key, spki).map_err(failed)?;
    std::fs::write(&line, signature).map_err(failed)?;
    std::fs::write(&said, text).map_err(failed)?;
    let output = Command::new("openssl")
        .args(["dgst", "-sha256", "-keyform", "DER", "-verify"])
        .arg(&key)
        .arg("-signature")
        .args([&line, &said])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("openssl: {error}"))?;
    Ok(match output.status.success() {
        true => Verdict::Holds,
        false => Verdict::Found("the authority's signature does not hold".to_owned()),
    })
}
