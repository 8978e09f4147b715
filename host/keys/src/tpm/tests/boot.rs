//! What was booted, by a real TPM: PCRs, quotes, event logs; each judged by tpm2-tools and openssl too.

use super::{ORIGIN, Rig};
use evidence::MonoNs;
use evidence::kinds::Boot;
use evidence::reasons::BootState;
use std::path::Path;
use std::process::Command;
use tpm::Attest;
use trial_stores::{Firmware, Swtpm};
use trust_plane::{
    BootId, Claim, Custody, Engine, KeyFault, LogFound, Look, SignError, SignedClaim, booted,
    qualifying, quoted,
};

/// A TPM into which a machine was measured, with what it wrote down.
fn machine() -> (Rig, Firmware) {
    let (tpm, firmware) = (Swtpm::new(), Firmware::of_a_machine("1.42"));
    firmware.start(&tpm);
    (Rig::on(tpm), firmware)
}

fn look(engine: &mut Engine<super::TpmKeys>, log: &LogFound) -> Boot {
    let look = Look {
        at: MonoNs(1),
        boot_id: BootId([1; 16]),
    };
    let pcrs = engine.pcrs().unwrap();
    booted(look, pcrs.as_deref(), log)
}

fn asked(engine: &mut Engine<super::TpmKeys>, nonce: &[u8]) -> Result<SignedClaim, SignError> {
    engine.claim(&format!("{ORIGIN}/g1"), Claim::Attestation(nonce))
}

fn text(signed: &SignedClaim) -> &str {
    signed
        .note
        .split_inclusive("\n\n")
        .next()
        .unwrap()
        .strip_suffix('\n')
        .unwrap()
}

//= A6.3
//= A6.5
//= R8.1
#[test]
fn a_boot_that_was_measured_is_replayed_and_quoted() {
    let (rig, firmware) = machine();
    let mut engine = rig.engine();
    let found = engine.describe().unwrap().capabilities;
    assert!(found.measured_boot && found.custody == Custody::TpmEmulated);
    let boot = look(&mut engine, &LogFound::Bytes(firmware.log().to_vec()));
    assert_eq!(boot.state, BootState::Replayed, "{}", boot.detail);
    assert_eq!(boot.stages.len(), 4);
    let signed = asked(&mut engine, b"nonce").unwrap();
    assert_eq!(signed.unquoted, None);
    let quote = signed.quoted.clone().unwrap();
    // It is of the PCRs that the log leads to, and of nothing else.
    let values = |pcrs: &[evidence::kinds::BootPcr]| -> Vec<_> {
        pcrs.iter().map(|one| (one.pcr, one.value)).collect()
    };
    assert_eq!(values(&quote.pcrs), values(&boot.pcrs));
    let [authority, _] = engine.verifier_keys(ORIGIN).unwrap();
    assert!(quoted(&quote, text(&signed), &authority).is_ok());
    assert!(quoted(&quote, "another text\n", &authority).is_err());
    let mut other = quote.clone();
    other.pcrs[3].value.0[0] ^= 1;
    assert!(quoted(&other, text(&signed), &authority).is_err());
    let mut other = quote.clone();
    other.attest[40] ^= 1;
    assert!(quoted(&other, text(&signed), &authority).is_err());
    // Another machine booted something else.
    let rig = Rig::on(Swtpm::new());
    Firmware::of_a_machine("1.43").start(&rig.tpm);
    let mut engine = rig.engine();
    let boot_of_other = look(&mut engine, &LogFound::Bytes(firmware.log().to_vec()));
    assert_eq!(boot_of_other.state, BootState::LogDiffers);
    assert!(
        boot_of_other.detail.contains("PCR 0."),
        "{}",
        boot_of_other.detail
    );
    assert_ne!(boot_of_other.measurement_id, boot.measurement_id);
}

fn tool(program: &str, arguments: &[&str], dir: &Path) -> String {
    let mut command = Command::new(program);
    let said = command.args(arguments).current_dir(dir).output().unwrap();
    assert!(said.status.success(), "{command:?}: {said:?}");
    String::from_utf8(said.stdout).unwrap()
}

