//! HTTPS to the collector: TLS 1.3, both sides with certificates (R2, A7.7).

use contract::Uplink;
use exchange::limits::RESPONSE_BYTES_MAX;
use exchange::{BATCH_HEADER, Failure, Method, Request, Response};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Error};

/// Bytes of a response that are read beyond what is looked at, so that the connection stays usable.
const SLACK_BYTES: u64 = 4_096;

/// A client with this node's certificate.
pub(super) struct Client {
    agent: Agent,
    url: String,
}

impl Client {
    /// Reads certificates and key, relative paths from `root`; the errors name the file.
    pub(super) fn new(uplink: &Uplink, root: &Path) -> Result<Self, String> {
        let read = |path: &str, what: &str| {
            std::fs::read(root.join(path))
                .map_err(|error| format!("uplink.{what}: cannot read {path}: {error}"))
        };
        let unusable = |path: &str, what: &str, error: ureq::Error| {
            format!("uplink.{what}: {path} is not usable: {error}")
        };
        let ca = Certificate::from_pem(&read(&uplink.ca_file, "ca_file")?)
            .map_err(|error| unusable(&uplink.ca_file, "ca_file", error))?;
        let cert = Certificate::from_pem(&read(&uplink.cert_file, "cert_file")?)
            .map_err(|error| unusable(&uplink.cert_file, "cert_file", error))?;
        let key = PrivateKey::from_pem(&read(&uplink.key_file, "key_file")?)
            .map_err(|error| unusable(&uplink.key_file, "key_file", error))?;
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(
                rustls::crypto::aws_lc_rs::default_provider(),
            ))
            .root_certs(RootCerts::Specific(Arc::new(vec![ca])))
            .client_cert(Some(ClientCert::new_with_certs(&[cert], key)))
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_millis(uplink.timeout_ms)))
            .max_redirects(0)
            .build()
            .into();
        Ok(Self {
            agent,
            url: uplink.url.trim_end_matches('/').to_owned(),
        })
    }

    /// Makes one request.
    pub(super) fn send(&self, request: &Request) -> Result<Response, Failure> {
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
        let mut response = outcome.map_err(|error| failure(&error))?;
        let retry_after_s = response
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.parse().ok());
        let limit = u64::try_from(RESPONSE_BYTES_MAX).unwrap_or(u64::MAX) + SLACK_BYTES;
        let body = response
            .body_mut()
            .with_config()
            .limit(limit)
            .read_to_vec()
            .map_err(|error| failure(&error))?;
        Ok(Response {
            status: response.status().as_u16(),
            body,
            retry_after_s,
        })
    }
}

fn failure(error: &Error) -> Failure {
    match error {
        Error::Timeout(_) => Failure::Timeout,
        Error::HostNotFound | Error::ConnectionFailed => Failure::Connect,
        Error::Tls(_) | Error::Rustls(_) | Error::Pem(_) => Failure::Tls,
        Error::Io(error) => match error.kind() {
            std::io::ErrorKind::ConnectionRefused | std::io::ErrorKind::HostUnreachable => {
                Failure::Connect
            }
            // rustls reports a refused certificate as invalid data of the stream.
            std::io::ErrorKind::InvalidData => Failure::Tls,
            _ => Failure::Lost,
        },
        _ => Failure::Lost,
    }
}
