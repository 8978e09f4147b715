//! The signer of a running node, asked from the command line.

use crate::commands::own_signer;
use crate::paths::DataDir;
use evidence::Actor;
use ipc::message::{
    AnswerChallenge, AskEndorsements, Describe, Endorsements, ErrorCode, Keys, Message, Rotate,
    SealedCredential,
};

use ipc::{Channel, IpcError};
use std::time::Duration;

/// How long nobody may serve the socket before no node runs there.
const CONNECT: Duration = Duration::from_secs(2);
/// How long the signer may take: above what it lets a TPM take to derive an RSA key.
const PATIENCE: Duration = Duration::from_secs(200);

pub(super) struct Signer(Channel);

impl Signer {
    pub(super) fn of(data: &DataDir) -> Result<Self, String> {
        let shown = data.root().display();
        let socket = data.served_by_signer();
        let channel = Channel::connect(&socket, CONNECT);
        channel.map(Self).map_err(|error| match error {
            IpcError::NobodyServes { .. } if own_signer::is_used(data) => {
                own_signer::nobody_serves(&socket)
            }
            IpcError::NobodyServes { .. } => format!(
                "no signer runs on {shown}; start the node with: fieldnotary run CONFIG --data {shown}"
            ),
            other => format!("the signer on {shown} cannot be asked: {other}"),
        })
    }

    fn ask(&self, request: impl Into<Message>) -> Result<Message, String> {
        let answer = self.0.ask(&request.into(), PATIENCE);
        answer.map_err(|error| format!("the signer: {error}; {}", outcome(&error)))
    }

    /// What it says of itself and of its keys.
    pub(super) fn describe(&self) -> Result<Keys, String> {
        match self.ask(Describe {
            origin: None,
            nonce: None,
        })? {
            Message::Keys(keys) => Ok(keys),
            other => Err(unexpected(&other)),
        }
    }

    /// The certificates of its store's maker.
    pub(super) fn endorsements(&self) -> Result<Endorsements, String> {
        match self.ask(AskEndorsements {})? {
            Message::Endorsements(found) => Ok(found),
            other => Err(unexpected(&other)),
        }
    }

    /// What its keys of before state of new ones, with which it signs from then on.
    pub(super) fn rotate(
        &self,
        origin: &str,
        actor: &Actor,
        reason: &str,
    ) -> Result<String, String> {
        let request = Rotate {
            origin: origin.to_owned(),
            actor: actor.clone(),
            reason: reason.to_owned(),
        };
        match self.ask(request)? {
            Message::Rotated(rotated) => Ok(rotated.statement.0),
            other => Err(unexpected(&other)),
        }
    }

    /// The answer to a challenge: a signed note.
    pub(super) fn answer(
        &self,
        origin: String,
        nonce: [u8; 32],
        request: [u8; 32],
        credential: Option<SealedCredential>,
    ) -> Result<String, String> {
        let request = AnswerChallenge {
            origin,
            nonce: evidence::Digest(nonce),
            credential,
            request: evidence::Digest(request),
        };
        match self.ask(request)? {
            Message::SignedRecord(signed) => Ok(signed.note.0),
            other => Err(unexpected(&other)),
        }
    }
}

fn unexpected(answer: &Message) -> String {
    format!("the signer answered with {}", answer.name())
}

/// What an error of the wire leaves behind. Whose answer was lost may have done what it was asked.
const fn outcome(error: &IpcError) -> &'static str {
    match error {
        IpcError::Peer {
            code: ErrorCode::NotAllowed,
            ..
        } => {
            "nothing was done\nrun this as the user that the node runs as: sudo -u USER fieldnotary ..."
        }
        IpcError::Closed | IpcError::AnswerTimeout => {
            "whether it did what it was asked is not known\nlook before you ask again: fieldnotary status DIR shows the \
             keys that sign, fieldnotary log DIR --kind key_rotation how they changed"
        }
        _ => "nothing was done",
    }
}

#[cfg(test)]
mod tests {
    use super::outcome;
    use ipc::IpcError;
    use ipc::message::ErrorCode;

    #[test]
    fn who_lost_the_answer_is_not_told_that_nothing_was_done() {
        for error in [IpcError::Closed, IpcError::AnswerTimeout] {
            assert!(outcome(&error).starts_with("whether it did"), "{error}");
        }
        let refused = IpcError::Peer {
            code: ErrorCode::Busy,
            text: "later".to_owned(),
            fault: None,
        };
        assert_eq!(outcome(&refused), "nothing was done");
    }
}
