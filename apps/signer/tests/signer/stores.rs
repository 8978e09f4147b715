//! The program with its key in a TPM and in a token, which are programs themselves.

use crate::common::{BASE, G1, LONG, Running, SIGNER, Site, head, keys};
use evidence::reasons::{CounterKind, Custody, KeyFault};
use ipc::message::{Message, SignedNote};
use ipc::{Channel, IpcError};
use proof::SignedCheckpoint;
use proof::note::VerifierKey;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use trial_stores::{SOFTHSM_MODULE, SoftHsm, Swtpm};

fn signed(channel: &Channel, size: u64) -> SignedNote {
    signed_beside(channel, size, None)
}

/// A head of a log that shows so much of the plain counter.
fn signed_beside(channel: &Channel, size: u64, plain_shown: Option<u64>) -> SignedNote {
    let Message::SignCheckpoint(mut request) = head(G1, size, 3) else {
        panic!("a head");
    };
    request.plain_shown = plain_shown;
    match channel.ask(&request.into(), LONG).unwrap() {
        Message::SignedNote(signed) => signed,
        other => panic!("{}", other.name()),
    }
}

fn fault(channel: &Channel, size: u64) -> (KeyFault, String) {
    match channel.ask(&head(G1, size, 3), LONG) {
        Err(IpcError::Peer { fault, text, .. }) => (fault.unwrap(), text),
        other => panic!("{other:?}"),
    }
}

