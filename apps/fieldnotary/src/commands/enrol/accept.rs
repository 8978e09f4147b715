//! A registrar's receipt is judged; its certificate is put beside its key, its statement into the log.

use super::request::{KEY_FILE, NEXT_KEY_FILE};
use super::signer::Signer;
use super::{amiss, of_own_request, own_request, paper};
use crate::cli::EnrolAcceptArgs;
use crate::clock;
use crate::commands::Ended;
use crate::commands::site::{Site, actor};
use crate::files::write_durably;
use crate::papers::certified;
use certificates::Holder;
use certificates::papers::{Receipt, Request, sha256};
use evidence::Blob;
use evidence::kinds::Enrolment;
use proof::Hash;
use proof::note::VerifierKey;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::path::Path;
use trust_plane::Enrolled;

const CERTIFICATE_FILE: &str = "node.pem";
const AUTHORITY_FILE: &str = "ca.pem";

/// Takes a receipt. Nothing is written before all of it is judged.
pub(super) fn accept(args: &EnrolAcceptArgs) -> Result<Ended, String> {
    let wrong = |error: String| amiss(&args.receipt, error);
    let receipt = Receipt::read(&paper(&args.receipt)?);
    let receipt = receipt.map_err(|error| wrong(error.to_string()))?;
    let site = Site::open(&args.dir)?;
    let own = own_request(&args.tls)?;
    of_own_request(&args.receipt, &receipt.request, &own)?;
    let keys = Signer::of(&site.data)?.describe()?.vkeys;
    let stated = stated(&receipt, &args.registrar, &keys, &own).map_err(wrong)?;
    let key_file = usable(&receipt, &args.tls).map_err(wrong)?;
    let by = actor(args.why.actor.as_deref())?;
    let recorder = site.recorder()?;
    if key_file == NEXT_KEY_FILE {
        // Cut behind this, the same step finds the key in its place and writes what it lacks.
        put_in_place(&args.tls)?;
    }
    for (name, text) in [
        (AUTHORITY_FILE, &receipt.authority),
        (CERTIFICATE_FILE, &receipt.certificate),
    ] {
        write_durably(&args.tls.join(name), text)?;
    }
    let committed = recorder.commit(Enrolment {
        at: clock::mono(),
        actor: by,
        reason: args.why.reason.clone(),
        proof: stated.proof,
        registrar: args.registrar.to_string(),
        statement: receipt.statement.clone(),
        endorsement: receipt.endorsement.map(|certificate| Blob(certificate.0)),
    })?;
    committed.tell(&args.dir, args.json, "enrolled");
    if !args.json {
        // A relative path in a contract begins at the data directory, and this one where the command was typed.
        let tls = std::path::absolute(&args.tls).unwrap_or_else(|_| args.tls.clone());
        let path = |name: &str| tls.join(name).display().to_string();
        sayln!(
            "[uplink]\nurl = {:?}\ncollector_key = {:?}\nca_file = {:?}\ncert_file = {:?}\nkey_file = {:?}",
            stated.url,
            args.registrar.to_string(),
            path(AUTHORITY_FILE),
            path(CERTIFICATE_FILE),
            path(KEY_FILE)
        );
        complain!("a node that runs uses the certificate from its next start on");
    }
    Ok(Ended::Well)
}

/// What the registrar states, where it is about these keys and this request, and all else of the receipt is what it states.
fn stated(
    receipt: &Receipt,
    registrar: &VerifierKey,
    keys: &[String],
    own: &Request,
) -> Result<Enrolled, String> {
    let read = Enrolled::read(receipt.statement.as_bytes(), registrar);
    let (stated, _) = read.map_err(|error| format!("its statement: {error} {registrar}"))?;
    let about: Vec<String> = stated.vkeys.iter().map(ToString::to_string).collect();
    if about != keys {
        return Err(format!(
            "its statement is about other keys than this node's: {}",
            about.join(", ")
        ));
    }
    let endorsement = receipt.endorsement.as_ref();
    let found = [
        ("request", Some(Hash(own.hash())), Some(stated.request)),
        (
            "certificate",
            pem_hash(&receipt.certificate),
            Some(stated.certificate),
        ),
        (
            "authority",
            pem_hash(&receipt.authority),
            Some(stated.authority),
        ),
        (
            "endorsement certificate",
            endorsement.map(|certificate| Hash(sha256(&certificate.0))),
            stated.endorsement,
        ),
    ];
    match found.into_iter().find(|(_, here, stated)| here != stated) {
        None => Ok(stated),
        Some((what, ..)) => Err(format!(
            "its {what} is not the one that the registrar states: it was changed on its way"
        )),
    }
}

/// SHA-256 of the one certificate in a text of PEM.
fn pem_hash(pem: &str) -> Option<Hash> {
    let mut all = CertificateDer::pem_slice_iter(pem.as_bytes());
    let first = all.next()?.ok()?;
    // A second one would be trusted as the first is, and nobody stated it.
    all.next().is_none().then(|| Hash(sha256(&first)))
}

/// The new key takes the place of the old one, durably.
fn put_in_place(tls: &Path) -> Result<(), String> {
    let (next, path) = (tls.join(NEXT_KEY_FILE), tls.join(KEY_FILE));
    let moved = std::fs::rename(&next, &path)
        .and_then(|()| std::fs::File::open(tls))
        .and_then(|folder| folder.sync_all());
    moved.map_err(|error| {
        format!(
            "cannot put {} in the place of {}: {error}; nothing was done",
            next.display(),
            path.display()
        )
    })
}

/// Whether the certificate is of a key that lies there, and holds now; which key.
fn usable(receipt: &Receipt, tls: &Path) -> Result<&'static str, String> {
    let is_of = |name: &&str| {
        let key = std::fs::read(tls.join(name));
        key.is_ok_and(|key| certified(receipt.certificate.as_bytes(), &key).is_ok())
    };
    let name = [NEXT_KEY_FILE].into_iter().find(is_of).unwrap_or(KEY_FILE);
    let path = tls.join(name);
    let key = std::fs::read(&path).map_err(|error| {
        format!(
            "its certificate has no key: cannot read {}: {error}",
            path.display()
        )
    })?;
    certified(receipt.certificate.as_bytes(), &key)
        .map_err(|why| format!("its certificate is not for {}: {why}", path.display()))?;
    let der = CertificateDer::from_pem_slice(receipt.certificate.as_bytes());
    let holder = der.map(|der| Holder::of(&der)).unwrap_or_default();
    let now_s = clock::utc().0.div_euclid(1_000_000_000);
    match holder.valid_s {
        Some((begin, end)) if (begin..=end).contains(&now_s) => Ok(name),
        _ => Err("its certificate does not hold now, by this machine's clock".to_owned()),
    }
}
