//! A registrar's challenge is answered by the signer.

use super::signer::Signer;
use super::{amiss, of_own_request, own_request, paper};
use crate::cli::EnrolAnswerArgs;
use crate::commands::Ended;
use crate::files::write_durably;
use crate::paths::DataDir;
use certificates::papers::{Answer, Challenge, Paper};
use evidence::Blob;
use ipc::message::SealedCredential;
use serde_json::json;

/// Writes an answer.
pub(super) fn answer(args: &EnrolAnswerArgs) -> Result<Ended, String> {
    let challenge = Challenge::read(&paper(&args.challenge)?);
    let challenge = challenge.map_err(|error| amiss(&args.challenge, error))?;
    let own = own_request(&args.tls)?;
    of_own_request(&args.challenge, &challenge.request, &own)?;
    let nonce = <[u8; 32]>::try_from(challenge.nonce.0.as_slice());
    let nonce = nonce.map_err(|_| amiss(&args.challenge, "its nonce has not 32 bytes"))?;
    let credential = challenge.credential.map(|sealed| SealedCredential {
        kind: sealed.kind,
        blob: Blob(sealed.blob.0),
        secret: Blob(sealed.secret.0),
    });
    let signer = Signer::of(&DataDir::new(&args.dir))?;
    let note = signer.answer(own.log.clone(), nonce, own.hash(), credential)?;
    let shown = args.to.display();
    let paper = Paper::Answer(Answer {
        request: own.id(),
        note,
    });
    write_durably(&args.to, paper.text())?;
    if args.json {
        sayln!("{}", json!({"file": args.to}));
        return Ok(Ended::Well);
    }
    sayln!("wrote {shown}");
    sayln!("give it to the registrar: fieldnotary-collector register --answer {shown} ...");
    Ok(Ended::Well)
}
