//! Certificates and keys that the configuration names: read and judged, before anything relies on them.

use contract::{Contract, Misfit, Syslog, Uplink};
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// What a file's mode grants to others than its user.
const OTHERS: u32 = 0o077;

/// What a table of the configuration names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named<'c> {
    table: &'static str,
    /// Where such files come from, for those who have none.
    cure: &'static str,
    ca: &'c str,
    /// Certificate and key of the node's own; a receiver of syslog may ask for none.
    own: Option<(&'c str, &'c str)>,
}

/// The node's own certificates, by the table that names them and their file, for a report.
pub(crate) fn own_certificates(contract: &Contract) -> Value {
    let uplink = contract.uplink.as_ref();
    let uplink = uplink.map(|uplink| ("uplink", &uplink.cert_file));
    let syslog = contract.syslog.as_ref();
    let syslog = syslog.and_then(|syslog| Some(("syslog", syslog.cert_file.as_ref()?)));
    let named = uplink.into_iter().chain(syslog);
    named
        .map(|(section, file)| json!({ "section": section, "file": file }))
        .collect()
}

impl<'c> From<&'c Uplink> for Named<'c> {
    fn from(uplink: &'c Uplink) -> Self {
        Self {
            table: "uplink",
            cure: "`fieldnotary-collector issue` writes ca.pem, node.pem and node.key; name those files here",
            ca: &uplink.ca_file,
            own: Some((&uplink.cert_file, &uplink.key_file)),
        }
    }
}

/// How the uplink begins to tell of a certificate that the collector took back: `status` knows it by that.
pub(crate) const REVOKED: &str = "the collector revoked this node's certificate";

impl<'c> From<&'c Syslog> for Named<'c> {
    fn from(syslog: &'c Syslog) -> Self {
        Self {
            table: "syslog",
            cure: "name PEM files of the authority that signed the receiver's certificate, and of the node's own \
                where the receiver asks for one",
            ca: &syslog.ca_file,
            own: syslog.cert_file.as_deref().zip(syslog.key_file.as_deref()),
        }
    }
}

/// Keys for TLS that others than their user may read or write.
pub(crate) fn open_keys(contract: &Contract, root: Option<&Path>) -> Vec<String> {
    let uplink = contract.uplink.as_ref();
    let uplink = uplink.map(|uplink| ("uplink", uplink.key_file.as_str()));
    let syslog = contract.syslog.as_ref();
    let syslog = syslog.and_then(|syslog| Some(("syslog", syslog.key_file.as_deref()?)));
    let named = uplink.into_iter().chain(syslog);
    let open = named.filter_map(|(table, path)| {
        let place = root.map_or_else(|| path.into(), |root| root.join(path));
        lets_others_in(table, &place)
    });
    open.collect()
}

/// What is said of such a key; of one that is not there it is told where it is read.
fn lets_others_in(table: &str, place: &Path) -> Option<String> {
    let mode = std::fs::metadata(place).ok()?.permissions().mode() & 0o7777;
    let place = place.display();
    (mode & OTHERS != 0).then(|| {
        format!(
            "{table}.key_file: {place}: mode {mode:04o} lets others in, who could deliver as this node; at most 0600 is right: \
             chmod 600 {place}"
        )
    })
}

/// PEM files as they are.
#[derive(Debug, Default)]
pub(crate) struct Papers {
    pub(crate) ca: Vec<u8>,
    /// Certificate and key.
    pub(crate) own: Option<(Vec<u8>, Vec<u8>)>,
}

/// What is wrong, in one line.
pub(crate) fn in_words(wrong: &[Misfit]) -> String {
    let words = wrong
        .iter()
        .map(|one| format!("{}.{}: {}", one.table, one.key, one.what));
    words.collect::<Vec<_>>().join("; ")
}

