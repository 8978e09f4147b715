//! The thread that asks the signer for checkpoints. Commits never wait for it.

use super::booted::{BootWatch, Told};
use super::signatures::{is_bound, is_held_as, is_signed};
use super::work::{MayAsk, Verdict, Work};
use evidence::reasons::{CounterKind, Custody, KeyFault};
use evidence::{Digest, MonoNs};
use ipc::IpcError;
use ipc::message::{
    BindFirmware, BoundHead, Describe, ErrorCode, FirmwareBound, Keys, Message, SignCheckpoint,
    TurnedAway, Uses,
};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// How long the signer may take for one signature: it may wait for a slow store twice, and then says so itself. A stop
/// waits for a last one somewhat longer.
pub(super) const SIGN_TIMEOUT: Duration = Duration::from_secs(9);
/// How long to look for the signer's socket.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
/// What is done about a signer that gives no signature.
const UNSIGNED_CURE: &str = "nothing of it went into the log; see who serves the signer's socket, and start the signer anew";

/// A tree head to be sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) origin: String,
    pub(super) size: u64,
    pub(super) root: Digest,
    /// When it was asked for.
    pub(super) asked: MonoNs,
    /// The newest value of the plain counter that the log shows.
    pub(super) plain_shown: Option<u64>,
}

/// A signed head.
#[derive(Clone, Debug)]
pub(super) struct Sealed {
    pub(super) head: Head,
    pub(super) note: String,
    pub(super) custody: Custody,
    /// The counters that it is bound to.
    pub(super) bound: Vec<BoundHead>,
    /// Why it is not bound to one that it should be bound to.
    pub(super) unbound: Option<(KeyFault, String)>,
    /// Uses of keys since the signer was started, by purpose.
    pub(super) uses: Vec<Uses>,
    pub(super) rollback_attempts: u64,
    pub(super) signature_failures: u64,
    /// Callers that it turned away since then, by user.
    pub(super) turned_away: Vec<TurnedAway>,
    /// When the signer was started.
    pub(super) signer_began: MonoNs,
}

/// A head that was not sealed.
#[derive(Clone, Debug)]
pub(super) struct Unsealed {
    /// When it was asked for.
    pub(super) asked: MonoNs,
    pub(super) fault: KeyFault,
    pub(super) words: String,
}

/// Serves heads one by one until the recorder is gone.
pub(super) fn serve(socket: &Path, heads: &Receiver<Head>, results: &SyncSender<Work>) {
    let mut signer = Signer {
        channel: None,
        described: false,
        rotations: 0,
        custody: None,
        vkeys: Vec::new(),
        is_known: false,
        random: getrandom::fill,
        bind: None,
    };
    let mut boot = BootWatch::default();
    for head in heads {
        steps::pass("seal.asked");
        let (asked, origin) = (head.asked, head.origin.clone());
        // What holds the keys is told before what it signed, and compared with the log before it signs.
        let outcome = match signer.describe(socket) {
            Ok(None) => signer.sign(head),
            Ok(Some((keys, asked))) => match may_ask(keys, asked, results) {
                Some(may) => {
                    signer.bind = may.bind.or(signer.bind.take());
                    (signer.is_known, signer.vkeys) = (!may.vkeys.is_empty(), may.vkeys);
                    match may.judged {
                        Verdict::Sign => signer.sign(head),
                        Verdict::OtherKeys(words) => {
                            signer.turn_from();
                            Err(other_keys(words))
                        }
                        Verdict::RolledBack => Err(rolled_back()),
                        Verdict::Later => match results.send(Work::SealLater) {
                            Ok(()) => continue,
                            Err(_) => return,
                        },
                    }
                }
                None => return,
            },
            Err(error) => Err(error),
        };
        // What another store means for the log is told at once: it may be away again before the next head. It is heard anew then.
        if let Err(error) = &outcome
            && is_other_store(error)
        {
            signer.described = false;
            if results.send(Work::OtherStore(error.to_string())).is_err() {
                return;
            }
        }
        if outcome.as_ref().is_err_and(is_rotated) {
            // Its keys changed meanwhile: with the next head it is heard, and the log tells of them first.
            signer.described = false;
            match results.send(Work::SealLater) {
                Ok(()) => continue,
                Err(_) => return,
            }
        }
        let outcome = outcome.map_err(|error| unsealed(asked, &error));
        let missed = outcome.as_ref().err().cloned();
        if results.send(Work::Sealed(outcome)).is_err() {
            return;
        }
        let bound = signer.bind_firmware();
        if bound.is_some_and(|bound| results.send(Work::FirmwareBound(bound)).is_err()) {
            return;
        }
        let told = boot.due(missed.as_ref(), &origin, |request| {
            signer.ask_heard(request)
        });
        if let Some(told) = told {
            match heard_of_boot(told, results) {
                Some(true) => {}
                Some(false) => boot.again(),
                None => return,
            }
        }
    }
}

