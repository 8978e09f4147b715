//! Who the collector is: cosigner key, its own certificate authority, certificates for itself and for nodes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ed25519_dalek::SigningKey;
use exchange::collector::Cosigner;
use proof::cosignature::cosign;
use proof::note::{KeyError, SignatureLine, VerifierKey, is_key_name};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SerialNumber, date_time_ymd,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::args::PORT_DEFAULT;
use crate::clock;
use crate::error::Error;
use crate::files::{self, Access, hex, unhex};
use crate::say::quoted;

mod request;
pub use request::{listed_revoked, serial_of, sign_request, tls_files, write_revoked};

const ABOUT_FILE: &str = "collector.json";
const KEY_FILE: &str = "cosigner.key";
const TLS_DIR: &str = "tls";
const REVOKED_FILE: &str = "revoked.pem";

const DAY: Duration = Duration::from_secs(86_400);

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
            Error::setup(format!(
                "{} is missing: nodes pin that key; restore it from a backup",
                path.display()
            ))
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
    /// List of the clients' certificates that were taken back, PEM; there is none before the first.
    pub client_crl: PathBuf,
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
            client_crl: tls.join(REVOKED_FILE),
        }
    }
}

/// Reads `collector.json`.
///
/// # Errors
/// What is missing or damaged.
pub fn about(dir: &Path) -> Result<About, Error> {
    require_no_other(dir)?;
    let path = dir.join(ABOUT_FILE);
    let bytes = files::read(&path)?.ok_or_else(|| {
        let shown = quoted(&dir.display().to_string());
        let found = match dir.is_dir() {
            true => format!("{shown} holds no collector: it has no {ABOUT_FILE}"),
            false => format!("there is no directory {shown}"),
        };
        Error::setup(format!(
            "{found}; make a collector with: fieldnotary-collector init --dir {shown} --name NAME \
             --host HOST"
        ))
    })?;
    serde_json::from_slice(&bytes).map_err(|error| Error::damaged(&path, error))
}

/// Refuses a directory that another program keeps: each would take the other's files for its own. One that
/// holds a cosigner's key is a collector's, whatever else lies in it.
fn require_no_other(dir: &Path) -> Result<(), Error> {
    if dir.join(KEY_FILE).exists() {
        return Ok(());
    }
    let others = [
        ("identity/keys.vkey", "a node's data directory"),
        ("identity/log-id", "a node's data directory"),
        ("street.lock", "a street's directory"),
    ];
    let stands = |(file, kept): (&str, &'static str)| {
        let path = dir.join(file);
        path.exists().then_some((path, kept))
    };
    match others.into_iter().find_map(stands) {
        None => Ok(()),
        Some((path, kept)) => Err(Error::setup(format!(
            "{} is {kept} ({}), and a collector needs one of its own: give --dir another directory",
            quoted(&dir.display().to_string()),
            path.display()
        ))),
    }
}

/// Refuses a directory in which keys of a collector lie: what nodes pin is never overwritten.
fn require_no_keys(dir: &Path) -> Result<(), Error> {
    let about = dir.join(ABOUT_FILE);
    if about.exists() {
        return Err(Error::setup(format!(
            "{} exists already: nodes pin its key, so it is never overwritten; serve it with run, or \
             give --dir another directory",
            about.display()
        )));
    }
    let key = dir.join(KEY_FILE);
    if key.exists() {
        return Err(Error::setup(format!(
            "{} exists without {ABOUT_FILE}: restore that file from a backup; if an earlier init was \
             interrupted, remove {} and init again",
            key.display(),
            dir.display()
        )));
    }
    Ok(())
}

/// Makes keys and certificates in an empty or missing directory.
///
/// # Errors
/// When there is an identity already, a name makes no sense, or something cannot be written.
pub fn init(dir: &Path, name: &str, hosts: &[String]) -> Result<About, Error> {
    if !is_key_name(name) {
        return Err(Error::usage(format!(
            "--name {name:?} cannot name a key: no spaces, no plus, 1 to 255 bytes"
        )));
    }
    let mut names: Vec<String> = hosts.to_vec();
    names.extend(LOCAL_NAMES.map(String::from));
    names.sort();
    names.dedup();
    let mut params = CertificateParams::new(names).map_err(|error| {
        Error::usage(format!(
            "--host {}: not a host name or address: {error}",
            hosts.join(" --host ")
        ))
    })?;
    require_no_other(dir)?;
    require_no_keys(dir)?;
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
    files::write(
        &dir.join(ABOUT_FILE),
        format!("{text}\n").as_bytes(),
        Access::Public,
    )?;
    Ok(about)
}

/// What a node's `[uplink]` needs: the keys of that table.
#[derive(Clone, Debug, Serialize)]
pub struct Issued {
    /// Base URL of the collector.
    pub url: String,
    /// The collector's verifier key.
    pub collector_key: String,
    /// PEM file of the authority of the collector's certificate.
    pub ca_file: PathBuf,
    /// PEM file of the node's certificate.
    pub cert_file: PathBuf,
    /// PEM file of that certificate's key.
    pub key_file: PathBuf,
    /// Host names and addresses that the collector's certificate is good for.
    #[serde(skip)]
    pub hosts: Vec<String>,
}

