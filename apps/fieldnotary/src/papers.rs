//! The uplink's certificates and key: read and judged, before anything relies on them.

use contract::{Misfit, Uplink};
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use std::path::Path;

const TABLE: &str = "uplink";
/// What makes all three files, for those who have none.
const CURE: &str =
    "`fieldnotary-collector issue` writes ca.pem, node.pem and node.key; name those files here";

/// PEM files as they are.
#[derive(Debug)]
pub(crate) struct Papers {
    pub(crate) ca: Vec<u8>,
    pub(crate) cert: Vec<u8>,
    pub(crate) key: Vec<u8>,
}

/// Reads all three files; the error is everything that is wrong with them. Relative paths start from
/// `root`; without one they are not looked at, and there are no papers.
pub(crate) fn read(uplink: &Uplink, root: Option<&Path>) -> Result<Option<Papers>, Vec<Misfit>> {
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
            wrong.push(misfit(
                key,
                format!("cannot read {}: {error}", place.display()),
            ));
            Vec::new()
        })
    };
    let papers = Papers {
        ca: take("ca_file", &uplink.ca_file),
        cert: take("cert_file", &uplink.cert_file),
        key: take("key_file", &uplink.key_file),
    };
    wrong.extend(judge(&papers));
    match (wrong.is_empty(), missing) {
        (false, _) => Err(wrong),
        (true, true) => Ok(None),
        (true, false) => Ok(Some(papers)),
    }
}

fn misfit(key: &'static str, what: String) -> Misfit {
    Misfit {
        table: TABLE,
        id: None,
        key,
        what,
        advice: CURE.to_owned(),
    }
}

/// What is wrong with what could be read; files that could not are empty.
fn judge(papers: &Papers) -> Vec<Misfit> {
    let mut wrong = Vec::new();
    let mut say = |key, what: String| wrong.push(misfit(key, what));
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
    let key = (!papers.key.is_empty()).then(|| PrivateKeyDer::from_pem_slice(&papers.key));
    let chain = (!papers.cert.is_empty()).then(|| certificates(&papers.cert));
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

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if found.is_empty() => Err("no certificate in PEM".to_owned()),
        Ok(found) => Ok(found),
        Err(error) => Err(format!("not PEM: {error}")),
    }
}