/// What the signer may be asked, by what it knows; `None` where the recorder is gone.
fn may_ask(keys: Keys, asked: Digest, results: &SyncSender<Work>) -> Option<MayAsk> {
    let (verdict, told) = sync_channel(1);
    let said = Work::KeyStore(Box::new(keys), asked, verdict);
    results.send(said).ok()?;
    told.recv().ok()
}

/// Whether what the signer said of a boot went into the log; `None` where the recorder is gone.
fn heard_of_boot(told: Told, results: &SyncSender<Work>) -> Option<bool> {
    let (taken, answer) = sync_channel(1);
    results.send(Work::Booted(Box::new(told), taken)).ok()?;
    answer.recv().ok()
}

fn rolled_back() -> IpcError {
    IpcError::Peer {
        code: ErrorCode::Rollback,
        text: "the signer was not asked: see the rollback entry".to_owned(),
        fault: Some(KeyFault::RolledBack),
    }
}

/// Whoever answers at the signer's socket has not the keys of this log.
fn other_keys(words: String) -> IpcError {
    IpcError::Peer {
        code: ErrorCode::Invalid,
        text: words,
        fault: Some(KeyFault::OtherKeys),
    }
}

fn is_other_store(error: &IpcError) -> bool {
    matches!(
        error,
        IpcError::Peer {
            fault: Some(KeyFault::KeyReplaced),
            ..
        }
    )
}

fn is_rotated(error: &IpcError) -> bool {
    matches!(
        error,
        IpcError::Peer {
            code: ErrorCode::Rotated,
            ..
        }
    )
}

/// Whether whoever answered speaks another version of the messages.
pub(crate) fn is_of_another_version(error: &IpcError) -> bool {
    matches!(
        error,
        IpcError::OtherVersion(_)
            | IpcError::Peer {
                code: ErrorCode::Malformed | ErrorCode::Unsupported,
                ..
            }
    )
}

fn unsealed(asked: MonoNs, error: &IpcError) -> Unsealed {
    let (fault, words) = why(error, KeyFault::Refused);
    Unsealed {
        asked,
        fault,
        words,
    }
}

/// Why nothing came of what the signer was asked, where a refusal without a code means `refusal`.
pub(super) fn why(error: &IpcError, refusal: KeyFault) -> (KeyFault, String) {
    match error {
        IpcError::Malformed(error) => (
            KeyFault::Failed,
            format!(
                "what answered at the signer's socket sent bytes that are no message ({error}): it is no signer; see who serves \
                 the socket"
            ),
        ),
        other if is_of_another_version(other) => (
            KeyFault::Refused,
            format!("signer and node are of different versions: install both of one ({other})"),
        ),
        IpcError::Peer { fault, text, .. } => (fault.unwrap_or(refusal), text.clone()),
        IpcError::AnswerTimeout => {
            let limit = SIGN_TIMEOUT.as_secs();
            let words = format!("the signer took the request and did not answer within {limit} s");
            (KeyFault::NoAnswer, words)
        }
        other => (KeyFault::SignerAbsent, other.to_string()),
    }
}

/// The signer's process, as far as it is there.
struct Signer {
    channel: Option<ipc::Channel>,
    /// Whether what it said of its store still stands.
    described: bool,
    /// How often its keys changed, as it said: the log tells of that.
    rotations: u64,
    /// Where it said that the authority's key is.
    custody: Option<Custody>,
    /// The keys of this log under the base origin, as the node knows them: they are the signer's, or it is asked for nothing.
    vkeys: Vec<String>,
    /// Whether whoever serves this connection has them: he signed with them what he says.
    is_known: bool,
    /// Numbers that nobody can guess.
    random: fn(&mut [u8]) -> Result<(), getrandom::Error>,
    /// The firmware version that it is to bind to its store's counter.
    bind: Option<BindFirmware>,
}

