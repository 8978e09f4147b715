//! One question to a timestamp authority over HTTP (RFC 3161, 3.4).

use super::{Failed, Sealed, Span, judged};
use crate::clock;
use certificates::{Authorities, imprint};
use contract::StampHash;
use evidence::kinds::Timestamp;
use evidence::reasons::StampFault;
use proof::note::Note;
use std::path::Path;
use std::time::Duration;
use timestamp::{Answer, Hash, Malformed, opened, query};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::TcpConnector;
use ureq::{Agent, Error};

/// Asked with so many bits, so that it is a positive number in DER, of whatever length.
const NONCE_MASK: u64 = u64::MAX >> 1;
const QUESTION: &str = "application/timestamp-query";

/// The authority that the contract names, and who vouches for it.
pub(super) struct Authority {
    agent: Agent,
    url: String,
    hash: StampHash,
    answer_bytes_max: u64,
    trusted: Result<Authorities, String>,
}

impl Authority {
    /// A file of authorities that cannot be used is told when it is needed; relative, it lies in `root`.
    pub(super) fn new(contract: &contract::Timestamp, root: &Path) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_millis(contract.timeout_ms)))
            .max_redirects(0)
            // The contract names who is connected to; this process may reach no other port.
            .proxy(None)
            .build();
        let connector = TcpConnector::default();
        Self {
            agent: Agent::with_parts(config, connector, DefaultResolver::default()),
            url: contract.url.clone(),
            hash: contract.hash,
            answer_bytes_max: contract.answer_bytes_max,
            trusted: trusted(&root.join(&contract.trust_file)),
        }
    }

    /// The newest timestamp of a checkpoint, judged.
    pub(super) fn stamped(&self, sealed: &Sealed) -> Result<Timestamp, Failed> {
        let trusted = self.trusted.as_ref();
        let trusted = trusted.map_err(|words| Failed::new(StampFault::TrustFile, words))?;
        let note = Note::parse(sealed.checkpoint.note.as_bytes());
        let note = note.map_err(|error| Failed::new(StampFault::Malformed, error.to_string()))?;
        let over = note.text().as_bytes();
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|error| {
            let words = format!("no number to ask with is to be had: {error}");
            Failed::new(StampFault::WrongNonce, words)
        })?;
        let nonce = u64::from_be_bytes(random) & NONCE_MASK;
        let hash = match self.hash {
            StampHash::Sha256 => Hash::Sha256,
            StampHash::Sha384 => Hash::Sha384,
            StampHash::Sha512 => Hash::Sha512,
        };
        let question = query(hash, &imprint(hash, over), nonce);
        let question = question.map_err(malformed)?;
        let sent = clock::mono();
        let answer = self.ask(&question)?;
        let span = Span {
            sent,
            answered: clock::mono(),
        };
        match opened(&answer).map_err(malformed)? {
            Answer::Granted(token) => judged::judged(sealed, over, nonce, token, span, trusted),
            Answer::Refused {
                status,
                failure,
                words,
            } => {
                let failure = failure.map_or_else(String::new, |bit| format!(", failure {bit}"));
                let words = format!("it refused with status {status}{failure}: {words:?}");
                Err(Failed::new(StampFault::Refused, words))
            }
        }
    }

    fn ask(&self, question: &[u8]) -> Result<Vec<u8>, Failed> {
        let post = self.agent.post(&self.url).header("Content-Type", QUESTION);
        let mut response = post.send(question).map_err(|error| self.failed(&error))?;
        let status = response.status().as_u16();
        if status != 200 {
            let words = format!("{} answered with status {status}", self.url);
            return Err(Failed::new(StampFault::Status, words));
        }
        let body = response.body_mut().with_config();
        // One byte more tells an answer that is too long from one that just fits.
        let body = body.limit(self.answer_bytes_max.saturating_add(1));
        let body = body.read_to_vec().map_err(|error| self.failed(&error))?;
        match u64::try_from(body.len()).is_ok_and(|bytes| bytes <= self.answer_bytes_max) {
            true => Ok(body),
            false => Err(self.oversized()),
        }
    }

    fn oversized(&self) -> Failed {
        let words = format!(
            "the answer of {} is longer than {} bytes (timestamp.answer_max)",
            self.url, self.answer_bytes_max
        );
        Failed::new(StampFault::Oversized, words)
    }

    fn failed(&self, error: &Error) -> Failed {
        let fault = match error {
            Error::BodyExceedsLimit(_) => return self.oversized(),
            Error::Timeout(_) => StampFault::Slow,
            Error::Io(io) if io.kind() == std::io::ErrorKind::TimedOut => StampFault::Slow,
            Error::Http(_) | Error::Protocol(_) | Error::LargeResponseHeader(..) => {
                StampFault::Malformed
            }
            _ => StampFault::Unreachable,
        };
        Failed::new(fault, format!("{}: {error}", self.url))
    }
}

fn malformed(why: Malformed) -> Failed {
    let words = format!("the answer is no answer of a timestamp authority: {why}");
    Failed::new(StampFault::Malformed, words)
}

/// Who is trusted to vouch for timestamp authorities, of a file in PEM; the error names the file.
pub(crate) fn trusted(file: &Path) -> Result<Authorities, String> {
    let shown = file.display();
    let pem = std::fs::read(file).map_err(|error| format!("cannot read {shown}: {error}"))?;
    Authorities::from_pem(&pem).map_err(|error| format!("{shown}: {error}"))
}
