//! Which clients get through the handshake, and which of them are served behind it.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use sha2::{Digest as _, Sha256};

use crate::enrolment::revoked_words;

/// What is told to whoever has a certificate of a node that was taken back, by the SHA-256 of the certificate.
pub type Told = BTreeMap<[u8; 32], String>;

/// What a client whose certificate holds gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// What it asks for.
    Served,
    /// These words, whatever it asks: its certificate was taken back.
    TurnedAway(String),
}

/// Judges certificates of clients. One that was taken back and is right otherwise gets through the handshake, as TLS has no
/// words: who shows it hears behind it since when and why, and nothing else. Any other fault ends the handshake.
#[derive(Debug)]
pub(super) struct Clients {
    /// With the lists of what was taken back.
    strict: Arc<dyn ClientCertVerifier>,
    /// The same without them.
    without_lists: Arc<dyn ClientCertVerifier>,
    told: Told,
}

impl Clients {
    pub(super) fn new(
        strict: Arc<dyn ClientCertVerifier>,
        without_lists: Arc<dyn ClientCertVerifier>,
        told: Told,
    ) -> Self {
        Self {
            strict,
            without_lists,
            told,
        }
    }

    /// What whoever shows this certificate gets. Asked anew behind each handshake, as one that takes up a session of before
    /// judges nothing.
    pub(super) fn standing(
        &self,
        own: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<Standing, Error> {
        let told = self.told.get(&<[u8; 32]>::from(Sha256::digest(own)));
        match self.strict.verify_client_cert(own, between, now) {
            Ok(_) if told.is_none() => return Ok(Standing::Served),
            Ok(_) | Err(Error::InvalidCertificate(CertificateError::Revoked)) => {}
            Err(error) => return Err(error),
        }
        self.without_lists.verify_client_cert(own, between, now)?;
        let words = told.cloned().unwrap_or_else(|| revoked_words(None));
        Ok(Standing::TurnedAway(words))
    }
}

impl ClientCertVerifier for Clients {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.strict.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let standing = self.standing(end_entity, intermediates, now);
        standing.map(|_| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.strict.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.strict.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.strict.supported_verify_schemes()
    }
}