impl Signer {
    fn ask(&mut self, socket: &Path, request: &Message) -> Result<Message, IpcError> {
        let channel = match self.channel.take() {
            Some(channel) => channel,
            None => {
                (self.described, self.is_known) = (false, false);
                ipc::Channel::connect(socket, CONNECT_TIMEOUT)?
            }
        };
        self.put(channel, request)
    }

    fn put(&mut self, channel: ipc::Channel, request: &Message) -> Result<Message, IpcError> {
        let answer = channel.ask(request, SIGN_TIMEOUT);
        // A refusal is an answer; what else goes wrong ends the connection.
        if matches!(answer, Ok(_) | Err(IpcError::Peer { .. })) {
            self.channel = Some(channel);
        }
        answer
    }

    /// Asks whoever serves this connection, and nobody else: he was heard. One that is gone may be served by somebody else now.
    fn ask_heard(&mut self, request: &Message) -> Result<Message, IpcError> {
        let channel = self.channel.take().filter(|_| self.is_known);
        let channel = channel.ok_or_else(|| IpcError::Peer {
            code: ErrorCode::Busy,
            text: "the connection to the signer ended, and whoever serves its socket now is heard first, with the next head"
                .to_owned(),
            fault: None,
        })?;
        self.put(channel, request)
    }

    /// A number that no other description was asked with.
    fn nonce(&self) -> Result<Digest, IpcError> {
        let mut nonce = [0; 32];
        match (self.random)(&mut nonce) {
            Ok(()) => Ok(Digest(nonce)),
            Err(error) => Err(IpcError::Peer {
                code: ErrorCode::Unavailable,
                text: format!("no randomness to ask the signer with: {error}"),
                fault: Some(KeyFault::Failed),
            }),
        }
    }

    /// What holds the keys, where it was not said yet and can be said now. It is said again with each step of
    /// the plain counter, so that it stands in the ring with the bindings that lean on it, and while checkpoints are
    /// not bound: a counter may be gone, and may be there again.
    fn describe(&mut self, socket: &Path) -> Result<Option<(Keys, Digest)>, IpcError> {
        // A signer ends connections on which nothing was asked for long, or that others need: that costs no seal. Whoever serves the
        // next one is heard before it signs.
        let stands = |channel: &ipc::Channel| matches!(channel.recv(Duration::ZERO), Ok(None));
        self.channel = self.channel.take().filter(stands);
        if self.described && self.channel.is_some() {
            return Ok(None);
        }
        let nonce = self.nonce()?;
        let request = Describe {
            origin: None,
            nonce: Some(nonce),
        };
        match self.ask(socket, &request.into())? {
            Message::Keys(keys) => {
                // A counter of firmware versions that could not be read is looked for with each head.
                self.described = keys.firmware_fault.is_none();
                self.rotations = u64::try_from(keys.rotations.len()).unwrap_or(u64::MAX);
                self.custody = Some(keys.custody);
                Ok(Some((keys, nonce)))
            }
            other => Err(unexpected(&other)),
        }
    }

    /// Leaves whoever serves this connection: the next head goes to whoever serves the socket then, and hears him first.
    fn turn_from(&mut self) {
        self.channel = None;
        (self.described, self.is_known) = (false, false);
    }

    /// Binds the firmware version that waits for it; what fails is tried again behind the next seal.
    fn bind_firmware(&mut self) -> Option<FirmwareBound> {
        let bind = self.bind.clone().filter(|_| self.is_known)?;
        let words = match self.ask_heard(&bind.clone().into()) {
            Ok(Message::FirmwareBound(bound)) => match is_bound(&bound, &bind, &self.vkeys) {
                Ok(()) => {
                    self.bind = None;
                    return Some(bound);
                }
                Err(words) => {
                    // Whoever answers so is asked anew what its keys are.
                    self.described = false;
                    format!("what the signer gave binds nothing: {words}; {UNSIGNED_CURE}")
                }
            },
            Ok(other) => unexpected(&other).to_string(),
            Err(error) => error.to_string(),
        };
        eprintln!("recorder: the firmware's version is not bound to a counter: {words}");
        None
    }

