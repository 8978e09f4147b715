//! A real TPM with certificates of an authority made on the spot: what its maker vouches for, and what it opens.

use super::super::link::{Asked, Link};
use super::super::{TpmKeys, TpmPlace};
use super::der_length;
use crate::limits::{TPM_RSA_TIMEOUT_NS, TPM_TIMEOUT_NS};
use crate::software::Ed25519File;
use certificates::{Authorities, ChainFault, Purpose, SECRET_BYTES, Vouched, key_name, seal};
use tpm::{Command, EndorsementKind};
use trial_stores::Tpm;
use trust_plane::{Backend, BackendError, Credential, KeyFault};

/// An instant at which the certificates hold, 2100-01-01.
const LATER_S: u64 = 4_102_444_800;
const INSIDE: [u8; SECRET_BYTES] = [0x5a; SECRET_BYTES];

fn keys(tpm: &Tpm, template: u8) -> TpmKeys {
    let place = tpm.at(TpmPlace::Device, TpmPlace::Socket);
    let (file, authority) = TpmKeys::create(&place, [template; 32], None).unwrap();
    TpmKeys::new(file, authority, Ed25519File::generate().unwrap())
}

/// What the authorities of a TPM say of a certificate.
fn vouch(by: &Tpm, certificate: &[u8]) -> Result<Vouched, ChainFault> {
    let authorities = Authorities::from_pem(by.authorities().as_bytes()).unwrap();
    authorities.vouch(certificate, &[], Purpose::Endorsement, LATER_S)
}

/// Sealed to the endorsement key of one set of keys and the authority of another.
fn sealed(endorsed: &mut TpmKeys, named: &mut TpmKeys) -> Credential {
    let certificate = endorsed
        .endorsements()
        .unwrap()
        .readable
        .remove(0)
        .certificate;
    endorsed.open = None;
    let public = named.describe().unwrap().key_public.unwrap();
    named.open = None;
    let made = seal(&certificate, &key_name(&public), &INSIDE).unwrap();
    Credential {
        kind: made.kind,
        blob: made.blob,
        secret: made.secret,
    }
}

fn refused(keys: &mut TpmKeys, credential: &Credential) -> String {
    let BackendError { fault, words } = keys.activate(credential).unwrap_err();
    keys.open = None;
    assert_eq!(fault, KeyFault::Failed);
    assert!(
        words.contains("was not made for this key in this TPM"),
        "{words}"
    );
    words
}

//= A6.1
//= R8.4
#[test]
fn the_key_is_shown_to_be_in_the_tpm_that_its_maker_certified() {
    let tpm = Tpm::certified();
    let mut own = keys(&tpm, 7);
    let certificates = own.endorsements().unwrap().readable;
    assert_eq!(certificates.len(), 1, "swtpm's other one is on P-384");
    assert_eq!(certificates[0].kind, EndorsementKind::Rsa2048);
    let vouched = vouch(&tpm, &certificates[0].certificate).unwrap();
    assert_eq!(vouched.root, "swtpm-localca-rootca");
    own.open = None;

    let public = own.describe().unwrap().key_public.unwrap();
    let made = seal(&certificates[0].certificate, &key_name(&public), &INSIDE).unwrap();
    let credential = Credential {
        kind: made.kind,
        blob: made.blob,
        secret: made.secret,
    };
    assert_eq!(own.activate(&credential).unwrap(), INSIDE);
    own.open = None;
    // Sealed to another key of the same TPM, and changed on its way.
    let mut beside = keys(&tpm, 8);
    let of_beside = sealed(&mut own, &mut beside);
    assert!(refused(&mut own, &of_beside).contains("TPM_RC_INTEGRITY"));
    assert_eq!(beside.activate(&of_beside).unwrap(), INSIDE);
    beside.open = None;
    for at in [0, 5, 40] {
        let mut changed = credential.clone();
        changed.blob[at] ^= 1;
        refused(&mut own, &changed);
    }
    let mut changed = credential.clone();
    changed.secret.truncate(9);
    refused(&mut own, &changed);
    // What was refused left nothing behind: it still opens what is its own, as often as it is asked.
    for _ in 0..4 {
        assert_eq!(own.activate(&credential).unwrap(), INSIDE);
    }
}

/// What takes two TPMs: only programs are that many.
mod programs {
    use super::{keys, refused, sealed, vouch};
    use certificates::ChainFault;
    use trial_stores::{Swtpm, Tpm};
    use trust_plane::Backend as _;

    /// Another TPM of another maker: neither its authority nor what is sealed to it is of any use to this one.
    //= A6.1
    //= R8.4
    #[test]
    fn another_tpm_opens_nothing_and_its_maker_vouches_for_nothing() {
        let [tpm, other] = [(); 2].map(|()| Tpm::from(Swtpm::certified()));
        let mut own = keys(&tpm, 7);
        let certificates = own.endorsements().unwrap().readable;
        own.open = None;
        assert!(vouch(&tpm, &certificates[0].certificate).is_ok());
        let by_another = vouch(&other, &certificates[0].certificate).unwrap_err();
        assert!(
            matches!(
                by_another,
                ChainFault::Signature | ChainFault::UnknownIssuer
            ),
            "{by_another}"
        );
        let of_other = sealed(&mut keys(&other, 7), &mut own);
        refused(&mut own, &of_other);
    }
}

