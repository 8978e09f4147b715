//! How long a seal takes with each store: signed by both keys, and bound to the TPM's counters.
//!
//! `cargo bench -p fieldnotary-keys --bench stores`. swtpm and SoftHSM2 are programs: their numbers say what this
//! side adds, not what a chip takes.

#![expect(clippy::unwrap_used, reason = "a bench may fail as tests do")]

use fieldnotary_keys::{IdentityDir, NewKeys, TpmPlace};
use std::process::Command;
use std::time::Instant;
use trial_stores::{SOFTHSM_MODULE, SoftHsm, Swtpm};
use trust_plane::{BaseOrigin, Engine, Hash, Statement};

const BASE: &str = "meters.example/site";
/// Seals of each kind.
const SEALS: u64 = 300;
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
    let place = NewKeys::Tpm(TpmPlace::Socket(tpm.socket()));
    seals("tpm (swtpm), orderly counter", &place, false);
    seals("tpm (swtpm), both counters", &place, true);
}

#[expect(
    clippy::disallowed_methods,
    reason = "the bench measures how long a seal takes"
)]
fn seals(name: &str, place: &NewKeys, plain_due: bool) {
    let folder = tempfile::tempdir().unwrap();
    let dir = IdentityDir::open_or_create(folder.path()).unwrap();
    let made = dir.create(BaseOrigin::new(BASE).unwrap(), place).unwrap();
    let mut engine = Engine::new(made.keys, made.public.origin, made.last_signed);
    let mut took: Vec<u128> = (1..=SEALS)
        .map(|size| {
            let statement = Statement::Checkpoint {
                origin: format!("{BASE}/g1"),
                size,
                root: Hash([1; 32]),
            };
            let began = Instant::now();
            let pending = engine.check(&statement).unwrap();
            let signed = engine.sign(pending, plain_due).unwrap();
            assert!(signed.unbound.is_none());
            began.elapsed().as_micros()
        })
        .collect();
    took.sort_unstable();
    let at = |percent: usize| took.get(took.len() * percent / 100).copied().unwrap_or(0);
    println!("{name:<32} {:>9} {:>9}", at(50), at(99));
}
