//! The signer's part of an enrolment.

use super::{Desk, refusal};
use evidence::Blob;
use ipc::Message;
use ipc::message::{AnswerChallenge, EndorsementCertificate, Endorsements, ErrorCode};
use trust_plane::{Credential, EndorsementKind, Purpose};

impl Desk {
    pub(super) fn endorsements(&mut self) -> Message {
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
        let answer = self
            .engine
            .answer(&request.origin, nonce, of, credential.as_ref());
        self.signed_record(answer)
    }
}
