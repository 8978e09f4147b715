//! Who the collector is: cosigner key, its own certificate authority, certificates for itself and for nodes.

use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use exchange::collector::Cosigner;
use proof::cosignature::cosign;
use proof::note::{KeyError, SignatureLine, VerifierKey, is_key_name};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::error::Error;
use crate::files::{self, Access, hex, unhex};

const ABOUT_FILE: &str = "collector.json";
const KEY_FILE: &str = "cosigner.key";
const TLS_DIR: &str = "tls";

/// Names that a server certificate carries beside those given.
const LOCAL_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// What `collector.json` says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct About {
    /// Name of the cosigner.
    pub name: String,
    /// Its verifier key, which nodes pin.
    pub vkey: String,
}

/// The cosigner.
pub struct Identity {
    name: String,
    key: SigningKey,
    vkey: VerifierKey,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({})", self.vkey)
    }
}

impl Identity {
    fn new(name: &str, key: SigningKey) -> Result<Self, Error> {
        let vkey =
            VerifierKey::cosigner(name, key.verifying_key().as_bytes()).map_err(Error::setup)?;
        Ok(Self {
            name: name.to_owned(),
            key,
            vkey,
        })
    }

    /// Reads the identity of a directory made by [`init`].
    ///
    /// # Errors
    /// What is missing or damaged.
    pub fn load(dir: &Path) -> Result<Self, Error> {
        let about = about(dir)?;
        let path = dir.join(KEY_FILE);
        let text = files::read(&path)?.ok_or_else(|| {
            Error::setup(format!("{} is missing: run init first", path.display()))
        })?;
        let seed: [u8; 32] = std::str::from_utf8(&text)
            .ok()
            .and_then(|text| unhex(text.trim()))
            .and_then(|seed| seed.try_into().ok())
            .ok_or_else(|| Error::damaged(&path, "a key is 64 hex digits"))?;
        let identity = Self::new(&about.name, SigningKey::from_bytes(&seed))?;
        if identity.vkey.to_string() != about.vkey {
            return Err(Error::damaged(&path, "it is not the key of collector.json"));
        }
        Ok(identity)
    }

    /// The verifier key, which nodes pin.
    #[must_use]
    pub const fn vkey(&self) -> &VerifierKey {
        &self.vkey
    }
}

impl Cosigner for Identity {
    fn cosign(&self, checkpoint_text: &str) -> Result<SignatureLine, KeyError> {
        cosign(&self.name, &self.key, clock::utc_s(), checkpoint_text)
    }
}

/// Paths of the TLS files.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// Chain of the server, PEM.
    pub cert: PathBuf,
    /// Key of the server, PEM.
    pub key: PathBuf,
    /// Authority of the clients, PEM.
    pub client_ca: PathBuf,
}

impl TlsFiles {
    /// Those that [`init`] wrote.
    #[must_use]
    pub fn of(dir: &Path) -> Self {
        let tls = dir.join(TLS_DIR);
        Self {
            cert: tls.join("server.pem"),
            key: tls.join("server.key"),
            client_ca: tls.join("ca.pem"),
        }
    }
}

/// Reads `collector.json`.
///
/// # Errors
/// What is missing or damaged.
pub fn about(dir: &Path) -> Result<About, Error> {
    let path = dir.join(ABOUT_FILE);
    let bytes = files::read(&path)?
        .ok_or_else(|| Error::setup(format!("{} is missing: run init first", path.display())))?;
    serde_json::from_slice(&bytes).map_err(|error| Error::damaged(&path, error))
}