/// The endorsement key on P-256, for which swtpm has no certificate: one is made for the key that the TPM derives.
//= R8.4
#[test]
fn a_credential_for_an_endorsement_key_on_p256_is_opened_too() {
    let tpm = Tpm::given();
    let mut own = keys(&tpm, 7);
    let public = own.describe().unwrap().key_public.unwrap();
    own.open = None;
    let made = tpm.tool(
        "tpm2_createek",
        &["-G", "ecc", "-u", "ek.pem", "-f", "pem", "-c", "ek.ctx"],
    );
    assert!(made.status.success(), "{made:?}");
    let _ = tpm.tool("tpm2_flushcontext", &["-t"]);
    let openssl = |arguments: &[&str]| {
        let mut command = std::process::Command::new("openssl");
        let output = command
            .args(arguments)
            .current_dir(tpm.folder())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        output.stdout
    };
    openssl(&[
        "ecparam",
        "-name",
        "prime256v1",
        "-genkey",
        "-noout",
        "-out",
        "ca.key",
    ]);
    openssl(&[
        "req",
        "-new",
        "-x509",
        "-key",
        "ca.key",
        "-subj",
        "/CN=a maker",
        "-out",
        "ca.pem",
    ]);
    openssl(&[
        "req", "-new", "-key", "ca.key", "-subj", "/CN=x", "-out", "x.csr",
    ]);
    let certificate = openssl(&[
        "x509",
        "-req",
        "-in",
        "x.csr",
        "-force_pubkey",
        "ek.pem",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-outform",
        "der",
    ]);
    let made = seal(&certificate, &key_name(&public), &INSIDE).unwrap();
    assert_eq!(made.kind, EndorsementKind::P256);
    let credential = Credential {
        kind: made.kind,
        blob: made.blob,
        secret: made.secret,
    };
    assert_eq!(own.activate(&credential).unwrap(), INSIDE);
}

/// Puts bytes where the TPM's maker puts the certificate of the key on P-256.
fn put(tpm: &Tpm, bytes: &[u8]) {
    let index = format!("{:#x}", EndorsementKind::P256.certificate_index());
    std::fs::write(tpm.folder().join("nv.bin"), bytes).unwrap();
    let size = bytes.len().to_string();
    let attributes = "ownerread|ownerwrite|authread|authwrite|no_da";
    let _ = tpm.tool("tpm2_nvundefine", &["-C", "o", &index]);
    for (tool, words) in [
        (
            "tpm2_nvdefine",
            vec!["-C", "o", "-s", &size, "-a", attributes, &index],
        ),
        ("tpm2_nvwrite", vec!["-C", "o", "-i", "nv.bin", &index]),
    ] {
        let done = tpm.tool(tool, &words);
        assert!(done.status.success(), "{done:?}");
    }
}

//= R8.4
#[test]
fn a_certificate_that_cannot_be_read_counts_as_none_and_the_reason_is_said() {
    let tpm = Tpm::certified();
    let mut own = keys(&tpm, 7);
    let mut with = |bytes: &[u8]| {
        own.open = None;
        put(&tpm, bytes);
        own.endorsements().unwrap()
    };
    for (bytes, why) in [
        (vec![0xff; 600], "is no certificate in DER"),
        (
            vec![0x30, 0x82, 0x40, 0x00, 1, 2],
            "is no certificate in DER",
        ),
    ] {
        let found = with(&bytes);
        let kinds: Vec<_> = found.readable.iter().map(|one| one.kind).collect();
        assert_eq!(kinds, [EndorsementKind::Rsa2048]);
        let [said] = &found.unreadable[..] else {
            panic!("{:?}", found.unreadable)
        };
        assert!(said.starts_with("p-256: ") && said.contains(why), "{said}");
    }
    // Where there is one on P-256 it comes first: the TPM has that key at once.
    let found = with(&[&[0x30, 0x82, 0x00, 0x02, 1, 2][..], &[0xff; 9]].concat());
    assert!(found.unreadable.is_empty(), "{:?}", found.unreadable);
    let [first, second] = &found.readable[..] else {
        panic!("{:?}", found.readable)
    };
    assert_eq!(first.kind, EndorsementKind::P256);
    assert_eq!(first.certificate, [0x30, 0x82, 0, 2, 1, 2]);
    assert_eq!(second.kind, EndorsementKind::Rsa2048);
}

/// A TPM that takes longer to derive an RSA key than any other command may take.
//= R8.4
#[test]
fn an_rsa_key_may_take_longer_than_other_commands_and_a_dead_tpm_is_still_found_out() {
    const { assert!(TPM_RSA_TIMEOUT_NS >= 10 * TPM_TIMEOUT_NS) };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slow.sock");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    // It answers what is asked, but only after half a second.
    let slow = std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        let (mut peer, _) = listener.accept().unwrap();
        let mut bytes = [0; 4_096];
        while peer.read(&mut bytes).is_ok_and(|length| length > 0) {
            std::thread::sleep(std::time::Duration::from_millis(500));
            let _ = peer.write_all(&[0x80, 1, 0, 0, 0, 14, 0, 0, 0, 0, 0x80, 0, 0, 1]);
        }
    });
    let mut link = Link::open(&TpmPlace::Socket(path)).unwrap();
    let derive = Command::policy_session();
    let answer = link.ask_within(&derive, 5_000_000_000);
    assert!(answer.is_ok(), "{answer:?}");
    let Err(Asked::Wire(error)) = link.ask_within(&derive, 100_000_000) else {
        panic!("no answer comes in time")
    };
    assert_eq!(error.fault, KeyFault::Slow, "{error}");
    drop(link);
    slow.join().unwrap();
}

#[test]
fn what_stands_behind_a_certificate_is_no_part_of_it() {
    assert_eq!(der_length(&[0x30, 0x82, 0x01, 0x00, 0, 0]), Some(260));
    assert_eq!(der_length(&[0x30, 0x80, 0, 0]), None);
    assert_eq!(der_length(&[0x30]), None);
}
