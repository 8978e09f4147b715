//! What takes power over a TPM, or more than one: only programs have such. The guest of `cargo xtask tpm-guest` has a chip behind
//! its bus for all other tests, and is itself switched off and on.

use super::boot::{asked, look};
use super::firmware::{bind, there};
use super::{Rig, sign, values};
use crate::tpm::TpmPlace;
use evidence::reasons::BootState;
use tpm::Attest;
use trial_stores::{Firmware, Swtpm};
use trust_plane::{Backend as _, CounterKind, KeyFault, LogFound, SignError, Signed};

fn rig() -> Rig {
    Rig::on(Swtpm::new().into())
}

/// A TPM into which a machine with this firmware was measured, and its log.
fn machine(version: &str) -> (Rig, Vec<u8>) {
    let (tpm, firmware) = (Swtpm::new(), Firmware::of_a_machine(version));
    firmware.start(&tpm);
    (Rig::on(tpm.into()), firmware.log().to_vec())
}

//= A6.4
#[test]
fn counters_never_go_back_by_cuts() {
    let mut rig = rig();
    let mut engine = rig.engine();
    for size in 5..9 {
        sign(&mut engine, size, true).unwrap();
    }
    let before = values(&sign(&mut engine, 9, true).unwrap());
    rig.tpm.program().cut();
    let error = sign(&mut engine, 10, true).unwrap_err();
    assert!(error.is_of_the_keys(), "{error}");
    rig.tpm.program().on();
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
}

/// What TPM2_Clear leaves and what it takes: whoever judges a log by its bindings meets exactly this.
//= A6.4
#[test]
fn a_tpm_that_is_cleared_keeps_the_key_and_counts_on_while_its_clock_begins_anew() {
    let mut rig = rig();
    for _ in 0..3 {
        rig.tpm.program().cut();
        rig.tpm.program().on();
    }
    let tool = |tool: &str, arguments: &[&str]| {
        let said = rig.tpm.tool(tool, arguments);
        assert!(said.status.success(), "{said:?}");
    };
    // An hour, so that no slow machine reaches it again below.
    tool("tpm2_setclock", &["3600000"]);
    let mut engine = rig.engine();
    let before = sign(&mut engine, 5, true).unwrap();
    drop(engine);
    tool("tpm2_clear", &[]);
    let mut engine = rig.engine();
    let unbound = sign(&mut engine, 6, true).unwrap();
    assert_eq!(unbound.unbound.unwrap().fault, KeyFault::CounterUndefined);
    assert!(unbound.bound.is_empty());
    drop(engine);
    for (index, orderly) in [(rig.file.orderly, "|orderly"), (rig.file.plain, "")] {
        let index = format!("{index:#x}");
        let attributes = format!("nt=counter|authwrite|authread|no_da{orderly}");
        let define = ["-C", "o", "-s", "8", "-a", &attributes, &index];
        tool("tpm2_nvdefine", &define);
        tool("tpm2_nvincrement", &["-C", &index, &index]);
    }
    let after = sign(&mut rig.engine(), 7, true).unwrap();
    for ((kind, before), (_, after)) in values(&before).iter().zip(values(&after)) {
        // Of the orderly one what was in memory alone may be forgotten: it is told as one that is behind.
        let plain = *kind == CounterKind::Plain;
        assert!(!plain || after > *before, "{after} behind {before}");
    }
    let attest = |signed: &Signed| Attest::parse(&signed.bound[0].attest).unwrap();
    let (before, after) = (attest(&before), attest(&after));
    assert_eq!(after.qualified_signer, before.qualified_signer);
    assert!(before.clock.reset_count >= 3, "{before:?}");
    assert_eq!((after.clock.reset_count, after.clock.restart_count), (0, 0));
    assert!(after.clock.clock_ms < before.clock.clock_ms, "{after:?}");
}

//= A6.2
#[test]
fn a_tpm_that_is_gone_slow_or_another_is_told_apart() {
    let mut rig = rig();
    let mut engine = rig.engine();
    sign(&mut engine, 5, false).unwrap();
    let fault = |error: SignError| match error {
        SignError::Backend(error) => (error.fault, error.words),
        other => panic!("{other}"),
    };
    rig.tpm.program().stand_still(true);
    let (slow, words) = fault(sign(&mut engine, 6, false).unwrap_err());
    assert_eq!(slow, KeyFault::Slow, "{words}");
    assert!(words.contains("within 4 s"), "{words}");
    rig.tpm.program().stand_still(false);
    rig.tpm.program().cut();
    let (gone, words) = fault(sign(&mut engine, 6, false).unwrap_err());
    assert_eq!(gone, KeyFault::Unavailable, "{words}");
    rig.tpm.program().on();
    // The next one after the TPM is back is signed, without anything being started anew.
    let signed = sign(&mut engine, 6, false).unwrap();
    assert_eq!(signed.bound.len(), 1);
    drop(engine);
    let other = Swtpm::new();
    rig.file.place = TpmPlace::Socket(other.socket());
    let (replaced, words) = fault(sign(&mut rig.engine(), 7, false).unwrap_err());
    assert_eq!(replaced, KeyFault::KeyReplaced, "{words}");
    // What is done about it stands behind the words, once.
    assert!(!words.contains("begin a new log"), "{words}");
    rig.file.place = TpmPlace::Device("/nowhere/tpm".into());
    assert_eq!(
        rig.keys().describe().unwrap_err().fault,
        KeyFault::Unavailable
    );
}