/// Makes keys and certificates in an empty or missing directory.
///
/// # Errors
/// When there is an identity already, the name cannot be a key's name, or something cannot be written.
pub fn init(dir: &Path, name: &str, hosts: &[String]) -> Result<About, Error> {
    if !is_key_name(name) {
        return Err(Error::setup(format!(
            "{name:?} cannot name a key: no spaces, no plus, at most 255 bytes"
        )));
    }
    let about_path = dir.join(ABOUT_FILE);
    if about_path.exists() {
        return Err(Error::setup(format!(
            "{} exists already",
            about_path.display()
        )));
    }
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(Error::setup)?;
    let identity = Identity::new(name, SigningKey::from_bytes(&seed))?;
    files::write(
        &dir.join(KEY_FILE),
        format!("{}\n", hex(&seed)).as_bytes(),
        Access::Secret,
    )?;

    let tls = dir.join(TLS_DIR);
    let ca_key = KeyPair::generate().map_err(Error::setup)?;
    let ca = authority(name).self_signed(&ca_key).map_err(Error::setup)?;
    write_key(&tls.join("ca.key"), &ca_key)?;
    files::write(&tls.join("ca.pem"), ca.pem().as_bytes(), Access::Public)?;

    let mut names: Vec<String> = hosts.to_vec();
    names.extend(LOCAL_NAMES.map(String::from));
    names.sort();
    names.dedup();
    let mut params = CertificateParams::new(names).map_err(Error::setup)?;
    params.distinguished_name = common_name(&format!("{name} server"));
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    issue_under(
        name,
        ca_key,
        params,
        &tls.join("server.key"),
        &tls.join("server.pem"),
    )?;

    let about = About {
        name: name.to_owned(),
        vkey: identity.vkey.to_string(),
    };
    let text = serde_json::to_string_pretty(&about).map_err(Error::setup)?;
    files::write(&about_path, format!("{text}\n").as_bytes(), Access::Public)?;
    Ok(about)
}

/// Issues a client certificate for a node: `node.key`, `node.pem`, `ca.pem` and `collector.json` in `out`.
///
/// # Errors
/// When the authority is missing or something cannot be written.
pub fn issue(dir: &Path, node: &str, out: &Path) -> Result<(), Error> {
    let about = about(dir)?;
    let tls = dir.join(TLS_DIR);
    let key_path = tls.join("ca.key");
    let pem = files::read(&key_path)?
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| Error::setup(format!("{} is missing", key_path.display())))?;
    let ca_key = KeyPair::from_pem(&pem).map_err(|error| Error::damaged(&key_path, error))?;
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name(node);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    issue_under(
        &about.name,
        ca_key,
        params,
        &out.join("node.key"),
        &out.join("node.pem"),
    )?;
    for (from, name) in [
        (tls.join("ca.pem"), "ca.pem"),
        (dir.join(ABOUT_FILE), ABOUT_FILE),
    ] {
        let bytes = files::read(&from)?.unwrap_or_default();
        files::write(&out.join(name), &bytes, Access::Public)?;
    }
    Ok(())
}

fn issue_under(
    authority_name: &str,
    authority_key: KeyPair,
    mut params: CertificateParams,
    key_path: &Path,
    cert_path: &Path,
) -> Result<(), Error> {
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let key = KeyPair::generate().map_err(Error::setup)?;
    let issuer = Issuer::new(authority(authority_name), authority_key);
    let cert = params.signed_by(&key, &issuer).map_err(Error::setup)?;
    write_key(key_path, &key)?;
    files::write(cert_path, cert.pem().as_bytes(), Access::Public)
}

fn write_key(path: &Path, key: &KeyPair) -> Result<(), Error> {
    files::write(path, key.serialize_pem().as_bytes(), Access::Secret)
}

/// The authority's certificate follows from the collector's name, so that its key can issue at any time.
fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name(&format!("{name} authority"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn common_name(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

#[cfg(test)]
mod tests {
    use super::{Identity, init, issue};
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn an_identity_is_made_once_and_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let about = init(
            dir.path(),
            "collector.example.org",
            &["c.example.org".into()],
        )
        .unwrap();
        assert_eq!(
            Identity::load(dir.path()).unwrap().vkey().to_string(),
            about.vkey
        );
        assert!(init(dir.path(), "other", &[]).is_err());
        let out = dir.path().join("node7");
        issue(dir.path(), "node7", &out).unwrap();
        for secret in [
            dir.path().join("cosigner.key"),
            dir.path().join("tls/ca.key"),
            out.join("node.key"),
        ] {
            let mode = std::fs::metadata(&secret).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", secret.display());
        }
    }

    #[test]
    fn a_name_that_cannot_name_a_key_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["", "a b", "a+b"] {
            assert!(init(dir.path(), name, &[]).is_err(), "{name:?}");
        }
    }
}
