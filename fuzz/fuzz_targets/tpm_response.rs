//! Answers of a TPM and what a log says of one: any bytes are parsed or refused, and what is read back is the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tpm::uefi::{self, Variable};
use tpm::{Attest, Command, EndorsementKind, EventLog, KeyPublic, NvPublic, PcrSelection, Response, response};

fuzz_target!(|data: &[u8]| {
    let _ = response::length(data);
    let _ = Attest::parse(data);
    let _ = (Variable::parse(data), uefi::image_path(data), uefi::utf16(data), uefi::text(data));
    if let Ok(log) = EventLog::parse(data) {
        let _ = log.replay(|pcr, _| *pcr);
    }
    if let Ok(key) = KeyPublic::parse(data) {
        assert_eq!(key.bytes(), data);
    }
    if let Ok(index) = NvPublic::parse(data) {
        assert_eq!(index.bytes(), data);
    }
    // The answer to each command that is asked, with a header that fits the bytes.
    let selection = PcrSelection::sha256(&[0]);
    for command in [
        Command::properties(0x105, 8),
        Command::handles(0x0100_0000, 8),
        Command::create_primary(&KeyPublic::authority_template(&[0; 32])),
        Command::hash(b"text"),
        Command::sign(1, &[0; 32], &[]),
        Command::nv_read_public(1),
        Command::nv_read_counter(1),
        Command::nv_certify(1, 1, &[0; 32]),
        Command::quote(1, &[0; 32], &selection),
        Command::pcr_read(&selection),
        Command::create_primary(&EndorsementKind::Rsa2048.template()),
        Command::nv_read(1, 9, 0),
        Command::policy_session(),
        Command::policy_secret(1),
        Command::activate_credential(1, 2, 3, &[], &[]),
    ] {
        let mut answer = vec![0x80, 1];
        answer.extend(u32::try_from(data.len() + 10).unwrap_or(u32::MAX).to_be_bytes());
        answer.extend([0; 4]);
        answer.extend(data);
        let Ok(read) = Response::parse(&command, &answer) else {
            continue;
        };
        let _ = response::properties(&read);
        let _ = response::handles(&read);
        let _ = response::primary(&read);
        let _ = response::hashed(&read);
        let _ = response::signature(&read);
        let _ = response::nv_public(&read);
        let _ = response::counter(&read);
        let _ = response::attested(&read).map(|(attest, _)| Attest::parse(&attest));
        let _ = response::pcrs(&read);
        let _ = response::handle(&read);
        let _ = response::buffer(&read);
    }
});
