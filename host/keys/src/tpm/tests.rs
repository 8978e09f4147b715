//! Keys in a real TPM, which is a program: what it does, and what it refuses.

mod boot;
mod export;
mod firmware;

use super::{Open, TpmKeyFile, TpmKeys, TpmPlace};
use crate::software::Ed25519File;
use tpm::{Attest, Command, response};
use trial_stores::{Relay, Swtpm};
use trust_plane::{
    Backend as _, BaseOrigin, CounterKind, Custody, Engine, Hash, KeyFault, LastSigned, SignError,
    Signed, Statement, Step,
};

const ORIGIN: &str = "meters.example/site";

struct Rig {
    tpm: Swtpm,
    file: TpmKeyFile,
    authority: Vec<u8>,
}

impl Rig {
    fn new() -> Self {
        Self::on(Swtpm::new())
    }

    fn on(tpm: Swtpm) -> Self {
        let place = TpmPlace::Socket(tpm.socket());
        let (file, authority) = TpmKeys::create(&place, [7; 32], None).unwrap();
        Self {
            tpm,
            file,
            authority,
        }
    }

    fn keys(&self) -> TpmKeys {
        let ed25519 = Ed25519File::generate().unwrap();
        TpmKeys::new(self.file.clone(), self.authority.clone(), ed25519)
    }

    fn engine(&self) -> Engine<TpmKeys> {
        let origin = BaseOrigin::new(ORIGIN).unwrap();
        Engine::new(self.keys(), origin, LastSigned::default())
    }
}

fn sign(engine: &mut Engine<TpmKeys>, size: u64, plain_due: bool) -> Result<Signed, SignError> {
    step(engine, size, plain_due.then_some(Step::Next))
}

fn step(engine: &mut Engine<TpmKeys>, size: u64, plain: Option<Step>) -> Result<Signed, SignError> {
    let root = u8::try_from(size % 251).unwrap();
    let pending = engine.check(&Statement::Checkpoint {
        origin: format!("{ORIGIN}/g1"),
        size,
        root: Hash([root; 32]),
    })?;
    engine.sign(pending, plain)
}

fn values(signed: &Signed) -> Vec<(CounterKind, u64)> {
    signed
        .bound
        .iter()
        .map(|one| (one.counter, one.value))
        .collect()
}

//= A6.1
//= A6.2
//= A6.4
#[test]
fn a_checkpoint_is_signed_and_bound_and_the_emulator_is_called_one() {
    let rig = Rig::on(Swtpm::certified());
    let mut engine = rig.engine();
    let found = engine.describe().unwrap();
    // It has an endorsement certificate, and is a program all the same.
    assert_eq!(found.capabilities.custody, Custody::TpmEmulated);
    assert!(found.capabilities.non_exportable && found.capabilities.monotonic_counter);
    assert!(found.capabilities.attestation && !found.capabilities.measured_boot);
    assert!(found.maker.starts_with("IBM SW"), "{}", found.maker);
    let first = sign(&mut engine, 5, true).unwrap();
    assert_eq!(first.custody, Custody::TpmEmulated);
    assert_eq!(first.unbound, None);
    assert_eq!(
        values(&first),
        [(CounterKind::Orderly, 2), (CounterKind::Plain, 2)]
    );
    let second = sign(&mut engine, 6, false).unwrap();
    assert_eq!(values(&second), [(CounterKind::Orderly, 3)]);
}

/// A step that the log does not show is attested and not made again: so a log never lacks more than one.
//= A6.4
#[test]
fn a_step_that_no_log_shows_is_attested_again_and_not_followed_by_another() {
    let rig = Rig::new();
    let mut engine = rig.engine();
    let plain = |signed: Signed| values(&signed)[1];
    let at = |value| (CounterKind::Plain, value);
    assert_eq!(plain(sign(&mut engine, 5, true).unwrap()), at(2));
    for (size, step_of, value) in [
        (6, Step::Above(1), 2),
        (7, Step::Above(1), 2),
        (8, Step::Above(2), 3),
        (9, Step::Above(2), 3),
        (10, Step::Next, 4),
    ] {
        let signed = step(&mut engine, size, Some(step_of)).unwrap();
        assert_eq!(plain(signed), at(value), "{step_of:?}");
    }
}