/// Issues a client certificate for a node: `node.key`, `node.pem`, `ca.pem` and `collector.json` in `out`.
///
/// # Errors
/// When the authority is missing, the directory holds a node's key, or something cannot be written.
pub fn issue(
    dir: &Path,
    node: &str,
    days: u32,
    out: &Path,
    url: Option<&str>,
) -> Result<Issued, Error> {
    if node.trim().is_empty() {
        return Err(Error::usage("--node: a certificate needs the node's name"));
    }
    let about = about(dir)?;
    let out = std::path::absolute(out).map_err(Error::io("resolve", out))?;
    let (key_file, cert_file) = (out.join("node.key"), out.join("node.pem"));
    if let Some(stands) = [&key_file, &cert_file]
        .into_iter()
        .find(|path| path.exists())
    {
        return Err(Error::setup(format!(
            "{} exists already and may be in use by a node: it is never overwritten; give --out a \
             directory of its own, or move that one's files away first",
            stands.display()
        )));
    }
    let tls = dir.join(TLS_DIR);
    let hosts = request::hosts(dir)?;
    let ca_key = request::authority_key(dir)?;
    let params = client(node, days)?;
    issue_under(&about.name, ca_key, params, &key_file, &cert_file)?;
    for (from, name) in [
        (tls.join("ca.pem"), "ca.pem"),
        (dir.join(ABOUT_FILE), ABOUT_FILE),
    ] {
        let bytes = files::read(&from)?.unwrap_or_default();
        files::write(&out.join(name), &bytes, Access::Public)?;
    }
    Ok(Issued {
        url: url.map_or_else(|| url_of(&hosts, PORT_DEFAULT), ToOwned::to_owned),
        collector_key: about.vkey,
        ca_file: out.join("ca.pem"),
        cert_file,
        key_file,
        hosts,
    })
}

/// URL under the first name of a certificate that another machine knows.
#[must_use]
pub fn url_of(hosts: &[String], port: u16) -> String {
    let known = hosts
        .iter()
        .find(|host| !LOCAL_NAMES.contains(&host.as_str()));
    let host = known.map_or(LOCAL_NAMES[1], String::as_str);
    match host.contains(':') {
        true => format!("https://[{host}]:{port}"),
        false => format!("https://{host}:{port}"),
    }
}

impl Issued {
    /// The table of a node's configuration, ready to paste.
    #[must_use]
    pub fn uplink(&self) -> String {
        // A JSON string is a TOML string as well.
        let text = |text: &str| Value::from(text).to_string();
        let path = |path: &Path| text(&path.display().to_string());
        format!(
            "# The certificate is good for {}; the port is that of run --listen.\n\
             [uplink]\n\
             url = {}\n\
             collector_key = {}\n\
             # Where these files lie on the node; key_file is for its user's eyes alone.\n\
             ca_file = {}\n\
             cert_file = {}\n\
             key_file = {}",
            self.hosts.join(", "),
            text(&self.url),
            text(&self.collector_key),
            path(&self.ca_file),
            path(&self.cert_file),
            path(&self.key_file),
        )
    }
}

/// The certificate of a node, which holds for so many days from now on, and a day back for clocks that are apart.
fn client(node: &str, days: u32) -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::default();
    let now = date_time_ymd(1970, 1, 1) + Duration::from_secs(clock::utc_s());
    // Of its own, also where a key is certified again.
    let mut serial = [0; 16];
    getrandom::fill(&mut serial).map_err(Error::setup)?;
    serial[0] &= 0x7f;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.not_before = now - DAY;
    params.not_after = now + DAY * days;
    params.distinguished_name = common_name(node);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    Ok(params)
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
        let issued = issue(dir.path(), "node7", 30, &out, None).unwrap();
        assert_eq!(issued.url, "https://c.example.org:7443");
        for secret in [
            dir.path().join("cosigner.key"),
            dir.path().join("tls/ca.key"),
            out.join("node.key"),
        ] {
            let mode = std::fs::metadata(&secret).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", secret.display());
        }
        // A cosigner's key that lost its companion is not written over.
        std::fs::remove_file(dir.path().join("collector.json")).unwrap();
        let error = init(dir.path(), "other", &[]).unwrap_err().to_string();
        assert!(error.contains("restore that file"), "{error}");
    }

    #[test]
    fn an_issued_key_is_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        init(dir.path(), "c.example", &[]).unwrap();
        let out = dir.path().join("node");
        issue(dir.path(), "n", 30, &out, None).unwrap();
        let key = std::fs::read(out.join("node.key")).unwrap();
        let error = issue(dir.path(), "n", 30, &out, None)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("give --out a directory of its own"),
            "{error}"
        );
        assert_eq!(std::fs::read(out.join("node.key")).unwrap(), key);
    }

    #[test]
    fn the_uplink_can_be_pasted_whatever_the_path() {
        let dir = tempfile::tempdir().unwrap();
        let about = init(dir.path(), "c.example", &["fd00::7".into()]).unwrap();
        let out = dir.path().join("a \"b\\c");
        let issued = issue(dir.path(), "n", 30, &out, None).unwrap();
        let text = issued.uplink();
        for part in [
            "good for 127.0.0.1, ::1, fd00::7, localhost",
            "url = \"https://[fd00::7]:7443\"",
            &format!("collector_key = \"{}\"", about.vkey),
            "a \\\"b\\\\c/node.key\"",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
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
