//! HTTPS to the collector: TLS 1.3, both sides with certificates (R2, A7.7).

use super::offers::Span;
use super::tls::Tls;
use crate::clock;
use crate::papers;
use crate::papers::REVOKED;
use contract::Uplink;
use evidence::UtcNs;
use exchange::limits::RESPONSE_BYTES_MAX;
use exchange::{
    ALARM_HEADER, BATCH_HEADER, CollectorAlarm, CollectorTime, Failure, Method, Request, Response,
    TIME_HEADER,
};
use std::cell::RefCell;
use std::error::Error as _;
use std::path::Path;
use std::time::Duration;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector as _, TcpConnector};
use ureq::{Agent, Error};

/// Bytes of a response that are read beyond what is looked at, so that the connection stays usable.
const SLACK_BYTES: u64 = 4_096;
/// Longest cause of a failure in words, in characters.
const CAUSE_CHARS_MAX: usize = 300;

/// An answer, and when it was made.
pub(super) struct Answered {
    pub(super) response: Response,
    pub(super) span: Span,
    /// What time it was by the collector's clock, where it said so.
    pub(super) time: Option<CollectorTime>,
    /// What it finds wrong with this log, where it says so.
    pub(super) alarm: Option<CollectorAlarm>,
}

/// A client with this node's certificate.
pub(super) struct Client {
    agent: Agent,
    url: String,
    timeout_ms: u64,
    /// Why the newest request failed.
    cause: RefCell<String>,
}

impl Client {
    /// Reads certificates and key, relative paths from `root`; the errors name the file. `newest` is the latest
    /// time in the log.
    pub(super) fn new(uplink: &Uplink, root: &Path, newest: UtcNs) -> Result<Self, String> {
        let read = papers::read(&papers::Named::from(uplink), Some(root));
        let papers = read.map_err(|wrong| papers::in_words(&wrong))?;
        let papers = papers.ok_or("uplink: the certificates were not read")?;
        let tls = Tls::new(&papers, newest)?;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_millis(uplink.timeout_ms)))
            .max_redirects(0)
            // The contract names who is connected to; this process may reach no other port.
            .proxy(None)
            .build();
        let connector = TcpConnector::default().chain(tls);
        let agent = Agent::with_parts(config, connector, DefaultResolver::default());
        Ok(Self {
            agent,
            url: uplink.url.trim_end_matches('/').to_owned(),
            timeout_ms: uplink.timeout_ms,
            cause: RefCell::default(),
        })
    }

    /// Brings a text that is no part of the exchange of batches.
    pub(super) fn tell(&self, path: &str, text: &str) -> Result<Response, Failure> {
        let url = format!("{}/{path}", self.url);
        let post = self.agent.post(&url).header("Content-Type", "text/plain");
        let mut response = post
            .send(text.as_bytes())
            .map_err(|error| self.failed(&error))?;
        let body = self.body(&mut response)?;
        Ok(Response {
            status: response.status().as_u16(),
            body,
            retry_after_s: None,
        })
    }

    fn body(&self, response: &mut ureq::http::Response<ureq::Body>) -> Result<Vec<u8>, Failure> {
        let limit = u64::try_from(RESPONSE_BYTES_MAX).unwrap_or(u64::MAX) + SLACK_BYTES;
        let body = response.body_mut().with_config().limit(limit);
        body.read_to_vec().map_err(|error| self.failed(&error))
    }

    /// Makes one request.
    pub(super) fn send(&self, request: &Request) -> Result<Answered, Failure> {
        let sent = clock::mono();
        let url = format!("{}/{}", self.url, request.path);
        let outcome = match request.method {
            Method::Get => self.agent.get(&url).call(),
            Method::Post => {
                let mut post = self
                    .agent
                    .post(&url)
                    .header("Content-Type", request.content_type);
                if let Some(batch) = &request.batch {
                    post = post.header(BATCH_HEADER, batch.to_string());
                }
                post.send(&request.body[..])
            }
        };
        let mut response = outcome.map_err(|error| self.failed(&error))?;
        let span = Span {
            sent,
            answered: clock::mono(),
        };
        let time = response.headers().get(TIME_HEADER);
        let time = time.and_then(|value| CollectorTime::read(value.to_str().ok()?));
        let alarm = response.headers().get(ALARM_HEADER);
        let alarm = alarm.and_then(|value| CollectorAlarm::read(value.to_str().ok()?));
        let retry_after_s = response
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.parse().ok());
        let body = self.body(&mut response)?;
        Ok(Answered {
            response: Response {
                status: response.status().as_u16(),
                body,
                retry_after_s,
            },
            span,
            time,
            alarm,
        })
    }

    /// A failure in words, with its cause where this side knows it.
    pub(super) fn why(&self, failure: Failure) -> String {
        let cause = self.cause.borrow();
        match failure {
            Failure::Server(_) => failure.to_string(),
            _ if cause.is_empty() => failure.to_string(),
            _ => cause.clone(),
        }
    }

    fn failed(&self, error: &Error) -> Failure {
        let failure = failure(error);
        let words = match failure {
            Failure::Timeout => format!(
                "{}: no answer within {} s ({error})",
                self.url,
                self.timeout_ms / 1_000
            ),
            Failure::Tls => format!("{}: {}", self.url, tls_words(error)),
            Failure::Lost => format!("{}: {}{}", self.url, chain(error), hint(error)),
            _ => format!("{}: {}", self.url, chain(error)),
        };
        *self.cause.borrow_mut() = words.chars().take(CAUSE_CHARS_MAX).collect();
        failure
    }
}