fn vkeys(output: &Output) -> Vec<VerifierKey> {
    assert!(output.status.success(), "{output:?}");
    let lines = String::from_utf8(output.stdout.clone()).unwrap();
    lines.lines().map(|line| line.parse().unwrap()).collect()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A site whose key is in a TPM.
pub(crate) fn in_tpm(socket: &Path) -> Site {
    let site = Site::empty();
    let args = ["init", "--origin", BASE, "--backend", "tpm", "--socket"];
    let made = site.command(&[&args[..], &[path(socket)]].concat());
    vkeys(&made);
    let told = String::from_utf8_lossy(&made.stderr);
    assert!(told.contains("custody: tpm-emulated, IBM SW"), "{told}");
    assert!(told.contains("17520 writes a year, 28 years"), "{told}");
    site
}

//= A6.1
//= A6.4
#[test]
fn a_key_in_a_tpm_signs_and_binds_and_openssl_alone_agrees() {
    let tpm = Swtpm::new();
    let site = in_tpm(&tpm.socket());
    assert!(!site.identity().join("authority-p256.pem").exists());
    let printed = vkeys(&site.command(&["vkey", "--origin", G1]));
    let signer = site.start();
    let channel = site.connect();
    let first = signed(&channel, 7);
    SignedCheckpoint::open(first.note.0.as_bytes(), &printed[..1]).unwrap();
    assert_eq!(
        (first.custody, &first.unbound),
        (Custody::TpmEmulated, &None)
    );
    let counters: Vec<_> = first.bound.iter().map(|one| one.counter).collect();
    assert_eq!(counters, CounterKind::ALL);
    for bound in &first.bound {
        let [key, attest, signature] =
            ["key.der", "attest", "signature"].map(|name| site.folder.path().join(name));
        std::fs::write(&key, printed[0].public_bytes()).unwrap();
        std::fs::write(&attest, &bound.attest.0).unwrap();
        std::fs::write(&signature, &bound.signature.0).unwrap();
        let mut openssl = Command::new("openssl");
        openssl.args(["dgst", "-sha256", "-keyform", "DER", "-verify", path(&key)]);
        openssl.args(["-signature", path(&signature), path(&attest)]);
        let said = openssl.output().unwrap();
        assert!(said.status.success(), "{said:?}");
        // The counter's value is the end of what is attested.
        assert!(bound.attest.0.ends_with(&bound.value.to_be_bytes()));
    }
    let told = keys(&channel, None);
    assert_eq!(told.custody, Custody::TpmEmulated);
    assert!(told.non_exportable && told.monotonic_counter && told.attestation);
    assert_eq!(told.counters.len(), 2);
    let uses: Vec<_> = told
        .uses
        .iter()
        .filter(|one| one.count > 0)
        .map(|one| (one.purpose.as_str(), one.count))
        .collect();
    assert_eq!(uses, [("checkpoint", 2), ("binding", 2)]);
    // A restart of the process is no boot: the plain counter stays where it is. The key that the killed one left
    // in the TPM is no hindrance.
    drop(channel);
    drop(signer);
    let plain = |signed: &SignedNote| {
        let mut all = signed.bound.iter();
        all.find(|one| one.counter == CounterKind::Plain)
            .map(|one| one.value)
    };
    let shown = plain(&first);
    for size in [8, 10, 12, 14] {
        let signer = site.start();
        let again = signed_beside(&site.connect(), size, shown);
        let counters: Vec<_> = again.bound.iter().map(|one| one.counter).collect();
        assert_eq!(counters, [CounterKind::Orderly], "{size}");
        // To a log that shows nothing of it, it is attested as it stands, however often that one asks: no write of its flash.
        let unseen = signed(&site.connect(), size + 1);
        assert_eq!(plain(&unseen), shown, "{size}");
        drop(signer);
    }
}

//= A6.2
#[test]
fn a_signer_outlives_its_tpm_and_signs_again() {
    let mut tpm = Swtpm::new();
    let site = in_tpm(&tpm.socket());
    tpm.cut();
    // It starts without a TPM: the node must capture.
    let checked = site.command(&["check", "--files-only"]);
    assert!(checked.status.success(), "{checked:?}");
    assert_eq!(site.command(&["check"]).status.code(), Some(1));
    let _signer = site.start();
    let channel = site.connect();
    let (code, words) = fault(&channel, 7);
    assert_eq!(code, KeyFault::Unavailable, "{words}");
    tpm.on();
    assert_eq!(signed(&channel, 7).bound.len(), 2);
}

/// A signer of a token; the module is told where its tokens are.
fn start(site: &Site, hsm: &SoftHsm) -> Running {
    let child = Command::new(SIGNER)
        .args(site.run_args())
        .env("SOFTHSM2_CONF", hsm.configuration())
        .stderr(Stdio::null())
        .spawn();
    Running {
        child: child.unwrap(),
    }
}

/// A verb about the keys of a token; the module is told where its tokens are.
fn of_token(site: &Site, hsm: &SoftHsm, args: &[&str]) -> Output {
    let mut verb = Command::new(SIGNER);
    verb.args(args).arg("--identity").arg(site.identity());
    verb.env("SOFTHSM2_CONF", hsm.configuration());
    verb.output().unwrap()
}

/// Makes the key in a token whose module may reach these places.
fn made_in_token(site: &Site, hsm: &SoftHsm, allow: &[&Path]) -> Output {
    made_by(Path::new(SOFTHSM_MODULE), site, hsm, allow)
}

fn made_by(module: &Path, site: &Site, hsm: &SoftHsm, allow: &[&Path]) -> Output {
    let pin = hsm.pin_file();
    let mut args = vec!["init", "--origin", BASE, "--backend", "pkcs11"];
    args.extend(["--token", "station", "--module", path(module)]);
    args.extend(["--pin-file", path(&pin)]);
    for place in allow {
        args.extend(["--allow", path(place)]);
    }
    of_token(site, hsm, &args)
}

fn in_token(hsm: &SoftHsm) -> Site {
    let site = Site::empty();
    let made = made_in_token(&site, hsm, &[hsm.folder()]);
    vkeys(&made);
    let told = String::from_utf8_lossy(&made.stderr);
    assert!(told.contains("custody: pkcs11-emulated, SoftHSM"), "{told}");
    site
}

//= A6.1
//= A6.2
#[test]
fn a_key_in_a_token_signs_from_inside_the_sandbox_and_leaves_in_no_way() {
    let hsm = SoftHsm::new("station");
    let site = in_token(&hsm);
    let printed = vkeys(&site.command(&["vkey", "--origin", G1]));
    let _signer = start(&site, &hsm);
    let channel = site.connect();
    let first = signed(&channel, 7);
    SignedCheckpoint::open(first.note.0.as_bytes(), &printed[..1]).unwrap();
    assert_eq!(first.custody, Custody::Pkcs11Emulated);
    assert_eq!((first.bound.len(), first.unbound), (0, None));
    let told = keys(&channel, None);
    assert!(told.non_exportable && !told.monotonic_counter && !told.attestation);
    let listed = hsm.tool(&["--list-objects", "--type", "privkey"]);
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let kept = "sensitive, always sensitive, never extractable, local";
    assert!(listed.contains(kept), "{listed}");
}

/// Outside of the sandbox the module reaches its files, and inside nobody allowed it: whoever looks at the keys hears what a
/// signer would say, and what to do.
//= A6.2
#[test]
fn a_module_that_is_not_let_to_its_files_is_found_where_the_keys_are_made_and_looked_at() {
    let hsm = SoftHsm::new("station");
    let site = Site::empty();
    let due = |words: &str, allowed: &str| {
        for word in ["look first at the signer's sandbox", "--allow", allowed] {
            assert!(words.contains(word), "{word}: {words}");
        }
    };
    let made = made_in_token(&site, &hsm, &[]);
    assert_eq!(made.status.code(), Some(1), "{made:?}");
    due(
        &String::from_utf8_lossy(&made.stderr),
        "nothing is allowed now",
    );
    let looked = of_token(&site, &hsm, &["check"]);
    assert_eq!(looked.status.code(), Some(1), "{looked:?}");
    due(
        &String::from_utf8_lossy(&looked.stderr),
        "nothing is allowed now",
    );
    let looked = of_token(&site, &hsm, &["check", "--json"]);
    assert_eq!(looked.status.code(), Some(1), "{looked:?}");
    let said = String::from_utf8_lossy(&looked.stdout).into_owned();
    assert!(said.starts_with("{\"ok\":false"), "{said}");
    let signer = start(&site, &hsm);
    let channel = site.connect();
    let (code, words) = fault(&channel, 7);
    assert_eq!(code, KeyFault::Unavailable, "{words}");
    due(&words, "nothing is allowed now");
    drop(channel);
    drop(signer);
    // What is told is what helps.
    let store = site.identity().join("store.toml");
    let text = std::fs::read_to_string(&store).unwrap();
    let named = format!("allow = [{:?}]", path(hsm.folder()));
    std::fs::write(&store, text.replace("allow = []", &named)).unwrap();
    let looked = of_token(&site, &hsm, &["check"]);
    assert!(looked.status.success(), "{looked:?}");
    let said = String::from_utf8_lossy(&looked.stdout).into_owned();
    assert!(
        said.contains("are sound; custody: pkcs11-emulated"),
        "{said}"
    );
    let _signer = start(&site, &hsm);
    signed(&site.connect(), 7);
}

/// Whatever the signer had of the token before it was drawn is good for nothing when it is back.
//= A6.2
#[test]
fn a_token_that_went_away_and_came_back_signs_again_in_the_same_run() {
    let hsm = SoftHsm::new("station");
    let site = in_token(&hsm);
    let _signer = start(&site, &hsm);
    let channel = site.connect();
    let mut size = 7;
    // Asked for never, once and twice while it was away.
    for asked in [1, 0, 2, 5] {
        signed(&channel, size);
        keys(&channel, None);
        hsm.draw(true);
        for _ in 0..asked {
            size += 1;
            let (code, words) = fault(&channel, size);
            assert_eq!(code, KeyFault::TokenMissing, "{words}");
        }
        hsm.draw(false);
        size += 1;
        signed(&channel, size);
        assert!(keys(&channel, None).non_exportable);
    }
    // The whole folder, without which the module does not even begin.
    let folder = hsm.folder().join("tokens");
    let away = hsm.folder().join("away");
    std::fs::rename(&folder, &away).unwrap();
    for _ in 0..3 {
        size += 1;
        let (code, words) = fault(&channel, size);
        let due = [KeyFault::Unavailable, KeyFault::TokenMissing];
        assert!(due.contains(&code), "{code} {words}");
    }
    std::fs::rename(&away, &folder).unwrap();
    signed(&channel, size);
}

/// Nobody can take a call into a module back: what it gives late is nobody's, nothing more is asked of it meanwhile, and then it signs
/// what is asked then.
//= A6.2
#[test]
fn a_token_that_is_late_is_slow_and_its_late_signature_stands_under_no_other_head() {
    const LATE: Duration = Duration::from_secs(14);
    let hsm = SoftHsm::new("station");
    let site = Site::empty();
    vkeys(&made_by(&hsm.slow_module(), &site, &hsm, &[hsm.folder()]));
    let printed = vkeys(&site.command(&["vkey", "--origin", G1]));
    let _signer = start(&site, &hsm);
    let channel = site.connect();
    let holds = |signed: &SignedNote| {
        SignedCheckpoint::open(signed.note.0.as_bytes(), &printed[..1]).unwrap();
    };
    holds(&signed(&channel, 7));
    hsm.slow(Some(LATE));
    let (code, words) = fault(&channel, 8);
    assert_eq!(code, KeyFault::Slow, "{words}");
    let asked = "did not come back within 8 s when it was asked to sign";
    assert!(words.contains(asked), "{words}");
    hsm.slow(Some(Duration::ZERO));
    let (code, words) = fault(&channel, 9);
    assert_eq!(code, KeyFault::Slow, "{words}");
    let waits = "has not come back from an earlier call";
    assert!(words.contains(waits), "{words}");
    std::thread::sleep(LATE);
    for size in 10..12 {
        holds(&signed(&channel, size));
    }
}

/// The key of before stays in the token, and another one signs.
//= A6.1
//= R8.2
#[test]
fn a_key_in_a_token_is_followed_by_another_of_that_token() {
    use crate::rotation::{rotated, told};
    let hsm = SoftHsm::new("station");
    let site = in_token(&hsm);
    let signer = start(&site, &hsm);
    let channel = site.connect();
    signed(&channel, 7);
    let kept = |channel: &Channel| {
        let says = keys(channel, None);
        let mut all = says.not_applied.into_iter();
        all.find(|one| one.contains("in the token, which sign nothing"))
    };
    assert_eq!(kept(&channel), None);
    let stated = rotated(&channel, "yearly");
    let told_of = kept(&channel).expect("the key of before is told of");
    assert!(
        told_of.starts_with("1 more under this log's name"),
        "{told_of}"
    );
    let new = stated.new.map(|key| key.under_name(G1).unwrap());
    let check = |channel: &Channel, size: u64| {
        let answer = channel.ask(&told(size, 1), LONG).unwrap();
        let Message::SignedNote(signed) = answer else {
            panic!("{}", answer.name());
        };
        assert_eq!(signed.custody, Custody::Pkcs11Emulated);
        SignedCheckpoint::open(signed.note.0.as_bytes(), &new).unwrap();
    };
    check(&channel, 8);
    drop(channel);
    drop(signer);
    let _signer = start(&site, &hsm);
    check(&site.connect(), 9);
    let listed = hsm.tool(&["--list-objects", "--type", "privkey"]);
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert_eq!(listed.matches("never extractable").count(), 2, "{listed}");
}

/// Somebody puts a second key beside the log's, under its id: nothing is signed by either, the words name both and what to do, and what
/// they say mends it.
//= A6.2
#[test]
fn two_keys_of_one_id_sign_nothing_and_the_words_say_which_they_are_and_what_to_do() {
    let hsm = SoftHsm::new("station");
    let site = in_token(&hsm);
    let store = std::fs::read_to_string(site.identity().join("store.toml")).unwrap();
    let id = store
        .lines()
        .find_map(|line| line.strip_prefix("key_id = "));
    let id = id.unwrap().trim_matches('"').to_owned();
    let signer = start(&site, &hsm);
    let channel = site.connect();
    signed(&channel, 7);
    let pair = ["--keypairgen", "--key-type", "EC:prime256v1", "--id", &id];
    let made = hsm.tool(&[&pair[..], &["--label", "a spare"]].concat());
    assert!(made.status.success(), "{made:?}");
    // What the signer had of the token before is opened anew.
    let anew = |size| {
        hsm.draw(true);
        fault(&channel, size);
        hsm.draw(false);
        fault(&channel, size)
    };
    let (code, words) = anew(8);
    assert_eq!(code, KeyFault::Failed, "{words}");
    let listed = "--list-objects --type privkey";
    let deleted = format!("--delete-object --type privkey --id {id} --label LABEL");
    let counted = format!("\"station\" has 2 private keys of the one ID {id}");
    for due in [
        &counted,
        BASE,
        "\"a spare\"",
        listed,
        &deleted,
        "docs/keys.md",
    ] {
        assert!(words.contains(due), "{due} in {words}");
    }
    let take_away = |kind: &str, label: &str| {
        let object = ["--delete-object", "--type", kind, "--id", &id];
        let gone = hsm.tool(&[&object[..], &["--label", label]].concat());
        assert!(gone.status.success(), "{gone:?}");
    };
    take_away("privkey", "a spare");
    let (code, words) = fault(&channel, 8);
    assert_eq!(code, KeyFault::Failed, "{words}");
    assert!(words.contains("2 public keys of the one ID"), "{words}");
    take_away("pubkey", "a spare");
    signed(&channel, 8);
    // Without the log's own, the words name what is there, and the cure is said once, by whoever shows it.
    let made = hsm.tool(&[
        "--keypairgen",
        "--key-type",
        "EC:prime256v1",
        "--id",
        "0b0b",
        "--label",
        "another",
    ]);
    assert!(made.status.success(), "{made:?}");
    take_away("privkey", BASE);
    let (code, words) = anew(9);
    assert_eq!(code, KeyFault::KeyReplaced, "{words}");
    let none = format!(
        "no private key of ID {id} (`key_id` of identity/store.toml); it has 0b0b \"another\""
    );
    assert!(
        words.contains(&none) && !words.contains("begin a new log"),
        "{words}"
    );
    drop(channel);
    drop(signer);
    let checked = of_token(&site, &hsm, &["check"]);
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert_eq!(said.matches("begin a new log").count(), 1, "{said}");
}

//= A6.2
#[test]
fn a_wrong_pin_is_tried_once_and_a_missing_token_is_named() {
    let hsm = SoftHsm::new("station");
    let site = in_token(&hsm);
    hsm.write_pin("0000");
    let signer = start(&site, &hsm);
    let channel = site.connect();
    let (code, words) = fault(&channel, 7);
    assert_eq!(code, KeyFault::WrongPin, "{words}");
    for size in 8..20 {
        let (code, words) = fault(&channel, size);
        assert_eq!(code, KeyFault::WrongPin);
        assert!(words.contains("not tried again"), "{words}");
    }
    drop(channel);
    drop(signer);
    hsm.write_pin(trial_stores::PIN);
    hsm.draw(true);
    let _signer = start(&site, &hsm);
    let channel = site.connect();
    let (code, words) = fault(&channel, 20);
    assert_eq!(code, KeyFault::TokenMissing, "{words}");
    // What is there comes first, and what the sandbox lets it see last.
    assert!(words.starts_with("no token \"station\""), "{words}");
    assert!(!words.contains("look first"), "{words}");
    let allowed = format!("allowed now: {})", path(hsm.folder()));
    assert!(words.ends_with(&allowed), "{words}");
    hsm.draw(false);
    assert_eq!(signed(&channel, 20).custody, Custody::Pkcs11Emulated);
}

//= A6.2
#[test]
fn options_of_another_store_are_a_mistake() {
    let site = Site::empty();
    for args in [
        &["--socket", "/run/tpm"][..],
        &["--backend", "tpm", "--token", "station"],
        &["--backend", "pkcs11", "--token", "station"],
        &["--backend", "pkcs11", "--device", "/dev/tpmrm0"],
        &["--backend", "tpm", "--device", "a", "--socket", "b"],
    ] {
        let output = site.command(&[&["init", "--origin", BASE], args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?} {output:?}");
    }
    assert!(!site.identity().exists());
}
