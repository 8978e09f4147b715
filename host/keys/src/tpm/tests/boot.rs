//! What was booted, by a real TPM: PCRs, quotes, event logs; each judged by tpm2-tools and openssl too.

use super::{ORIGIN, Rig};
use evidence::MonoNs;
use evidence::kinds::Boot;
use evidence::reasons::BootState;
use std::path::Path;
use std::process::Command;
use tpm::Attest;
use trial_stores::{Firmware, Tpm};
use trust_plane::{
    BootId, Claim, Custody, Engine, LogFound, Look, SignError, SignedClaim, booted, qualifying,
    quoted,
};

/// A TPM into which a machine was measured, with what its firmware wrote down: the kernel shows that of a device.
pub(super) fn machine() -> (Rig, Vec<u8>) {
    let firmware = Firmware::of_a_machine("1.42");
    let rig = Rig::on(Tpm::measured(&firmware));
    let log = rig.file.event_log().map(std::fs::read);
    let log = log.unwrap_or_else(|| Ok(firmware.log().to_vec()));
    (rig, log.unwrap())
}

pub(super) fn look(engine: &mut Engine<super::TpmKeys>, log: &LogFound) -> Boot {
    let look = Look {
        at: MonoNs(1),
        boot_id: BootId([1; 16]),
    };
    let pcrs = engine.pcrs().unwrap();
    booted(look, pcrs.as_deref(), log)
}

pub(super) fn asked(
    engine: &mut Engine<super::TpmKeys>,
    nonce: &[u8],
) -> Result<SignedClaim, SignError> {
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
    let (rig, log) = machine();
    let mut engine = rig.engine();
    let found = engine.describe().unwrap().capabilities;
    assert!(found.measured_boot && found.custody == Custody::TpmEmulated);
    let boot = look(&mut engine, &LogFound::Bytes(log));
    assert_eq!(boot.state, BootState::Replayed, "{}", boot.detail);
    // Not every firmware measures what it starts: that of the guest measures itself.
    assert!(boot.stages.len() == 4 || rig.tpm.is_device());
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
    let (rig, log) = machine();
    let mut engine = rig.engine();
    let boot = look(&mut engine, &LogFound::Bytes(log.clone()));
    let signed = asked(&mut engine, b"nonce").unwrap();
    drop(engine);
    let dir = rig.tpm.folder();
    std::fs::write(dir.join("log"), &log).unwrap();
    let read = tool("tpm2_eventlog", &["log"], dir);
    for one in boot.pcrs.iter().filter(|one| one.value.0 != [0; 32]) {
        let line = format!("{} : 0x{}", format_args!("{:<2}", one.pcr), one.value);
        assert!(read.contains(&line), "{line} in\n{read}");
    }
    let secure = read.contains("UnicodeName: SecureBoot");
    assert!(secure || rig.tpm.is_device(), "{read}");
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