/// An error and what it came from, each said once.
fn chain(error: &Error) -> String {
    let mut words = match error {
        Error::HostNotFound => "its name is not known to the name service".to_owned(),
        Error::Io(error) => error.to_string(),
        other => other.to_string(),
    };
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !words.contains(&said) {
            words = format!("{words}: {said}");
        }
        source = cause.source();
    }
    words
}

/// With TLS 1.3 a server refuses a certificate when the client has long begun to send.
fn hint(error: &Error) -> &'static str {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    match error {
        Error::Io(io)
            if [
                BrokenPipe,
                ConnectionAborted,
                ConnectionReset,
                UnexpectedEof,
            ]
            .contains(&io.kind()) =>
        {
            "; the collector closed the connection, as it does when it refuses this node's certificate in `cert_file`"
        }
        _ => "",
    }
}

/// Which certificate was refused by whom, and why.
fn tls_words(error: &Error) -> String {
    use rustls::{AlertDescription, CertificateError};
    let Some(cause) = of_rustls(error) else {
        return format!("TLS failed: {}", chain(error));
    };
    match cause {
        rustls::Error::InvalidCertificate(reason) => {
            let why = match reason {
                // The second where an authority of the same name has another key.
                CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                    "it is not signed by the authority in `ca_file`".to_owned()
                }
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    format!("it has expired, or this node's clock is wrong ({reason})")
                }
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                    format!("it is not valid yet, or this node's clock is wrong ({reason})")
                }
                CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. } => {
                    format!("it is not for the host in `url` ({reason})")
                }
                other => other.to_string(),
            };
            format!("the collector's certificate is refused: {why}")
        }
        rustls::Error::AlertReceived(alert @ AlertDescription::CertificateRevoked) => format!(
            "{REVOKED} in `cert_file` ({alert:?}), however long it holds; since when and why \
             its operator can tell: the node needs new keys, enrolled there (docs/enrolment.md, Take keys back)"
        ),
        rustls::Error::AlertReceived(
            alert @ (AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError),
        ) => format!("the collector refuses this node's certificate in `cert_file` ({alert:?})"),
        other => format!("TLS failed: {other}"),
    }
}

/// The TLS library's own error, wherever it is wrapped.
fn of_rustls(error: &Error) -> Option<&rustls::Error> {
    match error {
        Error::Rustls(cause) => Some(cause),
        Error::Io(error) => error.get_ref()?.downcast_ref(),
        _ => None,
    }
}

fn failure(error: &Error) -> Failure {
    match error {
        Error::Timeout(_) => Failure::Timeout,
        Error::HostNotFound | Error::ConnectionFailed => Failure::Connect,
        Error::Tls(_) | Error::Rustls(_) | Error::Pem(_) => Failure::Tls,
        Error::Io(io) => match io.kind() {
            std::io::ErrorKind::ConnectionRefused
            | std::io::ErrorKind::HostUnreachable
            | std::io::ErrorKind::NetworkUnreachable => Failure::Connect,
            // rustls reports a refused certificate as invalid data of the stream.
            _ if of_rustls(error).is_some() => Failure::Tls,
            std::io::ErrorKind::InvalidData => Failure::Tls,
            _ => Failure::Lost,
        },
        _ => Failure::Lost,
    }
}

#[cfg(test)]
mod tests {
    use super::tls_words;
    use rustls::AlertDescription as Alert;

    //= R8.2
    #[test]
    fn a_certificate_that_was_revoked_is_told_as_that_with_what_to_do() {
        let said = |alert| tls_words(&ureq::Error::Rustls(rustls::Error::AlertReceived(alert)));
        let revoked = said(Alert::CertificateRevoked);
        for words in [
            "revoked this node's certificate",
            "CertificateRevoked",
            "new keys",
        ] {
            assert!(revoked.contains(words), "{revoked}");
        }
        let expired = said(Alert::CertificateExpired);
        assert!(!expired.contains("revoked"), "{expired}");
    }
}
