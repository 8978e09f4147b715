//! What a node asks a registrar to take in.

use super::REQUEST_FILE;
use super::signer::Signer;
use crate::cli::EnrolRequestArgs;
use crate::commands::Ended;
use crate::commands::directory::generations;
use crate::files::write_durably;
use crate::paths::DataDir;
use certificates::papers::{Bytes, Endorsement, Paper, Request, sha256_hex};
use rcgen::{CertificateParams, DnType, KeyPair};
use serde_json::json;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// The node's key of TLS.
pub(super) const KEY_FILE: &str = "node.key";
/// The one that takes its place with the next certificate.
pub(super) const NEXT_KEY_FILE: &str = "next.key";

/// Writes a request.
pub(super) fn request(args: &EnrolRequestArgs) -> Result<Ended, String> {
    let data = DataDir::new(&args.dir);
    let signer = Signer::of(&data)?;
    let keys = signer.describe()?;
    let first = keys.vkeys.first().and_then(|key| key.split('+').next());
    let origin = first.unwrap_or_default().to_owned();
    let newest = generations(&data)?.pop();
    let newest = newest.ok_or("the node has no log yet; wait until `run` says that it is ready")?;
    let found = signer.endorsements()?;
    let unreadable = found.unreadable;
    let endorsements = found.certificates.into_iter().map(|one| Endorsement {
        kind: one.kind,
        certificate: Bytes(one.certificate.0),
    });
    let key_file = match args.renew {
        true => NEXT_KEY_FILE,
        false => KEY_FILE,
    };
    let request = Request {
        log: format!("{origin}/g{newest}"),
        certificate_request: certificate_request(&args.tls.join(key_file), &origin)?,
        origin,
        vkeys: keys.vkeys,
        custody: keys.custody.name().to_owned(),
        maker: keys.maker,
        key_public: keys.key_public.map(|public| Bytes(public.0)),
        endorsements: endorsements.collect(),
    };
    let shown = args.to.display();
    let (custody, certified) = (request.custody.clone(), request.endorsements.len());
    let id = request.id();
    let text = Paper::Request(request).text();
    // Of the file as it lies there: whoever carries it can compute the same.
    let sum = sha256_hex(text.as_bytes());
    // Before it leaves: what comes back is held against what was asked for.
    write_durably(&args.tls.join(REQUEST_FILE), &text)?;
    write_durably(&args.to, &text)?;
    if args.json {
        sayln!(
            "{}",
            json!({
                "file": args.to,
                "request": id,
                "sha256": sum,
                "custody": custody,
                "endorsements": certified,
                "endorsements_unreadable": unreadable,
            })
        );
        return Ok(Ended::Well);
    }
    for why in &unreadable {
        complain!("an endorsement certificate cannot be read and counts as none: {why}");
    }
    sayln!("wrote {shown}: keys in {custody}, endorsement certificates: {certified}");
    sayln!("its SHA-256 is {sum}; the registrar sees the same, or it was changed on its way");
    sayln!("give it to the registrar: fieldnotary-collector challenge --request {shown} ...");
    Ok(Ended::Well)
}

/// A request for a certificate of the key that lies there, or of a new one.
fn certificate_request(path: &Path, name: &str) -> Result<String, String> {
    let shown = path.display();
    let key = match std::fs::read_to_string(path) {
        Ok(pem) => KeyPair::from_pem(&pem).map_err(|error| {
            format!("{shown} is no private key in PEM: {error}; nothing was done")
        })?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = KeyPair::generate().map_err(|error| error.to_string())?;
            new_secret(path, &key.serialize_pem())
                .map_err(|error| format!("cannot write {shown}: {error}"))?;
            key
        }
        Err(error) => return Err(format!("cannot read {shown}: {error}")),
    };
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    let request = params.serialize_request(&key);
    let request = request.and_then(|request| request.pem());
    request.map_err(|error| format!("no request can be made for {shown}: {error}"))
}

fn new_secret(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
