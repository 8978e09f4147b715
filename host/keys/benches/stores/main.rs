//! How long a seal takes with each store, signed by both keys and bound to the TPM's counters; how long each thing that a store
//! is asked for; and each command to a TPM.
//!
//! `cargo bench -p fieldnotary-keys --bench stores`. swtpm and SoftHSM2 are programs: their numbers say what this
//! side adds, not what a chip takes. With `FIELDNOTARY_TPM=/dev/tpmrm0` that device is measured, and nothing else.

#![expect(clippy::unwrap_used, reason = "a bench may fail as tests do")]

mod figures;
mod timed;

use fieldnotary_keys::{IdentityDir, NewKeys, TpmPlace};
use figures::Figures;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;
use timed::Timed;
use tpm::{Command as Ask, KeyPublic, NvPublic, PcrSelection, Response, response};
use trial_stores::{SOFTHSM_MODULE, SoftHsm, Tpm};
use trust_plane::{
    BaseOrigin, Claim, CounterKind, Engine, Hash, PlainMark, Statement, Step, ToBind,
};

const BASE: &str = "meters.example/site";
/// Of each thing, and of what wears a TPM out.
const TIMES: u64 = 300;
const TIMES_OF_WEAR: u64 = 60;
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
        return store("PKCS#11, SoftHSM2", &token);
    }
    println!(
        "{:<18} {:<36} {:>6} {:>9} {:>9} {:>9}",
        "in microseconds", "what", "times", "p50", "p95", "p99"
    );
    let tpm = Tpm::given();
    let name = match tpm.is_device() {
        true => "TPM, device",
        false => {
            store("files", &NewKeys::File);
            again_with_a_token();
            "TPM, swtpm"
        }
    };
    let place = tpm.at(TpmPlace::Device, TpmPlace::Socket);
    let event_log = None;
    store(name, &NewKeys::Tpm { place, event_log });
    drop(tpm);
    commands(name);
}

/// SoftHSM2 learns from a variable where its tokens are, and this process can set none of its own.
fn again_with_a_token() {
    let hsm = SoftHsm::new("station");
    let own = std::env::current_exe().unwrap();
    let mut again = Command::new(own);
    again.env("SOFTHSM2_CONF", hsm.configuration());
    let ended = again.env(PIN_FILE, hsm.pin_file()).status();
    assert!(ended.unwrap().success());
}

/// What is between us and a TPM.
trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}

fn device(path: PathBuf) -> Box<dyn Wire> {
    let file = File::options().read(true).write(true).open(path);
    Box::new(file.unwrap())
}

fn socket(path: PathBuf) -> Box<dyn Wire> {
    Box::new(UnixStream::connect(path).unwrap())
}

fn ask(wire: &mut dyn Wire, command: &Ask) -> Response {
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
fn commands(name: &str) {
    let tpm = Tpm::given();
    let mut wire = tpm.at(device, socket);
    let wire = &mut *wire;
    let template = KeyPublic::authority_template(&[7; 32]);
    let derived = ask(wire, &Ask::create_primary(&template));
    let (key, _) = response::primary(&derived).unwrap();
    // Nobody's: a log takes those from 0x01800100 on.
    let [orderly, plain] = [0x0180_0300, 0x0180_0301];
    for (index, is_orderly) in [(orderly, true), (plain, false)] {
        ask(wire, &Ask::nv_define(&NvPublic::counter(index, is_orderly)));
        ask(wire, &Ask::nv_increment(index));
    }
    let (digest, ticket) = response::hashed(&ask(wire, &Ask::hash(b"text"))).unwrap();
    let mut took = Figures::default();
    for (name, command, times) in [
        ("TPM2_Hash", Ask::hash(b"text"), TIMES),
        ("TPM2_Sign", Ask::sign(key, &digest, &ticket), TIMES),
        (
            "TPM2_NV_Increment, orderly",
            Ask::nv_increment(orderly),
            TIMES,
        ),
        (
            "TPM2_NV_Increment, plain",
            Ask::nv_increment(plain),
            TIMES_OF_WEAR,
        ),
        (
            "TPM2_NV_Certify",
            Ask::nv_certify(key, plain, &digest),
            TIMES,
        ),
        ("TPM2_NV_Read", Ask::nv_read_counter(plain), TIMES),
        (
            "TPM2_Quote",
            Ask::quote(key, &digest, &PcrSelection::sha256(&[0, 7])),
            TIMES,
        ),
    ] {
        for _ in 0..times {
            took.time(name, || ask(wire, &command));
        }
    }
    took.tell(name);
}

/// Seals as the signer makes them, and all else that it asks a store for.
fn store(name: &str, place: &NewKeys) {
    let folder = tempfile::tempdir().unwrap();
    let dir = IdentityDir::open_or_create(folder.path()).unwrap();
    let made = dir.create(BaseOrigin::new(BASE).unwrap(), place).unwrap();
    let keys = Timed::new(made.keys);
    let mut engine = Engine::new(keys, made.public.origin, made.last_signed);
    let capabilities = engine.describe().unwrap().capabilities;
    let (mut whole, mut disk) = (Figures::default(), Figures::default());
    let origin = format!("{BASE}/g1");
    let mut seal = |engine: &mut Engine<Timed<_>>, size, plain_due| {
        let root = Hash([1; 32]);
        let origin = origin.clone();
        let statement = Statement::Checkpoint { origin, size, root };
        let pending = engine.check(&statement).unwrap();
        disk.time("of it, the newest head made durable", || {
            dir.store_last_signed(pending.last_signed()).unwrap();
        });
        let step = match plain_due {
            false => None,
            true => {
                engine.describe().unwrap();
                let value = engine.value(CounterKind::Plain).unwrap();
                let mut mark = mark(size);
                mark.value = Some(value + 1);
                disk.time("of it, the step's mark made durable", || {
                    dir.store_plain(mark).unwrap();
                });
                Some(Step::Above(value))
            }
        };
        let signed = engine.sign(pending, step).unwrap();
        assert!(signed.unbound.is_none());
    };
    for size in 1..=TIMES {
        whole.time("a seal", || seal(&mut engine, size, false));
    }
    if capabilities.monotonic_counter {
        let what = "a seal with a step of the plain counter";
        for size in TIMES + 1..=TIMES + TIMES_OF_WEAR {
            whole.time(what, || seal(&mut engine, size, true));
        }
        for _ in 0..TIMES {
            engine.firmware().unwrap();
        }
        let mut above = None;
        for version in 1..=u32::try_from(TIMES_OF_WEAR).unwrap() {
            let bound = engine.bind_firmware(&origin, ToBind { version, above });
            above = Some(bound.unwrap().value);
        }
    }
    for _ in 0..TIMES {
        let nonce = Claim::Attestation(b"nonce");
        whole.time("an attestation", || engine.claim(&origin, nonce).unwrap());
    }
    whole.tell(name);
    disk.tell(name);
    engine.into_backend().took.tell(name);
}

/// When the plain counter moved; the signer keeps it durably before each step.
fn mark(at: u64) -> PlainMark {
    PlainMark {
        boot: trust_plane::BootId([1; 16]),
        at_ns: at,
        value: None,
    }
}