//= A6.1
#[test]
fn the_key_leaves_in_no_way_and_signs_nothing_of_others() {
    let rig = Rig::new();
    let (mut open, _) = Open::new(&rig.file)
        .map_err(trust_plane::BackendError::from)
        .unwrap();
    let key = open.key;
    // Why that is so is in a test of its own.
    assert!(export::duplicate(&mut open.link, key, false).is_err());
    let digest = [5u8; 32];
    let null_ticket = [0x80, 0x24, 0x40, 0, 0, 7, 0, 0];
    // Eight bytes at the beginning.
    let write = [0u8, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let index = rig.file.plain;
    for (command, code) in [
        (Command::sign(key, &digest, &null_ticket), 0x0a0),
        (
            Command::with("TPM2_NV_Write", 0x137, &[index, index], 1, &write),
            0x082,
        ),
        // A text that begins as an attestation does has no ticket.
        (
            Command::sign(
                key,
                &hashed(&mut open, b"\xffTCG\x80\x14").0,
                &hashed(&mut open, b"\xffTCG\x80\x14").1,
            ),
            0x0a0,
        ),
    ] {
        let error = open.link.ask(&command).unwrap_err();
        let super::Asked::Tpm(tpm::TpmError::Code { code: got, .. }) = error else {
            panic!("{command:?}: {error:?}");
        };
        assert_eq!(got.base(), code, "{}: {got}", command.name());
    }
}

fn hashed(open: &mut Open, text: &[u8]) -> ([u8; 32], Vec<u8>) {
    response::hashed(&open.link.ask(&Command::hash(text)).unwrap()).unwrap()
}

//= A6.4
#[test]
fn counters_never_go_back_by_cuts_nor_by_being_made_anew() {
    let mut rig = Rig::new();
    let mut engine = rig.engine();
    for size in 5..9 {
        sign(&mut engine, size, true).unwrap();
    }
    let before = values(&sign(&mut engine, 9, true).unwrap());
    rig.tpm.cut();
    let error = sign(&mut engine, 10, true).unwrap_err();
    assert!(error.is_of_the_keys(), "{error}");
    rig.tpm.on();
    let after = sign(&mut engine, 10, true).unwrap();
    for ((kind, before), (_, after)) in before.iter().zip(values(&after)) {
        let skipped = after - before;
        match kind {
            CounterKind::Plain => assert_eq!(skipped, 1),
            CounterKind::Orderly => assert!((1..=256).contains(&skipped), "{skipped}"),
        }
    }
    // The attestation shows the reset, which only a key of the endorsement hierarchy sees as it is.
    let attest = |signed: &Signed| Attest::parse(&signed.bound[0].attest).unwrap();
    let resets = attest(&after).clock.reset_count;
    let again = sign(&mut engine, 11, true).unwrap();
    assert_eq!(attest(&again).clock.reset_count, resets);
    assert!(resets < 100, "{resets} looks obfuscated");
    drop(engine);

    // What somebody does to a counter of a TPM that is open is seen with the next signature.
    let relay = Relay::to(&rig.tpm.socket());
    rig.file.place = TpmPlace::Socket(relay.socket());
    let mut engine = rig.engine();
    assert_eq!(sign(&mut engine, 12, true).unwrap().lacking, []);
    let plain = format!("{:#x}", rig.file.plain);
    let tool = |tool: &str, arguments: &[&str]| {
        let said = rig.tpm.tool(tool, arguments);
        assert!(said.status.success(), "{said:?}");
    };
    tool("tpm2_nvundefine", &["-C", "o", &plain]);
    let attributes = "nt=counter|authwrite|authread|no_da";
    let define = ["-C", "o", "-s", "8", "-a", attributes, &plain];
    for size in [13, 14] {
        let unbound = sign(&mut engine, size, true).unwrap();
        assert_eq!(unbound.unbound.unwrap().fault, KeyFault::CounterUndefined);
        assert_eq!(unbound.lacking, [CounterKind::Plain]);
        assert!(!unbound.note.is_empty());
        // It has no value before it was moved on.
        if size == 13 {
            tool("tpm2_nvdefine", &define);
        }
    }
    tool("tpm2_nvincrement", &["-C", &plain, &plain]);
    let last = values(&sign(&mut engine, 15, true).unwrap());
    let (_, value) = last
        .iter()
        .find(|(kind, _)| *kind == CounterKind::Plain)
        .unwrap();
    assert!(*value > before[1].1, "{value} after {before:?}");
}

//= A6.2
#[test]
fn a_tpm_that_is_gone_slow_or_another_is_told_apart() {
    let mut rig = Rig::new();
    let mut engine = rig.engine();
    sign(&mut engine, 5, false).unwrap();
    let fault = |error: SignError| match error {
        SignError::Backend(error) => (error.fault, error.words),
        other => panic!("{other}"),
    };
    rig.tpm.stand_still(true);
    let (slow, words) = fault(sign(&mut engine, 6, false).unwrap_err());
    assert_eq!(slow, KeyFault::Slow, "{words}");
    assert!(words.contains("within 4 s"), "{words}");
    rig.tpm.stand_still(false);
    rig.tpm.cut();
    let (gone, words) = fault(sign(&mut engine, 6, false).unwrap_err());
    assert_eq!(gone, KeyFault::Unavailable, "{words}");
    rig.tpm.on();
    // The next one after the TPM is back is signed, without anything being started anew.
    let signed = sign(&mut engine, 6, false).unwrap();
    assert_eq!(signed.bound.len(), 1);
    drop(engine);
    let other = Swtpm::new();
    rig.file.place = TpmPlace::Socket(other.socket());
    let (replaced, words) = fault(sign(&mut rig.engine(), 7, false).unwrap_err());
    assert_eq!(replaced, KeyFault::KeyReplaced, "{words}");
    rig.file.place = TpmPlace::Device("/nowhere/tpm".into());
    assert_eq!(
        rig.keys().describe().unwrap_err().fault,
        KeyFault::Unavailable
    );
}

//= A6.2
#[test]
fn a_tpm_in_failure_mode_says_so() {
    let rig = Rig::new();
    let mut engine = rig.engine();
    // Its flash cannot be written any more.
    std::fs::remove_dir_all(rig.tpm.state()).unwrap();
    let signed = sign(&mut engine, 5, true).unwrap();
    assert!(!signed.note.is_empty());
    assert_eq!(signed.unbound.unwrap().fault, KeyFault::Failed);
    let error = sign(&mut engine, 6, false).unwrap_err();
    assert!(error.to_string().contains("in failure mode"), "{error}");
}

#[test]
fn another_key_of_the_same_tpm_is_another_log() {
    let rig = Rig::new();
    let place = TpmPlace::Socket(rig.tpm.socket());
    let (file, authority) = TpmKeys::create(&place, [8; 32], None).unwrap();
    assert_ne!(authority, rig.authority);
    assert_ne!(
        (file.orderly, file.plain),
        (rig.file.orderly, rig.file.plain)
    );
    let (_, again) = Open::new(&rig.file)
        .map_err(trust_plane::BackendError::from)
        .unwrap();
    assert_eq!(again, rig.authority);
}