    fn sign(&mut self, head: Head) -> Result<Sealed, IpcError> {
        let request = SignCheckpoint {
            origin: head.origin.clone(),
            size: head.size,
            root: head.root,
            plain_shown: head.plain_shown,
            rotations: self.rotations,
        };
        match self.ask_heard(&request.into())? {
            Message::SignedNote(signed) => {
                let sound = is_signed(&signed, &head, &self.vkeys)
                    .and_then(|()| is_held_as(signed.custody, self.custody));
                if let Err(words) = sound {
                    // Whoever answers so is asked anew what its keys are.
                    self.described = false;
                    return Err(IpcError::Peer {
                        code: ErrorCode::Internal,
                        text: format!("{words}; {UNSIGNED_CURE}"),
                        fault: Some(KeyFault::Failed),
                    });
                }
                let plain = |bound: &BoundHead| bound.counter == CounterKind::Plain;
                if signed.unbound.is_some() || signed.bound.iter().any(plain) {
                    self.described = false;
                }
                Ok(Sealed {
                    head,
                    note: signed.note.0,
                    custody: signed.custody,
                    bound: signed.bound,
                    unbound: signed.unbound_fault.zip(signed.unbound),
                    uses: signed.uses,
                    rollback_attempts: signed.rollback_attempts,
                    signature_failures: signed.signature_failures,
                    turned_away: signed.turned_away,
                    signer_began: signed.began,
                })
            }
            other => Err(unexpected(&other)),
        }
    }
}

pub(super) fn unexpected(answer: &Message) -> IpcError {
    IpcError::Peer {
        code: ErrorCode::Internal,
        text: format!("the signer answered with {}", answer.name()),
        fault: Some(KeyFault::Failed),
    }
}

#[cfg(test)]
mod tests {
    use super::{Signer, why};
    use evidence::cbor::{DecodeError, DecodeFault};
    use evidence::reasons::KeyFault;
    use ipc::message::{BindFirmware, BootAsked, ErrorCode};
    use ipc::{Channel, IpcError, Listener};
    use std::time::Duration;

    fn signer() -> Signer {
        Signer {
            channel: None,
            described: true,
            custody: None,
            rotations: 0,
            vkeys: Vec::new(),
            is_known: true,
            random: |_| Ok(()),
            bind: Some(BindFirmware {
                origin: "example.org/n/g1".into(),
                version: 7,
                above: None,
            }),
        }
    }

    /// Where the connection of the one who was heard is gone, somebody else may serve the socket.
    //= A6.3
    //= A11.3
    #[test]
    fn nobody_is_asked_who_was_not_heard() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("signer.sock");
        let listener = Listener::bind(&socket).unwrap();
        let is_busy = |signer: &mut Signer| {
            let asked = signer.ask_heard(&BootAsked {}.into());
            matches!(
                asked,
                Err(IpcError::Peer {
                    code: ErrorCode::Busy,
                    ..
                })
            )
        };
        let mut gone = signer();
        assert!(is_busy(&mut gone) && gone.bind_firmware().is_none() && gone.bind.is_some());
        let came = listener.accept(Duration::ZERO).unwrap();
        assert!(came.is_none(), "somebody was asked");
        let (own, other) = Channel::pair().unwrap();
        let mut unheard = Signer {
            channel: Some(own),
            is_known: false,
            ..signer()
        };
        assert!(is_busy(&mut unheard) && unheard.bind_firmware().is_none());
        assert!(
            !matches!(other.recv(Duration::ZERO), Ok(Some(_))),
            "it was asked"
        );
    }

    //= A6.3
    #[test]
    fn bytes_that_are_no_message_are_not_another_version_of_one() {
        for at in [0, 1, 7] {
            let what = DecodeFault::OutOfRange("the messages");
            let error = DecodeError { at, what };
            let (fault, words) = why(&IpcError::Malformed(error), KeyFault::Refused);
            assert_eq!(fault, KeyFault::Failed);
            assert!(words.contains("no message"), "{words}");
            assert!(!words.contains("different versions"), "{words}");
            let (fault, words) = why(&IpcError::OtherVersion(error), KeyFault::Refused);
            assert_eq!(fault, KeyFault::Refused);
            assert!(words.contains("different versions"), "{words}");
        }
    }
}