/// tpm2-tools read the log as we do, and openssl verifies the quote.
//= A6.5
#[test]
fn strangers_read_the_same_log_and_verify_the_same_quote() {
    let (rig, firmware) = machine();
    let mut engine = rig.engine();
    let boot = look(&mut engine, &LogFound::Bytes(firmware.log().to_vec()));
    let signed = asked(&mut engine, b"nonce").unwrap();
    drop(engine);
    let dir = rig.tpm.folder();
    std::fs::write(dir.join("log"), firmware.log()).unwrap();
    let read = tool("tpm2_eventlog", &["log"], dir);
    for one in boot.pcrs.iter().filter(|one| one.value.0 != [0; 32]) {
        let line = format!("{} : 0x{}", format_args!("{:<2}", one.pcr), one.value);
        assert!(read.contains(&line), "{line} in\n{read}");
    }
    assert!(read.contains("UnicodeName: SecureBoot"), "{read}");
    let quote = signed.quoted.as_ref().unwrap();
    std::fs::write(dir.join("quote"), &quote.attest).unwrap();
    std::fs::write(dir.join("quote.signature"), &quote.signature).unwrap();
    std::fs::write(dir.join("authority.der"), &rig.authority).unwrap();
    let keyed = [
        "dgst",
        "-sha256",
        "-keyform",
        "DER",
        "-verify",
        "authority.der",
    ];
    let rest = ["-signature", "quote.signature", "quote"];
    let said = tool("openssl", &[&keyed[..], &rest[..]].concat(), dir);
    assert_eq!(said, "Verified OK\n");
    let pem = [
        "pkey",
        "-pubin",
        "-inform",
        "DER",
        "-in",
        "authority.der",
        "-out",
        "authority.pem",
    ];
    tool("openssl", &pem, dir);
    let nonce: String = qualifying(text(&signed))
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let of_key = [
        "-u",
        "authority.pem",
        "-m",
        "quote",
        "-s",
        "quote.signature",
    ];
    let said = tool(
        "tpm2_checkquote",
        &[&of_key[..], &["-g", "sha256", "-q", &nonce]].concat(),
        dir,
    );
    assert!(said.starts_with("sig: 30"), "{said}");
    assert!(Attest::parse(&quote.attest).unwrap().clock.safe);
}

/// A TPM that nobody measured into, one without the bank, one that was reset behind the firmware's back, one that is gone.
//= A6.5
//= A11.2
#[test]
fn what_a_tpm_cannot_say_is_told_as_that() {
    let (mut rig, firmware) = machine();
    let log = LogFound::Bytes(firmware.log().to_vec());
    let missing = LogFound::Missing("there".into());
    let mut engine = rig.engine();
    assert_eq!(look(&mut engine, &missing).state, BootState::LogMissing);
    let garbage = LogFound::Bytes(b"no log".to_vec());
    assert_eq!(look(&mut engine, &garbage).state, BootState::LogUnreadable);
    drop(engine);
    // Switched off and on with nobody who measures: nothing is claimed, and the log of before is contradicted.
    rig.tpm.cut();
    rig.tpm.on();
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
    rig.tpm.cut();
    rig.tpm.on();
    let mut engine = rig.engine();
    let boot = look(&mut engine, &log);
    assert_eq!((boot.state, boot.pcrs.len()), (BootState::BankAbsent, 0));
    // Its quote is of no PCR, and says so.
    let signed = asked(&mut engine, b"nonce").unwrap();
    assert_eq!(signed.quoted.map(|quote| quote.pcrs.len()), Some(0));
    rig.tpm.cut();
    let fault = |error: SignError| match error {
        SignError::Backend(error) => error.fault,
        other => panic!("{other}"),
    };
    assert_eq!(fault(engine.pcrs().unwrap_err()), KeyFault::Unavailable);
    rig.tpm.on();
    assert!(engine.pcrs().is_ok());
    rig.tpm.stand_still(true);
    assert_eq!(fault(engine.pcrs().unwrap_err()), KeyFault::Slow);
    rig.tpm.stand_still(false);
}