/// Reads all of them; the error is everything that is wrong with them. Relative paths start from
/// `root`; without one they are not looked at, and there are no papers.
pub(crate) fn read(named: &Named<'_>, root: Option<&Path>) -> Result<Option<Papers>, Vec<Misfit>> {
    let mut wrong = Vec::new();
    let mut missing = false;
    let mut take = |key: &'static str, path: &str| {
        let place = match root {
            Some(root) => root.join(path),
            None if Path::new(path).is_absolute() => path.into(),
            None => {
                missing = true;
                return Vec::new();
            }
        };
        std::fs::read(&place).unwrap_or_else(|error| {
            missing = true;
            wrong.push(named.misfit(key, format!("cannot read {}: {error}", place.display())));
            Vec::new()
        })
    };
    let papers = Papers {
        ca: take("ca_file", named.ca),
        own: named
            .own
            .map(|(cert, key)| (take("cert_file", cert), take("key_file", key))),
    };
    wrong.extend(judge(named, &papers));
    match (wrong.is_empty(), missing) {
        (false, _) => Err(wrong),
        (true, true) => Ok(None),
        (true, false) => Ok(Some(papers)),
    }
}

impl Named<'_> {
    fn misfit(&self, key: &'static str, what: String) -> Misfit {
        Misfit {
            table: self.table,
            id: None,
            point: None,
            key,
            what,
            advice: self.cure.to_owned(),
        }
    }
}

/// What is wrong with what could be read; files that could not are empty.
fn judge(named: &Named<'_>, papers: &Papers) -> Vec<Misfit> {
    let mut wrong = Vec::new();
    let mut say = |key, what: String| wrong.push(named.misfit(key, what));
    let ca = certificates(&papers.ca);
    match ca {
        _ if papers.ca.is_empty() => {}
        Err(why) => say("ca_file", why),
        Ok(ca) => {
            for certificate in ca {
                if let Err(error) = RootCertStore::empty().add(certificate) {
                    say(
                        "ca_file",
                        format!("not the certificate of an authority: {error}"),
                    );
                }
            }
        }
    }
    let own = papers.own.as_ref();
    let (cert, key) = own.map_or((&[][..], &[][..]), |(cert, key)| (cert, key));
    let key = (!key.is_empty()).then(|| PrivateKeyDer::from_pem_slice(key));
    let chain = (!cert.is_empty()).then(|| certificates(cert));
    if let Some(Err(error)) = &key {
        say("key_file", format!("no private key in PEM: {error}"));
    }
    if let Some(Err(why)) = &chain {
        say("cert_file", why.clone());
    }
    if let (Some(Ok(key)), Some(Ok(chain))) = (key, chain) {
        match CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()) {
            Ok(_) => {}
            Err(rustls::Error::InconsistentKeys(_)) => say(
                "key_file",
                "the key is not that of the certificate in `cert_file`".to_owned(),
            ),
            Err(error) => say("cert_file", format!("not a usable certificate: {error}")),
        }
    }
    wrong
}

/// Whether a certificate is of a key, both in PEM.
pub(crate) fn certified(certificate: &[u8], key: &[u8]) -> Result<(), String> {
    let chain = certificates(certificate)?;
    let key = PrivateKeyDer::from_pem_slice(key);
    let key = key.map_err(|error| format!("no private key in PEM: {error}"))?;
    match CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()) {
        Ok(_) => Ok(()),
        Err(rustls::Error::InconsistentKeys(_)) => {
            Err("it is the certificate of another key".to_owned())
        }
        Err(error) => Err(format!("not a usable certificate: {error}")),
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if found.is_empty() => Err("no certificate in PEM".to_owned()),
        Ok(found) => Ok(found),
        Err(error) => Err(format!("not PEM: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::lets_others_in;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_key_for_tls_that_others_may_read_or_write_is_told_with_its_cure() {
        let dir = tempfile::tempdir().unwrap();
        let key = dir.path().join("node.key");
        assert_eq!(lets_others_in("uplink", &key), None, "it is not there");
        std::fs::write(&key, "a key").unwrap();
        for (mode, told) in [
            (0o600, false),
            (0o400, false),
            (0o640, true),
            (0o644, true),
            (0o602, true),
        ] {
            std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
            let words = lets_others_in("uplink", &key);
            assert_eq!(words.is_some(), told, "{mode:o}");
            let due = format!("node.key: mode {mode:04o} lets others in");
            assert!(words.is_none_or(|words| words.contains(&due) && words.contains("chmod 600")));
        }
    }
}
