//! How long a seal takes with each store, signed by both keys and bound to the TPM's counters; and how long each
//! command to the TPM.
//!
//! `cargo bench -p fieldnotary-keys --bench stores`. swtpm and SoftHSM2 are programs: their numbers say what this
//! side adds, not what a chip takes.

#![expect(clippy::unwrap_used, reason = "a bench may fail as tests do")]

use fieldnotary_keys::{IdentityDir, NewKeys, TpmPlace};
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::Instant;
use tpm::{Command as Ask, KeyPublic, NvPublic, PcrSelection, Response, response};
use trial_stores::{SOFTHSM_MODULE, SoftHsm, Swtpm};
use trust_plane::{BaseOrigin, Engine, Hash, Statement, Step};

const BASE: &str = "meters.example/site";
/// Of each thing.
const TIMES: u64 = 300;
/// Set where this program was started again, with what SoftHSM2 needs to know.
const PIN_FILE: &str = "FIELDNOTARY_BENCH_PIN_FILE";

fn main() {
    if let Some(pin_file) = std::env::var_os(PIN_FILE) {
        let token = NewKeys::Token {
            module: SOFTHSM_MODULE.into(),
            token: "station".to_owned(),
            pin_file: pin_file.into(),
            allow: Vec::new(),
        };
        return seals("pkcs11 (SoftHSM2)", &token, false);
    }
    println!(
        "{:<32} {:>9} {:>9}",
        "one seal, in microseconds", "p50", "p99"
    );
    seals("files", &NewKeys::File, false);
    let hsm = SoftHsm::new("station");
    let own = std::env::current_exe().unwrap();
    let mut again = Command::new(own);
    again.env("SOFTHSM2_CONF", hsm.configuration());
    assert!(
        again
            .env(PIN_FILE, hsm.pin_file())
            .status()
            .unwrap()
            .success()
    );
    let tpm = Swtpm::new();
    let place = NewKeys::Tpm {
        place: TpmPlace::Socket(tpm.socket()),
        event_log: None,
    };
    seals("tpm (swtpm), orderly counter", &place, false);
    seals("tpm (swtpm), both counters", &place, true);
    println!(
        "{:<32} {:>9} {:>9}",
        "one command, in microseconds", "p50", "p99"
    );
    commands(&Swtpm::new());
}

fn ask(wire: &mut UnixStream, command: &Ask) -> Response {
    wire.write_all(command.bytes()).unwrap();
    let mut answer = Vec::new();
    let mut part = [0; 4096];
    while response::length(&answer).unwrap() != Some(answer.len()) {
        let got = wire.read(&mut part).unwrap();
        answer.extend_from_slice(part.get(..got).unwrap());
    }
    Response::parse(command, &answer).unwrap()
}

/// What a seal is made of, command by command.
fn commands(tpm: &Swtpm) {
    let mut wire = UnixStream::connect(tpm.socket()).unwrap();
    let template = KeyPublic::authority_template(&[7; 32]);
    let derived = ask(&mut wire, &Ask::create_primary(&template));
    let (key, _) = response::primary(&derived).unwrap();
    let [orderly, plain] = [0x0180_0100, 0x0180_0101];
    for (index, is_orderly) in [(orderly, true), (plain, false)] {
        ask(
            &mut wire,
            &Ask::nv_define(&NvPublic::counter(index, is_orderly)),
        );
        ask(&mut wire, &Ask::nv_increment(index));
    }
    let (digest, ticket) = response::hashed(&ask(&mut wire, &Ask::hash(b"text"))).unwrap();
    for (name, command) in [
        ("TPM2_Hash", Ask::hash(b"text")),
        ("TPM2_Sign", Ask::sign(key, &digest, &ticket)),
        ("TPM2_NV_Increment, orderly", Ask::nv_increment(orderly)),
        ("TPM2_NV_Increment, plain", Ask::nv_increment(plain)),
        ("TPM2_NV_Certify", Ask::nv_certify(key, plain, &digest)),
        ("TPM2_NV_Read", Ask::nv_read_counter(plain)),
        (
            "TPM2_Quote",
            Ask::quote(key, &digest, &PcrSelection::sha256(&[0, 7])),
        ),
    ] {
        tell(name, || {
            ask(&mut wire, &command);
        });
    }
}

fn seals(name: &str, place: &NewKeys, plain_due: bool) {
    let folder = tempfile::tempdir().unwrap();
    let dir = IdentityDir::open_or_create(folder.path()).unwrap();
    let made = dir.create(BaseOrigin::new(BASE).unwrap(), place).unwrap();
    let mut engine = Engine::new(made.keys, made.public.origin, made.last_signed);
    let mut size = 0;
    tell(name, || {
        size += 1;
        let statement = Statement::Checkpoint {
            origin: format!("{BASE}/g1"),
            size,
            root: Hash([1; 32]),
        };
        let pending = engine.check(&statement).unwrap();
        let signed = engine
            .sign(pending, plain_due.then_some(Step::Next))
            .unwrap();
        assert!(signed.unbound.is_none());
    });
}

/// Does something again and again, and tells how long it took.
#[expect(
    clippy::disallowed_methods,
    reason = "the bench measures how long a call takes"
)]
fn tell(name: &str, mut work: impl FnMut()) {
    let mut took: Vec<u128> = (0..TIMES)
        .map(|_| {
            let began = Instant::now();
            work();
            began.elapsed().as_micros()
        })
        .collect();
    took.sort_unstable();
    let at = |percent: usize| took.get(took.len() * percent / 100).copied().unwrap_or(0);
    println!("{name:<32} {:>9} {:>9}", at(50), at(99));
}
