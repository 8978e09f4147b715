//! Keys in a real TPM, a program or a device: what it does, and what it refuses. What takes power over it is in `programs`.

mod boot;
mod export;
mod firmware;
mod programs;

use super::{Open, TpmKeyFile, TpmKeys, TpmPlace};
use crate::software::Ed25519File;
use tpm::{Command, response};
use trial_stores::Tpm;
use trust_plane::{
    BaseOrigin, CounterKind, Custody, Engine, Hash, KeyFault, LastSigned, SignError, Signed,
    Statement, Step,
};

const ORIGIN: &str = "meters.example/site";

fn place(tpm: &Tpm) -> TpmPlace {
    tpm.at(TpmPlace::Device, TpmPlace::Socket)
}

struct Rig {
    tpm: Tpm,
    file: TpmKeyFile,
    authority: Vec<u8>,
}

impl Rig {
    fn new() -> Self {
        Self::on(Tpm::given())
    }

    fn on(tpm: Tpm) -> Self {
        let place = place(&tpm);
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
    let rig = Rig::on(Tpm::certified());
    let mut engine = rig.engine();
    let found = engine.describe().unwrap();
    // It has an endorsement certificate, and is a program all the same.
    assert_eq!(found.capabilities.custody, Custody::TpmEmulated);
    assert!(found.capabilities.non_exportable && found.capabilities.monotonic_counter);
    assert!(found.capabilities.attestation);
    // Behind a machine's bus its firmware measures; into a program that was just started nobody does.
    assert_eq!(found.capabilities.measured_boot, rig.tpm.is_device());
    assert!(found.maker.starts_with("IBM SW"), "{}", found.maker);
    let first = sign(&mut engine, 5, true).unwrap();
    assert_eq!(first.custody, Custody::TpmEmulated);
    assert_eq!(first.unbound, None);
    // Counters begin where the highest of that TPM ever was.
    let both = values(&first);
    let [(CounterKind::Orderly, orderly), (CounterKind::Plain, plain)] = both[..] else {
        panic!("{both:?}")
    };
    assert!(orderly >= 2 && plain >= 2, "{both:?}");
    let second = sign(&mut engine, 6, false).unwrap();
    assert_eq!(values(&second), [(CounterKind::Orderly, orderly + 1)]);
}

/// A step that the log does not show is attested and not made again: so a log never lacks more than one.
//= A6.4
#[test]
fn a_step_that_no_log_shows_is_attested_again_and_not_followed_by_another() {
    let rig = Rig::new();
    let mut engine = rig.engine();
    let plain = |signed: Signed| values(&signed)[1];
    let (_, first) = plain(sign(&mut engine, 5, true).unwrap());
    let at = |steps| (CounterKind::Plain, first + steps);
    for (size, step_of, steps) in [
        (6, Step::Above(first - 1), 0),
        (7, Step::Above(first - 1), 0),
        (8, Step::Above(first), 1),
        (9, Step::Above(first), 1),
        (10, Step::Next, 2),
    ] {
        let signed = step(&mut engine, size, Some(step_of)).unwrap();
        assert_eq!(plain(signed), at(steps), "{step_of:?}");
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

/// What somebody does to a counter of a TPM that is open is seen with the next signature; it goes on above its old value.
//= A6.4
#[test]
fn a_counter_that_is_made_anew_is_missed_and_never_goes_back() {
    let mut rig = Rig::new();
    rig.tpm.share();
    rig.file.place = place(&rig.tpm);
    let mut engine = rig.engine();
    let before = values(&sign(&mut engine, 12, true).unwrap());
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

#[test]
fn another_key_of_the_same_tpm_is_another_log() {
    let rig = Rig::new();
    let (file, authority) = TpmKeys::create(&place(&rig.tpm), [8; 32], None).unwrap();
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