//= A6.2
#[test]
fn a_tpm_in_failure_mode_says_so() {
    let mut rig = rig();
    let mut engine = rig.engine();
    // Its flash cannot be written any more.
    std::fs::remove_dir_all(rig.tpm.program().state()).unwrap();
    let signed = sign(&mut engine, 5, true).unwrap();
    assert!(!signed.note.is_empty());
    assert_eq!(signed.unbound.unwrap().fault, KeyFault::Failed);
    let error = sign(&mut engine, 6, false).unwrap_err();
    assert!(error.to_string().contains("in failure mode"), "{error}");
}

/// The counter of firmware versions, over a cut.
//= A6.4
#[test]
fn a_raise_is_found_behind_a_cut_and_not_made_again() {
    let mut rig = rig();
    let mut engine = rig.engine();
    let first = bind(&mut engine, 7, None).value;
    assert_eq!(bind(&mut engine, 8, Some(first)).value, first + 1);
    drop(engine);
    rig.tpm.program().cut();
    rig.tpm.program().on();
    let mut engine = rig.engine();
    assert_eq!(there(&mut engine), Some(first + 1));
    assert_eq!(bind(&mut engine, 8, Some(first)).value, first + 1);
}

/// The log of one machine, and the TPM of one that booted something else.
//= A6.5
//= R8.1
#[test]
fn another_machine_contradicts_the_log_and_is_measured_otherwise() {
    let ((of_one, log), (of_other, _)) = (machine("1.42"), machine("1.43"));
    let boot = look(&mut of_one.engine(), &LogFound::Bytes(log.clone()));
    assert_eq!(boot.state, BootState::Replayed, "{}", boot.detail);
    let other = look(&mut of_other.engine(), &LogFound::Bytes(log));
    assert_eq!(other.state, BootState::LogDiffers);
    assert!(other.detail.contains("PCR 0."), "{}", other.detail);
    assert_ne!(other.measurement_id, boot.measurement_id);
}

/// A TPM that nobody measured into, one without the bank, one that was reset behind the firmware's back, one that is gone.
//= A6.5
//= A11.2
#[test]
fn what_a_tpm_cannot_say_is_told_as_that() {
    let (mut rig, log) = machine("1.42");
    let log = LogFound::Bytes(log);
    let missing = LogFound::Missing("there".into());
    let mut engine = rig.engine();
    assert_eq!(look(&mut engine, &missing).state, BootState::LogMissing);
    let garbage = LogFound::Bytes(b"no log".to_vec());
    assert_eq!(look(&mut engine, &garbage).state, BootState::LogUnreadable);
    drop(engine);
    // Switched off and on with nobody who measures: nothing is claimed, and the log of before is contradicted.
    rig.tpm.program().cut();
    rig.tpm.program().on();
    let mut engine = rig.engine();
    let boot = look(&mut engine, &missing);
    assert_eq!(
        (boot.state, boot.measurement_id),
        (BootState::Unmeasured, None)
    );
    assert!(!engine.describe().unwrap().capabilities.measured_boot);
    assert_eq!(look(&mut engine, &log).state, BootState::LogDiffers);
    drop(engine);
    let banks = rig.tpm.tool("tpm2_pcrallocate", &["sha1:all+sha256:none"]);
    assert!(banks.status.success(), "{banks:?}");
    rig.tpm.program().cut();
    rig.tpm.program().on();
    let mut engine = rig.engine();
    let boot = look(&mut engine, &log);
    assert_eq!((boot.state, boot.pcrs.len()), (BootState::BankAbsent, 0));
    // Its quote is of no PCR, and says so.
    let signed = asked(&mut engine, b"nonce").unwrap();
    assert_eq!(signed.quoted.map(|quote| quote.pcrs.len()), Some(0));
    rig.tpm.program().cut();
    let fault = |error: SignError| match error {
        SignError::Backend(error) => error.fault,
        other => panic!("{other}"),
    };
    assert_eq!(fault(engine.pcrs().unwrap_err()), KeyFault::Unavailable);
    rig.tpm.program().on();
    assert!(engine.pcrs().is_ok());
    rig.tpm.program().stand_still(true);
    assert_eq!(fault(engine.pcrs().unwrap_err()), KeyFault::Slow);
    rig.tpm.program().stand_still(false);
}
