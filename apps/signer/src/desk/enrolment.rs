//! The signer's part of an enrolment.

use super::{Desk, refusal};
use evidence::Blob;
use ipc::Message;
use ipc::message::{AnswerChallenge, EndorsementCertificate, Endorsements, ErrorCode};
use keys::now_ns;
use std::sync::atomic::Ordering;
use trust_plane::{Credential, EndorsementKind, Purpose};

impl Desk {
    pub(super) fn endorsements(&mut self) -> Message {
        // They cost the TPM as much as an attestation does, and have a bound of their own: who asked for them goes on to ask
        // for an answer.
        if !self.endorsements.take(now_ns()) {
            let words = "too many requests for the certificates of the store's maker (endorsements); ask again later";
            return Message::error(ErrorCode::Busy, words);
        }
        match self.engine.endorsements() {
            Ok(found) => {
                let certificates = found
                    .readable
                    .into_iter()
                    .map(|one| EndorsementCertificate {
                        kind: one.kind.name().to_owned(),
                        certificate: Blob(one.certificate),
                    });
                Endorsements {
                    certificates: certificates.collect(),
                    unreadable: found.unreadable,
                }
                .into()
            }
            Err(error) => refusal(&error),
        }
    }

    pub(super) fn answer_challenge(&mut self, request: &AnswerChallenge) -> Message {
        if let Some(busy) = self.busy(Purpose::Attestation) {
            return busy;
        }
        let credential = match &request.credential {
            None => None,
            Some(sealed) => match EndorsementKind::from_name(&sealed.kind) {
                Some(kind) => Some(Credential {
                    kind,
                    blob: sealed.blob.0.clone(),
                    secret: sealed.secret.0.clone(),
                }),
                None => {
                    let words = format!(
                        "{:?} is no endorsement key: rsa-2048 and p-256 are",
                        sealed.kind
                    );
                    return Message::error(ErrorCode::Invalid, words);
                }
            },
        };
        let (nonce, of) = (&request.nonce.0, &request.request.0);
        let begin = |kind: EndorsementKind| {
            // A TPM derives this key anew each time, which takes seconds on most chips and minutes on some.
            if kind == EndorsementKind::Rsa2048 {
                self.long.store(true, Ordering::Relaxed);
            }
        };
        let answer = self
            .engine
            .answer(&request.origin, nonce, of, credential.as_ref(), begin);
        self.signed_record(answer)
    }
}
